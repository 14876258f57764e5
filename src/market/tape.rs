//! A bounded list of the newest entries with running numbers, shared with the view as long as nothing new comes.

use std::{collections::VecDeque, sync::Arc};

use super::view::Feed;

#[derive(Debug)]
pub(crate) struct Tape<T> {
    entries: VecDeque<Arc<T>>,
    capacity: usize,
    first_seq: u64,
    shown: Option<Feed<T>>,
}

impl<T> Tape<T> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), capacity, first_seq: 0, shown: None }
    }

    /// Appends an entry; gives it back as the view will hold it.
    pub(crate) fn push(&mut self, entry: T) -> Arc<T> {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
            self.first_seq += 1;
        }
        let entry = Arc::new(entry);
        self.entries.push_back(entry.clone());
        self.shown = None;
        entry
    }

    /// All entries, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Arc<T>> {
        self.entries.iter()
    }

    pub(crate) fn feed(&mut self) -> Feed<T> {
        self.shown
            .get_or_insert_with(|| Feed { entries: self.entries.iter().cloned().collect(), first_seq: self.first_seq })
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_and_numbers_run_on() {
        let mut tape = Tape::new(3);
        for n in 0..10_u64 {
            tape.push(n);
            let feed = tape.feed();
            assert!(feed.entries.len() <= 3);
            for (seq, entry) in (feed.first_seq..).zip(feed.entries.iter()) {
                assert_eq!(seq, **entry);
            }
            assert_eq!(feed.entries.last().map(|entry| **entry), Some(n));
            assert!(Arc::ptr_eq(&feed.entries, &tape.feed().entries), "shared while nothing new comes");
        }
    }
}
