//! How a live stream asks for a replay, on itself or on a second stream, and takes it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{
    Arrival, Sink, channel,
    connection::{Delivered, End, urgent},
    gate::{GateError, Permit},
    limiter::Ask,
    live::Live,
    policy::{Failure, classify},
    second::SecondStream,
    status::Purpose,
    wish::Report,
};
use crate::chain::wire::{Kind, Update};

/// Replays of incomplete slots are at least this far apart: a server that always drops something must not empty the
/// budget.
const REPAIR_SPACING: Duration = Duration::from_secs(10);
/// What the server said of its replay this long ago holds no more: about a slot.
const STALE: Duration = Duration::from_millis(200);
/// What the server says of its replay, and the permit to ask for it, if there is anything to ask for.
pub(super) type ReplayOffer = (Result<Option<u64>, ()>, Option<Result<Permit, GateError>>);

impl<S: Sink> Live<'_, S> {
    /// Asks what can be replayed, then for the permit.
    pub(super) fn offer(&self, repair: bool) -> BoxFuture<'static, ReplayOffer> {
        let (purpose, urgent) =
            if repair { (Purpose::Repair, false) } else { (Purpose::Reconnect, urgent(self.sent.groups)) };
        let budget = &self.connection.settings.budget;
        let cost = if self.connection.recovery.takes_a_second_stream() { budget.cost_new } else { budget.cost_update };
        let ask = Ask { connection: self.connection.id, purpose, urgent, cost };
        let (settings, gate, channel) =
            (self.connection.settings.clone(), self.connection.gate.clone(), self.channel.clone());
        let at = self.last_repair.filter(|_| repair).map(|last| last + REPAIR_SPACING);
        Box::pin(async move {
            if let Some(at) = at {
                tokio::time::sleep_until(at).await;
            }
            // A server that does not answer this may have a replay all the same.
            let mut first_available = channel::replay_info(&settings, channel.clone()).await.map_err(drop);
            if first_available == Ok(None) {
                return (first_available, None);
            }
            let told = Instant::now();
            let permit = gate.acquire(ask).await;
            // What the server has moves on with the chain, and to ask for more than it has costs the stream.
            if told.elapsed() >= STALE {
                first_available = channel::replay_info(&settings, channel).await.map_err(drop);
            }
            (first_available, Some(permit))
        })
    }

    /// Asks for a replay on the same stream, or on a second one.
    pub(super) async fn send_replay(
        &mut self,
        first_available: Result<Option<u64>, ()>,
        permit: Option<Result<Permit, GateError>>,
    ) -> Result<(), End> {
        let permit = permit.transpose().map_err(End::Gate)?;
        let from = self.connection.recovery.request(first_available, &mut self.gaps);
        self.activated().await;
        let Some(from) = from else { return Ok(()) };
        self.last_repair = Some(Instant::now());
        // What was sent once can be built again.
        let Ok(request) = self.connection.plan(&self.sent).from_slot(from, self.replays + 1).build() else {
            return Ok(());
        };
        self.connection.shares.replaying(self.sent.groups, self.sent.is_narrowed());
        if self.connection.recovery.takes_a_second_stream() {
            // Nothing on the live stream is a replay's, whatever it bears.
            self.mark = None;
            let (settings, channel) = (self.connection.settings.clone(), self.channel.clone());
            self.second = Some(SecondStream::open(settings, channel, request, self.call, permit));
            let text = "a second stream is opened for a replay: the server takes no from_slot later";
            self.connection.report(Report::Note(text.into())).await;
            return Ok(());
        }
        if self.requests.try_send(request).is_err() {
            return Err(End::Silent);
        }
        self.replays += 1;
        let mark = (self.sent.version, self.replays);
        self.mark = Some(mark);
        self.asked.extend(permit.map(|permit| (mark, permit.sent())));
        self.last_sent = Instant::now();
        Ok(())
    }

    /// Takes one frame of the second stream: what the replay was asked for, and nothing of what is live there too.
    pub(super) fn take_replayed(&mut self, frame: &Bytes, delivered: &mut Delivered) {
        let arrival = Arrival { unix_us: self.connection.machine.unix_us(), replayed: false };
        let Some(until) = self.connection.recovery.replaying_until() else { return };
        let update = match Update::scan(frame) {
            Ok(update) => update,
            Err(error) => return self.connection.sink.on_bad_frame(frame, error, arrival),
        };
        let slot = match &update.kind {
            Kind::Transaction(transaction) => transaction.slot,
            Kind::TransactionStatus(status) => status.slot,
            Kind::BlockMeta(meta) => meta.slot,
            Kind::Slot(slot) if slot.status == self.connection.settings.commitment => slot.slot,
            _ => return,
        };
        if slot <= until {
            self.apply(frame, &update, arrival, true, delivered);
        }
    }

    /// The second stream ended before its replay did, or was refused.
    pub(super) fn second_lost(&mut self, failure: &Failure) {
        self.second = None;
        let class = classify(failure).class;
        if self.connection.recovery.second_lost(class, &failure.message, &mut self.gaps) {
            self.ask = Some(true);
        }
    }
}
