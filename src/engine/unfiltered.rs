//! Notices a server that takes no notice of a compressed filter: everything comes, and is dropped here.

/// Such a filter lets a few strange transactions through, never more than what is wanted by all groups together,
const LEAST: u64 = 100;
/// second after second.
const SECONDS: u32 = 10;

/// What the user is told.
pub(super) const WORDS: &str = "the server takes no notice of a compressed filter: everything comes from it, and what is not wanted is dropped here";

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Unfiltered {
    unwanted: u64,
    wanted: u64,
    seconds: u32,
    told: bool,
}

impl Unfiltered {
    /// Takes the counts since the start at the end of a second; whether the user is to be told now: once, until it is over.
    pub(super) const fn second(&mut self, unwanted: u64, wanted: u64) -> bool {
        let (new, kept) = (unwanted.saturating_sub(self.unwanted), wanted.saturating_sub(self.wanted));
        (self.unwanted, self.wanted) = (unwanted, wanted);
        if new < LEAST || new <= kept {
            (self.seconds, self.told) = (0, false);
            return false;
        }
        self.seconds += 1;
        let tells = self.seconds >= SECONDS && !self.told;
        self.told |= tells;
        tells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it is told within so many seconds of so much.
    fn told(unfiltered: &mut Unfiltered, seconds: u32, unwanted: u64, wanted: u64) -> usize {
        let (from, kept) = (unfiltered.unwanted, unfiltered.wanted);
        let mut second = |number: u64| unfiltered.second(from + number * unwanted, kept + number * wanted);
        (1..=u64::from(seconds)).filter(|number| second(*number)).count()
    }

    #[test]
    fn a_server_that_sends_everything_is_told_of_once_and_a_few_strange_ones_are_not() {
        let mut unfiltered = Unfiltered::default();
        assert_eq!(told(&mut unfiltered, 600, 60, 700), 0, "the filter's own mistakes");
        assert_eq!(told(&mut unfiltered, 600, 60, 0), 0, "the same while nothing is wanted");
        assert_eq!(told(&mut unfiltered, SECONDS - 1, 1_300, 700), 0, "not yet");
        assert_eq!(told(&mut unfiltered, 600, 1_300, 700), 1);
        assert_eq!(told(&mut unfiltered, 5, 0, 700), 0);
        assert_eq!(told(&mut unfiltered, 600, 1_300, 700), 1, "again");
    }
}
