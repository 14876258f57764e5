//! What a provider allows is learnt from its refusals.

use std::time::Duration;

use smart_stream_tui::simulator::server::{FilterLimits, OracleEvent, ServerSettings};
use tonic::Code;

use crate::support::{Chain, Stage};

#[tokio::test]
async fn filters_are_split_as_the_server_demands() {
    let limits = FilterLimits { keys: 2, ..FilterLimits::default() };
    let server = ServerSettings { filter_limits: limits, ..ServerSettings::default() };
    let mut stage = Stage::start(Chain::new(30, Duration::from_millis(60)), server, |settings| settings).await;
    stage.joined().await;
    stage.slots(5).await;
    let to = stage.server.stats().slot.unwrap() - 1;
    stage.until(|stage| stage.slots.last().is_some_and(|slot| *slot > to)).await;
    assert_eq!(stage.missing(to), [], "a part of a split filter selects too little");
    let log = stage.server.log();
    let refusals =
        log.iter().filter(|e| matches!(e.event, OracleEvent::Cut { code: Code::InvalidArgument, .. })).count();
    assert_eq!(refusals, 1, "learnt at once");
    let last = log.iter().rev().find_map(|entry| match &entry.event {
        OracleEvent::Applied { request, .. } => Some(request),
        _ => None,
    });
    let filters = &last.unwrap().transactions;
    assert!(filters.len() > 3 && filters.values().all(|filter| filter.account_include.len() <= 2), "{filters:?}");
    stage.close().await;
}
