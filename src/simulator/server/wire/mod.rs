//! A relay between the clients' connections and the service: what a fault plan does to bytes and connections.

mod frames;
mod pump;

use std::{io, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};
use tokio::{
    io::{DuplexStream, duplex, split},
    select,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use self::pump::{Pump, Way};
use super::{
    accepted::{Accepted, Connection},
    faults::Faults,
};
use crate::simulator::fault::FaultKind;

/// Most connections at a time; more wait in the listener's backlog.
const MOST_CONNECTIONS: usize = 1_024;
/// Bytes that may wait between the relay and the service, each way.
const BETWEEN: usize = 256 << 10;
/// Pause after the system has refused a connection.
const BREATH: Duration = Duration::from_millis(50);

/// How a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Both sides have closed, or one has broken off.
    Closed,
    /// By a TCP reset to the client.
    Reset,
}

/// A connection on the service's side of the relay.
pub(super) type Relayed = Accepted<DuplexStream>;

/// Relays every connection to the service behind, until it is dropped.
pub(super) async fn relay<C: Connection>(
    mut clients: impl Stream<Item = io::Result<C>> + Unpin,
    service: mpsc::Sender<Relayed>,
    faults: Arc<Faults>,
) {
    let rooms = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(room) = Arc::clone(&rooms).acquire_owned().await else { return };
        let client = select! {
            biased;
            Some(_) = connections.join_next() => continue,
            accepted = clients.next() => accepted,
        };
        match client {
            None => return,
            Some(Ok(client)) => {
                let (faults, service) = (Arc::clone(&faults), service.clone());
                connections.spawn(async move {
                    connection(client, service, faults).await;
                    drop(room);
                });
            }
            // Out of descriptors, say: the connections that end make room.
            Some(Err(error)) => {
                tracing::warn!(%error, "the relay could not take a connection");
                sleep(BREATH).await;
            }
        }
    }
}

async fn connection<C: Connection>(mut client: C, service: mpsc::Sender<Relayed>, faults: Arc<Faults>) {
    let Ok(peer) = client.peer() else { return };
    // Known to the service before its first byte arrives.
    let place = faults.take_place(peer.port());
    let (server, stream) = duplex(BETWEEN);
    if service.send(Accepted { stream, peer }).await.is_err() {
        return;
    }
    let end = {
        let (from_client, to_client) = split(&mut client);
        let (from_server, to_server) = split(server);
        let up = Pump::new(&faults, place.number, Way::Up);
        let down = Pump::new(&faults, place.number, Way::Down);
        let both = async {
            // A reset does not wait for the other direction.
            let ended = tokio::try_join!(up.run(from_client, to_server), down.run(from_server, to_client));
            ended.map_or_else(|reset| reset, |_| End::Closed)
        };
        select! {
            biased;
            end = both => end,
            () = reset(&faults, place.number) => End::Reset,
        }
    };
    if end == End::Reset {
        client.end_by_reset();
    }
}

/// Resolves when this connection is to be reset, wherever its bytes are.
async fn reset(faults: &Faults, number: usize) {
    let due = due(faults, number, |kind| matches!(kind, FaultKind::Reset { after_bytes: 0 })).await;
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// When the next fault of this kind strikes the connection: at once, while one lasts.
async fn due(faults: &Faults, number: usize, kind: impl Fn(&FaultKind) -> bool) -> Option<Instant> {
    let began = faults.began().await;
    let elapsed = began.elapsed();
    let faults = faults.of(Some(number)).filter(|(_, fault)| kind(&fault.kind));
    let strikes =
        faults.filter_map(|(_, fault)| (fault.at >= elapsed || fault.lasts_at(elapsed)).then_some(began + fault.at));
    strikes.min()
}
