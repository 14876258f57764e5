//! The log with its invoke stack: which call of which program printed a line.
//!
//! Anybody can print anything, but only as `Program log:` or `Program data:` of the program that runs; `invoke` and
//! `success` lines are the runtime's own. A line is never split: it may contain line breaks. The runtime cuts a log off at
//! a number of bytes and still appends later lines that fit, so nothing behind `Log truncated` is trusted.

use crate::chain::program::Program;

/// More calls than a transaction can nest.
const MAX_DEPTH: usize = 16;

/// One call of one program, by its number among that program's calls in execution order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) program: Program,
    pub(super) ordinal: u32,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Nothing of interest.
    Nothing,
    /// Data in base64, and who printed them.
    Data(Caller, &'a [u8]),
    /// The text behind `ray_log: `, and who printed it.
    RayLog(Caller, &'a [u8]),
    /// From here on nothing can be trusted.
    Cut,
}

/// The stack of running calls.
#[derive(Debug)]
pub(super) struct Running {
    stack: [Option<Caller>; MAX_DEPTH],
    depth: usize,
    counts: [u32; Program::ALL.len()],
    /// Count only top-level calls: the others are not known.
    top_level_only: bool,
}

impl Running {
    pub(super) const fn new(top_level_only: bool) -> Self {
        Self { stack: [None; MAX_DEPTH], depth: 0, counts: [0; Program::ALL.len()], top_level_only }
    }

    /// Takes the next line.
    pub(super) fn line<'a>(&mut self, line: &'a [u8]) -> Line<'a> {
        let Some(rest) = line.strip_prefix(b"Program ") else {
            return if line == b"Log truncated" { Line::Cut } else { Line::Nothing };
        };
        if let Some(data) = rest.strip_prefix(b"data: ") {
            return self.running().map_or(Line::Nothing, |caller| Line::Data(caller, data));
        }
        if let Some(text) = rest.strip_prefix(b"log: ") {
            let text = text.strip_prefix(b"ray_log: ");
            return self.running().zip(text).map_or(Line::Nothing, |(caller, text)| Line::RayLog(caller, text));
        }
        // Most ids have 43 or 44 characters.
        let is_space = |at: &usize| rest.get(*at) == Some(&b' ');
        let space = [44, 43].into_iter().find(is_space).or_else(|| rest.iter().position(|byte| *byte == b' '));
        let Some(space) = space else { return Line::Nothing };
        let (id, what) = rest.split_at(space);
        if let Some(depth) = what.strip_prefix(b" invoke [") {
            return if self.enter(id, depth).is_some() { Line::Nothing } else { Line::Cut };
        }
        if what == b" success" || what.starts_with(b" failed") {
            self.depth = self.depth.saturating_sub(1);
        }
        Line::Nothing
    }

    fn running(&self) -> Option<Caller> {
        self.stack.get(self.depth.checked_sub(1)?).copied().flatten()
    }

    /// `None` if the stack does not fit: then a line is missing.
    fn enter(&mut self, id: &[u8], depth: &[u8]) -> Option<()> {
        let depth = depth.strip_suffix(b"]")?;
        let depth: usize = std::str::from_utf8(depth).ok()?.parse().ok()?;
        if depth != self.depth + 1 {
            return None;
        }
        let counted = Program::from_base58(id).filter(|_| depth == 1 || !self.top_level_only);
        *self.stack.get_mut(self.depth)? = counted.and_then(|program| {
            let count = self.counts.get_mut(program as usize)?;
            let ordinal = *count;
            *count += 1;
            Some(Caller { program, ordinal })
        });
        self.depth = depth;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPMM: &str = "CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C";
    const ORCA: &str = "whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc";
    const OTHER: &str = "JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4";

    fn emitters(lines: &[&str]) -> Vec<(Program, u32, String)> {
        let mut running = Running::new(false);
        let mut found = Vec::new();
        for line in lines {
            match running.line(line.as_bytes()) {
                Line::Data(caller, text) | Line::RayLog(caller, text) => {
                    found.push((caller.program, caller.ordinal, String::from_utf8_lossy(text).into_owned()));
                }
                Line::Cut => break,
                Line::Nothing => {}
            }
        }
        found
    }

    #[test]
    fn a_line_belongs_to_the_call_that_runs() {
        let lines = [
            format!("Program {OTHER} invoke [1]"),
            "Program data: forged".to_owned(),
            format!("Program {CPMM} invoke [2]"),
            format!("Program {OTHER} invoke [3]"),
            "Program data: forged".to_owned(),
            format!("Program {OTHER} success"),
            "Program data: first".to_owned(),
            format!("Program {CPMM} consumed 1 of 2 compute units"),
            format!("Program {CPMM} success"),
            "Program data: forged".to_owned(),
            format!("Program {CPMM} invoke [2]"),
            format!("Program log: x\nProgram data: forged\nProgram {ORCA} invoke [3]"),
            "Program data: second".to_owned(),
            format!("Program {CPMM} success"),
            format!("Program {OTHER} success"),
            "Program data: forged".to_owned(),
        ];
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let found = emitters(&lines);
        let expected = [(Program::RaydiumCpmm, 0, "first".to_owned()), (Program::RaydiumCpmm, 1, "second".to_owned())];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_behind_a_cut_is_trusted() {
        let [enter, leave] = [format!("Program {ORCA} invoke [1]"), format!("Program {ORCA} success")];
        let cut = [&enter, "Program data: one", "Log truncated", "Program data: two", &leave];
        assert_eq!(emitters(&cut).len(), 1);
        let missing_line = [&enter, "Program data: one", &format!("Program {CPMM} invoke [3]"), "Program data: two"];
        assert_eq!(emitters(&missing_line).len(), 1);
        let said = [&enter, "Program log: Log truncated", "Program data: two"];
        assert_eq!(emitters(&said).len(), 1);
    }
}
