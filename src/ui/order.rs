//! The order of a table's rows: by a column of the user's choice, else the table's own.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use crate::engine::view::PoolView;

/// What a row is ordered by.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Not known: behind everything, whichever way the order goes.
    Unknown,
    /// A figure: the largest first.
    Number(f64),
    /// Words: from A to Z.
    Words(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A figure that may be unknown, or no number.
    #[must_use]
    pub fn number(value: Option<f64>) -> Self {
        value.filter(|value| !value.is_nan()).map_or(Self::Unknown, Self::Number)
    }

    /// A count.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "compared, not shown")]
    pub fn count(value: impl TryInto<u64>) -> Self {
        value.try_into().map_or(Self::Unknown, |value| Self::Number(value as f64))
    }

    /// An instant in milliseconds since the Unix epoch: the newest first.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "below 2^53")]
    pub fn instant(at_ms: Option<i64>) -> Self {
        Self::number(at_ms.map(|at| at as f64))
    }

    /// Words; none are unknown.
    #[must_use]
    pub fn words(words: impl Into<Cow<'a, str>>) -> Self {
        let words = words.into();
        if words.is_empty() { Self::Unknown } else { Self::Words(words) }
    }

    /// Which comes first, and which when the order is turned round.
    fn compare(&self, other: &Self, turned: bool) -> Ordering {
        let direct = match (self, other) {
            (Self::Unknown, Self::Unknown) => Ordering::Equal,
            (Self::Unknown, _) => return Ordering::Greater,
            (_, Self::Unknown) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => b.total_cmp(a),
            (Self::Words(a), Self::Words(b)) => a.cmp(b),
            (Self::Number(_), Self::Words(_)) => Ordering::Less,
            (Self::Words(_), Self::Number(_)) => Ordering::Greater,
        };
        if turned { direct.reverse() } else { direct }
    }
}

/// Column and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    /// Position of the column among the table's own; `None` for the table's own order.
    pub column: Option<u8>,
    /// Smallest first, or from Z to A.
    pub turned: bool,
}

impl Sort {
    /// By this column; if it is that already, the other way round.
    pub fn by(&mut self, column: u8) {
        *self = Self { column: Some(column), turned: self.column == Some(column) && !self.turned };
    }
}

/// Orders positions in a list by the values of its entries. Ties are broken by `tie`, so that rows do not dance.
pub fn by<'a>(order: &mut [u32], turned: bool, value: impl Fn(u32) -> Value<'a>, tie: impl Fn(u32, u32) -> Ordering) {
    let mut valued: Vec<(Value<'a>, u32)> = order.iter().map(|index| (value(*index), *index)).collect();
    valued.sort_unstable_by(|(a, i), (b, j)| a.compare(b, turned).then_with(|| tie(*i, *j)));
    for (place, (_, index)) in order.iter_mut().zip(valued) {
        *place = index;
    }
}

/// Orders positions in `pools`: those that hold most first, then the deepest. Ties fall to the address, so that rows do
/// not dance.
pub fn pools(order: &mut [u32], pools: &[Arc<PoolView>], turned: bool) {
    order.sort_unstable_by(|a, b| {
        let (Some(a), Some(b)) = (pools.get(*a as usize), pools.get(*b as usize)) else { return a.cmp(b) };
        let by = |a, b| Value::number(a).compare(&Value::number(b), turned);
        let depth = || by(a.depth_up_sol, b.depth_up_sol);
        by(a.tvl_sol, b.tvl_sol).then_with(depth).then_with(|| a.pool.cmp(&b.pool))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_unknown_comes_last_whichever_way(values in prop::collection::vec(prop::option::of(-9i8..9), 0..40), turned: bool) {
            let value = |index: u32| values.get(index as usize).copied().flatten();
            let mut order: Vec<u32> = (0..u32::try_from(values.len()).unwrap_or(0)).collect();
            by(&mut order, turned, |index| Value::number(value(index).map(f64::from)), |a, b| a.cmp(&b));
            for pair in order.windows(2) {
                let (a, b) = (value(pair[0]), value(pair[1]));
                let fine = match (a, b) {
                    (None, Some(_)) => false,
                    (_, None) => true,
                    (Some(a), Some(b)) if a == b => pair[0] < pair[1],
                    (Some(a), Some(b)) => (a < b) == turned,
                };
                prop_assert!(fine, "{:?} before {:?}", a, b);
            }
        }
    }
}
