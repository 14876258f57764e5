//! Who was handed tokens lately, and by whom: what joins two wallets that share nothing else.

use crate::chain::ids::Mint;

/// Receivers remembered, each in the one place that its tag gives it.
const RECEIVERS: usize = 1_024;

#[derive(Clone, Copy, Debug)]
struct Handover {
    from: u64,
    to: u64,
    mint: Mint,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Handed {
    last: Vec<Option<Handover>>,
    forgotten: u64,
}

impl Default for Handed {
    fn default() -> Self {
        Self { last: vec![None; RECEIVERS], forgotten: 0 }
    }
}

impl Handed {
    #[allow(clippy::cast_possible_truncation, reason = "a remainder")]
    const fn place(to: u64) -> usize {
        (to % RECEIVERS as u64) as usize
    }

    /// Tokens went from one wallet to another.
    pub(super) fn add(&mut self, from: u64, to: u64, mint: Mint) {
        let Some(place) = self.last.get_mut(Self::place(to)).filter(|_| from != to) else { return };
        let before = place.replace(Handover { from, to, mint });
        self.forgotten += u64::from(before.is_some_and(|before| before.to != to));
    }

    /// Who handed this wallet tokens of that kind last.
    pub(super) fn to(&self, to: u64, mint: &Mint) -> Option<u64> {
        let known = self.last.get(Self::place(to))?.as_ref()?;
        (known.to == to && known.mint == *mint).then_some(known.from)
    }

    /// Receivers forgotten because another took their place.
    pub(super) const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    pub(super) fn bytes(&self) -> usize {
        self.last.len() * size_of::<Option<Handover>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_giver_is_known_by_receiver_and_token() {
        let (mut handed, mint) = (Handed::default(), Mint::new([1; 32]));
        handed.add(7, 9, mint);
        assert_eq!(handed.to(9, &mint), Some(7));
        assert_eq!(handed.to(7, &mint), None);
        assert_eq!(handed.to(9, &Mint::new([2; 32])), None, "another token");
        handed.add(8, 9, mint);
        assert_eq!((handed.to(9, &mint), handed.forgotten()), (Some(8), 0));
        handed.add(7, 9 + RECEIVERS as u64, mint);
        assert_eq!((handed.to(9, &mint), handed.forgotten()), (None, 1));
    }
}
