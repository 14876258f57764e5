//! Events that are handed on without being copied: the market, its journal, the detectors and the outputs read the same one.

use std::{ops::Deref, sync::Arc};

use super::Event;

/// An event in the batch that it came in. The batch lives as long as any of its events is held.
#[derive(Clone, Debug)]
pub struct EventRef {
    batch: Arc<Vec<Event>>,
    at: u32,
}

impl EventRef {
    /// The events of a batch, in order.
    #[must_use]
    pub fn each(mut batch: Vec<Event>) -> EventRefs {
        // It may be held for a while, and grew by doubling.
        batch.shrink_to_fit();
        EventRefs { batch: Arc::new(batch), next: 0 }
    }
}

/// See [`EventRef::each`].
#[derive(Clone, Debug)]
pub struct EventRefs {
    batch: Arc<Vec<Event>>,
    next: usize,
}

impl EventRefs {
    /// Leaves out the next so many.
    pub fn pass(&mut self, count: usize) {
        self.next = self.next.saturating_add(count);
    }
}

impl Iterator for EventRefs {
    type Item = EventRef;

    fn next(&mut self) -> Option<EventRef> {
        let at = u32::try_from(self.next).ok().filter(|_| self.next < self.batch.len())?;
        self.next += 1;
        Some(EventRef { batch: self.batch.clone(), at })
    }
}

impl From<Event> for EventRef {
    fn from(event: Event) -> Self {
        Self { batch: Arc::new(vec![event]), at: 0 }
    }
}

impl Deref for EventRef {
    type Target = Event;

    #[allow(clippy::indexing_slicing, reason = "made for no other places than those of the batch, which never changes")]
    fn deref(&self) -> &Event {
        &self.batch[self.at as usize]
    }
}
