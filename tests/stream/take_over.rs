//! Groups that come over from a connection without a stream: what is missing of them is fetched or declared, whatever the
//! connection that takes them is at.

use smart_stream_tui::stream::{
    policy::Class,
    recovery::{Recovery, Repair},
    status::{Gap, GapCause},
};

/// A connection that has finished slots 100 to 110.
fn live() -> Recovery {
    let mut recovery = Recovery::new(0, true);
    recovery.opened();
    for slot in 100..=110 {
        assert!(!finish(&mut recovery, slot).0);
    }
    recovery
}

fn finish(recovery: &mut Recovery, slot: u64) -> (bool, Vec<Gap>) {
    let mut gaps = Vec::new();
    recovery.data(slot, false);
    let ask = recovery.finished(slot, &mut gaps);
    (ask, gaps)
}

fn ask(recovery: &mut Recovery) -> Option<u64> {
    let mut gaps = Vec::new();
    let from = recovery.request(Ok(Some(1)), &mut gaps);
    assert_eq!(gaps, []);
    from
}

/// The gaps of what was missing, as (from, to, repaired).
fn bounds(gaps: &[Gap]) -> Vec<(u64, u64, bool)> {
    gaps.iter().map(|gap| (gap.from_slot, gap.to_slot, gap.repaired)).collect()
}

#[test]
fn the_slot_in_which_the_groups_came_is_fetched_as_well() {
    let mut recovery = live();
    recovery.data(111, false);
    recovery.take_over(90, GapCause::Disconnect);
    assert_eq!(recovery.settled(), Some(89), "nothing of theirs is here");
    assert!(finish(&mut recovery, 111).0);
    assert_eq!(ask(&mut recovery), Some(90));
    for slot in 90..111 {
        assert_eq!(finish(&mut recovery, slot), (false, vec![]));
    }
    assert_eq!(bounds(&finish(&mut recovery, 111).1), [(90, 111, true)]);
    assert_eq!(recovery.settled(), Some(111));
}

#[test]
fn without_a_replay_it_is_declared_up_to_the_slot_in_which_they_came() {
    let mut recovery = Recovery::new(0, false);
    recovery.opened();
    finish(&mut recovery, 110);
    recovery.take_over(90, GapCause::Disconnect);
    let (ask, gaps) = finish(&mut recovery, 111);
    assert!(!ask);
    assert_eq!(bounds(&gaps), [(90, 111, false)]);
    assert_eq!(gaps[0].cause, GapCause::ReplayUnsupported);
}

#[test]
fn what_is_about_to_be_asked_for_waits_for_the_slot_at_hand() {
    let mut recovery = live();
    recovery.lost(Class::Transport, "", GapCause::Disconnect, &mut Vec::new());
    recovery.opened();
    assert!(finish(&mut recovery, 120).0);
    // Slot 121 has begun, and its first transactions came without these groups.
    recovery.data(121, false);
    recovery.take_over(115, GapCause::Disconnect);
    assert_eq!(ask(&mut recovery), None, "it would end before the slot at hand");
    assert!(finish(&mut recovery, 121).0);
    assert_eq!(ask(&mut recovery), Some(111));
    assert_eq!(bounds(&finish(&mut recovery, 121).1), [(111, 121, true)]);
}

#[test]
fn a_replay_under_way_does_not_bring_them_and_another_one_does() {
    for begins in [true, false] {
        let mut recovery = live();
        assert_eq!(recovery.repair(109, GapCause::Dropped), Repair::Ask);
        assert_eq!(ask(&mut recovery), Some(109));
        recovery.take_over(80, GapCause::Disconnect);
        assert!(recovery.is_wanting());
        let mut slot = 110;
        let asked = if begins {
            assert_eq!(bounds(&finish(&mut recovery, 110).1), [(109, 110, true)]);
            assert!(recovery.is_wanting());
            finish(&mut recovery, 111).0
        } else {
            // The server has not heard of it: the next request is for both.
            (0..100).any(|_| {
                slot += 1;
                finish(&mut recovery, slot).0
            })
        };
        assert!(asked);
        assert_eq!(ask(&mut recovery), Some(80), "{begins}");
    }
}

#[test]
fn what_nobody_asks_for_any_more_is_declared() {
    let mut recovery = live();
    recovery.give_up(None, GapCause::Lagged);
    assert_eq!(finish(&mut recovery, 111), (false, vec![]), "nothing was missing");
    recovery.lost(Class::Slow, "", GapCause::Lagged, &mut Vec::new());
    recovery.opened();
    recovery.give_up(None, GapCause::Lagged);
    let (ask, gaps) = finish(&mut recovery, 115);
    assert!(ask, "what is still asked for is fetched");
    assert_eq!(bounds(&gaps), [(112, 115, false)]);
}
