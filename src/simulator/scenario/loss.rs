//! What would have happened without an attack: everybody else again, by intent, on the reserves from before it.
//!
//! By intent means: an exact-in buy spends the same lamports, an exact-out buy takes the same tokens, a sale sells the same
//! tokens. Bounds are not checked again. This is kept apart from the market's arithmetic on purpose: it is what detectors are
//! compared with.

use super::book::{Fill, Order};

/// A trade that happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Happened {
    pub(super) order: Order,
    pub(super) fill: Fill,
}

/// What a trade lost by the attack, in lamports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// What moves the price: more paid, or less got.
    pub(super) quote: i64,
    /// The same with the fees charged on either.
    pub(super) with_fees: i64,
}

/// Reserves in a world where something did not happen.
struct Other {
    base: u128,
    quote: u128,
    on_curve: bool,
}

impl Other {
    /// Makes a trade by intent; what it costs or brings here, for the same tokens.
    fn redo(&mut self, trade: &Happened) -> Option<u128> {
        let (base, quote, lp) =
            (u128::from(trade.fill.base()), u128::from(trade.fill.quote()), u128::from(trade.fill.lp()));
        let lp_of = |quote: u128| share_up(quote, trade.fill.rates()[0]);
        Some(match trade.order {
            Order::Spend { .. } => {
                let cost = (base * self.quote).div_ceil(self.base.checked_sub(base).filter(|left| *left > 0)?) + 1;
                let used = quote.checked_sub(1)?;
                self.base -= used * self.base / (self.quote + used);
                self.quote += quote + lp;
                cost
            }
            Order::Take { .. } => {
                let left = self.base.checked_sub(base).filter(|left| *left > 0)?;
                let cost =
                    if self.on_curve { base * self.quote / left + 1 } else { (base * self.quote).div_ceil(left) };
                (self.base, self.quote) = (left, self.quote + cost + lp_of(cost));
                cost
            }
            Order::Sell { .. } => {
                let got = base * self.quote / (self.base + base);
                (self.base, self.quote) = (self.base + base, self.quote - (got - lp_of(got)));
                got
            }
        })
    }
}

/// What each of these trades lost, had those marked not happened; `before` is base and effective quote before the first.
pub(super) fn losses(before: (u64, u64), on_curve: bool, trades: &[(Happened, bool)]) -> Vec<Loss> {
    let mut other = Other { base: before.0.into(), quote: before.1.into(), on_curve };
    let lose = |(trade, removed): &(Happened, bool)| {
        if *removed {
            return Loss::default();
        }
        let Some(without) = other.redo(trade) else { return Loss::default() };
        let fees: u128 = trade.fill.rates().into_iter().map(|bps| share_up(without, bps)).sum();
        let signed = |amount: u128| i64::try_from(amount).unwrap_or(i64::MAX);
        let with = trade.fill.quote().into();
        if trade.order.buys() {
            Loss {
                quote: signed(with) - signed(without),
                with_fees: signed(trade.fill.gross().into()) - signed(without + fees),
            }
        } else {
            Loss {
                quote: signed(without) - signed(with),
                with_fees: signed(without.saturating_sub(fees)) - signed(trade.fill.net().into()),
            }
        }
    };
    trades.iter().map(lose).collect()
}

/// Basis points, rounded up as fees are.
fn share_up(amount: u128, bps: u64) -> u128 {
    (amount * u128::from(bps)).div_ceil(10_000)
}
