//! What the decoder makes of a recording, as JSON lines, and what it knows: `decode FILE` and `decode --list`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::{events, json::write_line};
use crate::{
    chain::{
        envelope::{Envelope, EnvelopeError, EnvelopeInstruction},
        ids::{Signature, Wallet},
        program::{Program, Transport},
        recording::RecordingError,
        wire::{self, Kind, Update},
    },
    decode::{DecodeError, Decoder, Event, Tally, Undecoded, list, tally::ProgramCounts},
    market::change::{ChainEvent, Status},
};

/// What stands around an event in `headless` and not here: nothing arrived on a connection, and no market follows.
const LIVE_ONLY: [&str; 6] = ["recv_ms", "connection", "status", "group", "price_sol", "market_cap_sol"];

/// Why input could not be decoded.
#[derive(Debug, Error)]
pub enum InputError {
    /// The recording ends in the middle, or is none.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The output is gone.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// No base64.
    #[error(
        "this is no base64 ({0}): give the file name of a recording, ending in .pb or .pb.zst, or one update or transaction \
         in base64, for example from `getTransaction` with the encoding \"base64\""
    )]
    Base64(#[from] base64::DecodeError),
    /// Neither an update nor a transaction.
    #[error("this is neither an encoded SubscribeUpdate with a transaction nor a transaction: {0}")]
    Neither(#[from] EnvelopeError),
    /// A transaction that contradicts itself.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// One transaction.
#[derive(Debug, Serialize, JsonSchema)]
struct TransactionLine {
    /// `transaction`.
    r#type: &'static str,
    slot: u64,
    signature: String,
    tx_index: u64,
    failed: bool,
    #[schemars(with = "String")]
    payer: Wallet,
    /// As in the events output, without what only a live stream has.
    events: Vec<Value>,
    undecoded: Vec<UndecodedFields>,
    programs: BTreeMap<&'static str, CountFields>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct UndecodedFields {
    program: &'static str,
    /// First eight bytes, hexadecimal.
    discriminator: String,
    reason: &'static str,
}

/// Counts of one program.
#[derive(Debug, Serialize, JsonSchema)]
struct CountFields {
    invocations: u32,
    known: u32,
    expected: u32,
    decoded: u32,
    logged: u32,
    fallbacks: u32,
    unknown_tails: u32,
}

/// A transaction without its result.
#[derive(Debug, Serialize, JsonSchema)]
struct BareLine {
    /// `bare_transaction`.
    r#type: &'static str,
    /// `legacy`, `0` or `1`.
    version: String,
    signature: Option<String>,
    #[schemars(with = "Option<String>")]
    payer: Option<Wallet>,
    instructions: Vec<BareInstruction>,
}

/// See [`BareLine`].
#[derive(Debug, Serialize, JsonSchema)]
struct BareInstruction {
    #[schemars(with = "Option<String>")]
    program_id: Option<Wallet>,
    program: Option<&'static str>,
    instruction: Option<&'static str>,
    /// `null` for accounts from lookup tables.
    #[schemars(with = "Vec<Option<String>>")]
    accounts: Vec<Option<Wallet>>,
    /// Hexadecimal.
    data: String,
}

/// The last line.
#[derive(Debug, Serialize, JsonSchema)]
struct SummaryLine {
    /// `summary`.
    r#type: &'static str,
    transactions: u64,
    failed: u64,
    /// Updates of other kinds.
    others: u64,
    /// Messages that could not be read.
    unreadable: u64,
    programs: BTreeMap<&'static str, CountFields>,
}

/// What is known of a program.
#[derive(Debug, Serialize, JsonSchema)]
struct KnownFields {
    program: &'static str,
    id: &'static str,
    /// How it tells what it did: `cpi`, `log` or `ray_log`.
    transport: &'static str,
    /// Where the layouts come from, and of which day they are.
    origin: &'static str,
    instructions: Vec<InstructionFields>,
    events: Vec<EventFields>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct InstructionFields {
    name: &'static str,
    discriminator: String,
    must_emit: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventFields {
    name: &'static str,
    discriminator: String,
    /// Whether it is read; the others say nothing about a market.
    read: bool,
}

impl From<&ProgramCounts> for CountFields {
    fn from(counts: &ProgramCounts) -> Self {
        Self {
            invocations: counts.invocations,
            known: counts.known,
            expected: counts.expected,
            decoded: counts.decoded,
            logged: counts.logged,
            fallbacks: counts.fallbacks,
            unknown_tails: counts.unknown_tails,
        }
    }
}

/// Decodes the messages of a recording: a line for each transaction and a summary.
///
/// # Errors
/// When the recording cannot be read on (everything before it is written, the summary too) or the output fails.
pub fn recording(
    messages: impl Iterator<Item = Result<bytes::Bytes, RecordingError>>,
    output: &mut impl Write,
) -> Result<(), InputError> {
    let mut printer = Printer::default();
    let mut broken = None;
    for message in messages {
        match message {
            Ok(frame) => printer.frame(&frame, output)?,
            Err(error) => broken = Some(error),
        }
    }
    printer.summary(output)?;
    broken.map_or(Ok(()), |error| Err(error.into()))
}

/// Decodes one thing given in base64 to one line: an encoded `SubscribeUpdate` with a transaction and its meta, or a bare
/// transaction as it goes over the network, of which only the instructions are known.
///
/// # Errors
/// When it is neither, or the output fails.
pub fn base64(text: &str, output: &mut impl Write) -> Result<(), InputError> {
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact)?;
    if let Ok(Kind::Transaction(transaction)) = Update::scan(&bytes).map(|update| update.kind) {
        write_line(&Printer::default().transaction(&transaction)?, output)?;
    } else {
        write_line(&bare(&Envelope::parse(&bytes)?), output)?;
    }
    Ok(())
}

fn bare(envelope: &Envelope) -> BareLine {
    let known = list();
    let instruction = |instruction: &EnvelopeInstruction| {
        let id = envelope.keys.get(usize::from(instruction.program));
        let known = known.iter().find(|known| Some(known.program.id().as_array()) == id);
        let called = known
            .and_then(|known| known.instructions.iter().find(|one| instruction.data.starts_with(&one.discriminator)));
        let accounts = instruction.accounts.iter();
        BareInstruction {
            program_id: id.map(|id| Wallet::new(*id)),
            program: known.map(|known| known.program.name()),
            instruction: called.map(|called| called.name),
            accounts: accounts
                .map(|index| envelope.keys.get(usize::from(*index)).map(|key| Wallet::new(*key)))
                .collect(),
            data: hex(&instruction.data),
        }
    };
    BareLine {
        r#type: "bare_transaction",
        version: envelope.version.map_or_else(|| "legacy".into(), |version| version.to_string()),
        signature: envelope.signatures.first().map(|signature| Signature::from(*signature).to_string()),
        payer: envelope.keys.first().map(|key| Wallet::new(*key)),
        instructions: envelope.instructions.iter().map(instruction).collect(),
    }
}

/// Writes what the decoder knows, as one JSON array.
///
/// # Errors
/// When the output fails.
pub fn known(output: &mut impl Write) -> io::Result<()> {
    let programs: Vec<_> = list()
        .into_iter()
        .map(|known| KnownFields {
            program: known.program.name(),
            id: known.program.base58(),
            transport: match known.program.transport() {
                Transport::SelfCall => "cpi",
                Transport::Log => "log",
                Transport::RayLog => "ray_log",
            },
            origin: known.origin,
            instructions: known
                .instructions
                .into_iter()
                .map(|instruction| InstructionFields {
                    name: instruction.name,
                    discriminator: hex(&instruction.discriminator),
                    must_emit: instruction.must_emit,
                })
                .collect(),
            events: known
                .events
                .into_iter()
                .map(|event| EventFields {
                    name: event.name,
                    discriminator: hex(&event.discriminator),
                    read: event.read,
                })
                .collect(),
        })
        .collect();
    write_line(&programs, output)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(16), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn programs(tally: &Tally) -> BTreeMap<&'static str, CountFields> {
    tally.programs().map(|program| (program.name(), tally.of(program).into())).collect()
}

/// Decodes one message after the other and counts.
#[derive(Default)]
struct Printer {
    decoder: Decoder,
    tally: Tally,
    transactions: u64,
    failed: u64,
    others: u64,
    unreadable: u64,
}

impl Printer {
    fn frame(&mut self, frame: &[u8], output: &mut impl Write) -> io::Result<()> {
        match Update::scan(frame).map(|update| update.kind) {
            Ok(Kind::Transaction(transaction)) => match self.transaction(&transaction) {
                Ok(line) => return write_line(&line, output),
                Err(_) => self.unreadable += 1,
            },
            Ok(_) => self.others += 1,
            Err(_) => self.unreadable += 1,
        }
        Ok(())
    }

    fn transaction(&mut self, transaction: &wire::Transaction<'_>) -> Result<TransactionLine, DecodeError> {
        let (mut events, mut undecoded) = (Vec::<Event>::new(), Vec::<Undecoded>::new());
        let decoded = self.decoder.decode(transaction, &mut events, &mut undecoded)?;
        self.transactions += 1;
        self.failed += u64::from(decoded.failed);
        self.tally.add(&decoded.tally);
        Ok(TransactionLine {
            r#type: "transaction",
            slot: transaction.slot,
            signature: Signature::from(*transaction.signature).to_string(),
            tx_index: transaction.index,
            failed: decoded.failed,
            payer: decoded.payer,
            events: events.into_iter().filter_map(event_line).collect(),
            undecoded: undecoded
                .iter()
                .map(|miss| UndecodedFields {
                    program: miss.program.name(),
                    discriminator: hex(&miss.discriminator),
                    reason: miss.reason.name(),
                })
                .collect(),
            programs: programs(&decoded.tally),
        })
    }

    fn summary(&self, output: &mut impl Write) -> io::Result<()> {
        let line = SummaryLine {
            r#type: "summary",
            transactions: self.transactions,
            failed: self.failed,
            others: self.others,
            unreadable: self.unreadable,
            programs: programs(&self.tally),
        };
        write_line(&line, output)
    }
}

/// An event as in the events output, without what only a live stream has.
fn event_line(event: Event) -> Option<Value> {
    let group = Program::group(event.venue().program());
    let status = Status::Processed;
    let event = ChainEvent {
        event: event.into(),
        recv_us: 0,
        group,
        connection: 0,
        status,
        placed: None,
        price_sol: None,
        market_cap_sol: None,
    };
    let mut line = serde_json::to_value(events::chain(&event)?).ok()?;
    if let Some(fields) = line.as_object_mut() {
        fields.retain(|name, _| !LIVE_ONLY.contains(&name.as_str()));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::path::Path;

    use super::*;
    use crate::chain::recording::Reader;

    fn shipped() -> Reader {
        Reader::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/published.pb.zst")).unwrap()
    }

    fn lines(output: &[u8]) -> Vec<Value> {
        std::str::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_recording_gives_a_line_for_each_transaction_and_a_summary() {
        let mut output = Vec::new();
        recording(shipped(), &mut output).unwrap();
        let lines = lines(&output);
        let (summary, transactions) = lines.split_last().unwrap();
        assert_eq!((transactions.len(), &summary["transactions"], &summary["failed"]), (58, &58.into(), &4.into()));
        for (_, counts) in summary["programs"].as_object().unwrap() {
            assert_eq!(counts["decoded"], counts["expected"]);
        }
        let trades = transactions.iter().flat_map(|line| line["events"].as_array().unwrap());
        let trades: Vec<_> = trades.filter(|event| event["type"] == "trade").collect();
        assert!(
            trades.len() > 70 && trades.iter().all(|trade| trade["recv_ms"].is_null() && trade["source"].is_string())
        );
    }

    #[test]
    fn one_update_in_base64_gives_the_same_line() {
        let frame = shipped().next().unwrap().unwrap();
        let (mut whole, mut one) = (Vec::new(), Vec::new());
        recording(std::iter::once(Ok(frame.clone())), &mut whole).unwrap();
        base64(&format!("{}\n", STANDARD.encode(&frame)), &mut one).unwrap();
        assert_eq!(lines(&whole)[0], lines(&one)[0]);
        let refused = base64("# A title, no transaction", &mut one).unwrap_err();
        assert!(matches!(refused, InputError::Base64(_)));
        assert!(["recording", ".pb.zst", "base64"].iter().all(|what| refused.to_string().contains(what)), "{refused}");
        assert!(matches!(base64("", &mut one), Err(InputError::Neither(_))));
        assert!(matches!(base64("AAAA", &mut one), Err(InputError::Neither(_))));
    }

    #[test]
    fn a_bare_transaction_names_its_instructions() {
        let buy = [0x66, 0x06, 0x3d, 0x12, 0x01, 0xda, 0xeb, 0xea, 1];
        let mut bytes = vec![0, 1, 0, 1, 2];
        bytes.extend([[1; 32], Program::Pump.id().to_bytes(), [0; 32]].concat());
        bytes.extend([1, 1, 2, 0, 9, 9]);
        bytes.extend(buy);
        let mut output = Vec::new();
        base64(&STANDARD.encode(bytes), &mut output).unwrap();
        let line = lines(&output).remove(0);
        let instruction = &line["instructions"][0];
        assert_eq!((&instruction["program"], &instruction["instruction"]), (&"pump".into(), &"buy".into()));
        assert_eq!((&line["version"], &instruction["accounts"][1]), (&"legacy".into(), &Value::Null));
    }

    #[test]
    fn what_is_known_names_every_program_and_its_obligations() {
        let mut output = Vec::new();
        known(&mut output).unwrap();
        let programs = lines(&output).remove(0);
        let programs = programs.as_array().unwrap();
        assert_eq!(programs.len(), Program::ALL.len());
        for program in programs {
            let names: Vec<_> = program["events"].as_array().unwrap().iter().map(|event| &event["name"]).collect();
            for instruction in program["instructions"].as_array().unwrap() {
                for owed in instruction["must_emit"].as_array().unwrap() {
                    let owed = owed.as_str().unwrap();
                    assert!(owed.split('|').all(|name| names.iter().any(|known| *known == name)), "{instruction}");
                }
            }
            assert!(program["origin"].as_str().is_some_and(|origin| origin.contains("20")));
        }
    }
}
