//! Alerts: the list and what hides it, the page of one, and which ring.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use smart_stream_tui::{
    chain::{
        ids::{Mint, Pool, Signature, WRAPPED_SOL, Wallet},
        text::Shown,
    },
    decode::event::{Side, Venue},
    engine::{
        View,
        view::{AlertView, Feed},
    },
    mev::{
        Alert, Class, Record, State,
        alert::{AlertId, AlertLeg, Attacker, Link, PathPoint, Reason, Role, Victim},
    },
    ui::{
        color::Depth,
        keys::Key,
        model::{Model, Pane, Tab},
        notify::{Notifier, NotifySettings},
        theme::Theme,
    },
};

use super::{fixture, frame, lines, model, press};

const C: fn(char) -> Key = Key::Char;

fn leg(index: u64, role: Role, user: u64) -> AlertLeg {
    AlertLeg {
        role,
        signature: fixture::signature(900 + index),
        slot: 389_112_000,
        tx_index: 40 + index,
        user: Wallet::new(fixture::key(user)),
        side: if role == Role::Back { Side::Sell } else { Side::Buy },
        base: 4_210_000_000 * (index + 1),
        quote: 1_230_000_000 * (index + 1),
        fees: 12_300_000,
        tip: 1_000_000,
    }
}

/// A sandwich of four victims, number `id`, by wallet `attacker`.
pub(crate) fn sandwich(id: u64, attacker: u64) -> Alert {
    let mut legs = vec![leg(0, Role::Front, attacker)];
    legs.extend((1..5).map(|index| leg(index, Role::Victim, 300 + index)));
    legs.push(leg(5, Role::Back, attacker));
    let victim = |leg: &AlertLeg| Victim {
        signature: leg.signature,
        user: leg.user,
        loss: Some(10_000_000 * i64::try_from(leg.tx_index).unwrap()),
        marginal_loss: None,
        token_shortfall: Some(4),
        slack_use: Some(0.8),
    };
    let point = |index: usize, leg: &AlertLeg| PathPoint {
        role: leg.role,
        with: Some(2e-8 * (1.0 + 0.05 * index as f64)),
        without: 2e-8 * (1.0 + 0.02 * index as f64),
    };
    Alert {
        id: AlertId(id),
        revision: 0,
        class: Class::SandwichTight,
        state: State::Provisional,
        confidence: 0.93,
        reasons: vec![Reason { code: "same_slot", value: 3.6 }, Reason { code: "slack_use", value: 0.8 }],
        venue: Venue::PumpSwap,
        pool: Pool::new(fixture::key(id)),
        mint: Mint::new(fixture::key(id + 100)),
        quote_mint: WRAPPED_SOL,
        attackers: vec![Attacker { wallet: Wallet::new(fixture::key(attacker)), link: Link::Owner }],
        victims: legs.iter().filter(|leg| leg.role == Role::Victim).map(victim).collect(),
        path: Some(legs.iter().enumerate().map(|(index, leg)| point(index, leg)).collect()),
        legs,
        victim_loss: Some(1_700_000_000),
        profit: Some(420_000_000),
        open_inventory: 0,
        chain_ok: true,
        slot: 389_112_000,
        recv_us: fixture::NOW_MS * 1_000,
        detect_us: 400,
        features: None,
    }
}

pub(crate) fn entry(alert: Alert, symbol: &str, notify: bool) -> AlertView {
    let record = Some(Record { alerts: 7, attacks: 5, profit: 3_210_000_000, unpriced: 1 });
    AlertView { alert, symbol: Shown::from_untrusted(symbol.as_bytes()), notify, record }
}

pub(crate) fn with(entries: Vec<AlertView>) -> View {
    let alerts = Feed { entries: entries.into_iter().map(Arc::new).collect(), first_seq: 0 };
    View { alerts, ..fixture::view() }
}

/// Sandwiches by wallets 1 and 2, and a wash.
pub(crate) fn several() -> View {
    let mut wash = sandwich(4, 3);
    wash.class = Class::Wash;
    wash.confidence = 0.75;
    with(vec![entry(sandwich(1, 1), "ONE", true), entry(sandwich(2, 2), "TWO", true), entry(wash, "THREE", false)])
}

fn dark() -> Theme {
    Theme::built_in("dark", Depth::True).unwrap()
}

fn text(model: &mut Model, size: (u16, u16)) -> String {
    lines(&frame(model, size, &dark())).join("\n")
}

#[test]
fn a_muted_class_disappears_and_returns() {
    let mut model = model(several());
    press(&mut model, &[C('5')]);
    assert!(text(&mut model, (120, 40)).contains("THREE"));
    press(&mut model, &[C('d')]);
    let shown = text(&mut model, (120, 40));
    assert!(!shown.contains("THREE") && shown.contains("1 muted") && shown.contains("ONE"), "{shown}");
    press(&mut model, &[C('i')]);
    let shown = text(&mut model, (120, 40));
    assert!(!shown.contains("TWO") && shown.contains("2 muted"), "{shown}");
    press(&mut model, &[C('D')]);
    let shown = text(&mut model, (120, 40));
    assert!(shown.contains("All 3 alerts are muted"), "{shown}");
    press(&mut model, &[C('u'), C('u'), C('u')]);
    let shown = text(&mut model, (120, 40));
    assert!(["ONE", "TWO", "THREE"].iter().all(|name| shown.contains(name)) && !shown.contains(" muted "), "{shown}");
}

#[test]
fn a_watched_wallet_is_never_muted() {
    let mut model = model(several());
    press(&mut model, &[C('5'), C('j'), C('w'), C('d')]);
    let shown = text(&mut model, (120, 40));
    assert!(shown.contains("TWO") && !shown.contains("ONE"), "{shown}");
    press(&mut model, &[C('g'), C('j'), C('w')]);
    assert!(!text(&mut model, (120, 40)).contains("TWO"), "watched no longer, muted as before");
}

#[test]
fn conditions_say_which_alerts_are_shown() {
    for (filter, wanted) in [
        ("class:wash", &[4][..]),
        ("class:sandwich", &[2, 1]),
        ("!class:sandwich", &[4]),
        ("sure>90", &[2, 1]),
        ("sure>90 two", &[2]),
        ("state:confirmed", &[]),
        ("lost>1 profit<1", &[4, 2, 1]),
        ("venue:pump_swap", &[4, 2, 1]),
        ("venue:orca", &[]),
    ] {
        let mut model = model(several());
        model.filter.set(filter);
        model.touch();
        model.refresh();
        let shown: Vec<u64> =
            (0..model.alerts.len()).filter_map(|row| model.alert_at(row)).map(|entry| entry.alert.id.0).collect();
        assert_eq!(shown, wanted, "{filter}");
    }
    let mut model = model(fixture::view());
    let all = model.view.trades.entries.clone();
    model.filter.set("side:sell size>1");
    model.touch();
    model.refresh();
    let wanted = |index: &u32| {
        let trade = &all[*index as usize];
        trade.side == Side::Sell && trade.sol.is_some_and(|sol| sol > 1.0)
    };
    assert!(!model.tape.is_empty() && model.tape.iter().all(wanted));
    assert_eq!(model.tape.len(), (0..all.len() as u32).filter(wanted).count());
    assert_eq!(model.order.len(), model.view.tokens.len(), "tokens have no sides");
}

#[test]
fn alerts_are_ordered_searched_and_copied_as_other_rows_are() {
    let mut model = model(several());
    press(&mut model, &[C('5'), C('/'), C('o'), C('n'), C('e'), Key::Enter]);
    assert_eq!(model.alert_at(model.alert_row).unwrap().symbol.as_str(), "ONE");
    let alert = sandwich(1, 1);
    let ids = (Some(alert.mint.to_string()), Some(alert.legs[0].signature.to_string()));
    assert_eq!(model.selected_ids(), ids);
    press(&mut model, &[C('S')]);
    model.refresh();
    assert_eq!(model.alert_at(0).unwrap().symbol.as_str(), "ONE", "turned round: the oldest first");
    assert_eq!(model.pane(), Pane::Alerts);
}

#[test]
fn the_page_shows_the_legs_in_pool_order_with_what_each_victim_lost() {
    for size in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let mut model = model(several());
        press(&mut model, &[C('5'), C('G'), Key::Enter]);
        let shown = text(&mut model, size);
        let alert = sandwich(1, 1);
        let rows: Vec<&str> = shown
            .lines()
            .filter(|line| line.contains("389,112,000"))
            .filter(|line| ["front", "victim", "back"].iter().any(|role| line.contains(role)))
            .collect();
        assert_eq!(rows.len(), alert.legs.len(), "{size:?}\n{shown}");
        for (row, leg) in rows.iter().zip(&alert.legs) {
            let who = &leg.user.to_string()[..4];
            assert!(
                row.contains(leg.role.name()) && row.contains(&leg.tx_index.to_string()) && row.contains(who),
                "{row}"
            );
        }
        for (row, victim) in rows.iter().skip(1).zip(&alert.victims) {
            let lost = format!("0.{}", victim.loss.unwrap() / 10_000_000);
            assert!(row.contains(&lost), "{row} {lost}");
        }
        assert!(shown.contains("provisional") && shown.contains("93%"), "{shown}");
        press(&mut model, &[Key::Esc]);
        assert!(model.evidence.is_none() && model.tab == Tab::Mev);
    }
}

#[test]
fn the_page_says_why_and_what_its_attacker_did_before() {
    let mut model = model(several());
    press(&mut model, &[C('5'), C('G'), Key::Enter]);
    let shown = text(&mut model, (200, 60));
    for words in ["7 alerts, 5 of them attacks", "3.21 SOL profit", "same slot 3.60", "1.70 SOL by 4 victims", "FVVVVB"]
    {
        let shown = if words == "FVVVVB" { shown.replace([' ', '·'], "") } else { shown.clone() };
        assert!(shown.contains(words), "{words}\n{shown}");
    }
    press(&mut model, &[Key::Enter]);
    assert_eq!(model.detail, Some(sandwich(1, 1).mint), "its token");
    press(&mut model, &[Key::Esc, C('d')]);
    assert!(model.evidence.is_none() && !text(&mut model, (200, 60)).contains("ONE"), "muted from its page");
}

#[test]
fn each_alert_rings_once_and_no_more_often_than_wished() {
    let start = Instant::now();
    let pause = Duration::from_secs(5);
    let mut notifier = Notifier::new(NotifySettings { pause, ..NotifySettings::default() });
    let model = model(several());
    let bell = Some(b"\x07".to_vec());
    let mut revised = sandwich(1, 1);
    revised.revision = 1;
    let mut retracted = sandwich(9, 1);
    retracted.state = State::Retracted;
    let mut entries = vec![entry(sandwich(1, 1), "ONE", true)];
    assert_eq!(notifier.look(&with(entries.clone()), &model.mutes, start), bell);
    entries.extend([
        entry(revised, "ONE", true),
        entry(retracted, "NINE", true),
        entry(sandwich(3, 1), "QUIET", false),
    ]);
    let later = start + pause;
    assert_eq!(notifier.look(&with(entries.clone()), &model.mutes, later), None, "a revision, a retraction, no wish");
    entries.push(entry(sandwich(5, 1), "FIVE", true));
    assert_eq!(notifier.look(&with(entries.clone()), &model.mutes, later), bell);
    entries.push(entry(sandwich(6, 1), "SIX", true));
    assert_eq!(notifier.look(&with(entries.clone()), &model.mutes, later + pause / 2), None, "too soon");
    assert_eq!(notifier.look(&with(entries.clone()), &model.mutes, later + pause), bell, "told late, not never");
    assert_eq!(notifier.look(&with(entries), &model.mutes, later + pause * 3), None);
}

#[test]
fn what_is_muted_by_keys_does_not_ring_and_whoever_is_watched_does() {
    let mut model = model(several());
    press(&mut model, &[C('5'), C('G'), C('i')]);
    let mut notifier = Notifier::new(NotifySettings::default());
    let now = Instant::now();
    assert_eq!(notifier.look(&with(vec![entry(sandwich(1, 1), "ONE", true)]), &model.mutes, now), None);
    let signature: Signature = sandwich(2, 2).legs[0].signature;
    assert_eq!(model.selected_ids().1, Some(signature.to_string()), "the next one is chosen");
    press(&mut model, &[C('w')]);
    let quiet = with(vec![entry(sandwich(1, 1), "ONE", true), entry(sandwich(2, 2), "TWO", false)]);
    assert!(notifier.look(&quiet, &model.mutes, now).is_some());
}
