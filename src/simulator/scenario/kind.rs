//! The kinds of episodes.

use serde::Serialize;

/// What an episode shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Front, victim and back adjacent.
    Tight,
    /// The same with several victims.
    TightMulti,
    /// In one slot, with others' trades between.
    WideSlot,
    /// The back one to five slots after the front; two victims half the time.
    WideCross,
    /// Two wallets, the tokens handed over in the front's transaction; half of them sell 92 to 97 % of them.
    WalletsTransfer,
    /// Two wallets, one payer.
    WalletsPayer,
    /// Two wallets, one program that nobody else calls.
    WalletsProgram,
    /// Two wallets that share nothing but the exact amount.
    WalletsAmount,
    /// Two backs: to break even, then for profit.
    SplitBack,
    /// Two fronts.
    SplitFront,
    /// The back sells 92 to 97 % of the front.
    PartialUnwind,
    /// Sells before a seller and buys back.
    SellSide,
    /// Two attackers around one victim, one inside the other.
    Nested,
    /// Nothing planted.
    Organic,
    /// Many who sell soon what they bought.
    Flippers,
    /// A wallet that buys and sells to be seen.
    VolumeWallet,
    /// Wallets of one operator that do so together.
    VolumeCohort,
    /// Leans against moves of the price.
    MarketMaker,
    /// Buys after large buys and sells into the next ones.
    Momentum,
    /// Sells to those who copied its buy.
    LeaderDump,
    /// An app that pays for its users.
    Relayer,
    /// Sells inventory from before into large buys.
    InventoryBackrun,
    /// A keeper that buys for its users every few slots.
    DcaKeeper,
    /// Buys and sells without skill.
    Scalper,
    /// One user buys with one wallet and sells with another.
    TwoWallets,
    /// The curve completes and moves to its pool.
    Migration,
    /// Buys in one pool and sells in another in one transaction.
    Arbitrage,
}

use Kind::{
    Arbitrage, DcaKeeper, Flippers, InventoryBackrun, LeaderDump, MarketMaker, Migration, Momentum, Nested, Organic,
    PartialUnwind, Relayer, Scalper, SellSide, SplitBack, SplitFront, Tight, TightMulti, TwoWallets, VolumeCohort,
    VolumeWallet, WalletsAmount, WalletsPayer, WalletsProgram, WalletsTransfer, WideCross, WideSlot,
};

impl Kind {
    /// All of them: attacks, then what nothing is planted in, then what only looks like an attack.
    pub const ALL: [Self; 27] = [
        Tight,
        TightMulti,
        WideSlot,
        WideCross,
        WalletsTransfer,
        WalletsPayer,
        WalletsProgram,
        WalletsAmount,
        SplitBack,
        SplitFront,
        PartialUnwind,
        SellSide,
        Nested,
        Organic,
        Flippers,
        VolumeWallet,
        VolumeCohort,
        MarketMaker,
        Momentum,
        LeaderDump,
        Relayer,
        InventoryBackrun,
        DcaKeeper,
        Scalper,
        TwoWallets,
        Migration,
        Arbitrage,
    ];

    /// Whether an attack is planted.
    #[must_use]
    pub fn is_attack(self) -> bool {
        self <= Nested
    }

    /// The name used in labels and figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Tight => "tight",
            TightMulti => "tight_multi",
            WideSlot => "wide_slot",
            WideCross => "wide_cross",
            WalletsTransfer => "wallets_transfer",
            WalletsPayer => "wallets_payer",
            WalletsProgram => "wallets_program",
            WalletsAmount => "wallets_amount",
            SplitBack => "split_back",
            SplitFront => "split_front",
            PartialUnwind => "partial_unwind",
            SellSide => "sell_side",
            Nested => "nested",
            Organic => "organic",
            Flippers => "flippers",
            VolumeWallet => "volume_wallet",
            VolumeCohort => "volume_cohort",
            MarketMaker => "market_maker",
            Momentum => "momentum",
            LeaderDump => "leader_dump",
            Relayer => "relayer",
            InventoryBackrun => "inventory_backrun",
            DcaKeeper => "dca_keeper",
            Scalper => "scalper",
            TwoWallets => "two_wallets",
            Migration => "migration",
            Arbitrage => "arbitrage",
        }
    }
}
