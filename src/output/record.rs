//! The recording sink: a thread that writes what the engine hands over, and ends the file properly.

use std::{io, path::Path, thread::JoinHandle};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::chain::recording::Writer;

/// Batches of frames that may wait for the disk.
const QUEUE: usize = 4_096;

/// A recording in progress.
#[derive(Debug)]
pub struct Recorder {
    thread: JoinHandle<io::Result<u64>>,
}

/// Where frames go, with their arrival in microseconds since the Unix epoch.
pub type Frames = mpsc::Sender<Vec<(Bytes, i64)>>;

impl Recorder {
    /// Creates the file and starts to write.
    ///
    /// # Errors
    /// When the file or the thread cannot be made.
    pub fn start(path: &Path) -> io::Result<(Self, Frames)> {
        let mut writer = Writer::create(path)?;
        let (sender, mut frames) = mpsc::channel::<Vec<(Bytes, i64)>>(QUEUE);
        let write = move || {
            let mut count = 0;
            while let Some(batch) = frames.blocking_recv() {
                for (frame, arrival_us) in batch {
                    writer.append(&frame, arrival_us)?;
                    count += 1;
                }
            }
            writer.finish()?;
            Ok(count)
        };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(write)?;
        Ok((Self { thread }, sender))
    }

    /// Waits until every sender is gone and everything is written; how many messages that was.
    ///
    /// # Errors
    /// When the file could not be written to its end.
    pub fn finish(self) -> io::Result<u64> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the recorder's thread panicked")))
    }
}
