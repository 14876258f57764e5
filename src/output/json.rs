//! JSON that can be printed: what must not reach a terminal is written as `\u` escapes, which mean the same to every reader.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, ser::Formatter};

use crate::chain::text::is_denied;

/// Writes a value and a line break: one line, whatever its texts hold.
///
/// # Errors
/// When the output takes no more.
pub(super) fn write_line(value: &impl Serialize, output: &mut impl Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *output, Printable))?;
    output.write_all(b"\n")
}

/// Everything as compact as by default, but for what texts hold.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, denied)) = rest.char_indices().find(|(_, char)| is_denied(*char)) {
            writer.write_all(rest.get(..at).unwrap_or_default().as_bytes())?;
            for unit in denied.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = rest.get(at + denied.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;

    use super::*;

    fn written(value: &impl Serialize) -> String {
        let mut output = Vec::new();
        write_line(value, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(written(&"a\u{9b}2J\u{202e}\n\"\u{e0041}ü狗"), "\"a\\u009b2J\\u202e\\n\\\"\\udb40\\udc41ü狗\"\n");
        assert_eq!(written(&vec![Some(1), None]), "[1,null]\n");
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was_on_one_printable_line(text in any::<String>()) {
            let line = written(&[&text]);
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&line).unwrap(), [text]);
            prop_assert!(line.ends_with('\n') && !line.trim_end_matches('\n').chars().any(is_denied));
        }
    }
}
