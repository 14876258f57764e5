//! Kinds of coins, by where the creator's part of each fee goes.

use fastrand::Rng;

use super::truth::Share;

/// See the module. What it is is said at launch and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breed {
    Plain,
    /// Launched with a second supply in the vault of the mayhem agent; nothing is bought back.
    Mayhem,
    /// To the buyer or seller.
    Cashback,
    /// To those who hold it.
    HolderRewards,
}

impl Breed {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        match rng.u8(0..100) {
            0..5 => Self::Mayhem,
            5..10 => Self::Cashback,
            10..18 => Self::HolderRewards,
            _ => Self::Plain,
        }
    }

    pub(super) const fn share(self) -> Share {
        match self {
            Self::Plain | Self::Mayhem => Share::Creator,
            Self::Cashback => Share::Cashback,
            Self::HolderRewards => Share::HolderRewards,
        }
    }

    /// Of the protocol's fee, in basis points.
    pub(super) const fn buyback_bps(self, usual: u64) -> u64 {
        match self {
            Self::Mayhem => 0,
            _ => usual,
        }
    }
}

impl Share {
    /// A figure in its place among those of the creator, of cashback and of holders' rewards.
    pub(super) const fn split(self, figure: u64) -> [u64; 3] {
        match self {
            Self::Creator => [figure, 0, 0],
            Self::Cashback => [0, figure, 0],
            Self::HolderRewards => [0, 0, figure],
        }
    }
}
