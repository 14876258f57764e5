//! Writes the oracle as JSON lines, on a thread of its own. The server never waits for it: what does not fit is counted.

use std::{
    fmt,
    io::{self, BufWriter, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvError, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use yellowstone_grpc_proto::geyser::SubscribeRequest;

use super::oracle::{Asked, OracleEntry, OracleEvent};

/// Lines that may wait for the writer.
const QUEUE: usize = 65_536;

/// Where a server's oracle goes: one JSON object a line.
///
/// `{"type":"subscribe", "at_us", "stream", "connection"}`, or with `"code"` and `"message"` where it was refused;
/// `request`, `cut`, `closed`, `dead_slot`; `{"type":"update", "at_us", "stream", "kind", "slot", "index", "signature",
/// "pubkey", "status", "sent", "fate"}`; `{"type":"missed", "lines"}` where the writer was too slow. Times are
/// microseconds since the Unix epoch. What an object has not is left out.
#[derive(Clone)]
pub struct OracleWriter {
    lines: SyncSender<Line>,
    missed: Arc<AtomicU64>,
}

enum Line {
    Event(OracleEntry),
    Update(Asked),
}

impl fmt::Debug for OracleWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OracleWriter").field("missed", &self.missed()).finish_non_exhaustive()
    }
}

impl OracleWriter {
    /// Starts the writing thread. It ends, and the result can be had from it, when every clone is gone.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<(Self, JoinHandle<io::Result<()>>)> {
        let (lines, queue) = sync_channel(QUEUE);
        let missed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&missed);
        let thread = thread::Builder::new().name("oracle".to_owned()).spawn(move || write(&queue, &counted, out))?;
        Ok((Self { lines, missed }, thread))
    }

    /// Lines left out because the writer was too slow or has failed.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    pub(super) fn event(&self, entry: OracleEntry) {
        self.hand_over(Line::Event(entry));
    }

    pub(super) fn update(&self, asked: Asked) {
        self.hand_over(Line::Update(asked));
    }

    fn hand_over(&self, line: Line) {
        if self.lines.try_send(line).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes until every sender is gone; what waits is flushed before the thread sleeps.
fn write(queue: &Receiver<Line>, missed: &AtomicU64, out: impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut told = 0;
    loop {
        let line = match queue.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty) => {
                out.flush()?;
                match queue.recv() {
                    Ok(line) => line,
                    Err(RecvError) => break,
                }
            }
            Err(TryRecvError::Disconnected) => break,
        };
        put(&mut out, &value(&line))?;
        tell_missed(&mut out, missed, &mut told)?;
    }
    tell_missed(&mut out, missed, &mut told)?;
    out.flush()
}

fn tell_missed(out: &mut impl Write, missed: &AtomicU64, told: &mut u64) -> io::Result<()> {
    let now = missed.load(Ordering::Relaxed);
    if now > *told {
        put(out, &json!({ "type": "missed", "lines": now - *told }))?;
        *told = now;
    }
    Ok(())
}

fn put(out: &mut impl Write, value: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn value(line: &Line) -> Value {
    let mut value = match line {
        Line::Event(entry) => event(&entry.event, micros(entry.at)),
        Line::Update(asked) => update(asked),
    };
    if let Value::Object(object) = &mut value {
        object.retain(|_, value| !value.is_null());
    }
    value
}

fn event(event: &OracleEvent, at_us: u64) -> Value {
    match event {
        OracleEvent::Subscribed { stream, connection } => {
            json!({ "type": "subscribe", "at_us": at_us, "stream": stream, "connection": connection })
        }
        OracleEvent::Refused { code, message } => {
            json!({ "type": "subscribe", "at_us": at_us, "code": format!("{code:?}"), "message": message })
        }
        OracleEvent::Applied { stream, request } => {
            let mut value = asked_for(request);
            value["type"] = "request".into();
            value["at_us"] = at_us.into();
            value["stream"] = (*stream).into();
            value
        }
        OracleEvent::Cut { stream, code, message } => json!({
            "type": "cut", "at_us": at_us, "stream": stream, "code": format!("{code:?}"), "message": message
        }),
        OracleEvent::Closed { stream } => json!({ "type": "closed", "at_us": at_us, "stream": stream }),
        OracleEvent::Dead { slot } => json!({ "type": "dead_slot", "at_us": at_us, "slot": slot }),
    }
}

/// The names of the filters by kind, and what else a request sets.
fn asked_for(request: &SubscribeRequest) -> Value {
    fn names<T>(filters: &std::collections::HashMap<String, T>) -> Value {
        let mut names: Vec<&String> = filters.keys().collect();
        names.sort_unstable();
        if names.is_empty() { Value::Null } else { json!(names) }
    }
    json!({
        "accounts": names(&request.accounts),
        "slots": names(&request.slots),
        "transactions": names(&request.transactions),
        "transactions_status": names(&request.transactions_status),
        "blocks_meta": names(&request.blocks_meta),
        "commitment": request.commitment,
        "from_slot": request.from_slot,
    })
}

fn update(asked: &Asked) -> Value {
    let facts = &asked.facts;
    json!({
        "type": "update",
        "at_us": micros(asked.at),
        "stream": asked.stream,
        "kind": asked.kind,
        "slot": facts.slot,
        "index": facts.index,
        "signature": facts.signature.map(|signature| Signature::from(signature).to_string()),
        "pubkey": facts.account.map(|key| Pubkey::new_from_array(key).to_string()),
        "status": facts.status.map(|status| status.as_str_name()),
        "sent": matches!(asked.fate, "sent" | "replayed"),
        "fate": asked.fate,
    })
}

fn micros(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}
