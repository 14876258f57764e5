//! A bounded list of the newest entries with running numbers, shared with the view as long as nothing new comes.

use std::{collections::VecDeque, sync::Arc};

use super::view::Feed;

#[derive(Debug)]
pub(crate) struct Tape<T> {
    entries: VecDeque<Held<T>>,
    capacity: usize,
    first_seq: u64,
    shown: Option<Feed<T>>,
}

/// Most entries are gone again before anybody looks, so they are shared only when somebody does.
#[derive(Debug)]
enum Held<T> {
    Own(T),
    Shared(Arc<T>),
}

impl<T> Tape<T> {
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), capacity, first_seq: 0, shown: None }
    }

    /// Appends an entry.
    pub(crate) fn push(&mut self, entry: T) {
        self.append(Held::Own(entry));
    }

    /// Appends an entry; gives it back as the view will hold it.
    pub(crate) fn push_shared(&mut self, entry: T) -> Arc<T> {
        let entry = Arc::new(entry);
        self.append(Held::Shared(entry.clone()));
        entry
    }

    fn append(&mut self, entry: Held<T>) {
        if self.entries.len() == self.capacity {
            self.entries.pop_front();
            self.first_seq += 1;
        }
        self.entries.push_back(entry);
        self.shown = None;
    }

    pub(crate) fn feed(&mut self) -> Feed<T> {
        if let Some(shown) = &self.shown {
            return shown.clone();
        }
        let entries = std::mem::take(&mut self.entries).into_iter().map(|entry| match entry {
            Held::Own(entry) => Arc::new(entry),
            Held::Shared(entry) => entry,
        });
        let entries: Arc<[Arc<T>]> = entries.collect();
        self.entries.extend(entries.iter().cloned().map(Held::Shared));
        let feed = Feed { entries, first_seq: self.first_seq };
        self.shown = Some(feed.clone());
        feed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_and_numbers_run_on() {
        let mut tape = Tape::new(3);
        for n in 0..10_u64 {
            if n % 2 == 0 {
                tape.push(n);
            } else {
                assert_eq!(*tape.push_shared(n), n);
            }
            if n == 5 {
                continue;
            }
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
