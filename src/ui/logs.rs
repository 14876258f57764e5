//! The log: a tracing layer that keeps the newest lines in memory, and the place on the Logs tab they are read from.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
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

use crate::chain::text::is_denied;

/// Lines kept for the Logs tab.
const KEPT: usize = 10_000;
/// Lines taken in between two looks at the Logs tab.
const HOT: usize = 1_000;
/// Longest line handed to the rest of the screen, in characters.
const LINE: usize = 300;

/// The newest line of the log.
#[derive(Clone, Default)]
pub struct LogTail(Arc<Mutex<Tail>>);

#[derive(Default)]
struct Tail {
    line: Option<Arc<str>>,
    wake: Option<Box<dyn Fn() + Send>>,
    count: usize,
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner).line.clone()
    }

    /// Has this called after each new line.
    pub(super) fn on_line(&self, wake: impl Fn() + Send + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).wake = Some(Box::new(wake));
    }
}

/// Where the Logs tab is scrolled to.
pub struct LogState(pub(super) TuiWidgetState);

impl Default for LogState {
    fn default() -> Self {
        Self(TuiWidgetState::new().set_default_display_level(tui_logger::LevelFilter::Trace))
    }
}

impl fmt::Debug for LogState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogState")
    }
}

impl LogState {
    /// One page back in time.
    pub fn back(&self) {
        self.0.transition(TuiWidgetEvent::PrevPageKey);
    }

    /// One page towards now.
    pub fn forth(&self) {
        self.0.transition(TuiWidgetEvent::NextPageKey);
    }

    /// Back to the newest lines.
    pub fn follow(&self) {
        self.0.transition(TuiWidgetEvent::EscapeKey);
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
    tui_logger::set_default_level(filter(level));
    tui_logger::set_buffer_depth(KEPT);
    tui_logger::set_hot_buffer_depth(HOT);
    let tail = LogTail::default();
    (Feed { level, tail: tail.clone() }, tail)
}

fn filter(level: LevelFilter) -> tui_logger::LevelFilter {
    level.to_string().parse().unwrap_or(tui_logger::LevelFilter::Off)
}

struct Feed {
    level: LevelFilter,
    tail: LogTail,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Feed {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.level
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        TuiTracingSubscriberLayer.on_new_span(attributes, id, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        TuiTracingSubscriberLayer.on_event(event, context);
        let mut line = Line(format!("{:<5} ", event.metadata().level()));
        event.record(&mut line);
        let safe: String = line.0.chars().map(|c| if is_denied(c) { '·' } else { c }).take(LINE).collect();
        let mut tail = self.tail.0.lock().unwrap_or_else(PoisonError::into_inner);
        tail.line = Some(safe.into());
        tail.count = tail.count.wrapping_add(1);
        if tail.count.is_multiple_of(HOT / 4) {
            tui_logger::move_events();
        }
        if let Some(wake) = &tail.wake {
            wake();
        }
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
