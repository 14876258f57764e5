//! What is refused, and in which words.

use std::{fs, path::Path};

use proptest::prelude::*;
use smart_stream_tui::config::ConfigError;

use super::Case;

#[test]
fn files_that_are_refused() {
    for (text, parts) in [
        ("[ui]\nfsp = 30\n", &["unknown key `ui.fsp`", "config.toml:2", "did you mean `ui.fps`?"][..]),
        ("[stream]\nfps = 30\n", &["`stream.fps`", "did you mean `ui.fps`?"]),
        ("fsp = 30\n", &["did you mean `ui.fps`?"]),
        ("fps = 30\n", &["unknown key `fps`", "config.toml:1", "did you mean `ui.fps`?"]),
        ("[source]\nendpoints = []\n", &["did you mean `source.endpoint`?"]),
        ("[budgets]\nlimit = 3\n", &["did you mean `budget.limit`?"]),
        ("[quite_something]\n", &["unknown key `quite_something`", "config show"]),
        ("[ui]\n\"\\u001b[2J\" = 1\n", &["unknown key"]),
        ("[ui]\nfps = 30\nfps = 31\n", &["config.toml:3", "duplicate key"]),
        ("[ui]\nfps = 30\n[ui]\n", &["config.toml:3", "duplicate key"]),
        ("[ui\n", &["config.toml:1", "correct that line"]),
        ("[ui]\nfps = \"30\"\n", &["ui.fps = \"30\"", "config.toml:2", "not a whole number", "from 1 to 60"]),
        ("[ui]\nfps = 0\n", &["out of range", "from 1 to 60"]),
        ("[ui]\nfps = -1\n", &["out of range"]),
        ("[ui]\nascii = 1\n", &["ui.ascii = 1", "true or false"]),
        ("[ui]\ntheme = 1\n", &["quotation marks"]),
        ("[ui]\nfps = {}\n", &["ui.fps = (table)"]),
        ("[demo]\nrate = nan\n", &["demo.rate = nan", "out of range"]),
        ("[demo]\nrate = inf\n", &["out of range"]),
        ("[source]\nconnections = 9\n", &["from 1 to 8, or \"auto\""]),
        ("[source]\ncommitment = \"rooted\"\n", &["\"processed\", \"confirmed\" or \"finalized\""]),
        ("[source]\nprovider = \"shift\"\n", &["\"auto\", \"shyft\"", "no such profile"]),
        ("[source]\nendpoint = \"https://a.example\"\n", &["not a list", "endpoint = ["]),
        ("[source]\nendpoint = [1]\n", &["endpoint 1", "not a URL"]),
        ("[alerts]\nmute_classes = [\"wish\"]\n", &["\"wish\" is no class", "config.toml:2", "\"wash\""]),
        ("[alerts]\nmute_mints = [\"So1\"]\n", &["\"So1\" is no address", "base58"]),
        ("[alerts]\nwatch_wallets = 7\n", &["not a list"]),
        (
            "[stream]\nbackoff_first_ms = 60000\n",
            &["backoff_first_ms = 60000", "backoff_longest_s = 30", "config.toml:2"],
        ),
        ("[budget]\nreserve = 100\n", &["budget.reserve = 100", "config.toml:2", "profile local"]),
        ("[budget]\nper_connection = 101\n", &["budget.per_connection = 101", "config.toml:2"]),
        (
            "[groups]\nbonding_curve = false\namm_pool = false\nexternal_amm = false\n",
            &["every group is off", ":2", ":4"],
        ),
        ("[source]\nx_token = \"CANARY-1\"\n", &["a token does not belong in the configuration", ":2", "chmod 600"]),
        ("x_token = \"CANARY-1\n", &["config.toml:1"]),
        ("[source]\nendpoint = [\"https://CANARY-1@a.example\"]\n", &["endpoint 1", "config.toml:2"]),
    ] {
        Case::new().file(text).refused(parts);
    }
}

#[test]
fn variables_and_flags_that_are_refused() {
    Case::new().env("SMART_STREAM_UI_FPS", "fast").refused(&[
        "ui.fps = \"fast\"",
        "environment variable SMART_STREAM_UI_FPS",
        "from 1 to 60",
    ]);
    Case::new().env("SMART_STREAM_DEMO_RATE", "NaN").refused(&["demo.rate", "out of range"]);
    Case::new().flags(|flags| flags.connections = Some(0)).refused(&["source.connections = 0", "flag --connections"]);
    Case::new().flags(|flags| flags.seed = Some(u64::MAX)).refused(&["demo.seed", "flag --seed"]);
    Case::new().flags(|flags| flags.rate = Some(f64::INFINITY)).refused(&["demo.rate", "flag --rate"]);
    Case::new().flags(|flags| flags.theme = Some("\0".to_owned())).refused(&["ui.theme", "flag --theme", "NUL"]);
    Case::new().flags(|flags| flags.ask_token = true).refused(&["--ask-token", "--endpoint"]);
    // A value below is checked although it does not count.
    Case::new().file("ui.fps = 99\n").flags(|flags| flags.fps = Some(30)).refused(&["config.toml:1"]);
    assert!(ConfigError::token_on_the_command_line().to_string().contains("--x-token-file"));
}

#[test]
fn files_that_are_no_configuration() {
    let large = format!("# {}\n", "x".repeat(10 << 20));
    Case::new().file(&large).refused(&["config.toml", "larger than 1 MiB"]);
    let case = Case::new();
    case.write("smart-stream-tui/config.toml", "", 0o602);
    case.refused(&["everybody can write it", "chmod o-w"]);
    let case = Case::new();
    fs::create_dir_all(case.path("smart-stream-tui/config.toml")).unwrap();
    case.refused(&["not a file"]);
    let case = Case::new();
    fs::create_dir_all(case.path("smart-stream-tui")).unwrap();
    fs::write(case.path("smart-stream-tui/config.toml"), b"\xff").unwrap();
    case.refused(&["UTF-8"]);
    let deep = format!("[ui]\nfps = {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    Case::new().file(&deep).error();
}

#[test]
fn endpoints_by_the_rules() {
    for (text, url) in [
        ("https://a.example", "https://a.example:443"),
        ("HTTPS://A.Example:10000/", "https://a.example:10000"),
        ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ("http://127.0.0.1:10000", "http://127.0.0.1:10000"),
        ("http://[::1]", "http://[::1]:80"),
        ("http://[::ffff:127.0.0.1]:1", "http://[::ffff:127.0.0.1]:1"),
        ("http://localhost:65535", "http://localhost:65535"),
    ] {
        let endpoint = Case::new().endpoint(text).ok().endpoints().remove(0);
        assert_eq!((endpoint.url.as_str(), endpoint.url.split_once("://").unwrap().1), (url, &*endpoint.host));
    }
    for (text, part) in [
        ("", "not a URL"),
        ("a.example:443", "not a URL"),
        ("ftp://a.example", "neither https:// nor http://"),
        ("https://", "not a URL"),
        ("https://:443", "URL"),
        ("https://a.example:0", "1 to 65535"),
        ("https://a.example:65536", "1 to 65535"),
        ("https://a.example:", "1 to 65535"),
        ("https://a.example:+1", "1 to 65535"),
        ("https://CANARY@a.example", "user name or token"),
        ("https://user:CANARY@a.example", "user name or token"),
        ("https://a.example\\CANARY@b.example", "user name or token"),
        ("https://a.example/CANARY", "path or query"),
        ("https://a.example?x-token=CANARY", "path or query"),
        ("https://a.example#CANARY", "path or query"),
        ("https://a b.example", "URL"),
        ("https://a.example\n", "URL"),
        ("https://пример.example", "URL"),
        ("https://[::1", "URL"),
        ("https://[CANARY]", "URL"),
        ("https://a..example", "neither a name nor an address"),
        ("http://a.example", "--insecure"),
        ("http://10.0.0.1:10000", "--insecure"),
        ("http://localhost.example", "--insecure"),
        ("http://2130706433", "--insecure"),
        ("http://[2001:db8::1]", "--insecure"),
    ] {
        let case = Case::new().endpoint(text);
        let words = case.error();
        // An IPv6 literal may be refused as a URL or as a host.
        assert!(words.contains(part) || part == "URL" && words.contains("neither a name"), "{text}: {words}");
        assert!(words.contains("flag --endpoint"), "{words}");
    }
    let case = Case::new().endpoint("http://a.example").flags(|flags| flags.insecure = true);
    assert_eq!(case.ok().endpoints()[0].url, "http://a.example:80");
    Case::new().endpoint("https://a.example").endpoint("https://A.example:443/").refused(&["endpoint 2", "twice"]);
    let many = (0..9).fold(Case::new(), |case, index| case.endpoint(&format!("https://a{index}.example")));
    many.refused(&["9 endpoints", "8 at most"]);
}

proptest! {
    #[test]
    fn any_endpoint_is_refused_or_plain(text in "(https?://)?[a-zA-Z0-9.:@/?#\\[\\]%_ -]{0,40}") {
        if let Ok(config) = Case::new().endpoint(&text).load() {
            let url = &config.endpoints()[0].url;
            let uri: http::Uri = url.parse().unwrap();
            prop_assert!(!url.contains('@') && uri.port_u16().is_some_and(|port| port != 0));
            prop_assert!(matches!(uri.path_and_query().map(http::uri::PathAndQuery::as_str), None | Some("/")));
            prop_assert_eq!(Case::new().endpoint(url).ok().endpoints()[0].url.clone(), url.clone());
        }
    }

    #[test]
    fn any_file_is_read_or_refused(text in "(\\[?[a-z_.]{0,8}\\]?( ?= ?[-0-9a-z\"\\[\\]{}.]{0,8})?\n){0,6}") {
        let _ = Case::new().file(&text).load();
    }
}

#[test]
fn paths_are_shown_without_their_escape_sequences() {
    let case = Case::new().flags(|flags| flags.config = Some(Path::new("/nowhere/\x1b[2J").to_owned()));
    case.refused(&["/nowhere/"]);
}
