//! Pools in which made orders are executed, and recordings read as legs.

use std::{env, path::PathBuf};

use smart_stream_tui::{
    chain::{
        ids::{Key, Signature, WRAPPED_SOL},
        recording::Reader,
        wire::{Kind, Update},
    },
    decode::{
        Decoder,
        event::{Flow, Limit, LimitKind, Path, Reserves, Side, Venue},
    },
    mev::{
        Alert, Detectors, Leg, Weights,
        leg::{Intent, Place, Rates},
        replay::PoolState,
    },
};

pub(crate) const SOL: u64 = 1_000_000_000;

pub(crate) fn key<K>(n: u64) -> Key<K> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    bytes[12..20].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    Key::new(bytes)
}

/// A test's own file, or one that may not be shipped.
pub(crate) fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("SMART_STREAM_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    Some(folder.join("mainnet").join(name)).filter(|path| path.exists())
}

/// The trades of a recording, in its order.
pub(crate) fn legs(path: &std::path::Path) -> Vec<Leg> {
    let (mut decoder, mut events, mut undecoded) = (Decoder::default(), Vec::new(), Vec::new());
    for frame in Reader::open(path).unwrap() {
        if let Kind::Transaction(transaction) = Update::scan(&frame.unwrap()).unwrap().kind {
            decoder.decode(&transaction, &mut events, &mut undecoded).unwrap();
        }
    }
    events.iter().filter_map(|event| Leg::of(event, 0, true)).collect()
}

/// Detectors fed by a test.
pub(crate) fn alerts(legs: &[Leg]) -> Vec<Alert> {
    let mut detectors = Detectors::new(Weights::built_in(), false);
    let mut found = Vec::new();
    for leg in legs {
        detectors.trade(leg, &mut found);
    }
    found
}

/// A pool whose made orders are executed by the arithmetic under test, one transaction each.
pub(crate) struct Market {
    pub(crate) state: PoolState,
    pub(crate) template: Leg,
    pub(crate) legs: Vec<Leg>,
}

/// An order's variable parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) user: u64,
    pub(crate) side: Side,
    pub(crate) intent: Intent,
    pub(crate) amount: u64,
    /// Share of slippage allowed from the state it is executed in.
    pub(crate) slippage: Option<f64>,
}

pub(crate) fn buy(user: u64, lamports: u64) -> Order {
    Order { user, side: Side::Buy, intent: Intent::ExactIn, amount: lamports, slippage: None }
}

pub(crate) fn sell(user: u64, tokens: u64) -> Order {
    Order { user, side: Side::Sell, intent: Intent::ExactIn, amount: tokens, slippage: None }
}

impl Market {
    pub(crate) fn new(venue: Venue) -> Self {
        let (base, quote, left, rates) = match venue {
            Venue::Pump => {
                let others = [95, 30, 0, 0];
                (800_000_000_000_000, 40_237_500_000, Some(520_100_000_000_000), Rates { lp: 0, others })
            }
            Venue::PumpSwap => (206_900_000_000_000, 84_000_000_000, None, Rates { lp: 20, others: [5, 95, 0, 0] }),
            _ => (206_900_000_000_000, 84_000_000_000, None, Rates::default()),
        };
        let template = Leg {
            place: Place { slot: 1_000, tx_index: 0, path: Path { outer: 2, inner: None }, event_index: 0 },
            signature: Signature::default(),
            venue,
            flow: Flow::User,
            pool: key(1),
            mint: key(2),
            quote_mint: WRAPPED_SOL,
            side: Side::Buy,
            user: key(3),
            payer: key(3),
            outer_program: None,
            terminal: false,
            base: 0,
            quote: 0,
            rates,
            fees: 0,
            before: None,
            after: None,
            curve_left: None,
            curve_quote: None,
            intent: Intent::ExactIn,
            limit: None,
            tip: 0,
            tx_fee: 5_000,
            compute_units: None,
            recv_us: 0,
            whole: true,
        };
        let state = PoolState { base, quote, left };
        Self { state, template, legs: Vec::new() }
    }

    /// A pool and a token of their own.
    pub(crate) fn of(venue: Venue, number: u64) -> Self {
        let mut market = Self::new(venue);
        (market.template.pool, market.template.mint) = (key(number), key(number + 1_000_000));
        market
    }

    /// Goes on to the next slot, or one further on.
    pub(crate) fn slots(&mut self, count: u64) {
        self.template.place.slot += count;
        self.template.place.tx_index = 0;
        self.template.recv_us += i64::try_from(count).unwrap() * 400_000;
    }

    /// Executes an order in the next transaction; what it moved.
    pub(crate) fn execute(&mut self, order: Order) -> Leg {
        self.execute_as(order, |_| {})
    }

    /// The same with something more about its transaction.
    pub(crate) fn execute_as(&mut self, order: Order, tell: impl FnOnce(&mut Leg)) -> Leg {
        let mut leg = Leg { side: order.side, intent: order.intent, ..self.template.clone() };
        leg.user = key(order.user);
        leg.payer = leg.user;
        let in_base = (order.side == Side::Sell) == (order.intent == Intent::ExactIn);
        (leg.base, leg.quote) = if in_base { (order.amount, 0) } else { (0, order.amount) };
        let fill = self.state.fill(&leg).unwrap();
        let mut signature = [0; 64];
        signature[..8].copy_from_slice(&(self.legs.len() as u64 + 1).to_le_bytes());
        signature[8..40].copy_from_slice(leg.pool.bytes());
        leg.signature = Signature::from(signature);
        leg.before = Some(reserves(self.state));
        leg.after = Some(reserves(fill.after));
        (leg.base, leg.quote, leg.curve_left) = (fill.base, fill.quote, fill.after.left);
        leg.fees = fill.fees;
        leg.limit = order.slippage.map(|slippage| limit(&leg, slippage));
        tell(&mut leg);
        self.template.place.tx_index += 1;
        self.state = fill.after;
        self.legs.push(leg.clone());
        leg
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a limit")]
fn limit(leg: &Leg, slippage: f64) -> Limit {
    let scaled = |amount: u64, by: f64| (amount as f64 * by) as u64;
    match (leg.side, leg.intent) {
        (Side::Buy, Intent::ExactIn) => Limit { kind: LimitKind::MinBaseOut, amount: scaled(leg.base, 1.0 - slippage) },
        (Side::Buy, Intent::ExactOut) => {
            Limit { kind: LimitKind::MaxQuoteIn, amount: scaled(leg.with_fees(), 1.0 + slippage) }
        }
        (Side::Sell, Intent::ExactIn) => {
            Limit { kind: LimitKind::MinQuoteOut, amount: scaled(leg.with_fees(), 1.0 - slippage) }
        }
        (Side::Sell, Intent::ExactOut) => {
            Limit { kind: LimitKind::MaxBaseIn, amount: scaled(leg.base, 1.0 + slippage) }
        }
    }
}

fn reserves(state: PoolState) -> Reserves {
    Reserves { base: u64::try_from(state.base).unwrap(), quote: state.quote }
}
