//! Where the slots come from: a producer's thread that is a little ahead, or the producer itself.

use std::{
    io,
    sync::{Arc, OnceLock},
    thread,
};

use tokio::sync::mpsc;

use crate::simulator::feed::{Carries, Producer, SlotPlan};

/// Slots made ahead of time.
const SLOTS_AHEAD: usize = 4;

/// Why a producer ended, if it did not end well.
pub(super) type Failure = Arc<OnceLock<String>>;

/// The slots to come.
pub(super) struct Slots {
    source: Source,
    /// What they carry besides transactions and accounts.
    pub(super) carries: Carries,
    pub(super) failure: Failure,
}

enum Source {
    Thread(mpsc::Receiver<SlotPlan>),
    Producer(Box<dyn Producer>),
}

impl Slots {
    /// Made ahead of time by a thread, so that nobody waits for a disk.
    pub(super) fn ahead(mut producer: Box<dyn Producer>) -> io::Result<Self> {
        let (plans, slots) = mpsc::channel(SLOTS_AHEAD);
        let (carries, failure) = (producer.carries(), Failure::default());
        let told = Arc::clone(&failure);
        let produce = move || {
            while let Some(plan) = next(producer.as_mut(), &told) {
                if plans.blocking_send(plan).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new().name("producer".to_owned()).spawn(produce)?;
        Ok(Self { source: Source::Thread(slots), carries, failure })
    }

    /// Made when they are asked for.
    pub(super) fn in_time(producer: Box<dyn Producer>) -> Self {
        Self { carries: producer.carries(), failure: Failure::default(), source: Source::Producer(producer) }
    }

    /// The next slot; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<SlotPlan> {
        match &mut self.source {
            Source::Thread(slots) => slots.recv().await,
            Source::Producer(producer) => next(producer.as_mut(), &self.failure),
        }
    }
}

fn next(producer: &mut dyn Producer, failure: &Failure) -> Option<SlotPlan> {
    let plan = producer.next_slot();
    if plan.is_none()
        && let Some(cause) = producer.failure()
    {
        // Set once: nothing comes after the end.
        let _ = failure.set(cause);
    }
    plan
}
