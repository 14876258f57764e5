//! Identities: distinct types over 32-byte keys. Base58 is made at the edge (screen, JSON), never on the data path.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Serialize, Serializer};
use solana_sdk::pubkey::{ParsePubkeyError, Pubkey};
pub use solana_sdk::signature::Signature;

/// A 32-byte address that cannot be mistaken for one of another kind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<K>(Pubkey, PhantomData<K>);

/// Marks of the kinds of [`Key`].
pub mod kind {
    /// See [`super::Mint`].
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Mint {}
    /// See [`super::Pool`].
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Pool {}
    /// See [`super::Wallet`].
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Wallet {}
}

/// A token's mint.
pub type Mint = Key<kind::Mint>;
/// A pool; the bonding curve for launchpads.
pub type Pool = Key<kind::Pool>;
/// An owner of tokens or payer of fees.
pub type Wallet = Key<kind::Wallet>;

impl<K> Key<K> {
    /// From raw bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(Pubkey::new_from_array(bytes), PhantomData)
    }

    /// The raw bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        self.0.as_array()
    }

    /// The same address in the Solana SDK's type.
    #[must_use]
    pub const fn pubkey(&self) -> &Pubkey {
        &self.0
    }
}

impl<K> From<Pubkey> for Key<K> {
    fn from(key: Pubkey) -> Self {
        Self(key, PhantomData)
    }
}

impl<K> FromStr for Key<K> {
    type Err = ParsePubkeyError;

    fn from_str(base58: &str) -> Result<Self, Self::Err> {
        Pubkey::from_str(base58).map(Self::from)
    }
}

impl<K> fmt::Display for Key<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<K> fmt::Debug for Key<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<K> Serialize for Key<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Wrapped SOL: how SOL is written wherever a quote mint is named.
pub const WRAPPED_SOL: Mint = Key(Pubkey::from_str_const("So11111111111111111111111111111111111111112"), PhantomData);
/// USD Coin.
pub const USDC: Mint = Key(Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"), PhantomData);
/// Tether USD.
pub const USDT: Mint = Key(Pubkey::from_str_const("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"), PhantomData);
