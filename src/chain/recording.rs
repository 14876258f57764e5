//! The recording format: a stream of `geyser.SubscribeUpdate` messages, each behind its varint length; a name ending in
//! `.zst` means zstd around the whole. Reading and writing are streaming: memory does not grow with the file.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use thiserror::Error;

/// Longest message accepted: far above any real update, far below what a hostile length could ask for.
const MAX_MESSAGE_BYTES: u64 = 256 << 20;

/// Why a recording could not be read on. Everything before it was delivered.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file cannot be opened or read.
    #[error("cannot read the recording {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file ends inside a message.
    #[error(
        "the recording {path} is cut off at byte {offset} (of its uncompressed content); everything before it was used"
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Offset of the message that is not whole, in the uncompressed content.
        offset: u64,
    },
    /// A length that no message has: not a recording.
    #[error("{path} is not a recording: at byte {offset} it announces a message of {length} bytes")]
    Length {
        /// The file.
        path: PathBuf,
        /// Offset of the length.
        offset: u64,
        /// The length.
        length: u64,
    },
    /// A message that is none of ours: not a recording.
    #[error("{path} is not a recording: the message at byte {offset} cannot be read: {source}")]
    Content {
        /// The file.
        path: PathBuf,
        /// Offset of the message, in the uncompressed content.
        offset: u64,
        /// The cause.
        source: prost::DecodeError,
    },
}

/// Reads the messages of a recording, one encoded `SubscribeUpdate` after the other.
pub struct Reader {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    offset: u64,
    ended: bool,
}

impl Reader {
    /// Opens a recording.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let io_error = |source| RecordingError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(io_error)?;
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        let input: Box<dyn BufRead + Send> = if compressed {
            Box::new(BufReader::new(zstd::Decoder::new(file).map_err(io_error)?))
        } else {
            Box::new(BufReader::new(file))
        };
        Ok(Self { path: path.to_owned(), input, offset: 0, ended: false })
    }

    /// A recording that is already open and not compressed; `name` stands in errors.
    #[must_use]
    pub fn from_plain(name: &str, input: impl BufRead + Send + 'static) -> Self {
        Self { path: PathBuf::from(name), input: Box::new(input), offset: 0, ended: false }
    }

    /// A recording held in memory, with zstd around it.
    ///
    /// # Errors
    /// When the decompressor cannot be made.
    pub fn from_zstd(name: &str, bytes: &'static [u8]) -> Result<Self, RecordingError> {
        let path = PathBuf::from(name);
        match zstd::Decoder::new(bytes) {
            Ok(decoder) => Ok(Self { path, input: Box::new(BufReader::new(decoder)), offset: 0, ended: false }),
            Err(source) => Err(RecordingError::Io { path, source }),
        }
    }

    /// The next message as a generated type; `None` at the end and behind an error.
    pub fn next_as<M: prost::Message + Default>(&mut self) -> Option<Result<M, RecordingError>> {
        let offset = self.offset;
        Some(self.next()?.and_then(|message| {
            M::decode(message).map_err(|source| {
                self.ended = true;
                RecordingError::Content { path: self.path.clone(), offset, source }
            })
        }))
    }

    fn next_message(&mut self) -> Result<Option<Bytes>, RecordingError> {
        let start = self.offset;
        let Some(length) = self.length(start)? else { return Ok(None) };
        if length > MAX_MESSAGE_BYTES {
            return Err(RecordingError::Length { path: self.path.clone(), offset: start, length });
        }
        let mut message = Vec::new();
        let read =
            self.input.by_ref().take(length).read_to_end(&mut message).map_err(|error| self.failed(start, error))?;
        self.offset += read as u64;
        if read as u64 == length { Ok(Some(message.into())) } else { Err(self.truncated(start)) }
    }

    /// The next length, or `None` at the end of the file.
    fn length(&mut self, start: u64) -> Result<Option<u64>, RecordingError> {
        let mut length = 0_u64;
        for shift in (0..70).step_by(7) {
            let mut byte = [0];
            if self.input.read(&mut byte).map_err(|error| self.failed(start, error))? == 0 {
                return if shift == 0 { Ok(None) } else { Err(self.truncated(start)) };
            }
            self.offset += 1;
            length |= u64::from(byte[0] & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte[0] & 0x80 == 0 {
                return Ok(Some(length));
            }
        }
        Err(RecordingError::Length { path: self.path.clone(), offset: start, length: u64::MAX })
    }

    /// A cut-off zstd frame shows as an unexpected end: to the user it is the same as a cut-off message.
    fn failed(&self, start: u64, source: io::Error) -> RecordingError {
        if source.kind() == io::ErrorKind::UnexpectedEof {
            self.truncated(start)
        } else {
            RecordingError::Io { path: self.path.clone(), source }
        }
    }

    fn truncated(&self, offset: u64) -> RecordingError {
        RecordingError::Truncated { path: self.path.clone(), offset }
    }
}

impl Iterator for Reader {
    type Item = Result<Bytes, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let message = self.next_message().transpose();
        self.ended = !matches!(message, Some(Ok(_)));
        message
    }
}

/// Writes a recording. Call [`finish`](Self::finish): a zstd frame that is not ended reads as cut off.
pub struct Writer {
    output: Output,
}

enum Output {
    Plain(BufWriter<File>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Writer {
    /// Creates (or truncates) a recording; a name ending in `.zst` is compressed.
    ///
    /// # Errors
    /// When the file cannot be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        let compressed = path.extension().is_some_and(|extension| extension == "zst");
        let output = if compressed { Output::Zstd(zstd::Encoder::new(file, 3)?) } else { Output::Plain(file) };
        Ok(Self { output })
    }

    /// Appends one encoded `SubscribeUpdate` that arrived at this time; `created_at` becomes the arrival time.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, frame: &[u8], arrival_us: i64) -> io::Result<()> {
        // A field that occurs again replaces the earlier one, so the frame itself stays as it came.
        let mut stamp = Vec::with_capacity(24);
        prost::encoding::int64::encode(1, &arrival_us.div_euclid(1_000_000), &mut stamp);
        let nanos = i32::try_from(arrival_us.rem_euclid(1_000_000) * 1_000).unwrap_or(0);
        prost::encoding::int32::encode(2, &nanos, &mut stamp);
        let mut head = Vec::with_capacity(16);
        let stamp_head = [0x5a, u8::try_from(stamp.len()).unwrap_or(0)]; // field 11, length-delimited
        prost::encoding::encode_varint((frame.len() + stamp_head.len() + stamp.len()) as u64, &mut head);
        let output: &mut dyn Write = match &mut self.output {
            Output::Plain(file) => file,
            Output::Zstd(file) => file,
        };
        for part in [&head[..], frame, &stamp_head, &stamp] {
            output.write_all(part)?;
        }
        Ok(())
    }

    /// Ends the file properly.
    ///
    /// # Errors
    /// When the last bytes cannot be written.
    pub fn finish(self) -> io::Result<()> {
        match self.output {
            Output::Plain(mut file) => file.flush(),
            Output::Zstd(file) => file.finish()?.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use prost::Message;

    use super::*;
    use crate::chain::proto::{SubscribeUpdate, SubscribeUpdatePong, subscribe_update::UpdateOneof};

    fn write(path: &Path, count: i32) {
        let mut writer = Writer::create(path).unwrap();
        for id in 0..count {
            let update = SubscribeUpdate {
                update_oneof: Some(UpdateOneof::Pong(SubscribeUpdatePong { id })),
                created_at: Some(prost_types::Timestamp { seconds: 7, nanos: 7 }),
                ..SubscribeUpdate::default()
            };
            writer.append(&update.encode_to_vec(), 12_345_000_000 + i64::from(id)).unwrap();
        }
        writer.finish().unwrap();
    }

    #[test]
    fn what_is_written_is_read_with_the_arrival_time() {
        for name in ["r.pb", "r.pb.zst"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            write(&path, 3);
            for (id, message) in (0..).zip(Reader::open(&path).unwrap()) {
                let update = SubscribeUpdate::decode(message.unwrap()).unwrap();
                assert_eq!(update.update_oneof, Some(UpdateOneof::Pong(SubscribeUpdatePong { id })));
                assert_eq!(update.created_at, Some(prost_types::Timestamp { seconds: 12_345, nanos: id * 1_000 }));
            }
            assert_eq!(Reader::open(&path).unwrap().count(), 3);
        }
    }

    #[test]
    fn a_cut_file_gives_everything_before_the_cut_and_says_where() {
        for name in ["r.pb", "r.pb.zst"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(name);
            write(&path, 40);
            let whole = std::fs::read(&path).unwrap();
            for cut in 1..whole.len() {
                std::fs::write(&path, &whole[..cut]).unwrap();
                let Ok(reader) = Reader::open(&path) else { continue };
                let messages: Vec<_> = reader.collect();
                let good = messages.iter().filter(|message| message.is_ok()).count();
                assert!(good <= 40);
                match messages.last() {
                    Some(Err(RecordingError::Truncated { .. })) => assert_eq!(good, messages.len() - 1),
                    Some(Ok(_)) | None => assert!(name == "r.pb"),
                    other => panic!("{name} cut at {cut}: {other:?}"),
                }
            }
        }
    }
}
