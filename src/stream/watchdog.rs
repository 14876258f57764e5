//! Says why a connection is not well, from what arrives on it alone: no stream is ever opened to find out.

use std::time::Duration;

/// Without a slot for this long, something is wrong: there is one every 0.2 to 0.4 s.
const SUSPECT: Duration = Duration::from_secs(5);
/// Messages, but no slot and no transaction, for this long.
const QUIET: Duration = Duration::from_secs(10);
/// Slots behind the newest of the others, from which a server is behind.
const BEHIND_SLOTS: u64 = 8;
/// Slots behind the newest of the others, from which a quiet stream is given up.
const GIVE_UP_SLOTS: u64 = 32;
/// Age beyond the usual at which messages arrive late.
const LATE: Duration = Duration::from_secs(2);
/// Fill of our queue, and busy share of our thread, from which we are the slow ones.
const FULL_QUEUE: f64 = 0.5;
const BUSY: f64 = 0.9;

/// What is the matter with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ailment {
    /// We do not keep up with what arrives.
    WeAreSlow,
    /// Messages are on their way for too long, or none arrives anywhere.
    Network,
    /// The server sends, but of older slots than other connections have.
    ServerBehind,
    /// Nothing at all arrives here, while other connections get their slots.
    SilentStream,
    /// The server still pings, but sends nothing else.
    Quiet,
}

impl Ailment {
    /// In words, for the screen.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::WeAreSlow => "we are slow",
            Self::Network => "network",
            Self::ServerBehind => "server behind",
            Self::SilentStream => "silent stream",
            Self::Quiet => "quiet",
        }
    }
}

/// What is seen of a live connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pulse {
    /// Since the last message of any kind, pings included, or since the stream was opened.
    pub silent_for: Duration,
    /// Since the last slot status or transaction, or since the stream was opened.
    pub idle_for: Duration,
    /// Newest slot that it told of.
    pub slot: Option<u64>,
    /// Age of the newest live message when it arrived beyond the youngest ever seen: what differs between the clocks is
    /// in both.
    pub late_by: Duration,
    /// Fill of the queue behind it, 0–1.
    pub queue_fill: f64,
    /// Share of its thread that is busy, 0–1.
    pub busy: f64,
}

/// What is the matter with it; `peers` are the other live connections.
#[must_use]
pub fn examine(own: &Pulse, peers: &[Pulse]) -> Option<Ailment> {
    if own.queue_fill >= FULL_QUEUE || own.busy >= BUSY {
        return Some(Ailment::WeAreSlow);
    }
    if own.silent_for >= SUSPECT {
        // When it is quiet everywhere, it is hardly this one stream.
        let everywhere = !peers.is_empty() && peers.iter().all(|peer| peer.silent_for >= SUSPECT);
        return Some(if everywhere { Ailment::Network } else { Ailment::SilentStream });
    }
    if own.idle_for >= QUIET {
        return Some(Ailment::Quiet);
    }
    if own.late_by >= LATE {
        return Some(Ailment::Network);
    }
    (behind(own, peers) >= BEHIND_SLOTS).then_some(Ailment::ServerBehind)
}

/// Whether a new stream should be tried: this one says nothing, and others are far ahead.
#[must_use]
pub fn give_up(own: &Pulse, peers: &[Pulse]) -> bool {
    own.idle_for >= QUIET && behind(own, peers) > GIVE_UP_SLOTS
}

/// Slots that it is behind the newest of the others.
fn behind(own: &Pulse, peers: &[Pulse]) -> u64 {
    let newest = peers.iter().filter(|peer| peer.idle_for < SUSPECT).filter_map(|peer| peer.slot).max();
    newest.zip(own.slot).map_or(0, |(newest, slot)| newest.saturating_sub(slot))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn well() -> Pulse {
        Pulse { slot: Some(1_000), ..Pulse::default() }
    }

    /// Each cause brought about, and what is said of it: nothing is taken for something else.
    #[test]
    fn each_cause_is_named_for_what_it_is() {
        let silent = Pulse { silent_for: seconds(6), idle_for: seconds(6), ..well() };
        let cases = [
            (well(), vec![well()], None),
            (well(), vec![], None),
            (Pulse { queue_fill: 0.9, late_by: seconds(9), ..well() }, vec![well()], Some(Ailment::WeAreSlow)),
            (Pulse { busy: 0.97, ..silent }, vec![well()], Some(Ailment::WeAreSlow)),
            (silent, vec![well()], Some(Ailment::SilentStream)),
            (silent, vec![], Some(Ailment::SilentStream)),
            (silent, vec![silent, silent], Some(Ailment::Network)),
            (Pulse { idle_for: seconds(11), ..well() }, vec![well()], Some(Ailment::Quiet)),
            (Pulse { late_by: seconds(3), ..well() }, vec![well()], Some(Ailment::Network)),
            (Pulse { slot: Some(980), ..well() }, vec![well()], Some(Ailment::ServerBehind)),
            (Pulse { slot: Some(995), ..well() }, vec![well()], None),
            // A peer that is silent itself says nothing about where the chain is.
            (Pulse { slot: Some(980), ..well() }, vec![silent], None),
        ];
        for (own, peers, want) in cases {
            assert_eq!(examine(&own, &peers), want, "{own:?} beside {peers:?}");
        }
    }

    #[test]
    fn a_quiet_stream_is_given_up_only_when_others_go_on() {
        let quiet = Pulse { idle_for: seconds(12), slot: Some(960), ..well() };
        assert!(give_up(&quiet, &[well()]));
        assert!(!give_up(&quiet, &[]), "nobody to compare with: the chain may have stopped");
        assert!(!give_up(&Pulse { slot: Some(980), ..quiet }, &[well()]));
        assert!(!give_up(&Pulse { idle_for: seconds(3), ..quiet }, &[well()]));
    }
}
