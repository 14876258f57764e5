//! What only looks like an attack: everyday traders whose trades come in the same shapes.

use super::{
    book::{Book, Order},
    kind::Kind,
    script::{BOTS, Deal, Role, SNIPERS, Script, WalletId},
    settings::{lamports, share},
};
use crate::simulator::market::{curve::MIGRATION_FEE, pool::Pool, stage::Sender};

/// Plays this kind from here on to the end.
pub(super) fn play(script: &mut Script<'_>, kind: Kind) {
    match kind {
        Kind::Flippers => script.flippers = script.settings.lookalike.flippers,
        Kind::VolumeWallet => volume_wallet(script),
        Kind::VolumeCohort => volume_cohort(script),
        Kind::MarketMaker => market_maker(script),
        Kind::Momentum => momentum(script),
        Kind::LeaderDump => leader_dump(script),
        Kind::Relayer => relayer(script),
        Kind::InventoryBackrun => inventory_backrun(script),
        Kind::DcaKeeper => dca_keeper(script),
        Kind::Scalper => scalper(script),
        Kind::TwoWallets => two_wallets(script),
        Kind::Migration => migration(script),
        Kind::Arbitrage => arbitrage(script),
        _ => {}
    }
}

fn someone(script: &mut Script<'_>) -> WalletId {
    script.rng.u32(BOTS..SNIPERS)
}

/// A bot that is not an attacker: it has a program of its own as often as one.
fn machine(script: &mut Script<'_>) -> Sender {
    let wallet = someone(script);
    let own = script.rng.f64() < script.settings.attack.own_program;
    script.bot(wallet, own)
}

fn buy(script: &mut Script<'_>, sender: Sender, quote: u64) -> Option<u64> {
    let order = script.buy_of(quote.min(script.depth() / 6), script.settings.attack.exact_out)?;
    let order = script.quoted(order)?;
    script.trade(sender, order, Role::Lookalike).map(|fill| fill.base())
}

fn sell(script: &mut Script<'_>, sender: Sender, base: u64) -> Option<u64> {
    let order = script.quoted(Order::Sell { base: base.min(script.holds(sender.wallet)), least: 0 })?;
    script.trade(sender, order, Role::Lookalike).map(|fill| fill.base())
}

fn rounds(script: &mut Script<'_>) -> u32 {
    script.settings.lookalike.rounds.whole(&mut script.rng)
}

fn size(script: &mut Script<'_>) -> u64 {
    lamports(script.settings.lookalike.size_sol.draw_log(&mut script.rng))
}

fn hold(script: &mut Script<'_>) {
    let slots = script.settings.lookalike.hold_slots.whole(&mut script.rng);
    script.wait(slots);
}

/// A large trade of the crowd, after which others act: whether it bought.
fn big(script: &mut Script<'_>) -> Option<bool> {
    let quote = share(script.depth(), script.settings.lookalike.big_share.draw(&mut script.rng));
    let buys = script.rng.f64() < 0.65;
    let wallet = script.anybody();
    let order = if buys {
        script.buy_of(quote, script.settings.organic.exact_out)?
    } else {
        let base = script.book().tokens(quote);
        script.endow(wallet, base);
        Order::Sell { base, least: 0 }
    };
    let order = script.quoted(order)?;
    let sender = script.person(wallet);
    script.trade(sender, order, Role::Crowd).map(|_| buys)
}

fn volume_wallet(script: &mut Script<'_>) {
    let sender = machine(script);
    let usual = size(script);
    for _ in 0..rounds(script) {
        let quote = share(usual, 0.8 + 0.4 * script.rng.f64());
        let Some(base) = buy(script, sender, quote) else { continue };
        let slots = script.rng.u32(0..=2);
        script.wait(slots);
        sell(script, sender, base);
        script.wait(1);
    }
}

fn volume_cohort(script: &mut Script<'_>) {
    // One operator: the same fee and units everywhere.
    let first = machine(script);
    let count = script.settings.lookalike.cohort.whole(&mut script.rng);
    let cohort: Vec<Sender> = (0..count)
        .map(|number| Sender { wallet: BOTS + (first.wallet + number) % (SNIPERS - BOTS), ..first })
        .collect();
    let usual = size(script);
    for _ in 0..rounds(script).div_ceil(2) {
        let mut bought = Vec::new();
        for sender in &cohort {
            let quote = share(usual, 0.97 + 0.06 * script.rng.f64());
            bought.extend(buy(script, *sender, quote).map(|base| (*sender, base)));
            if script.rng.u8(0..3) == 0 {
                script.wait(1);
            }
        }
        for (sender, base) in bought {
            sell(script, sender, base);
            if script.rng.u8(0..3) == 0 {
                script.wait(1);
            }
        }
    }
}

fn market_maker(script: &mut Script<'_>) {
    let sender = machine(script);
    let inventory = script.book().tokens(script.depth() / 20);
    script.endow(sender.wallet, inventory);
    for _ in 0..rounds(script) {
        let Some(bought) = big(script) else { continue };
        let quote = share(script.depth(), 0.004 + 0.012 * script.rng.f64());
        if bought {
            let base = script.book().tokens(quote);
            sell(script, sender, base);
        } else {
            buy(script, sender, quote);
        }
        hold(script);
    }
}

fn momentum(script: &mut Script<'_>) {
    for _ in 0..rounds(script).div_ceil(2) {
        let sender = if script.rng.bool() {
            machine(script)
        } else {
            let wallet = someone(script);
            script.person(wallet)
        };
        big(script);
        let quote = size(script);
        let Some(base) = buy(script, sender, quote) else { continue };
        // Others see the same and buy too.
        for _ in 0..script.rng.u32(1..=3) {
            script.some_of_the_slot();
            big(script);
        }
        hold(script);
        sell(script, sender, base);
    }
}

fn leader_dump(script: &mut Script<'_>) {
    let leader = machine(script);
    let quote = lamports(script.settings.lookalike.leader_sol.draw(&mut script.rng));
    let Some(base) = buy(script, leader, quote) else { return };
    for _ in 0..script.settings.lookalike.copiers.whole(&mut script.rng) {
        let slots = script.rng.u32(0..=2);
        script.wait(slots);
        let copier = machine(script);
        let part = share(quote, 0.2 + 0.7 * script.rng.f64());
        buy(script, copier, part);
    }
    let slots = script.rng.u32(0..=3);
    script.wait(slots);
    sell(script, leader, base);
}

fn relayer(script: &mut Script<'_>) {
    let payer = someone(script);
    let program = Some(script.rng.usize(0..crate::simulator::market::stage::PUBLIC));
    for _ in 0..2 * rounds(script) {
        let (buys, holder, quote) = (script.rng.bool(), script.holder(), script.size());
        let (wallet, order) = match holder {
            Some((wallet, held)) if !buys => (wallet, Some(Order::Sell { base: held, least: 0 })),
            _ => (script.anybody(), script.buy_of(quote, script.settings.organic.exact_out)),
        };
        let sender = Sender { payer: Some(payer), program, ..script.person(wallet) };
        if let Some(order) = order.and_then(|order| script.quoted(order)) {
            script.trade(sender, order, Role::Lookalike);
        }
        script.wait(1);
    }
}

fn inventory_backrun(script: &mut Script<'_>) {
    let sender = machine(script);
    let inventory = script.book().tokens(script.depth() / 10);
    script.endow(sender.wallet, inventory);
    for _ in 0..rounds(script) {
        let bought = big(script);
        let quote = share(script.depth(), 0.005 + 0.02 * script.rng.f64());
        if bought == Some(true) {
            let base = script.book().tokens(quote);
            sell(script, sender, base);
            hold(script);
            // Stocks up again when it is cheap.
            if script.rng.bool() {
                buy(script, sender, quote);
            }
        }
        hold(script);
    }
}

fn dca_keeper(script: &mut Script<'_>) {
    let keeper = someone(script);
    let users: Vec<WalletId> =
        (0..script.settings.lookalike.cohort.whole(&mut script.rng)).map(|_| script.anybody()).collect();
    let (template, quote) = (script.bot(keeper, true), size(script) / 3);
    for _ in 0..rounds(script) {
        for user in &users {
            let sender = Sender { wallet: *user, payer: Some(keeper), ..template };
            let held = script.holds(*user);
            if held > 0 && script.rng.u8(0..3) == 0 {
                sell(script, sender, held);
            } else {
                buy(script, sender, quote);
            }
            script.some_of_the_slot();
        }
        script.wait(2);
    }
}

fn scalper(script: &mut Script<'_>) {
    let sender = machine(script);
    for _ in 0..rounds(script) {
        let quote = size(script);
        let Some(base) = buy(script, sender, quote) else { continue };
        hold(script);
        sell(script, sender, base);
        hold(script);
    }
}

fn two_wallets(script: &mut Script<'_>) {
    let (one, other) = (script.anybody(), script.anybody());
    for _ in 0..rounds(script).div_ceil(3) {
        let buyer = script.person(one);
        let quote = size(script);
        let Some(base) = buy(script, buyer, quote) else { continue };
        script.shift(one, other, base);
        script.news = Some((one, other, base));
        hold(script);
        let seller = script.person(other);
        sell(script, seller, base);
        hold(script);
    }
}

/// The crowd buys the rest of the curve; somebody moves it to its pool; trading goes on there.
fn migration(script: &mut Script<'_>) {
    let Book::Curve(_) = script.book() else { return };
    while let Book::Curve(curve) = script.book() {
        let left = curve.real_base;
        let order = Order::Take { base: left / 4, most: u64::MAX / 4 };
        let wallet = script.anybody();
        let sender = script.person(wallet);
        let all = curve.buy_base(left);
        if all.gross() < 6_000_000_000 || left < 40_000_000_000_000 {
            // The last buy takes what is left, which a plan cannot price as a trade that goes on.
            script.complete(sender, left, all);
            break;
        }
        script.trade(sender, order, Role::Crowd);
        script.some_of_the_slot();
    }
    script.wait(1);
    let (base, raised) = script.raised();
    let (mut pool, ..) = Pool::open(base, raised.saturating_sub(MIGRATION_FEE));
    pool.boost();
    let crank = machine(script);
    script.migrate(crank, pool);
}

/// Somebody keeps two pools of a token at one price.
fn arbitrage(script: &mut Script<'_>) {
    let Book::Pool(first) = script.book() else { return };
    script.open(Book::Pool(first));
    let sender = machine(script);
    for _ in 0..rounds(script) {
        big(script);
        script.some_of_the_slot();
        let (near, far) = ((script.book()), script.books.last().copied());
        let Some(far) = far else { return };
        let price = |book: &Book| {
            let (base, quote) = book.reserves();
            super::settings::ratio(quote, base)
        };
        let apart = price(&near) / price(&far) - 1.0;
        if apart.abs() > 0.03 {
            let (cheap, dear) = if apart > 0.0 { (1, 0) } else { (0, 1) };
            let quote = share(script.depth(), apart.abs().min(0.2) / 5.0);
            let bought = script.deal(cheap, sender.wallet, Order::Spend { quote, least: 0 });
            let base = bought.and_then(|deal: Deal| deal.fill).map_or(0, |fill| fill.base());
            let sold = script.deal(dear, sender.wallet, Order::Sell { base, least: 0 });
            let deals = bought.into_iter().chain(sold).collect();
            script.act(sender, Role::Lookalike, deals);
        }
        script.wait(1);
    }
}
