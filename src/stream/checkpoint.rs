//! Where a run ended: the newest slot up to which everything was settled and handed on, in a small file beside the budget
//! ledger. The next run goes on behind it, or says what it missed.
//!
//! The file belongs to one use of one endpoint with one set of filters. Whatever cannot be trusted (unreadable, of other
//! streams, in use by another process, ahead of the chain) counts as no checkpoint, and that is said.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use secrecy::ExposeSecret;
use tempfile::NamedTempFile;
use tokio::sync::watch;

use super::{StreamSettings, permit_file::fnv};
use crate::chain::group::{Group, Groups};

/// Bytes of the file: mark 0–4, key 8–16, slot 16–24, time 24–32, checksum 32–40.
const LENGTH: usize = 40;
/// First bytes of the file.
const MARK: [u8; 4] = *b"SSC1";

/// Where checkpoints are kept, and how much of a pause is made up for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRules {
    /// The folder.
    pub folder: PathBuf,
    /// What the streams are used for: two uses of the same streams end at different slots.
    pub purpose: &'static str,
    /// Most slots that a start asks for again; of a longer pause everything is declared as missed.
    pub within: u64,
}

/// Where an earlier run of the same streams ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// There was none, as far as is known: nothing is missed.
    #[default]
    Fresh,
    /// Everything up to this slot was handled.
    After {
        /// The slot.
        slot: u64,
        /// See [`CheckpointRules::within`].
        within: u64,
    },
    /// There was one, and where it ended cannot be told.
    Unknown,
}

/// The checkpoint as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckpointView {
    /// The slot on disk.
    pub slot: Option<u64>,
    /// When it was written, in milliseconds since the Unix epoch.
    pub written_ms: Option<i64>,
    /// Why there is none, or it could not be written, in words.
    pub trouble: Option<Arc<str>>,
}

/// Writes the checkpoints of one run, on a thread of its own: nobody waits for the disk.
#[derive(Debug)]
pub struct CheckpointKeeper {
    slots: mpsc::SyncSender<u64>,
    view: watch::Receiver<CheckpointView>,
    thread: thread::JoinHandle<()>,
}

/// What a start finds.
#[derive(Debug)]
pub struct Opened {
    /// Where the last run ended.
    pub resume: Resume,
    /// The state of the file; what is the matter with it, if anything.
    pub view: CheckpointView,
    /// Absent when the checkpoint cannot be kept.
    pub keeper: Option<CheckpointKeeper>,
}

/// Reads the checkpoint of these streams and takes it over.
#[must_use]
pub fn open(rules: &CheckpointRules, settings: &StreamSettings) -> Opened {
    let key = key(rules.purpose, settings);
    let path = rules.folder.join(format!("checkpoint-{key:016x}"));
    let without = |resume, trouble: String| Opened {
        resume,
        view: CheckpointView { trouble: Some(trouble.into()), ..CheckpointView::default() },
        keeper: None,
    };
    let lock = match lock(&rules.folder, &path) {
        Ok(lock) => lock,
        Err(TryLockError::WouldBlock) => {
            let why = "another process keeps the checkpoint of these streams";
            return without(Resume::Fresh, why.to_owned());
        }
        Err(TryLockError::Error(error)) => {
            return without(Resume::Unknown, format!("the checkpoint {} cannot be used: {error}", path.display()));
        }
    };
    let (resume, view) = match read(&path, key) {
        Ok(None) => (Resume::Fresh, CheckpointView::default()),
        Ok(Some((slot, written_ms))) => (
            Resume::After { slot, within: rules.within },
            CheckpointView { slot: Some(slot), written_ms: Some(written_ms), trouble: None },
        ),
        Err(error) => {
            let trouble = Some(format!("the checkpoint {} counts as none: {error}", path.display()).into());
            (Resume::Unknown, CheckpointView { trouble, ..CheckpointView::default() })
        }
    };
    let keeper = CheckpointKeeper::start(path, key, lock, view.clone());
    match keeper {
        Ok(keeper) => Opened { resume, view, keeper: Some(keeper) },
        Err(error) => without(resume, format!("the checkpoint cannot be kept: {error}")),
    }
}

impl CheckpointKeeper {
    fn start(path: PathBuf, key: u64, lock: File, view: CheckpointView) -> io::Result<Self> {
        // One on its way and one behind it: a disk that hangs takes no more.
        let (slots, incoming) = mpsc::sync_channel(1);
        let (publish, view) = watch::channel(view);
        let keep = move || {
            while let Ok(slot) = incoming.recv() {
                if publish.borrow().slot == Some(slot) {
                    continue;
                }
                let now_ms = unix_ms();
                let written = write(&path, key, slot, now_ms);
                publish.send_modify(|view| match &written {
                    Ok(()) => *view = CheckpointView { slot: Some(slot), written_ms: Some(now_ms), trouble: None },
                    Err(error) => {
                        if view.trouble.is_none() {
                            tracing::warn!(%error, "the checkpoint could not be written");
                        }
                        view.trouble = Some(format!("the checkpoint could not be written: {error}").into());
                    }
                });
            }
            // Not by closing it alone: a process that is being started may hold a copy of it for a moment.
            if let Err(error) = lock.unlock() {
                tracing::warn!(%error, "the checkpoint could not be unlocked");
            }
        };
        let thread = thread::Builder::new().name("checkpoint".into()).spawn(keep)?;
        Ok(Self { slots, view, thread })
    }

    /// Keeps this slot soon; while the disk is busy, a later call will.
    pub fn offer(&self, slot: u64) {
        // Full: the disk has not taken the one before yet.
        let _ = self.slots.try_send(slot);
    }

    /// The state of the file.
    #[must_use]
    pub fn view(&self) -> CheckpointView {
        self.view.borrow().clone()
    }

    /// Keeps the last slot and ends.
    pub fn finish(self, slot: Option<u64>) {
        let Self { slots, thread, .. } = self;
        if let Some(slot) = slot {
            // A keeper that is gone has said why.
            let _ = slots.send(slot);
        }
        drop(slots);
        if thread.join().is_err() {
            tracing::error!("the keeper of the checkpoint failed");
        }
    }
}

/// Names the streams: what they are used for, where they come from, and what is asked for.
fn key(purpose: &str, settings: &StreamSettings) -> u64 {
    let token = settings.endpoint.x_token.as_ref().map_or("", |token| token.expose_secret());
    let commitment = settings.commitment.to_le_bytes();
    let mut parts = vec![purpose.as_bytes(), settings.endpoint.host.as_bytes(), token.as_bytes(), &commitment];
    let asked: Vec<Vec<u8>> = settings.groups.iter().map(|group| asked_for(*group, &settings.rules)).collect();
    parts.extend(asked.iter().map(Vec::as_slice));
    let parts: Vec<&[u8]> = parts.into_iter().flat_map(|part| [part, &b"\0"[..]]).collect();
    solana_sdk::hash::hashv(&parts).as_ref().first_chunk().copied().map_or(0, u64::from_le_bytes)
}

/// Name of a group, and of the user's own all that it asks for: with another rule, another part of the past is missing.
fn asked_for(group: Group, rules: &Groups) -> Vec<u8> {
    let mut text = rules.name(group).as_bytes().to_vec();
    if let (Group::Own(_), Some(rule)) = (group, rules.rule(group)) {
        text.push(u8::from(rule.failed));
        for keys in [&rule.include, &rule.required] {
            text.extend(keys.len().to_le_bytes());
            text.extend(keys.iter().flat_map(solana_sdk::pubkey::Pubkey::to_bytes));
        }
    }
    text
}

fn lock(folder: &Path, path: &Path) -> Result<File, TryLockError> {
    fs::create_dir_all(folder).map_err(TryLockError::Error)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(path.with_extension("lock")).map_err(TryLockError::Error)?;
    lock.try_lock()?;
    Ok(lock)
}

/// Slot and time; `None` when there is no file.
fn read(path: &Path, key: u64) -> io::Result<Option<(u64, i64)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::with_capacity(LENGTH);
    file.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    let damaged = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let bytes: [u8; LENGTH] = bytes.try_into().map_err(|_| damaged("it has not the length of one"))?;
    let number =
        |at: usize| bytes.get(at..at + 8).and_then(|field| field.try_into().ok()).map_or(0, u64::from_le_bytes);
    if !bytes.starts_with(&MARK) || number(32) != fnv(&bytes[..32]) {
        return Err(damaged("it is damaged"));
    }
    if number(8) != key {
        return Err(damaged("it is of other streams"));
    }
    Ok(Some((number(16), i64::from_le_bytes(number(24).to_le_bytes()))))
}

/// Whole or not at all: written aside, synced, renamed.
fn write(path: &Path, key: u64, slot: u64, now_ms: i64) -> io::Result<()> {
    let mut bytes = [0; LENGTH];
    bytes[..4].copy_from_slice(&MARK);
    bytes[8..16].copy_from_slice(&key.to_le_bytes());
    bytes[16..24].copy_from_slice(&slot.to_le_bytes());
    bytes[24..32].copy_from_slice(&now_ms.to_le_bytes());
    let sum = fnv(&bytes[..32]);
    bytes[32..].copy_from_slice(&sum.to_le_bytes());
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(&bytes)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
