//! An episode on stage: its script becomes transactions, and its label tells what it was.

use fastrand::Rng;
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use yellowstone_grpc_proto::geyser::SubscribeUpdateTransactionInfo;

use super::{
    attack,
    book::{Book, Order},
    kind::Kind,
    label::{Label, PlantedAttack, PlantedLeg, PlantedVictim},
    lookalike,
    loss::{Happened, Loss, losses},
    script::{Act, Role, Script, WalletId},
    settings::{Settings, ratio, share},
};
use crate::simulator::market::stage::{Outcome, Stage, Step};

/// What a transaction costs besides its priority fee, for each signer.
const SIGNATURE_FEE: u64 = 5_000;

/// What is known of an act once its transaction is written.
#[derive(Clone, Copy, Debug)]
struct Played {
    signature: Signature,
    slot: u64,
    path: (u16, Option<u16>),
}

/// See the module.
pub(super) struct Episode {
    kind: Kind,
    acts: Vec<Act>,
    /// The next act.
    next: usize,
    played: Vec<Option<Played>>,
    /// The stage's tokens, one for each book.
    tokens: Vec<u64>,
    mint: Pubkey,
    pools: Vec<Pubkey>,
    links: Vec<super::script::Link>,
    first_slot: u64,
    /// Trades that did not come out as planned: none, or the market's arithmetic is not the plan's.
    pub(super) mismatches: u64,
}

impl Episode {
    /// Writes the script and sets the stage; it begins in this slot.
    pub(super) fn new(kind: Kind, settings: &Settings, mut rng: Rng, stage: &mut Stage, first_slot: u64) -> Self {
        let on_curve = match kind {
            Kind::Migration => Some(true),
            Kind::Arbitrage => Some(false),
            _ => None,
        };
        let mut script = Script::new(settings, on_curve, rng.fork());
        let slots = settings.episode.slots;
        script.until(rng.u32(slots / 5..slots / 2));
        if kind.is_attack() {
            // A plan that never pays is tried again later, when the pool stands elsewhere.
            while !attack::attack(&mut script, kind) && script.slot < slots {
                script.wait(2);
            }
        } else {
            lookalike::play(&mut script, kind);
        }
        script.until(slots);
        let creator = script.anybody();
        let mut tokens = Vec::with_capacity(1);
        for book in &script.start {
            tokens.push(match (book, tokens.first()) {
                (Book::Curve(curve), _) => stage.on_curve(creator, *curve),
                (Book::Pool(pool), None) => stage.in_pool(creator, *pool),
                (Book::Pool(pool), Some(first)) => stage.second_pool(*first, *pool),
            });
        }
        let first = tokens.first().copied().unwrap_or_default();
        for (wallet, base) in &script.endowed {
            stage.give(first, *wallet, i128::from(*base));
        }
        let mut pools: Vec<Pubkey> =
            tokens.iter().filter_map(|token| stage.venue(*token)).map(|venue| venue.pool).collect();
        if kind == Kind::Migration {
            pools.extend(stage.later_pool(first));
        }
        Self {
            kind,
            next: 0,
            played: vec![None; script.acts.len()],
            acts: script.acts,
            mint: stage.venue(first).map(|venue| venue.mint).unwrap_or_default(),
            tokens,
            pools,
            links: script.attacks,
            first_slot,
            mismatches: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.next >= self.acts.len()
    }

    /// The next transactions of this slot that stand next to each other; nothing when the slot has no more.
    pub(super) fn bundle(
        &mut self,
        stage: &mut Stage,
        slot: u64,
        (time, blockhash): (i64, [u8; 32]),
    ) -> Vec<SubscribeUpdateTransactionInfo> {
        let mut infos = Vec::new();
        let mut bundle = None;
        while let Some(act) = self.acts.get(self.next) {
            if self.first_slot + u64::from(act.slot) > slot || bundle.is_some_and(|bundle| bundle != act.bundle) {
                break;
            }
            bundle = Some(act.bundle);
            let act = act.clone();
            let (info, outcomes) = self.play(&act, stage, (time, blockhash));
            let outcome = outcomes.first();
            if let Some(played) = self.played.get_mut(self.next) {
                let signature: [u8; 64] = info.signature.as_slice().try_into().unwrap_or([0; 64]);
                *played = outcome.map(|outcome| Played { signature: signature.into(), slot, path: outcome.place });
            }
            self.next += 1;
            infos.push(info);
        }
        infos
    }

    fn play(
        &mut self,
        act: &Act,
        stage: &mut Stage,
        (time, blockhash): (i64, [u8; 32]),
    ) -> (SubscribeUpdateTransactionInfo, Vec<Outcome>) {
        let token = |book: usize| self.tokens.get(book).copied().unwrap_or_default();
        let first = token(0);
        if let Some((from, to, base)) = act.gift {
            stage.give(first, from, -i128::from(base));
            stage.give(first, to, base.into());
        }
        let mut steps = Vec::with_capacity(2);
        for deal in &act.deals {
            let (amount, limit) = deal.order.arguments();
            steps.push(Step::Trade {
                token: token(deal.book),
                buy: deal.order.buys(),
                exact_in: !matches!(deal.order, Order::Take { .. }),
                generation: deal.generation,
                amount,
                limit,
            });
        }
        if let Some((to, amount)) = act.hand {
            steps.push(Step::Hand { token: first, to, amount });
        }
        if act.migrates {
            steps.push(Step::Migrate { token: first });
        }
        // What is bought in one pool and sold in another is one account's on the chain and two here.
        let moves = match act.deals.as_slice() {
            [bought, sold] => bought.fill.map(|fill| (token(bought.book), token(sold.book), fill.base())),
            _ => None,
        };
        if let Some((_, to, base)) = moves {
            stage.give(to, act.sender.wallet, base.into());
        }
        let written = stage.write(time, blockhash, &act.sender, &steps);
        if let Some((from, _, base)) = moves {
            stage.give(from, act.sender.wallet, -i128::from(base));
        }
        let planned = act.deals.iter().filter_map(|deal| deal.fill).map(|fill| (fill.base(), fill.quote()));
        if !planned.eq(written.outcomes.iter().filter_map(|outcome| outcome.traded)) {
            self.mismatches += 1;
        }
        (written.info, written.outcomes)
    }

    /// Ends it: the stage forgets its tokens; what it was.
    pub(super) fn end(&self, stage: &mut Stage, (seed, number): (u64, u64)) -> Label {
        let mut lookalikes: Vec<WalletId> =
            self.acts.iter().filter(|act| act.role == Role::Lookalike).map(|act| act.sender.wallet).collect();
        lookalikes.sort_unstable();
        lookalikes.dedup();
        let deals = || self.acts.iter().flat_map(|act| &act.deals);
        let last = self.acts.last().map_or(0, |act| act.slot);
        let label = Label {
            seed,
            episode: number,
            kind: self.kind,
            attack: !self.links.is_empty(),
            mint: self.mint,
            pools: self.pools.clone(),
            slots: (self.first_slot, self.first_slot + u64::from(last)),
            trades: deals().filter(|deal| deal.fill.is_some()).count() as u64,
            failed: deals().filter(|deal| deal.fill.is_none()).count() as u64,
            lookalikes: lookalikes.into_iter().map(|wallet| stage.wallet(wallet)).collect(),
            attacks: (0..self.links.len()).filter_map(|number| self.planted(number, stage)).collect(),
        };
        for token in &self.tokens {
            stage.close(*token);
        }
        label
    }

    /// The trades in the first book, with the acts they belong to.
    fn trades(&self) -> Vec<(usize, &Act, Happened, (u64, u64))> {
        let acts = self.acts.iter().enumerate();
        acts.flat_map(|(at, act)| act.deals.iter().map(move |deal| (at, act, deal)))
            .filter(|(.., deal)| deal.book == 0)
            .filter_map(|(at, act, deal)| {
                Some((at, act, Happened { order: deal.order, fill: deal.fill? }, deal.before))
            })
            .collect()
    }

    fn planted(&self, number: usize, stage: &Stage) -> Option<PlantedAttack> {
        let trades = self.trades();
        let is = |act: &Act, number: usize| matches!(act.role, Role::Front(n) | Role::Back(n) if n == number);
        let is_any = |act: &Act| matches!(act.role, Role::Front(_) | Role::Back(_));
        let on_curve = matches!(trades.first()?.2.fill, super::book::Fill::Curve(_));
        // From the first leg of whoever is taken out, the world goes another way.
        let lost = |taken: &dyn Fn(&Act) -> bool| -> Option<(usize, Vec<Loss>)> {
            let from = trades.iter().position(|(_, act, ..)| taken(act))?;
            let (.., before) = trades.get(from)?;
            let rest: Vec<_> = trades.iter().skip(from).map(|(_, act, happened, _)| (*happened, taken(act))).collect();
            Some((from, losses(*before, on_curve, &rest)))
        };
        let (from, marginal) = lost(&|act| is(act, number))?;
        let (from_any, joint) = lost(&is_any)?;
        let back = trades.iter().rposition(|(_, act, ..)| act.role == Role::Back(number))?;
        let buys = trades.get(from)?.2.order.buys();
        let played = |at: usize| self.played.get(at).copied().flatten();
        let victims = trades.iter().enumerate().take(back).skip(from).filter_map(|(place, (at, act, happened, _))| {
            let (marginal, joint) = (*marginal.get(place - from)?, *joint.get(place - from_any)?);
            let hit = !is_any(act) && happened.order.buys() == buys && marginal.quote > 0;
            let played = played(*at).filter(|_| hit)?;
            Some(PlantedVictim {
                signature: played.signature,
                path: played.path,
                user: stage.wallet(act.sender.wallet),
                intended: act.role == Role::Victim,
                loss_quote: joint.quote,
                loss_lamports: joint.with_fees,
                marginal_loss_lamports: marginal.with_fees,
            })
        });
        let legs = trades.iter().filter(|(_, act, ..)| is(act, number)).filter_map(|(at, act, ..)| {
            let Played { signature, slot, path } = played(*at)?;
            let front = matches!(act.role, Role::Front(_));
            Some(PlantedLeg { front, signature, slot, path, user: stage.wallet(act.sender.wallet) })
        });
        Some(PlantedAttack {
            link: *self.links.get(number)?,
            legs: legs.collect(),
            victims: victims.collect(),
            profit_lamports: profit(
                trades.iter().filter(|(_, act, ..)| is(act, number)).map(|(_, act, h, _)| (*act, h)),
            ),
        })
    }
}

/// What an attacker has made of what it bought and sold again; the larger side counts in proportion.
fn profit<'a>(legs: impl Iterator<Item = (&'a Act, &'a Happened)>) -> i64 {
    let (mut bought, mut paid, mut sold, mut got, mut costs) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    for (act, Happened { order, fill }) in legs {
        let signers = if act.sender.payer.is_some_and(|payer| payer != act.sender.wallet) { 2 } else { 1 };
        costs += SIGNATURE_FEE * signers + act.sender.priority_fee + act.sender.tip;
        if order.buys() {
            bought += fill.base();
            paid += fill.gross();
        } else {
            sold += fill.base();
            got += fill.net();
        }
    }
    let matched = bought.min(sold);
    let signed = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    signed(share(got, ratio(matched, sold))) - signed(share(paid, ratio(matched, bought))) - signed(costs)
}
