//! Several endpoints: when one is gone, the next one takes over where it left off.

use std::time::Duration;

use smart_stream_tui::{
    simulator::server::{Pace, Server, ServerSettings},
    stream::{Endpoint, StreamSettings, completeness::Proof},
};

use crate::support::{Chain, Stage};

fn chain() -> Chain {
    Chain::new(40, Duration::from_millis(60))
}

/// Another server that tells of the same chain.
async fn standby(token: Option<&str>) -> (Server, Endpoint) {
    let settings = ServerSettings { pace: Pace::Real, x_token: token.map(str::to_owned), ..ServerSettings::default() };
    let server = Server::start(settings, Box::new(chain())).await.unwrap();
    let endpoint = Endpoint { url: server.url(), host: "standby".into(), x_token: None };
    (server, endpoint)
}

#[tokio::test]
async fn another_endpoint_takes_over_and_nothing_is_lost() {
    let (other, endpoint) = standby(None).await;
    let adapt = |settings: StreamSettings| StreamSettings { failover: vec![endpoint], connections: 2, ..settings };
    let server = ServerSettings { start_after_streams: 0, ..ServerSettings::default() };
    let mut stage = Stage::start(chain(), server, adapt).await;
    stage.joined().await;
    // The way to the first endpoint is gone for good.
    stage.proxy.down();
    stage.until(|stage| stage.gaps.iter().filter(|gap| gap.repaired).count() >= 2).await;
    let status = stage.status.borrow().clone();
    assert!(status.connections.iter().all(|connection| &*connection.endpoint == "standby"), "{status:?}");
    let to = other.stats().slot.unwrap();
    stage
        .until(|stage| {
            let strip = stage.completeness.view().strip;
            strip.last().is_some_and(|last| last.slot > to)
                && strip.iter().filter(|slot| slot.slot <= to).all(|slot| slot.proof != Proof::Pending)
        })
        .await;
    assert_eq!(stage.missing(to), [], "lost");
    assert_eq!(stage.completeness.view().counts.lost, 0);
    stage.close().await;
    drop(other);
}

#[tokio::test]
async fn an_endpoint_that_refuses_the_token_is_left_alone() {
    let (refusing, endpoint) = standby(Some("another token")).await;
    let adapt = |settings: StreamSettings| StreamSettings {
        failover: vec![settings.endpoint],
        endpoint,
        connections: 2,
        ..settings
    };
    let mut stage = Stage::start(chain(), ServerSettings::default(), adapt).await;
    stage.joined().await;
    stage.slots(10).await;
    assert_eq!(refusing.stats().subscribe_calls, 0, "none with a token that is valid");
    let refused = refusing.log().len();
    assert!(refused <= 2, "{refused} calls with a refused token");
    let status = stage.status.borrow().clone();
    assert!(status.connections.iter().all(|connection| &*connection.endpoint == "loopback"), "{status:?}");
    stage.close().await;
}
