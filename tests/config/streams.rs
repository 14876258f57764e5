//! Profiles, and what the streams are told.

use std::time::Duration;

use smart_stream_tui::{
    chain::group::Group,
    config::{Source, provider},
    stream::{BudgetRules, OnEnd},
};

use super::{Case, shown};

#[test]
fn the_provider_is_guessed_from_the_host() {
    for (url, name) in [
        ("https://grpc.ams.shyft.to", "shyft"),
        ("https://laserstream-mainnet-ewr.helius-rpc.com", "helius"),
        ("https://example.solana-mainnet.quiknode.pro:10000", "quicknode"),
        ("https://solana-yellowstone-grpc.publicnode.com:443", "publicnode"),
        ("https://shyft.to.", "shyft"),
        ("https://notshyft.to", "unknown"),
        ("https://shyft.to.example", "unknown"),
        ("https://127.0.0.1:10000", "unknown"),
        ("https://[::1]:10000", "unknown"),
    ] {
        let config = Case::new().endpoint(url).ok();
        assert_eq!(shown(&config, "source.provider"), (format!("\"{name}\""), "guessed from the host".to_owned()));
        let streams = config.streams(Source::Live, config.endpoints().remove(0));
        assert_eq!(streams.budget.limit, provider::named(name).unwrap().limit, "{url}");
    }
    let named =
        Case::new().endpoint("https://grpc.ams.shyft.to").flags(|flags| flags.provider = Some("helius".to_owned()));
    assert_eq!(shown(&named.ok(), "source.provider"), ("\"helius\"".to_owned(), "flag --provider".to_owned()));
    assert_eq!(shown(&named.ok(), "budget.limit"), ("20".to_owned(), "profile helius, assumed".to_owned()));
    assert_eq!(shown(&Case::new().ok(), "budget.limit"), ("100".to_owned(), "profile local".to_owned()));
}

fn budget(case: &Case) -> BudgetRules {
    let config = case.ok();
    config.streams(Source::Live, config.endpoints().remove(0)).budget
}

#[test]
fn budgets_follow_the_profile_and_its_size() {
    let rules = |limit, window, reserve, per_connection| BudgetRules {
        limit,
        window: Duration::from_secs(window),
        reserve,
        per_connection,
        cost_new: 1,
        cost_update: 1,
    };
    assert_eq!(budget(&Case::new().endpoint("https://grpc.ams.shyft.to")), rules(100, 60, 20, 15));
    let unknown = Case::new().endpoint("https://a.example");
    assert_eq!(budget(&unknown), rules(20, 60, 4, 10));
    assert_eq!(budget(&unknown.env("SMART_STREAM_BUDGET_LIMIT", "1")), rules(1, 60, 0, 1));
    let supanode =
        Case::new().endpoint("https://a.example").flags(|flags| flags.provider = Some("supanode".to_owned()));
    assert_eq!(budget(&supanode), rules(10, 1, 2, 5));
    let set = Case::new()
        .endpoint("https://a.example")
        .file("[budget]\nlimit = 40\nwindow_s = 30\nreserve = 1\nper_connection = 9\ncost_new = 2\ncost_update = 0\n");
    let expected = BudgetRules { cost_new: 2, cost_update: 0, ..rules(40, 30, 1, 9) };
    assert_eq!(budget(&set), expected);
    for profile in &provider::PROFILES {
        let case =
            Case::new().endpoint("https://a.example").flags(|flags| flags.provider = Some(profile.name.to_owned()));
        let rules = budget(&case);
        assert!(
            rules.reserve + rules.cost_new.max(rules.cost_update) <= rules.limit && rules.per_connection <= rules.limit
        );
        assert!(profile.limit_is_documented || rules.limit <= 100, "{}", profile.name);
    }
    // Good for a hundred, not for the twenty of a provider nobody knows.
    Case::new()
        .endpoint("https://a.example")
        .file("budget.reserve = 20\n")
        .refused(&["profile unknown", "budget.limit = 20"]);
}

#[test]
fn what_the_streams_get() {
    let config = Case::new().ok();
    let endpoint = || Case::new().endpoint("http://127.0.0.1:9").ok().endpoints().remove(0);
    let demo = config.streams(Source::Demo, endpoint());
    assert_eq!((demo.connections, demo.on_end, demo.zstd, demo.commitment), (2, OnEnd::Reconnect, false, 0));
    assert_eq!(demo.groups, Group::BUILT_IN);
    assert_eq!((demo.window_bytes, demo.max_message_bytes), (8 << 20, 64 << 20));
    assert_eq!(demo.backoff, (Duration::from_millis(500), Duration::from_secs(30)));
    assert_eq!(demo.silence_timeout, Duration::from_secs(35));
    assert_eq!((demo.budget.limit, demo.budget.window), (100, Duration::from_secs(60)));
    let recording = config.streams(Source::Recording, endpoint());
    assert_eq!((recording.on_end, recording.budget), (OnEnd::Finish, demo.budget));
    let live = config.streams(Source::Live, endpoint());
    assert_eq!((live.on_end, live.zstd, live.budget.limit), (OnEnd::Reconnect, true, 20));

    let small = Case::new().endpoint("https://a.example").flags(|flags| flags.provider = Some("subglow".to_owned()));
    let connections = |case: &Case| case.ok().streams(Source::Live, case.ok().endpoints().remove(0)).connections;
    assert_eq!(connections(&small), 1, "its smallest plan allows one stream");
    assert_eq!(connections(&small.flags(|flags| flags.connections = Some(2))), 2, "a larger plan may have been bought");

    let case = Case::new().file("[stream]\nzstd = \"on\"\nwindow_kib = 2097151\n[groups]\nbonding_curve = false\n");
    let set = case.ok().streams(Source::Demo, endpoint());
    assert_eq!((set.zstd, set.window_bytes), (true, 2_147_482_624));
    assert_eq!(set.groups, [Group::AmmPool, Group::ExternalAmm]);
    let slow = Case::new().flags(|flags| flags.commitment = Some("finalized".to_owned())).ok();
    assert_eq!(slow.streams(Source::Demo, endpoint()).commitment, 2);
}
