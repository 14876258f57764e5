//! What the supervisor and a connection say to each other.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use super::status::{ConnectionState, Gap, Purpose};
use crate::chain::{group::GroupSet, ids::Mint};

/// What the supervisor wants of a connection: the newest value counts.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    /// Counts filter sets of this connection.
    pub(super) version: u32,
    /// The groups to ask for, throttle applied.
    pub(super) groups: GroupSet,
    /// The tokens that they are narrowed to; none: they are not.
    pub(super) mints: Arc<[Mint]>,
    /// What an update to this version is for.
    pub(super) purpose: Purpose,
    /// When it was asked for.
    pub(super) since: Instant,
    /// Counts the user's wishes to reconnect.
    pub(super) epoch: u64,
    /// Groups that came over from connections without a stream and are not known to be in force here.
    pub(super) taken: Vec<Taken>,
    /// Whether it asks for less of the same groups than the filter set before, also by narrowing them.
    pub(super) sheds: bool,
    /// Whether to run at all.
    pub(super) run: Run,
}

impl Desired {
    /// Whether only some tokens of the groups are asked for.
    pub(super) fn is_narrowed(&self) -> bool {
        !self.mints.is_empty()
    }
}

/// Groups that came over from a connection that has no stream any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The filter set with which they came.
    pub(super) version: u32,
    /// Whose groups.
    pub(super) connection: usize,
    /// Everything of them is missing from this slot on.
    pub(super) from: u64,
    /// Whether that connection has no others left.
    pub(super) all: bool,
    /// Whether any of them is shed here: then what is missing will not come.
    pub(super) shed: bool,
}

/// See [`Desired`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Keep a stream open.
    Go,
    /// Hold no stream until a new epoch.
    Stop(Arc<str>),
    /// Hold no stream until told otherwise, for this reason. `released`: what it carried is not awaited of it any more.
    Rest { cause: Arc<str>, released: bool },
    /// End the thread.
    Close,
}

/// What a connection tells the supervisor.
#[derive(Debug)]
pub(super) enum Report {
    /// A new state.
    State { state: ConnectionState, cause: Option<Arc<str>> },
    /// A filter set of this version is on its way to the server.
    Sent { version: u32 },
    /// The first update with this version came.
    Active { version: u32, after: Duration },
    /// What this version asks for comes whole after this slot; the slot itself may have begun before it.
    Whole { version: u32, after: u64 },
    /// Another endpoint is used from now on, by its place.
    Endpoint(usize),
    /// A stream was opened.
    Opened,
    /// The stream is gone.
    Lost,
    /// The server refuses the filter set of this version.
    FilterRejected { version: u32, cause: Arc<str> },
    /// The token is refused.
    TokenRefused { cause: Arc<str> },
    /// Slots were missed, or fetched again.
    Gap(Gap),
    /// Something the user should know.
    Note(Arc<str>),
    /// The server cut the stream because we read too slowly.
    Slow,
    /// The server has no room for this stream.
    Crowded { cause: Arc<str> },
    /// The thread is over.
    Ended { panic: Option<Arc<str>> },
}

/// Resolves when the stream at hand is no longer wanted.
pub(super) async fn other_wish(wishes: &mut watch::Receiver<Desired>, desired: &Desired) {
    let epoch = desired.epoch;
    // An error means that the supervisor is gone.
    let _ = wishes.wait_for(|now| now.epoch != epoch || now.run != Run::Go).await;
}

/// Resolves when everything closes.
pub(super) async fn closing(wishes: &mut watch::Receiver<Desired>) {
    let _ = wishes.wait_for(|now| now.run == Run::Close).await;
}
