//! The snapshot as a file: written whole or not at all, readable by its owner only.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::snapshot::{Snapshot, rfc3339};
use crate::engine::View;

/// Why a snapshot was not written.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A link could lead anywhere.
    #[error("will not write the snapshot through the symbolic link {}; name the file itself", .0.display())]
    Link(PathBuf),
    /// A device, a pipe or a folder: the rename would put a file in its place.
    #[error("will not write the snapshot over {}, which is not a file; name a file, or leave the name out for standard output", .0.display())]
    NotAFile(PathBuf),
    /// The file system says no.
    #[error("cannot write the snapshot {}: {source}", path.display())]
    Io {
        /// The target.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Writes the snapshot of a view: to a temporary file beside the target, synced, renamed; readable by the owner only.
///
/// # Errors
/// When the target is a symbolic link or no file, or the file system refuses.
pub fn write(view: &View, path: &Path) -> Result<(), SnapshotError> {
    replace(path, |file| serde_json::to_writer_pretty(file, &Snapshot::of(view)).map_err(Into::into))
}

/// Writes a text the same way.
///
/// # Errors
/// As [`write`].
pub fn write_text(text: &str, path: &Path) -> Result<(), SnapshotError> {
    replace(path, |file| file.write_all(text.trim_end().as_bytes()))
}

/// Puts a new file in the place of the old one, with a line feed behind what is written.
fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), SnapshotError> {
    let failed = |source| SnapshotError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => return Err(SnapshotError::Link(path.to_owned())),
        Ok(meta) if !meta.is_file() => return Err(SnapshotError::NotAFile(path.to_owned())),
        _ => {}
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // A new temporary file is readable by its owner only.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    write(&mut buffered).map_err(failed)?;
    buffered.write_all(b"\n").and_then(|()| buffered.flush()).map_err(failed)?;
    drop(buffered);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// A path as the user typed it: `~/` is the home folder.
#[must_use]
pub fn typed_path(text: &str, home: Option<PathBuf>) -> PathBuf {
    match (text.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

/// A name for a file in the current folder: `smart-stream-<time>.json` or another ending, unused so far.
#[must_use]
pub fn new_name(unix_ms: i64, ending: &str) -> PathBuf {
    let time: String = rfc3339(unix_ms).chars().take(19).filter(|sign| *sign != ':' && *sign != '-').collect();
    let names = (0..).map(|n: u32| match n {
        0 => PathBuf::from(format!("smart-stream-{time}.{ending}")),
        _ => PathBuf::from(format!("smart-stream-{time}-{n}.{ending}")),
    });
    names.into_iter().find(|name| !name.exists()).unwrap_or_default()
}
