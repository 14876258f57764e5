//! One swap as the detectors see it.

use crate::{
    chain::ids::{Mint, Pool, Signature, Wallet},
    decode::{
        Event, EventKind,
        event::{DIRECT, FeeKind, Flow, Limit, LimitKind, Path, Reserves, Side, Trade, Venue},
    },
};

/// Where a swap stands in the order of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Its slot.
    pub slot: u64,
    /// Position of its transaction in the block.
    pub tx_index: u64,
    /// The instruction within the transaction.
    pub path: Path,
    /// The event within the instruction.
    pub event_index: u16,
}

/// What a trader asked for, and what would therefore happen again in another state of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Give so much: quote of a buy, base of a sell.
    ExactIn,
    /// Get so much: base of a buy, quote of a sell.
    ExactOut,
}

/// Fee rates of a swap, in basis points of the quote amount, as its event states them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Stays in the pool and moves the price.
    pub lp: u16,
    /// All that is charged on top of the quote amount, one rate per fee: each is rounded up by itself.
    pub others: [u16; 4],
}

/// One swap instruction.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// Where in the chain's order.
    pub place: Place,
    /// Its transaction.
    pub signature: Signature,
    /// Where.
    pub venue: Venue,
    /// Whose flow.
    pub flow: Flow,
    /// The pool or curve.
    pub pool: Pool,
    /// The base token.
    pub mint: Mint,
    /// The quote token; wrapped SOL for SOL.
    pub quote_mint: Mint,
    /// Seen from the base token.
    pub side: Side,
    /// Owner of the token account that traded.
    pub user: Wallet,
    /// Account key 0.
    pub payer: Wallet,
    /// The top-level program when it is not the venue itself.
    pub outer_program: Option<[u8; 32]>,
    /// Sent by a trading app, wallet or router that many people use.
    pub terminal: bool,
    /// Raw base units.
    pub base: u64,
    /// Raw quote units that move the price.
    pub quote: u64,
    /// Fee rates.
    pub rates: Rates,
    /// Fees charged on top of the quote amount, raw quote units.
    pub fees: u64,
    /// Effective reserves before, where they are known.
    pub before: Option<Reserves>,
    /// Effective reserves after, where they are known.
    pub after: Option<Reserves>,
    /// Base units the curve still has for sale afterwards; curves only.
    pub curve_left: Option<u64>,
    /// Real quote on the curve afterwards; curves only.
    pub curve_quote: Option<u64>,
    /// What was asked for.
    pub intent: Intent,
    /// The trader's own bound.
    pub limit: Option<Limit>,
    /// What its transaction paid to tip accounts, lamports.
    pub tip: u64,
    /// What its transaction paid the network, lamports; the part that is not known counts as nothing.
    pub tx_fee: u64,
    /// The compute unit limit asked for.
    pub compute_units: Option<u32>,
    /// When it arrived, in microseconds since the Unix epoch.
    pub recv_us: i64,
    /// Whether the reserve chain reaches it without a gap from the pool's leg before.
    pub whole: bool,
}

/// The base fee of a transaction with one signature, in lamports.
const SIGNATURE_FEE: u64 = 5_000;

impl Leg {
    /// The leg of a trade event; `None` for other events.
    #[must_use]
    pub fn of(event: &Event, recv_us: i64, whole: bool) -> Option<Self> {
        let EventKind::Trade(trade) = &event.kind else { return None };
        let place =
            Place { slot: event.slot, tx_index: event.tx_index, path: event.path, event_index: event.event_index };
        Some(Self {
            place,
            signature: event.signature,
            venue: trade.venue,
            flow: trade.flow,
            pool: trade.pool,
            mint: trade.mint,
            quote_mint: trade.quote_mint,
            side: trade.side,
            user: trade.user,
            payer: event.payer,
            outer_program: trade.outer_program,
            terminal: trade.app.is_some_and(|app| app != DIRECT),
            base: trade.base_amount,
            quote: trade.quote_amount,
            rates: rates(trade),
            fees: charged(trade),
            before: trade.reserves_before,
            after: trade.reserves_after,
            curve_left: trade.curve_tokens_left,
            curve_quote: trade.curve_real_quote,
            intent: intent(trade),
            limit: trade.limit,
            tip: trade.cost.tip,
            tx_fee: SIGNATURE_FEE.saturating_add(trade.cost.priority_fee.unwrap_or(0)),
            compute_units: trade.cost.compute_unit_limit,
            recv_us,
            whole,
        })
    }

    /// What a buyer paid in all, what a seller got in the end: raw quote units with the fees.
    #[must_use]
    pub const fn with_fees(&self) -> u64 {
        match self.side {
            Side::Buy => self.quote.saturating_add(self.fees),
            Side::Sell => self.quote.saturating_sub(self.fees),
        }
    }
}

/// An order that bounds what it gives asked for what it gets.
fn intent(trade: &Trade) -> Intent {
    match trade.limit.map(|limit| limit.kind) {
        Some(LimitKind::MaxQuoteIn | LimitKind::MaxBaseIn) => Intent::ExactOut,
        Some(LimitKind::MinBaseOut | LimitKind::MinQuoteOut) | None => Intent::ExactIn,
    }
}

/// Whether a fee is charged on top of the quote amount: a buyback is a slice of another, and other AMMs take their fee
/// out of the amounts their events state.
fn on_top(venue: Venue, kind: FeeKind, in_base: bool) -> bool {
    matches!(venue, Venue::Pump | Venue::PumpSwap) && !in_base && !matches!(kind, FeeKind::Buyback | FeeKind::Transfer)
}

fn rates(trade: &Trade) -> Rates {
    let mut rates = Rates::default();
    let mut others = rates.others.iter_mut();
    for fee in trade.fees.iter().flatten().filter(|fee| on_top(trade.venue, fee.kind, fee.in_base)) {
        let bps = fee.bps.unwrap_or(0);
        if fee.kind == FeeKind::Lp {
            rates.lp = bps;
        } else if bps > 0
            && let Some(other) = others.next()
        {
            *other = bps;
        }
    }
    rates
}

fn charged(trade: &Trade) -> u64 {
    let fees = trade.fees.iter().flatten().filter(|fee| on_top(trade.venue, fee.kind, fee.in_base));
    fees.fold(0, |sum, fee| sum.saturating_add(fee.amount))
}
