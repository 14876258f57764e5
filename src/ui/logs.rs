//! The log: a tracing layer that keeps the newest lines in memory, and the place on the Logs tab they are read from.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::SystemTime,
};

use tracing::{Event, Subscriber, field::Field, span};
use tracing_subscriber::{
    Layer,
    filter::LevelFilter,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};
use tui_logger::{TuiTracingSubscriberLayer, TuiWidgetEvent, TuiWidgetState};

use super::typed::Typed;
use crate::chain::text::is_denied;

/// Lines kept for the Logs tab.
const KEPT: usize = 10_000;
/// Lines taken in between two looks at the Logs tab.
const HOT: usize = 1_000;
/// Longest line handed to the rest of the screen, in characters.
const LINE: usize = 300;

/// Newest lines that a search looks through.
pub const SEARCHED: usize = 4_000;

/// A line of the log, made safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Counts lines.
    pub seq: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// How important it is.
    pub level: tracing::Level,
    /// Level and words.
    pub text: Arc<str>,
}

/// The newest lines of the log.
#[derive(Clone, Default)]
pub struct LogTail(Arc<Mutex<Tail>>, Arc<AtomicUsize>);

#[derive(Default)]
struct Tail {
    lines: VecDeque<LogLine>,
    wake: Option<Box<dyn Fn() + Send>>,
    count: u64,
}

impl fmt::Debug for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogTail").field(&self.newest()).finish()
    }
}

impl LogTail {
    /// The newest line, made safe.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lines.back().map(|line| line.text.clone())
    }

    /// The newest lines that have these words, the newest first.
    fn hits(&self, words: &Typed) -> Vec<LogLine> {
        let tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.lines.iter().rev().filter(|line| words.matches(&[&line.text])).cloned().collect()
    }

    /// From now on lines of this level and above are kept.
    pub fn set_level(&self, level: LevelFilter) {
        self.1.store(rank(level), Ordering::Relaxed);
        tui_logger::set_default_level(filter(level));
        // Who writes lines has remembered whether they were wanted.
        tracing::callsite::rebuild_interest_cache();
    }

    /// Whether lines of this level are kept.
    fn keeps(&self, level: tracing::Level) -> bool {
        rank(LevelFilter::from_level(level)) <= self.1.load(Ordering::Relaxed)
    }

    /// Keeps a line.
    pub(super) fn push(&self, at_ms: i64, level: tracing::Level, text: &str) {
        let safe: String = text.chars().map(|c| if is_denied(c) { '·' } else { c }).take(LINE).collect();
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.count = tail.count.wrapping_add(1);
        let line = LogLine { seq: tail.count, at_ms, level, text: safe.into() };
        if tail.lines.len() >= SEARCHED {
            tail.lines.pop_front();
        }
        tail.lines.push_back(line);
        if tail.count.is_multiple_of(HOT as u64 / 4) {
            tui_logger::move_events();
        }
        if let Some(wake) = &tail.wake {
            wake();
        }
    }

    /// Has this called after each new line.
    pub(super) fn on_line(&self, wake: impl Fn() + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wake = Some(Box::new(wake));
    }
}

/// Where the Logs tab is scrolled to, and what is searched for there.
pub struct LogState {
    pub(super) widget: TuiWidgetState,
    tail: LogTail,
    /// Whether the search was asked for on the Logs tab.
    pub searched: bool,
    /// The chosen line among those found.
    chosen: Option<u64>,
}

impl Default for LogState {
    fn default() -> Self {
        Self::of(LogTail::default())
    }
}

impl fmt::Debug for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogState")
    }
}

impl LogState {
    /// Of the log that ends here.
    #[must_use]
    pub fn of(tail: LogTail) -> Self {
        let widget = TuiWidgetState::new().set_default_display_level(tui_logger::LevelFilter::Trace);
        Self { widget, tail, searched: false, chosen: None }
    }

    /// Whether lines that have these words are listed, instead of all.
    #[must_use]
    pub const fn lists(&self, words: &Typed) -> bool {
        self.searched && !words.is_empty()
    }

    /// The lines that have these words, the newest first.
    #[must_use]
    pub fn hits(&self, words: &Typed) -> Vec<LogLine> {
        if self.lists(words) { self.tail.hits(words) } else { Vec::new() }
    }

    /// The row of the chosen line among these; the newest where none is.
    #[must_use]
    pub fn row(&self, hits: &[LogLine]) -> usize {
        hits.iter().position(|line| Some(line.seq) == self.chosen).unwrap_or(0)
    }

    /// Chooses this line, or the newest.
    pub fn select(&mut self, line: Option<&LogLine>) {
        self.chosen = line.map(|line| line.seq);
    }

    /// One page back in time.
    pub fn back(&self) {
        self.widget.transition(TuiWidgetEvent::PrevPageKey);
    }

    /// One page towards now.
    pub fn forth(&self) {
        self.widget.transition(TuiWidgetEvent::NextPageKey);
    }

    /// Back to the newest lines.
    pub fn follow(&self) {
        self.widget.transition(TuiWidgetEvent::EscapeKey);
    }
}

/// Installs the log for the whole process, from this level up. Lines are kept in memory only. What comes from outside
/// must be made safe before it is logged; the Logs tab replaces what is left of control and invisible characters.
///
/// # Errors
/// When a subscriber is installed already.
pub fn init(level: LevelFilter) -> Result<LogTail, tracing_subscriber::util::TryInitError> {
    let (layer, tail) = layer(level);
    tracing_subscriber::registry().with(layer).try_init()?;
    Ok(tail)
}

/// The layer alone, for a registry that has others too.
#[must_use]
pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(level: LevelFilter) -> (impl Layer<S>, LogTail) {
    tui_logger::set_buffer_depth(KEPT);
    tui_logger::set_hot_buffer_depth(HOT);
    let tail = LogTail::default();
    tail.set_level(level);
    (Feed(tail.clone()), tail)
}

/// How much a level lets through: none at 0.
fn rank(level: LevelFilter) -> usize {
    let levels = [LevelFilter::OFF, LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG];
    levels.iter().position(|known| *known == level).unwrap_or(levels.len())
}

fn filter(level: LevelFilter) -> tui_logger::LevelFilter {
    level.to_string().parse().unwrap_or(tui_logger::LevelFilter::Off)
}

struct Feed(LogTail);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Feed {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        self.0.keeps(*metadata.level())
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        TuiTracingSubscriberLayer.on_new_span(attributes, id, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        TuiTracingSubscriberLayer.on_event(event, context);
        let mut line = Line(format!("{:<5} ", event.metadata().level()));
        event.record(&mut line);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let at_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        self.0.push(at_ms, *event.metadata().level(), &line.0);
    }
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        use fmt::Write;
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?} "),
            name => write!(self.0, "{name}={value:?} "),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_newest_lines_first_and_keeps_to_one() {
        let tail = LogTail::default();
        let mut state = LogState::of(tail.clone());
        state.searched = true;
        let mut words = Typed::default();
        words.set("reset Stream");
        for n in 0..SEARCHED + 7 {
            let text =
                if n % 2 == 0 { format!("WARN  stream {n} was reset\u{1b}[2J") } else { "INFO  fine".to_owned() };
            tail.push(0, tracing::Level::WARN, &text);
        }
        let hits = state.hits(&words);
        assert_eq!(hits.len(), SEARCHED / 2, "as many as are kept");
        assert!(hits.windows(2).all(|pair| pair[0].seq > pair[1].seq));
        assert!(hits.iter().all(|line| !line.text.chars().any(is_denied)));
        state.select(hits.get(5));
        tail.push(0, tracing::Level::WARN, "another stream was reset");
        assert_eq!(state.row(&state.hits(&words)), 6, "it moves with the line");
        state.searched = false;
        assert_eq!(state.hits(&words), [], "searched for elsewhere");
    }
}
