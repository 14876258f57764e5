//! The planted attacks: fronts sized to a victim's bound, and what follows.

use super::{
    book::{Book, Fill, Order},
    kind::Kind,
    script::{Link, PER_PERSONA, Role, Script, WalletId},
    settings::{lamports, share},
};
use crate::simulator::market::stage::Sender;

/// Steps in which the size of a front is found: to a millionth of the cap.
const STEPS: u32 = 20;

/// Who attacks.
#[derive(Clone, Copy, Debug)]
struct Attacker {
    front: Sender,
    back: Sender,
    link: Link,
    number: usize,
}

/// Where the legs stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Tight,
    Wide,
    Cross,
}

/// Plays an attack: whether it pays, if it went as planned and the victims' orders passed.
fn attempt(script: &mut Script<'_>, kind: Kind) -> Option<bool> {
    let shape = match kind {
        Kind::WideSlot => Shape::Wide,
        Kind::WideCross => Shape::Cross,
        Kind::WalletsTransfer | Kind::WalletsPayer | Kind::WalletsProgram | Kind::WalletsAmount => {
            let (draw, attack) = (script.rng.f64(), &script.settings.attack);
            match draw {
                draw if draw < attack.wallets_tight => Shape::Tight,
                draw if draw < attack.wallets_tight + attack.wallets_wide => Shape::Wide,
                _ => Shape::Cross,
            }
        }
        _ => Shape::Tight,
    };
    match kind {
        Kind::SellSide => sell_side(script),
        Kind::Nested => nested(script),
        _ => buy_side(script, kind, shape),
    }
}

/// Plays an attack of this kind from here on: the first of some plans that works out. Some attackers reckon wrong and lose.
pub(super) fn attack<'a>(script: &mut Script<'a>, kind: Kind) -> bool {
    let loses = script.rng.f64() < script.settings.attack.losing;
    let mut otherwise = None;
    for _ in 0..script.settings.attack.tries {
        let mut plan: Script<'a> = script.clone();
        plan.rng = script.rng.fork();
        match attempt(&mut plan, kind) {
            Some(pays) if pays != loses => {
                *script = plan;
                return true;
            }
            Some(true) => otherwise = Some(plan),
            _ => {}
        }
    }
    otherwise.map(|plan| *script = plan).is_some()
}

fn buy_side(script: &mut Script<'_>, kind: Kind, shape: Shape) -> Option<bool> {
    let link = match kind {
        Kind::WalletsTransfer => Link::Transfer,
        Kind::WalletsPayer => Link::Payer,
        Kind::WalletsProgram => Link::Program,
        Kind::WalletsAmount => Link::ExactAmount,
        _ => Link::Owner,
    };
    let attacker = attacker(script, link, None);
    let first = prey(script, true)?;
    let spend = size_of_front(script, &first.1, shape)?;
    if shape == Shape::Tight {
        script.together();
    }
    // The fronts.
    let parts = if kind == Kind::SplitFront {
        let part = share(spend, 0.35 + 0.3 * script.rng.f64());
        vec![part, spend - part]
    } else {
        vec![spend]
    };
    let (mut spent, mut bought) = (0, 0);
    for part in parts {
        let fill = front(script, &attacker, part)?;
        spent += fill.gross();
        bought += fill.base();
    }
    hand_over(script, &attacker, bought);
    // The victims.
    let from = script.slot;
    let victims = match kind {
        Kind::TightMulti => script.settings.attack.multi_victims.whole(&mut script.rng),
        Kind::WideCross => 1 + u32::from(script.rng.f64() < script.settings.attack.second_victim),
        _ => 1,
    };
    for number in 0..victims {
        if shape != Shape::Tight {
            between(script);
        }
        if shape == Shape::Cross && script.rng.bool() && script.slot == from {
            script.wait(1);
        }
        let (sender, order) = if number == 0 { first } else { prey(script, true)? };
        script.trade(sender, order, Role::Victim)?;
    }
    // The back, in as many parts as it takes.
    match shape {
        Shape::Tight => {}
        Shape::Wide => between(script),
        Shape::Cross => {
            let slots = script.settings.attack.wide_slots.whole(&mut script.rng);
            script.until(from + slots);
        }
    }
    if shape == Shape::Wide && script.slot != from {
        return None;
    }
    // Half of those who hand the tokens over keep some, so that nothing but the transfer ties the two wallets.
    let keeps = kind == Kind::PartialUnwind || (kind == Kind::WalletsTransfer && script.rng.bool());
    let to_sell = if keeps { share(bought, script.settings.attack.unwind.draw(&mut script.rng)) } else { bought };
    let tips = attacker.front.tip + attacker.back.tip + attacker.front.priority_fee + attacker.back.priority_fee;
    let mut got = 0;
    if kind == Kind::SplitBack {
        let even = break_even(script.book(), spent, to_sell)?;
        got += back(script, &attacker, even)?.net();
        script.apart();
        let later = script.rng.u32(0..=2);
        if later > 0 {
            script.wait(later);
        } else {
            between(script);
        }
        got += back(script, &attacker, to_sell - even)?.net();
    } else {
        got += back(script, &attacker, to_sell)?.net();
    }
    script.apart();
    // What is kept counts as what it cost.
    Some(got + share(spent, super::settings::ratio(bought - to_sell, bought)) > spent + tips)
}

/// Sells before a seller, and buys the same back.
fn sell_side(script: &mut Script<'_>) -> Option<bool> {
    let attacker = attacker(script, Link::Owner, None);
    let inventory = script.book().tokens(lamports(script.settings.attack.cap_sol.draw(&mut script.rng)));
    script.endow(attacker.front.wallet, inventory);
    let (sender, order) = prey(script, false)?;
    let base = script.book();
    let without = base.fill(order)?;
    let wanted = script.settings.attack.slack_use.draw(&mut script.rng);
    let base_sold = search(inventory, |amount| {
        let sold = base.fill(Order::Sell { base: amount, least: 0 })?;
        let with = base.after(false, &sold, false).fill(order)?;
        Some(order.slack_use(&without, &with) <= wanted)
    })?;
    let shape = [Shape::Tight, Shape::Tight, Shape::Wide, Shape::Cross][script.rng.usize(0..4)];
    let from = script.slot;
    if shape == Shape::Tight {
        script.together();
    }
    let sell = Order::Sell { base: base_sold, least: 0 };
    let sell = sell.slipping(&base.fill(sell)?, 0.02);
    let front = script.trade(attacker.front, sell, Role::Front(attacker.number))?;
    if shape != Shape::Tight {
        between(script);
    }
    script.trade(sender, order, Role::Victim)?;
    match shape {
        Shape::Tight => {}
        Shape::Wide => between(script),
        Shape::Cross => {
            let slots = script.settings.attack.wide_slots.whole(&mut script.rng);
            script.until(from + slots);
        }
    }
    if shape != Shape::Cross && script.slot != from {
        return None;
    }
    let buy = Order::Take { base: base_sold, most: u64::MAX / 4 };
    let buy = buy.slipping(&script.book().fill(buy)?, 0.05);
    let back = script.trade(attacker.back, buy, Role::Back(attacker.number))?;
    script.apart();
    Some(front.net() > back.gross() + attacker.front.tip + attacker.back.tip)
}

/// Two attackers on one victim, one inside the other.
fn nested(script: &mut Script<'_>) -> Option<bool> {
    let outer = attacker(script, Link::Owner, None);
    let inner = attacker(script, Link::Owner, Some(outer.front.wallet));
    let (sender, order) = prey(script, true)?;
    let spend = size_of_front(script, &order, Shape::Tight)?;
    let part = share(spend, script.settings.attack.inner_share.draw(&mut script.rng));
    script.together();
    let first = front(script, &outer, spend - part)?;
    let second = front(script, &inner, part)?;
    script.trade(sender, order, Role::Victim)?;
    let second_back = back(script, &inner, second.base())?;
    let first_back = back(script, &outer, first.base())?;
    script.apart();
    let pays = |fill: &Fill, sold: &Fill| sold.net() > fill.gross();
    Some(pays(&first, &first_back) || pays(&second, &second_back))
}

/// An attacker, one of a few that come again and again.
fn attacker(script: &mut Script<'_>, link: Link, not: Option<WalletId>) -> Attacker {
    let personas = script.settings.attack.personas.max(2);
    let mut persona = script.rng.u32(0..personas);
    if not.is_some_and(|wallet| wallet / PER_PERSONA == persona) {
        persona = (persona + 1) % personas;
    }
    let own = script.rng.f64() < script.settings.attack.own_program || link == Link::Program;
    let wallet = persona * PER_PERSONA + script.rng.u32(0..2);
    let mut front = script.bot(wallet, own);
    let mut back = Sender { units: front.units, ..script.bot(wallet, own) };
    back.program = front.program;
    if link != Link::Owner {
        back.wallet = persona * PER_PERSONA + 2 + script.rng.u32(0..2);
        // Nothing but the link joins the two.
        (front.program, back.program) = (None, None);
    }
    match link {
        Link::Program => {
            let program = crate::simulator::market::stage::PUBLIC + persona as usize;
            (front.program, back.program) = (Some(program), Some(program));
        }
        Link::Payer => {
            let payer = Some(script.rng.choice([front.wallet, back.wallet]).unwrap_or(front.wallet));
            (front.payer, back.payer) = (payer, payer);
        }
        _ => {}
    }
    if script.rng.bool() {
        front.tip = 0; // A bundle is tipped once.
    }
    script.attacks.push(link);
    Attacker { front, back, link, number: script.attacks.len() - 1 }
}

/// Somebody worth attacking, and what they ask for.
fn prey(script: &mut Script<'_>, buys: bool) -> Option<(Sender, Order)> {
    let quote = share(script.depth(), script.settings.attack.victim_share.draw(&mut script.rng));
    let (wallet, order) = if buys {
        (script.anybody(), script.buy_of(quote, script.settings.organic.exact_out)?)
    } else {
        let wallet = script.anybody();
        let base = script.book().tokens(quote);
        script.endow(wallet, base);
        (wallet, Order::Sell { base, least: 0 })
    };
    let order = script.quoted(order)?;
    // Who has missed already cannot be attacked.
    let passes = order.accepts(&script.book().fill(order)?);
    let sender = script.person(wallet);
    passes.then_some((sender, order))
}

/// What a front spends so that the order loses the wanted share of its slippage, or the cap.
fn size_of_front(script: &mut Script<'_>, order: &Order, shape: Shape) -> Option<u64> {
    let attack = &script.settings.attack;
    let wanted = attack.slack_use.draw(&mut script.rng);
    // Little money pays where nobody can come between.
    let small = shape == Shape::Tight && script.rng.f64() < attack.small;
    let cap = if small { attack.small_sol.draw_log(&mut script.rng) } else { attack.cap_sol.draw(&mut script.rng) };
    let cap = lamports(cap);
    let book = script.book();
    let without = book.fill(*order)?;
    search(cap, |quote| {
        let front = book.fill(Order::Spend { quote, least: 0 })?;
        let with = book.after(true, &front, false).fill(*order)?;
        Some(order.slack_use(&without, &with) <= wanted)
    })
}

/// The largest amount up to a bound that passes; nothing where not even a thousandth does.
fn search(most: u64, passes: impl Fn(u64) -> Option<bool>) -> Option<u64> {
    let (mut low, mut high) = (most / 1_000, most);
    if passes(low) != Some(true) {
        return None;
    }
    if passes(high) == Some(true) {
        return Some(high);
    }
    for _ in 0..STEPS {
        let middle = u64::midpoint(low, high);
        if passes(middle) == Some(true) { low = middle } else { high = middle }
    }
    Some(low)
}

fn front(script: &mut Script<'_>, attacker: &Attacker, spend: u64) -> Option<Fill> {
    let order = script.buy_of(spend, script.settings.attack.exact_out)?;
    let order = order.slipping(&script.book().fill(order)?, 0.02);
    script.trade(attacker.front, order, Role::Front(attacker.number))
}

fn back(script: &mut Script<'_>, attacker: &Attacker, base: u64) -> Option<Fill> {
    let order = Order::Sell { base, least: 0 };
    let order = order.slipping(&script.book().fill(order)?, 0.05);
    script.trade(attacker.back, order, Role::Back(attacker.number))
}

/// The tokens go to the wallet that sells them.
fn hand_over(script: &mut Script<'_>, attacker: &Attacker, base: u64) {
    let (from, to) = (attacker.front.wallet, attacker.back.wallet);
    if from == to {
        return;
    }
    script.shift(from, to, base);
    if attacker.link == Link::Transfer {
        script.acts.iter_mut().rev().take(1).for_each(|act| act.hand = Some((to, base)));
    } else {
        script.news = Some((from, to, base));
    }
}

/// Some organic trades between the legs of a wide attack, in the same slot.
fn between(script: &mut Script<'_>) {
    for _ in 0..script.settings.attack.between.whole(&mut script.rng) {
        script.organic();
    }
}

/// How much must be sold to have back what was spent; at most three quarters of it.
fn break_even(book: Book, spent: u64, all: u64) -> Option<u64> {
    let most = share(all, 0.75);
    search(most, |base| Some(book.fill(Order::Sell { base, least: 0 })?.net() <= spent))
}
