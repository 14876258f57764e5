//! The same scenarios over a worse stream: what is found when messages come late, again and again, or not at all.

use std::collections::{BTreeMap, HashMap};

use super::{
    Program,
    goals::Goal,
    play::{Path, PlayError, Played, play},
    tally::{Method, Part, Tally},
};
use crate::{chain::ids::Pool, mev::leg::Place, simulator::scenario::Trouble};

/// What trouble on the way may cost: a point.
const POINT: f64 = 0.01;
/// Everything comes two or three times and up to two slots late.
const SHUFFLED: Trouble = Trouble { shuffled: 2, repeated: 1.0, lost: 0.0, dead: 0.0 };
/// One message of two hundred never comes.
const LOSSY: Trouble = Trouble { lost: 0.005, shuffled: 0, repeated: 0.0, dead: 0.0 };

/// Plays these seeds over both and compares with what is found of them over a stream without trouble.
///
/// # Errors
/// When a seed cannot be played.
pub fn robustness(program: &Program, mut each: impl FnMut(u64)) -> Result<Vec<Goal>, PlayError> {
    let [mut plain, mut shuffled, mut lossy] = [Method::Ours; 3].map(Tally::new);
    let mut flagged = Part::default();
    for seed in program.seeds.0.clone() {
        let over = |trouble| play(&Program { trouble, ..program.clone() }, seed, &Path::Direct);
        let whole = over(Trouble::default())?;
        let damaged = over(LOSSY)?;
        flagged = flagged.merge(gaps_flagged(&whole, &damaged));
        plain.add(&whole);
        lossy.add(&damaged);
        shuffled.add(&over(SHUFFLED)?);
        each(seed);
    }
    let mut goals = Vec::new();
    for (what, part) in [
        ("recall", Tally::recall_of_all as fn(&Tally) -> Part),
        ("pair precision", |tally| tally.precision),
        ("hard negatives with an alert", Tally::hard_negatives),
    ] {
        let (before, after) = (part(&plain), part(&shuffled));
        let near = before.share().zip(after.share()).map(|(before, after)| (before - after).abs() <= POINT);
        let figure = format!("{} → {}", text(before), text(after));
        goals.push(Goal::new(format!("shuffled within 2 slots, repeated: {what} ± 1 point"), figure, near));
    }
    goals.push(Goal::share("0.5 % lost: recall ≥ .90", lossy.recall_of_all(), |share| share >= 0.9));
    goals.push(Goal::share("0.5 % lost: every gap in a pool's trades flagged", flagged, |share| share >= 1.0));
    let sure = lossy.across_gaps;
    goals.push(Goal::new("0.5 % lost: alerts above .5 across a gap: 0", sure.to_string(), Some(sure == 0)));
    Ok(goals)
}

fn text(part: Part) -> String {
    part.share().map_or_else(|| "-".to_owned(), |share| format!("{share:.4}"))
}

/// Of the trades that came behind one of their pool that did not, those that say so.
fn gaps_flagged(whole: &Played, damaged: &Played) -> Part {
    let told: HashMap<Place, bool> = damaged.trades.iter().map(|told| (told.leg.place, told.leg.whole)).collect();
    let mut pools: BTreeMap<Pool, Vec<Place>> = BTreeMap::new();
    for told in &whole.trades {
        pools.entry(told.leg.pool).or_default().push(told.leg.place);
    }
    let mut flagged = Part::default();
    for places in pools.values_mut() {
        places.sort_unstable();
        // Before the first trade that came nothing can be missed.
        let known = places.iter().map(|place| told.get(place)).skip_while(Option::is_none);
        let mut missing = false;
        for came in known {
            match came {
                Some(whole) if missing => flagged.add(!whole),
                _ => {}
            }
            missing = came.is_none();
        }
    }
    flagged
}
