//! A TCP relay in front of the listener: what a fault plan does to bytes and connections.

mod frames;
mod pump;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    select,
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use self::pump::{Pump, Way};
use super::faults::Faults;
use crate::simulator::fault::FaultKind;

/// Most connections at a time; more wait in the listener's backlog.
const MOST_CONNECTIONS: usize = 1_024;
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

/// Relays every connection to the service behind, until it is dropped.
pub(super) async fn relay(listener: TcpListener, service: SocketAddr, faults: Arc<Faults>) {
    let rooms = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(room) = Arc::clone(&rooms).acquire_owned().await else { return };
        let client = select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        match client {
            Ok((client, _)) => {
                let faults = Arc::clone(&faults);
                connections.spawn(async move {
                    connection(client, service, faults).await;
                    drop(room);
                });
            }
            // Out of descriptors, say: the connections that end make room.
            Err(error) => {
                tracing::warn!(%error, "the relay could not take a connection");
                sleep(BREATH).await;
            }
        }
    }
}

async fn connection(mut client: TcpStream, service: SocketAddr, faults: Arc<Faults>) {
    let Ok(mut server) = TcpStream::connect(service).await else { return };
    // Small pieces are to travel as they are written.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let Ok(local) = server.local_addr() else { return };
    // Known to the service before its first byte arrives.
    let place = faults.take_place(local.port());
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = Pump::new(&faults, place.number, Way::Up);
        let down = Pump::new(&faults, place.number, Way::Down);
        let both = async {
            // A reset does not wait for the other direction.
            let ended = tokio::try_join!(up.run(from_client, to_server), down.run(from_server, to_client));
            ended.map_or_else(|reset| reset, |_| End::Closed)
        };
        select! {
            end = both => end,
            () = reset(&faults, place.number) => End::Reset,
        }
    };
    if end == End::Reset {
        // With nothing to linger for, closing sends RST. Refused only on a socket that is gone already.
        let _ = client.set_zero_linger();
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
