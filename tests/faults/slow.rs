//! Slow paths: named for what they are, and left in peace.

use std::time::Duration;

use smart_stream_tui::stream::{
    StreamSettings,
    status::ConnectionState::{Degraded, Live},
};
use tokio::time::timeout;

use crate::{
    client::{quick, server, subscribes},
    engine, patient,
    stage::PATIENCE,
};

/// Row 9: a slow path is shown as what it is, and nothing is reconnected for it.
#[tokio::test]
async fn a_delay_is_measured_and_reconnects_nothing() {
    let server = server("[[fault]]\nat = '0s'\nkind = 'delay'\nms = 500\njitter_ms = 300").await;
    let settings = patient(quick(&server.url(), 1));
    let settings = StreamSettings {
        connect_timeout: Duration::from_secs(10),
        subscribe_timeout: Duration::from_secs(10),
        silence_timeout: Duration::from_secs(20),
        ..settings
    };
    let engine = engine(settings);
    let mut views = engine.views();
    let measured = views
        .wait_for(|view| view.connections.iter().all(|one| one.latency.is_some_and(|latency| latency.p50_ms >= 450.0)));
    let view = timeout(PATIENCE, measured).await.expect("in time").unwrap().clone();
    assert!(view.connections.iter().all(|one| one.status.state == Live && one.status.reconnects == 0));
    assert_eq!(subscribes(&server).len(), 1);
    engine.shutdown().await;
    server.shutdown().await;
}

/// Row 10: a path that is too narrow is named, and nothing is reconnected for it.
#[tokio::test]
async fn a_narrow_path_is_named_and_reconnects_nothing() {
    let server = server("[[fault]]\nat = '300ms'\nkind = 'rate'\nbytes_per_s = 65536").await;
    let settings = StreamSettings { silence_timeout: Duration::from_secs(20), ..patient(quick(&server.url(), 1)) };
    let engine = engine(settings);
    let mut views = engine.views();
    let named =
        views.wait_for(|view| view.connections.iter().any(|one| one.status.cause.as_deref() == Some("network")));
    let view = timeout(PATIENCE, named).await.expect("in time").unwrap().clone();
    assert!(view.connections.iter().all(|one| one.status.state == Degraded && one.status.reconnects == 0));
    assert_eq!(subscribes(&server).len(), 1);
    engine.shutdown().await;
    server.shutdown().await;
}
