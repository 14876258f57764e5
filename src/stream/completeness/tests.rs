use super::*;
use crate::chain::group::Group;

const fn record(slot: u64, lost: u32) -> SlotRecord {
    let parent = Some(slot - 1);
    SlotRecord { slot, parent, executed: None, matched: 5, lost, whole: true, replayed: false }
}

fn set(groups: &[Group]) -> GroupSet {
    groups.iter().copied().collect()
}

/// One connection with two groups, and a standby with one of them.
fn beside() -> (Completeness, Share, Share) {
    let mut completeness = Completeness::new(ProofMode::Filters);
    completeness.expect_standby(Some(1));
    let [all, high] = [set(&[Group::BondingCurve, Group::AmmPool]), set(&[Group::BondingCurve])];
    let share = |groups| Share { needs: groups, brings: groups };
    (completeness, share(all), share(high))
}

fn proof(completeness: &Completeness, slot: u64) -> Proof {
    let known = completeness.slots.get(&slot).copied().unwrap_or_default();
    completeness.judge(slot, &known).proof
}

#[test]
fn what_one_lacks_the_other_fills_if_it_has_all_of_it() {
    let (mut completeness, own, standby) = beside();
    let mut changes = Vec::new();
    for slot in 10..40 {
        // Each loses something now and then, both at once in slot 30; slot 20 is missed by the standby.
        let lost = |every: u64| u32::from(slot % every == 0);
        completeness.record(0, record(slot, lost(15)), own, &mut changes);
        if slot != 20 {
            completeness.record(1, record(slot, lost(6)), standby, &mut changes);
        }
    }
    for slot in 11..40 {
        let expected = match slot {
            // The standby has one of the two groups only.
            15 | 30 => Proof::Lost,
            _ => Proof::Proven,
        };
        assert_eq!(proof(&completeness, slot), expected, "{slot}");
    }
    let view = completeness.view();
    assert!(view.strip.iter().all(|slot| slot.matched == 5), "{:?}", view.strip);
}

#[test]
fn a_gap_of_the_high_group_alone_is_filled_and_is_open_when_the_standby_missed_it_too() {
    let (mut completeness, _, high) = beside();
    let mut changes = Vec::new();
    let gap = |connection, from_slot, to_slot| Gap {
        connection,
        from_slot,
        to_slot,
        cause: GapCause::Disconnect,
        repaired: false,
    };
    for slot in 10..30 {
        for connection in 0..2 {
            if !(12..15).contains(&slot) || connection == 1 {
                completeness.record(connection, record(slot, 0), high, &mut changes);
            }
        }
    }
    completeness.gap(&gap(0, 12, 14), high.needs, &mut changes);
    let view = completeness.view();
    assert_eq!((view.open_gaps, view.filled_gaps, view.counts.lost), (0, 1, 0));
    completeness.gap(&gap(0, 30, 31), high.needs, &mut changes);
    assert_eq!(completeness.view().open_gaps, 1, "nobody has it yet");
    completeness.gap(&gap(1, 30, 30), high.needs, &mut changes);
    completeness.record(1, record(31, 0), high, &mut changes);
    // What is decided stays so when the slots are forgotten.
    for slot in 32..32 + 2 * KEPT as u64 {
        completeness.record(0, record(slot, 0), high, &mut changes);
    }
    let view = completeness.view();
    assert_eq!((view.open_gaps, view.filled_gaps, view.counts.lost), (2, 1, 1));
    assert!(completeness.undecided.is_empty());
}
