//! Keeps the shared ledger on a thread of its own: files are touched here only, so no connection ever waits for a disk.

use std::{io, path::PathBuf, sync::Arc, sync::mpsc, thread, time::Duration};

use tokio::sync::oneshot;

use super::{
    clock,
    gate::Core,
    limiter::{Ask, Denied, Entry, PermitId},
    permit_file::{FileError, Locked, PermitFile},
};

/// How often the others' spending is looked at when nobody asks. There is no signal between processes.
const LOOK: Duration = Duration::from_secs(1);

/// Where the ledger is.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// Its name, by [`ledger_key`](super::permit_file::ledger_key).
    pub key: u64,
    /// Longest time from taking a permit to the outcome of its call.
    pub longest_call: Duration,
}

/// What the gate asks of the keeper. Each permit causes two requests at most, so the queue needs no other bound.
#[derive(Debug)]
pub(super) enum Request {
    /// A permit, if there is one now.
    Take { ask: Ask, reply: oneshot::Sender<Result<PermitId, Denied>> },
    /// A call had its outcome.
    Completed(PermitId),
    /// The provider wants no subscription before that time.
    Freeze(Duration),
}

/// The keeper.
pub(super) struct Ledger {
    core: Arc<Core>,
    owner: u64,
    place: Place,
    file: Option<PermitFile>,
    /// Whether the file was out of reach when it was last needed.
    alone: bool,
    /// Permits whose newest state is not in the file.
    unwritten: Vec<PermitId>,
    freeze: Option<Duration>,
}

impl Ledger {
    /// Starts the keeper; it ends with the last sender.
    pub(super) fn start(core: Arc<Core>, owner: u64, place: Place) -> io::Result<mpsc::Sender<Request>> {
        let (sender, requests) = mpsc::channel();
        let mut ledger = Self { core, owner, place, file: None, alone: false, unwritten: Vec::new(), freeze: None };
        thread::Builder::new().name("budget".into()).spawn(move || ledger.run(&requests))?;
        Ok(sender)
    }

    fn run(&mut self, requests: &mpsc::Receiver<Request>) {
        self.look();
        loop {
            match requests.recv_timeout(LOOK) {
                Ok(Request::Take { ask, reply }) => {
                    let taken = self.take(ask);
                    if let Err(Ok(unwanted)) = reply.send(taken) {
                        // Nobody waits for it any more: it is spent, but its call will not be made.
                        self.core.lock().limiter.complete(unwanted, clock::since_boot());
                        self.completed(unwanted);
                    }
                }
                Ok(Request::Completed(id)) => self.completed(id),
                Ok(Request::Freeze(until)) => {
                    self.freeze = Some(until);
                    self.look();
                }
                Err(mpsc::RecvTimeoutError::Timeout) => self.look(),
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, ask: Ask) -> Result<PermitId, Denied> {
        let taken = self.transact(|core, locked| {
            let now = locked.now();
            let taken = core.lock().limiter.take(ask, now);
            if let Ok(id) = taken {
                let entry = Entry { id, ask, taken: now, completed: None };
                if let Err(error) = locked.write(&entry, true) {
                    core.lock().limiter.complete(id, now);
                    return Err(error);
                }
            }
            Ok(taken)
        });
        taken.unwrap_or_else(|_| {
            // A window has passed since the trouble began, or this is refused: what we spend ourselves we know.
            let id = self.core.lock().limiter.take(ask, clock::since_boot())?;
            self.unwritten.push(id);
            Ok(id)
        })
    }

    fn completed(&mut self, id: PermitId) {
        if !self.unwritten.contains(&id) {
            self.unwritten.push(id);
        }
        self.look();
    }

    /// Takes over what others have spent, and writes what is not in the file yet.
    fn look(&mut self) {
        // What went wrong is in the status.
        let _ = self.transact(|_, _| Ok(()));
    }

    /// Does something with the locked file; what cannot be done is told, and the budget counts as spent for a window.
    fn transact<T>(
        &mut self,
        work: impl FnOnce(&Core, &mut Locked<'_>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let done = self.open().and_then(|()| self.with_file(work));
        let now = clock::since_boot();
        let mut state = self.core.lock();
        let change = done.is_err() || self.alone;
        match &done {
            Ok(_) if self.alone => {
                self.alone = false;
                state.limiter.set_alone(false);
                state.trouble = None;
            }
            Ok(_) => {}
            Err(error) => {
                if !self.alone {
                    tracing::warn!(%error, "the budget counts as spent for one window");
                    state.limiter.assume_full(now);
                    state.limiter.set_alone(true);
                    self.alone = true;
                }
                state.trouble = Some((error.to_string().into(), Duration::MAX));
                // What is open may be gone from its place: look for it anew.
                if matches!(error, FileError::Io { .. }) {
                    self.file = None;
                }
            }
        }
        drop(state);
        if change {
            self.core.ring();
        }
        done
    }

    fn open(&mut self) -> Result<(), FileError> {
        if self.file.is_none() {
            let rules = *self.core.lock().limiter.rules();
            let Place { folder, key, longest_call } = &self.place;
            let opened = PermitFile::open(folder, *key, self.owner, (rules.limit, rules.window), *longest_call)?;
            self.file = Some(opened);
            // The file may be a new one: everything held belongs in it.
            let held: Vec<_> = self.core.lock().limiter.own(clock::since_boot()).map(|entry| entry.id).collect();
            self.unwritten = held;
        }
        Ok(())
    }

    fn with_file<T>(
        &mut self,
        work: impl FnOnce(&Core, &mut Locked<'_>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let Some(file) = &self.file else { return Err(FileError::Locked(self.place.folder.clone())) };
        let mut locked = file.lock()?;
        if self.alone {
            // That it can be read says nothing: what cannot be written either would begin the trouble, and with it a whole
            // window that counts as spent, anew with every permit asked for.
            locked.probe()?;
        }
        let now = locked.now();
        let own: Vec<Entry> = {
            let mut state = self.core.lock();
            let known = (state.limiter.used(now), state.limiter.next_free(now), state.limiter.frozen_until(now));
            state.limiter.adopt(locked.entries());
            if let Some(until) = locked.frozen_until() {
                state.limiter.freeze(until);
            }
            if locked.repaired() {
                let window = state.limiter.rules().window;
                let text = "the budget ledger was unreadable: the budget counts as spent for one window";
                tracing::warn!("{text}");
                state.trouble = Some((text.into(), now + window));
            }
            if known != (state.limiter.used(now), state.limiter.next_free(now), state.limiter.frozen_until(now)) {
                self.core.ring();
            }
            state.limiter.own(now).copied().collect()
        };
        while let Some(id) = self.unwritten.last() {
            if let Some(entry) = own.iter().find(|entry| entry.id == *id) {
                locked.write(entry, false)?;
            }
            self.unwritten.pop();
        }
        if let Some(until) = self.freeze {
            locked.freeze(until)?;
            self.freeze = None;
        }
        work(&self.core, &mut locked)
    }
}
