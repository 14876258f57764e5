//! Wallets, tokens and who holds what.

use fastrand::Rng;
use solana_sdk::pubkey::Pubkey;

use super::{
    address::{Fixed, PUMP, PUMP_SWAP, Purpose, TOKEN, TOKEN_2022, WRAPPED_SOL, derive, made_key},
    breed::Breed,
    curve::Curve,
    names::Names,
    pool::Pool,
    raydium::Aside,
};

/// Holders of a token that are followed; others keep what they bought.
const MOST_HOLDERS: usize = 400;
/// Recipients of one kind of fee; those of the protocol's fee come first, then those that buy back.
pub(super) const RECIPIENTS: usize = 8;
/// Made-up accounts of one token.
const ACCOUNTS: u64 = 8;

/// Number of a wallet.
pub(super) type WalletId = u32;

/// Somebody.
pub(super) struct Wallet {
    pub(super) key: Pubkey,
    pub(super) text: String,
    pub(super) lamports: u64,
}

/// All wallets there are, and what the recipients of fees have collected in wrapped SOL.
pub(super) struct Wallets {
    first: Wallet,
    all: Vec<Wallet>,
    collected: [u64; 2 * RECIPIENTS],
}

impl Wallets {
    pub(super) fn new(seed: u64, count: WalletId, rng: &mut Rng) -> Self {
        let mut wallet = |number: WalletId| {
            let key = made_key(seed, Purpose::Wallet, number.into());
            Wallet { key, text: key.to_string(), lamports: rng.u64(2_000_000_000..60_000_000_000) }
        };
        let first = wallet(0);
        let all = (0..count).map(wallet).collect();
        Self { first, all, collected: std::array::from_fn(|place| 40_000_000_000 + place as u64 * 7_654_321) }
    }

    pub(super) fn count(&self) -> WalletId {
        WalletId::try_from(self.all.len()).unwrap_or(WalletId::MAX)
    }

    /// Whose number this is; numbers begin anew behind the last.
    pub(super) fn get(&self, id: WalletId) -> &Wallet {
        self.all.get(id as usize % self.all.len().max(1)).unwrap_or(&self.first)
    }

    fn get_mut(&mut self, id: WalletId) -> &mut Wallet {
        let count = self.all.len().max(1);
        self.all.get_mut(id as usize % count).unwrap_or(&mut self.first)
    }

    /// A recipient of fees gets so much; what it had before and has now.
    pub(super) fn collect(&mut self, recipient: usize, lamports: u64) -> (u64, u64) {
        let Some(collected) = self.collected.get_mut(recipient) else { return (0, 0) };
        let before = *collected;
        *collected += lamports;
        (before, *collected)
    }

    pub(super) fn set_lamports(&mut self, id: WalletId, lamports: u64) {
        self.get_mut(id).lamports = lamports;
    }

    /// Sees to it that a wallet can pay so much: by a transfer that touches none of the watched programs, so that it is on
    /// the chain but not on this stream.
    pub(super) fn fund(&mut self, id: WalletId, lamports: u64) {
        let wallet = self.get_mut(id);
        if wallet.lamports < lamports {
            wallet.lamports = lamports.saturating_mul(3);
        }
    }
}

/// A token, from its launch on.
pub(super) struct Token {
    pub(super) id: u64,
    pub(super) mint: Pubkey,
    pub(super) mint_text: String,
    pub(super) names: Names,
    pub(super) creator: WalletId,
    /// Made by `create`, before Token-2022.
    pub(super) legacy: bool,
    pub(super) breed: Breed,
    pub(super) curve: Curve,
    pub(super) curve_key: Pubkey,
    pub(super) curve_text: String,
    /// Creator's fees that wait on the curve.
    pub(super) creator_fees: u64,
    /// What the completing buy took beyond the curve: tokens, and lamports for them.
    pub(super) beyond: (u64, u64),
    pub(super) home: Option<Box<Home>>,
    /// A pool that a user opened besides.
    pub(super) aside: Option<Box<Aside>>,
    pub(super) holders: Vec<(WalletId, u64)>,
    /// How much attention it gets.
    pub(super) heat: f64,
    /// Share of buys among its organic trades.
    pub(super) mood: f64,
}

/// The pool that a token has graduated to.
pub(super) struct Home {
    pub(super) key: Pubkey,
    pub(super) text: String,
    pub(super) authority: Pubkey,
    pub(super) lp_mint: Pubkey,
    pub(super) pool: Pool,
    /// What the creator has been paid.
    pub(super) creator_paid: u64,
    /// Lamports set aside for the protocol's purchases.
    pub(super) boost: u64,
    pub(super) providers: Vec<(WalletId, u64)>,
}

/// The made-up accounts that belong to a token.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Account {
    CurveBase,
    CurveQuote,
    CurveV2,
    CreatorVault,
    Sharing,
    PoolBase,
    PoolQuote,
    BoostVault,
}

impl Token {
    pub(super) fn launch(seed: u64, id: u64, creator: WalletId, rng: &mut Rng) -> Self {
        let mint = made_key(seed, Purpose::Mint, id);
        let curve_key = derive(&PUMP, &[b"bonding-curve", mint.as_array()]);
        let names = Names::draw(rng);
        let legacy = rng.u8(0..100) < 12;
        Self {
            id,
            mint,
            mint_text: mint.to_string(),
            names,
            creator,
            legacy,
            breed: if legacy { Breed::Plain } else { Breed::draw(rng) },
            curve: Curve::new(),
            curve_key,
            curve_text: curve_key.to_string(),
            creator_fees: 0,
            beyond: (0, 0),
            home: None,
            aside: None,
            holders: Vec::new(),
            heat: 0.0,
            mood: 0.5,
        }
    }

    pub(super) fn program(&self) -> &'static Fixed {
        if self.legacy { &TOKEN } else { &TOKEN_2022 }
    }

    pub(super) fn account(&self, seed: u64, account: Account) -> Pubkey {
        made_key(seed, Purpose::PoolAccount, self.id * ACCOUNTS + account as u64)
    }

    pub(super) fn held_by(&self, wallet: WalletId) -> u64 {
        self.holders.iter().find(|(holder, _)| *holder == wallet).map_or(0, |(_, amount)| *amount)
    }

    pub(super) fn is_followed(&self, wallet: WalletId) -> bool {
        self.holders.len() < MOST_HOLDERS || self.holders.iter().any(|(holder, _)| *holder == wallet)
    }

    /// Changes what a wallet holds.
    pub(super) fn hold(&mut self, wallet: WalletId, amount: u64) {
        match self.holders.iter().position(|(holder, _)| *holder == wallet) {
            Some(place) if amount == 0 => drop(self.holders.swap_remove(place)),
            Some(place) => self.holders.iter_mut().skip(place).take(1).for_each(|holder| holder.1 = amount),
            None if amount > 0 && self.holders.len() < MOST_HOLDERS => self.holders.push((wallet, amount)),
            None => {}
        }
    }

    /// The pool a completed curve goes to, opened with these amounts; LP tokens in all and of the opener.
    pub(super) fn graduate(&self, base: u64, quote: u64) -> (Home, u64, u64) {
        let authority = derive(&PUMP, &[b"pool-authority", self.mint.as_array()]);
        let index = 0_u16.to_le_bytes();
        let seeds: [&[u8]; 5] =
            [b"pool", &index, authority.as_array(), self.mint.as_array(), WRAPPED_SOL.key.as_array()];
        let key = derive(&PUMP_SWAP, &seeds);
        let (pool, initial, lp) = Pool::open(base, quote);
        let home = Home {
            key,
            text: key.to_string(),
            authority,
            lp_mint: derive(&PUMP_SWAP, &[b"pool_lp_mint", key.as_array()]),
            pool,
            creator_paid: 0,
            boost: 0,
            providers: Vec::new(),
        };
        (home, initial, lp)
    }
}
