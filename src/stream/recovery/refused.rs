//! Replays that are passed over, refused or broken off.

use super::{MAX_EMPTY, MAX_TRIES, Phase, Recovery, Wanted};
use crate::stream::{
    policy::Class,
    status::{Gap, GapCause},
};

impl Recovery {
    /// The server went on without a replay, or without its end.
    pub(super) fn ignored(&mut self, gaps: &mut Vec<Gap>) -> bool {
        let Phase::Replaying { until, seen, .. } = self.phase else { return false };
        if !seen && !self.at_start_only {
            self.at_start_only = true;
            self.phase = Phase::Asking;
            return true;
        }
        if let Some(wanted) = self.wanted.take() {
            let cause = if seen { wanted.cause } else { wanted.unless_restart(GapCause::ReplayUnsupported) };
            self.settle(wanted.from, until, cause, false, gaps);
        }
        self.unsupported |= !seen;
        self.phase = Phase::Live;
        false
    }

    /// Whether a replay takes a stream of its own here.
    #[must_use]
    pub const fn takes_a_second_stream(&self) -> bool {
        self.at_start_only
    }

    /// The second stream is over, or was refused, before the replay was complete; whether to try again.
    pub fn second_lost(&mut self, class: Class, message: &str, gaps: &mut Vec<Gap>) -> bool {
        let (Phase::Replaying { until, .. }, Some(wanted)) = (self.phase, self.wanted) else { return false };
        let wanted = self.refused(wanted, until, class, message, gaps);
        // With no room for a second stream there is none in a moment either.
        let no_more = self.unsupported || class == Class::Concurrency;
        if no_more || wanted.empty >= MAX_EMPTY || wanted.tries >= MAX_TRIES || wanted.from > until {
            if wanted.from <= until {
                let why = if wanted.empty > 0 { GapCause::ReplayGone } else { GapCause::ReplayUnsupported };
                self.settle(wanted.from, until, wanted.unless_restart(why), false, gaps);
            }
            self.wanted = None;
            self.phase = Phase::Live;
            return false;
        }
        self.wanted = Some(wanted);
        self.phase = Phase::Asking;
        true
    }

    /// What is left to want, of what came up to `until`, after the server's answer to a request for a replay.
    pub(super) fn refused(
        &mut self,
        mut wanted: Wanted,
        until: u64,
        class: Class,
        message: &str,
        gaps: &mut Vec<Gap>,
    ) -> Wanted {
        if class != Class::Replay {
            return wanted;
        }
        if let Some(first) = first_available(message).filter(|first| *first > wanted.from) {
            self.settle(wanted.from, until.min(first - 1), wanted.unless_restart(GapCause::ReplayGone), false, gaps);
            wanted.from = first;
        } else if message.starts_with("from_slot is not supported") {
            self.unsupported = true;
        } else {
            wanted.empty += 1;
        }
        wanted
    }
}

/// The slot in "broadcast from 101 is not available, last available: 102" (yellowstone-grpc 12–15).
fn first_available(message: &str) -> Option<u64> {
    message.strip_prefix("broadcast from ")?.rsplit_once("last available: ")?.1.trim().parse().ok()
}
