//! Steps through the views of the last ten minutes.

use std::time::Instant;

use super::{
    action::Action,
    model::Model,
    update::{complain, say},
};

/// Shows the view a step earlier or later, and says how far back it is. What is shown is frozen then.
pub(super) fn step_in_time(model: &mut Model, later: bool, now: Instant) {
    let at = model.view.now_ms;
    let wanted = if later { model.history.after(at) } else { model.history.before(at) };
    let Some(view) = wanted.cloned() else {
        return complain(model, if later { "this is the newest view kept" } else { "this is the oldest view kept" });
    };
    model.frozen = true;
    model.show(view, now);
    let newest = model.history.newest().map_or(0, |newest| newest.now_ms);
    model.behind_ms = newest.saturating_sub(model.view.now_ms).max(0);
    model.waiting = model.history.newest().cloned();
    say(model, &format!("{} s before the newest view; {}", model.behind_ms / 1000, kept(model)));
}

/// How far the keys can step.
pub(super) fn kept(model: &Model) -> String {
    let [earlier, later] = [Action::Earlier, Action::Later].map(|action| model.keys.first(action));
    let reach = model.history.span_ms().map_or(0, |span| span.end.saturating_sub(span.start).max(0) / 1000);
    format!("{earlier} and {later} step through {} views of {reach} s", model.history.len())
}
