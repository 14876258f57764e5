//! A stage: tokens in any state, and transactions written one by one as a scenario orders them.

use std::collections::HashMap;

use fastrand::Rng;
use solana_sdk::pubkey::Pubkey;
use yellowstone_grpc_proto::geyser::SubscribeUpdateTransactionInfo;

use super::{
    address::{PRIVATE_PROGRAMS, Purpose, ROUTERS, made_key},
    curve::Curve,
    curve_call::{self, CurveOrder},
    curve_instructions,
    draft::{Balance, Place},
    migration,
    parts::{Bound, Moment, Style, Writing, version},
    pool::Pool,
    pool_call::{self, PoolOrder},
    state::{Token, WalletId, Wallets},
    truth::{Role, What},
};

/// Programs of terminals and aggregators, which everybody calls.
pub(in crate::simulator) const PUBLIC: usize = ROUTERS.len();
/// Programs that only their owners call.
pub(in crate::simulator) const PRIVATE: usize = PRIVATE_PROGRAMS;

/// Who sends a transaction, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Sender {
    /// Whose tokens and lamports move.
    pub(in crate::simulator) wallet: WalletId,
    /// Who pays the fee, where that is somebody else.
    pub(in crate::simulator) payer: Option<WalletId>,
    /// The program that calls the venue: of the [`PUBLIC`] ones, or from there on of the [`PRIVATE`] ones.
    pub(in crate::simulator) program: Option<usize>,
    /// Lamports.
    pub(in crate::simulator) priority_fee: u64,
    /// Lamports for the leader.
    pub(in crate::simulator) tip: u64,
    /// Compute units asked for.
    pub(in crate::simulator) units: u32,
}

/// What one instruction of a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) enum Step {
    /// Trades, by the instruction's own two arguments.
    Trade {
        /// The token.
        token: u64,
        /// Buys, else sells.
        buy: bool,
        /// Says what to give, not what to get.
        exact_in: bool,
        /// Of the instruction, 1 to 3.
        generation: u8,
        /// What to give or to get.
        amount: u64,
        /// The least to get or the most to give.
        limit: u64,
    },
    /// Hands tokens to another wallet.
    Hand {
        /// The token.
        token: u64,
        /// Who gets them.
        to: WalletId,
        /// Base units.
        amount: u64,
    },
    /// Moves a completed curve to its pool.
    Migrate {
        /// The token.
        token: u64,
    },
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Outcome {
    /// Where the instruction stands.
    pub(in crate::simulator) place: Place,
    /// Base and quote of a trade, the quote without fees.
    pub(in crate::simulator) traded: Option<(u64, u64)>,
}

/// A transaction, and what became of each of its steps: nothing where it failed.
pub(in crate::simulator) struct Written {
    pub(in crate::simulator) info: SubscribeUpdateTransactionInfo,
    pub(in crate::simulator) outcomes: Vec<Outcome>,
}

/// Where a token trades, by its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::simulator) struct Venue {
    pub(in crate::simulator) mint: Pubkey,
    /// Its pool, or its curve before that.
    pub(in crate::simulator) pool: Pubkey,
}

/// See the module.
pub(in crate::simulator) struct Stage {
    seed: u64,
    rng: Rng,
    wallets: Wallets,
    tokens: HashMap<u64, Token>,
    numbered: u64,
    transactions: u64,
}

impl Stage {
    /// An empty stage with so many wallets. Its keys and signatures belong to the seed.
    pub(in crate::simulator) fn new(seed: u64, wallets: WalletId) -> Self {
        let mut rng = Rng::with_seed(seed);
        let wallets = Wallets::new(seed, wallets, &mut rng);
        Self { seed, rng, wallets, tokens: HashMap::new(), numbered: 0, transactions: 0 }
    }

    fn token(&mut self, creator: WalletId) -> (u64, &mut Token) {
        self.numbered += 1;
        let id = self.numbered;
        let token = Token::launch(self.seed, id, creator, &mut self.rng);
        (id, self.tokens.entry(id).or_insert(token))
    }

    /// A token whose curve stands so.
    pub(in crate::simulator) fn on_curve(&mut self, creator: WalletId, curve: Curve) -> u64 {
        let (id, token) = self.token(creator);
        token.curve = curve;
        id
    }

    /// A token whose pool stands so.
    pub(in crate::simulator) fn in_pool(&mut self, creator: WalletId, pool: Pool) -> u64 {
        let (id, token) = self.token(creator);
        let (mut home, ..) = token.graduate(pool.base, pool.quote);
        home.pool = pool;
        token.curve = Curve { real_base: 0, ..token.curve };
        token.home = Some(Box::new(home));
        id
    }

    /// A second pool of a token: a token of its own number with the same mint.
    pub(in crate::simulator) fn second_pool(&mut self, token: u64, pool: Pool) -> u64 {
        let Some((mint, text, legacy)) =
            self.tokens.get(&token).map(|token| (token.mint, token.mint_text.clone(), token.legacy))
        else {
            return self.in_pool(0, pool);
        };
        let (id, second) = self.token(0);
        // The pool's own key comes from the number's mint, so that the two pools have different ones.
        let (mut home, ..) = second.graduate(pool.base, pool.quote);
        home.pool = pool;
        (second.mint, second.mint_text, second.legacy) = (mint, text, legacy);
        second.curve = Curve { real_base: 0, ..second.curve };
        second.home = Some(Box::new(home));
        id
    }

    /// Where a token trades.
    pub(in crate::simulator) fn venue(&self, token: u64) -> Option<Venue> {
        let token = self.tokens.get(&token)?;
        let pool = token.home.as_ref().map_or(token.curve_key, |home| home.key);
        Some(Venue { mint: token.mint, pool })
    }

    /// The pool that a token's migration opens.
    pub(in crate::simulator) fn later_pool(&mut self, token: u64) -> Option<Pubkey> {
        self.tokens.get_mut(&token).map(|token| token.graduate(1, 1).0.key)
    }

    /// Changes what a wallet holds without a transaction on this stream: before it began, or by a plain transfer.
    pub(in crate::simulator) fn give(&mut self, token: u64, wallet: WalletId, base: i128) {
        if let Some(token) = self.tokens.get_mut(&token) {
            let held = i128::from(token.held_by(wallet)) + base;
            token.hold(wallet, u64::try_from(held).unwrap_or(0));
        }
    }

    /// A wallet's key.
    pub(in crate::simulator) fn wallet(&self, wallet: WalletId) -> Pubkey {
        self.wallets.get(wallet).key
    }

    /// Forgets a token.
    pub(in crate::simulator) fn close(&mut self, token: u64) {
        self.tokens.remove(&token);
    }

    /// Writes a transaction of these steps and makes what they say; one that fails makes nothing.
    pub(in crate::simulator) fn write(
        &mut self,
        time: i64,
        blockhash: [u8; 32],
        sender: &Sender,
        steps: &[Step],
    ) -> Written {
        let moment = Moment { seed: self.seed, time, blockhash, number: self.transactions };
        self.transactions += 1;
        let style = Style {
            version: version(&mut self.rng),
            router: sender.program,
            priority_fee: sender.priority_fee,
            tip: sender.tip,
            sponsor: sender.payer,
        };
        let mut writing = Writing::new(&moment, &mut self.wallets, sender.wallet, style, sender.units);
        let mut outcomes = Vec::with_capacity(steps.len());
        for step in steps {
            let told = match *step {
                Step::Trade { token, buy, exact_in, generation, amount, limit } => {
                    let Some(known) = self.tokens.get_mut(&token) else { continue };
                    let (wallet, bound) = (sender.wallet, Bound::Given(limit));
                    if known.home.is_some() {
                        pool_call::find(buy, exact_in, generation).and_then(|call| {
                            let order = PoolOrder { call, amount, bound, fails: false };
                            pool_call::trade(&mut writing, &mut self.wallets, known, wallet, &order)
                        })
                    } else {
                        curve_instructions::find(buy, exact_in, generation).map(|call| {
                            let complete = known.curve.is_complete();
                            let failure = complete.then_some(curve_call::Failure::Complete);
                            let order = CurveOrder { call, amount, bound, failure };
                            curve_call::trade(&mut writing, &mut self.wallets, known, wallet, &order, false)
                        })
                    }
                }
                Step::Hand { token, to, amount } => {
                    let Some(known) = self.tokens.get_mut(&token) else { continue };
                    hand(&mut writing, &self.wallets, known, (sender.wallet, to), amount);
                    continue;
                }
                Step::Migrate { token } => {
                    let Some(known) = self.tokens.get_mut(&token) else { continue };
                    Some(migration::migrate(&mut writing, &self.wallets, known))
                }
            };
            let Some(told) = told.filter(|told| !told.is_empty()) else {
                outcomes.clear();
                break;
            };
            outcomes.extend(told.first().map(|(place, what)| Outcome {
                place: *place,
                traded: match what {
                    What::Trade(trade) => Some((trade.base_amount, trade.quote_amount)),
                    _ => None,
                },
            }));
        }
        if !outcomes.is_empty() {
            writing.tip();
        }
        let done = writing.finish(&mut self.wallets, Role::Organic, Vec::new());
        Written { info: done.info, outcomes }
    }
}

/// A `TransferChecked` at top level, to an account that exists.
fn hand(
    writing: &mut Writing<'_>,
    wallets: &Wallets,
    token: &mut Token,
    (from, to): (WalletId, WalletId),
    amount: u64,
) {
    let (from_account, _) = writing.account(Purpose::TokenAccount, token.id);
    let to_key = made_key(writing.moment.seed ^ u64::from(to), Purpose::TokenAccount, token.id);
    let to_account = writing.draft.writable(&to_key);
    let mint = writing.draft.readable(&token.mint);
    writing.move_tokens(token.program(), [from_account, mint, to_account, writing.user], amount, 6);
    let had = token.held_by(to);
    writing.draft.restate(from_account, token.held_by(from).saturating_sub(amount), 6);
    writing.draft.token(&Balance {
        account: to_account,
        mint: &token.mint_text,
        owner: &wallets.get(to).text,
        program: token.program(),
        decimals: 6,
        before: Some(had),
        after: Some(had + amount),
    });
    token.hold(from, token.held_by(from).saturating_sub(amount));
    token.hold(to, had + amount);
}
