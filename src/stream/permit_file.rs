//! The ledger on disk: permits of all processes of the host that use the same token, in a locked file of fixed size.
//!
//! A permit is one 64-byte record with its own checksum, written and synced before the call it is for. Whoever is killed
//! loses its lock on its own owner file, which tells the others that its open calls get no outcome any more. Anything
//! that cannot be understood counts as a budget spent just now.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use thiserror::Error;

use super::{
    clock,
    limiter::{Ask, Entry, PermitId, full, is_held},
    status::Purpose,
};

/// Bytes of a record.
const RECORD: usize = 64;
/// Records: the header and so many permits.
const RECORDS: usize = 1_025;
/// Longest wait for the lock.
const LOCK_WAIT: Duration = Duration::from_secs(2);
/// Time between two tries for the lock: systems have no lock call with a deadline.
const LOCK_RETRY: Duration = Duration::from_millis(3);
/// First bytes of the records.
const HEADER: [u8; 4] = *b"SSB1";
const PERMIT: [u8; 4] = *b"SSP1";
const FREE: [u8; 4] = *b"SSF1";
/// A permit without an outcome.
const OPEN: u64 = u64::MAX;

/// Why the ledger cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file system says no.
    #[error("the budget ledger {} cannot be used: {source}; {}", path.display(), mend(source.kind()))]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Somebody holds the lock and does not let go.
    #[error(
        "the budget ledger {} is locked by another process for more than {LOCK_WAIT:?}; let it go on if it is stopped, or end \
         it",
        .0.display()
    )]
    Locked(PathBuf),
    /// More permits than the file has records.
    #[error(
        "the budget ledger {} has no room for more than {} permits; run fewer processes on this token",
        .0.display(),
        RECORDS - 1
    )]
    Full(PathBuf),
}

/// What the user can do about it.
const fn mend(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room for 64 KiB there"
        }
        io::ErrorKind::PermissionDenied => "make the file and its folder writable for this user",
        io::ErrorKind::ReadOnlyFilesystem => "name a place that can be written to by XDG_STATE_HOME",
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory | io::ErrorKind::AlreadyExists => {
            "move away what is in its place"
        }
        _ => "mend that, or name another place by XDG_STATE_HOME",
    }
}

/// An open ledger.
#[derive(Debug)]
pub struct PermitFile {
    path: PathBuf,
    file: File,
    owner: u64,
    /// Locked as long as we live.
    _alive: File,
    alive_path: PathBuf,
    boot: u64,
    window: Duration,
    limit: u32,
    /// Longest time from taking a permit to the outcome of its call.
    longest_call: Duration,
}

/// The ledger's content while it is locked.
#[derive(Debug)]
pub struct Locked<'a> {
    ledger: &'a PermitFile,
    /// Every permit that is held, with its record.
    entries: Vec<(usize, Entry)>,
    /// Records free to be used.
    free: Vec<usize>,
    frozen_until: Option<Duration>,
    /// Whether the content could not be read and was replaced by a budget spent now.
    repaired: bool,
    now: Duration,
}

impl PermitFile {
    /// Opens the ledger of this endpoint and token in `folder`, which is made if need be. The name tells neither.
    ///
    /// # Errors
    /// When the folder or the file cannot be made or opened.
    pub fn open(
        folder: &Path,
        key: u64,
        owner: u64,
        (limit, window): (u32, Duration),
        longest_call: Duration,
    ) -> Result<Self, FileError> {
        let path = folder.join(format!("budget-{key:016x}"));
        let failed = |source| FileError::Io { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let boot = fnv(clock::boot_name().as_bytes());
        let alive_path = folder.join(format!("budget-{key:016x}.{owner:016x}"));
        let alive = private().create(true).truncate(false).open(&alive_path).map_err(failed)?;
        alive.try_lock().map_err(|error| failed(error.into()))?;
        let file = match private().open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create(&path, &alive_path, boot).and_then(|()| private().open(&path)).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path, file, owner, _alive: alive, alive_path, boot, window, limit, longest_call })
    }

    /// Locks the ledger and reads it. Waits two seconds at most.
    ///
    /// # Errors
    /// When it stays locked, or cannot be read or repaired.
    pub fn lock(&self) -> Result<Locked<'_>, FileError> {
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            match self.file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_RETRY),
                Err(TryLockError::WouldBlock) => return Err(FileError::Locked(self.path.clone())),
                Err(TryLockError::Error(source)) => return Err(self.failed(source)),
            }
        }
        let mut locked = Locked {
            ledger: self,
            entries: Vec::new(),
            free: Vec::new(),
            frozen_until: None,
            repaired: false,
            now: clock::since_boot(),
        };
        locked.read()?;
        Ok(locked)
    }

    fn failed(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), source }
    }

    /// Whether the process that took a permit still runs.
    fn lives(&self, owner: u64) -> bool {
        if owner == self.owner {
            return true;
        }
        let path = self.path.with_extension(format!("{owner:016x}"));
        match File::open(&path) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => {
                    // Its lock is gone, and so is it. If the file stays, the next one finds the same.
                    let _ = fs::remove_file(&path);
                    false
                }
                Err(_) => true,
            },
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

impl Drop for PermitFile {
    fn drop(&mut self) {
        // A file that stays is found unlocked later and removed then.
        let _ = fs::remove_file(&self.alive_path);
    }
}

impl Locked<'_> {
    /// Every permit that is held, by whomever.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.iter().map(|(_, entry)| *entry)
    }

    /// Until when the provider wants no subscription, by the answers that any process got.
    #[must_use]
    pub const fn frozen_until(&self) -> Option<Duration> {
        self.frozen_until
    }

    /// Whether the content could not be read and now says that the budget was spent just now.
    #[must_use]
    pub const fn repaired(&self) -> bool {
        self.repaired
    }

    /// Time since the boot at which the lock was held.
    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// Writes a permit, taken or completed. With `sync` it is on the disk when this returns.
    ///
    /// # Errors
    /// When it could not be written: the permit must not be used then.
    pub fn write(&mut self, entry: &Entry, sync: bool) -> Result<(), FileError> {
        let known = self.entries.iter().position(|(_, known)| known.id == entry.id);
        let record = match known {
            Some(known) => self.entries.get(known).map(|(record, _)| *record),
            None => self.free.pop(),
        };
        let record = record.ok_or_else(|| FileError::Full(self.ledger.path.clone()))?;
        self.put(record, &encode(entry, self.ledger.boot))?;
        match known.and_then(|known| self.entries.get_mut(known)) {
            Some((_, known)) => *known = *entry,
            None => self.entries.push((record, *entry)),
        }
        if sync { self.ledger.file.sync_data().map_err(|error| self.ledger.failed(error)) } else { Ok(()) }
    }

    /// Tells every process of a freeze.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn freeze(&mut self, until: Duration) -> Result<(), FileError> {
        let until = self.frozen_until.map_or(until, |earlier| earlier.max(until));
        self.frozen_until = Some(until);
        self.put(0, &header(self.ledger.boot, nanos(until)))
    }

    /// Writes what stands there already: whether the file takes anything at all.
    ///
    /// # Errors
    /// When it could not be written.
    pub fn probe(&self) -> Result<(), FileError> {
        self.put(0, &header(self.ledger.boot, self.frozen_until.map_or(0, nanos)))
    }

    fn put(&self, record: usize, bytes: &[u8; RECORD]) -> Result<(), FileError> {
        let at = (record * RECORD) as u64;
        self.ledger.file.write_all_at(bytes, at).map_err(|error| self.ledger.failed(error))
    }

    fn read(&mut self) -> Result<(), FileError> {
        let ledger = self.ledger;
        let length = ledger.file.metadata().map_err(|error| ledger.failed(error))?.len();
        let mut bytes = vec![0; RECORD * RECORDS];
        let whole = length == bytes.len() as u64 && ledger.file.read_exact_at(&mut bytes, 0).is_ok();
        if !(whole && self.parse(&bytes)) {
            return self.repair();
        }
        // A dead process gets no outcome any more: its calls are over, at the latest now.
        for position in 0..self.entries.len() {
            let Some((record, entry)) = self.entries.get_mut(position) else { break };
            if entry.completed.is_none() && !ledger.lives(entry.id.owner) {
                entry.completed = Some(self.now.max(entry.taken.saturating_add(ledger.longest_call)));
                let (record, entry) = (*record, *entry);
                self.put(record, &encode(&entry, ledger.boot))?;
            }
        }
        Ok(())
    }

    /// Whether all of it could be understood.
    fn parse(&mut self, bytes: &[u8]) -> bool {
        let (records, _) = bytes.as_chunks::<RECORD>();
        let Some((first, permits)) = records.split_first() else { return false };
        if !is_sound(first) || !first.starts_with(&HEADER) {
            return false;
        }
        let this_boot = |record: &[u8; RECORD]| number(record, 48) == self.ledger.boot;
        let frozen = Duration::from_nanos(number(first, 24));
        self.frozen_until = (this_boot(first) && frozen > self.now).then_some(frozen);
        for (position, record) in permits.iter().enumerate() {
            if !is_sound(record) {
                return false;
            }
            let held = decode(record).map(|entry| {
                // Before the boot, so over at its beginning; and a time to come can only be of an earlier boot.
                let earlier = !this_boot(record) || entry.taken > self.now;
                if earlier {
                    Entry { taken: Duration::ZERO, completed: Some(self.ledger.longest_call), ..entry }
                } else {
                    entry
                }
            });
            match held {
                Some(entry) if is_held(&entry, self.ledger.window, self.now) => {
                    self.entries.push((position + 1, entry));
                }
                None if !record.starts_with(&FREE) => return false,
                _ => self.free.push(position + 1),
            }
        }
        true
    }

    /// Replaces what cannot be understood: the budget counts as spent now, for every process.
    fn repair(&mut self) -> Result<(), FileError> {
        let entry = full(self.ledger.limit, self.now);
        let mut bytes = blank(self.ledger.boot);
        if let Some(place) = bytes.get_mut(RECORD..2 * RECORD) {
            place.copy_from_slice(&encode(&entry, self.ledger.boot));
        }
        let file = &self.ledger.file;
        let written = file.set_len(bytes.len() as u64).and_then(|()| file.write_all_at(&bytes, 0));
        written.and_then(|()| file.sync_data()).map_err(|error| self.ledger.failed(error))?;
        self.entries = vec![(1, entry)];
        self.free = (2..RECORDS).collect();
        self.frozen_until = None;
        self.repaired = true;
        Ok(())
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.ledger.file.unlock() {
            tracing::error!(%error, "the budget ledger could not be unlocked");
        }
    }
}

/// A name for a ledger: it tells neither the host nor the token.
#[must_use]
pub fn ledger_key(host: &str, token: &str) -> u64 {
    let hash = solana_sdk::hash::hashv(&[host.as_bytes(), b"\0", token.as_bytes()]);
    hash.as_ref().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

/// Makes the file whole or not at all: written aside, then linked to its name. Somebody else may be faster.
fn create(path: &Path, aside: &Path, boot: u64) -> io::Result<()> {
    let aside = aside.with_extension(format!("{:016x}.new", fastrand::u64(..)));
    let mut file = private().create_new(true).open(&aside)?;
    let linked = file.write_all(&blank(boot)).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&aside, path));
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A ledger with nothing in it.
fn blank(boot: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD * RECORDS);
    bytes.extend(header(boot, 0));
    let mut free = [0; RECORD];
    free[..4].copy_from_slice(&FREE);
    seal(&mut free);
    for _ in 1..RECORDS {
        bytes.extend(free);
    }
    bytes
}

fn header(boot: u64, frozen_until: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..4].copy_from_slice(&HEADER);
    record[24..32].copy_from_slice(&frozen_until.to_le_bytes());
    record[48..56].copy_from_slice(&boot.to_le_bytes());
    seal(&mut record);
    record
}

/// Layout: mark 0–4, purpose 4, urgent 5, connection 6–8, owner 8–16, serial 16–24, taken 24–32, completed 32–40 (times
/// in nanoseconds since the boot), cost 40–44, boot 48–56, checksum 56–64.
fn encode(entry: &Entry, boot: u64) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..4].copy_from_slice(&PERMIT);
    let purpose = PURPOSES.iter().position(|purpose| *purpose == entry.ask.purpose);
    record[4] = purpose.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX);
    record[5] = u8::from(entry.ask.urgent);
    record[6..8].copy_from_slice(&u16::try_from(entry.ask.connection).unwrap_or(u16::MAX).to_le_bytes());
    record[8..16].copy_from_slice(&entry.id.owner.to_le_bytes());
    record[16..24].copy_from_slice(&entry.id.serial.to_le_bytes());
    record[24..32].copy_from_slice(&nanos(entry.taken).to_le_bytes());
    record[32..40].copy_from_slice(&entry.completed.map_or(OPEN, nanos).to_le_bytes());
    record[40..44].copy_from_slice(&entry.ask.cost.to_le_bytes());
    record[48..56].copy_from_slice(&boot.to_le_bytes());
    seal(&mut record);
    record
}

/// `None` for a record that is no permit.
fn decode(record: &[u8; RECORD]) -> Option<Entry> {
    if !record.starts_with(&PERMIT) {
        return None;
    }
    let completed = number(record, 32);
    let ask = Ask {
        connection: usize::from(u16::from_le_bytes([record[6], record[7]])),
        purpose: *PURPOSES.get(usize::from(record[4]))?,
        urgent: record[5] != 0,
        cost: u32::from_le_bytes([record[40], record[41], record[42], record[43]]),
    };
    Some(Entry {
        id: PermitId { owner: number(record, 8), serial: number(record, 16) },
        ask,
        taken: Duration::from_nanos(number(record, 24)),
        completed: (completed != OPEN).then(|| Duration::from_nanos(completed)),
    })
}

/// By their number on disk.
const PURPOSES: [Purpose; 5] = [Purpose::Start, Purpose::Reconnect, Purpose::User, Purpose::Rebalance, Purpose::Repair];

fn number(record: &[u8; RECORD], at: usize) -> u64 {
    let bytes = record.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u64::from_le_bytes)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(OPEN - 1)
}

fn seal(record: &mut [u8; RECORD]) {
    let sum = fnv(&record[..56]);
    record[56..].copy_from_slice(&sum.to_le_bytes());
}

fn is_sound(record: &[u8; RECORD]) -> bool {
    number(record, 56) == fnv(&record[..56])
}

/// FNV-1a, 64 bits: against accidents, not against forgery; a writer may write what it likes anyway.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
