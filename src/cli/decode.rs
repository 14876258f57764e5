//! `decode`: what the decoder makes of a recording or a transaction, and what it knows.

use std::{
    fs,
    io::{self, BufWriter, Read, Write},
    path::Path,
};

use super::{args::DecodeOptions, failure::Failure};
use crate::{
    chain::recording::Reader,
    output::decoded::{self, InputError},
};

/// Largest text that is taken for one transaction in base64: far above a block's largest.
const MAX_TEXT: u64 = 64 << 20;

/// Decodes and prints.
pub(super) fn run(options: &DecodeOptions) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let printed = match options.input.as_deref() {
        None => decoded::known(&mut out).map_err(InputError::from),
        Some(path) if is_recording(path) => {
            Reader::open(path).map_err(InputError::from).and_then(|messages| decoded::recording(messages, &mut out))
        }
        Some(path) => decoded::base64(&text(path)?, &mut out),
    };
    match printed.and_then(|()| Ok(out.flush()?)) {
        Err(InputError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Runtime(error.into())),
        Ok(()) => Ok(()),
    }
}

/// Recordings are told by their name, as everywhere.
fn is_recording(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    [".pb", ".pb.zst", ".zst"].iter().any(|ending| name.ends_with(ending))
}

/// A text file, or standard input.
fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_TEXT).read_to_string(&mut text)
    } else {
        fs::File::open(path).and_then(|file| file.take(MAX_TEXT).read_to_string(&mut text))
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::runtime(format!("cannot read {}: {error}", path.display()))),
    }
}
