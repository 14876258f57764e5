//! What wins, and where it says that it came from.

use std::{fs, os::unix::fs::PermissionsExt};

use smart_stream_tui::config::{self, DEFAULTS, Flags};

use super::{CANARY, Case, shown};

/// Every setting with two values besides its default: as in a file, and as in a variable.
const VALUES: [(&str, &str, &str); 48] = [
    ("source.endpoint", "[\"https://a.example:443\"]", "https://b.example:444"),
    ("source.provider", "\"helius\"", "shyft"),
    ("source.x_token_file", "\"\"", ""),
    ("source.commitment", "\"confirmed\"", "finalized"),
    ("source.connections", "3", "4"),
    ("source.insecure", "true", "false"),
    ("budget.limit", "50", "60"),
    ("budget.window_s", "30", "10"),
    ("budget.reserve", "5", "6"),
    ("budget.per_connection", "7", "8"),
    ("budget.cost_new", "2", "3"),
    ("budget.cost_update", "0", "2"),
    ("stream.keepalive_s", "20", "30"),
    ("stream.keepalive_timeout_s", "6", "7"),
    ("stream.window_kib", "64", "65"),
    ("stream.max_message_mib", "8", "9"),
    ("stream.connect_timeout_s", "6", "7"),
    ("stream.subscribe_timeout_s", "11", "12"),
    ("stream.silence_s", "36", "37"),
    ("stream.backoff_first_ms", "600", "700"),
    ("stream.backoff_longest_s", "31", "32"),
    ("stream.zstd", "\"on\"", "off"),
    ("stream.proof", "\"block\"", "chain"),
    ("stream.balance", "false", "true"),
    ("stream.standby", "\"high\"", "all"),
    ("stream.resume_slots", "0", "500"),
    ("groups.bonding_curve", "false", "true"),
    ("groups.amm_pool", "false", "true"),
    ("groups.external_amm", "false", "true"),
    ("market.sol_usd_accounts", "false", "true"),
    ("market.sol_usd", "150.0", "151.5"),
    ("market.curve_accounts", "true", "false"),
    ("alerts.mute_classes", "[\"wash\"]", "backrun"),
    (
        "alerts.mute_wallets",
        "[\"So11111111111111111111111111111111111111112\"]",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    ),
    (
        "alerts.mute_mints",
        "[\"So11111111111111111111111111111111111111112\"]",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    ),
    (
        "alerts.watch_wallets",
        "[\"So11111111111111111111111111111111111111112\"]",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    ),
    (
        "alerts.watch_mints",
        "[\"So11111111111111111111111111111111111111112\"]",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    ),
    ("alerts.notify", "\"all\"", "off"),
    ("alerts.notify_from", "\"suspected\"", "confirmed"),
    ("alerts.notify_by", "\"both\"", "desktop"),
    ("alerts.notify_pause_s", "6", "7"),
    ("ui.theme", "\"light\"", "contrast"),
    ("ui.fps", "20", "10"),
    ("ui.ascii", "true", "false"),
    ("ui.color", "false", "true"),
    ("demo.seed", "2", "3"),
    ("demo.rate", "200.0", "300.5"),
    ("log.level", "\"debug\"", "warn"),
];

fn unquoted(value: &str) -> String {
    value.trim_matches(['[', ']']).trim_matches('"').to_owned()
}

#[test]
fn a_variable_wins_over_the_file_and_the_file_over_the_default_for_every_key() {
    let described = DEFAULTS.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])).count();
    assert_eq!(described, VALUES.len(), "every setting is in the table of this test");
    let plain = Case::new().ok();
    for (name, in_file, in_variable) in VALUES {
        let (section, key) = name.split_once('.').unwrap();
        let default = shown(&plain, name);
        assert!(!default.1.contains("config.toml") && !default.1.contains("variable"), "{name}: {default:?}");

        let case = Case::new().file(&format!("# a comment\n[{section}]\n\n{key} = {in_file}\n"));
        let from_file = shown(&case.ok(), name);
        let place = format!("file {}:4", case.path("smart-stream-tui/config.toml").display());
        assert_eq!(from_file, (in_file.to_owned(), place), "{name}");
        assert!(from_file.0 != default.0 || name == "source.x_token_file", "{name}");

        let variable = format!("SMART_STREAM_{}_{}", section.to_uppercase(), key.to_uppercase());
        let from_variable = shown(&case.env(&variable, in_variable).ok(), name);
        assert_eq!(unquoted(&from_variable.0), in_variable, "{name}");
        assert_eq!(from_variable.1, format!("environment variable {variable}"), "{name}");
    }
}

#[test]
fn a_flag_wins_over_everything() {
    let full = Flags {
        config: None,
        endpoint: vec!["http://c.example".to_owned(), "https://d.example".to_owned()],
        provider: Some("triton".to_owned()),
        x_token_file: None,
        ask_token: false,
        commitment: Some("processed".to_owned()),
        connections: Some(5),
        insecure: true,
        theme: Some("own".to_owned()),
        fps: Some(60),
        ascii: true,
        no_color: true,
        log_level: Some("trace".to_owned()),
        sol_usd: Some(160.5),
        seed: Some(9),
        rate: Some(1.5),
    };
    let mut case = Case::new();
    for (name, _, in_variable) in VALUES {
        case = case.env(&format!("SMART_STREAM_{}", name.replace('.', "_").to_uppercase()), in_variable);
    }
    case.flags = full;
    let token = case.write("token", CANARY, 0o600);
    case.flags.x_token_file = Some(token.clone());
    let config = case.ok();
    for (name, value, flag) in [
        ("source.endpoint", "[\"http://c.example:80\", \"https://d.example:443\"]", "--endpoint"),
        ("source.provider", "\"triton\"", "--provider"),
        ("source.x_token_file", &format!("\"{}\"", token.display()), "--x-token-file"),
        ("source.commitment", "\"processed\"", "--commitment"),
        ("source.connections", "5", "--connections"),
        ("source.insecure", "true", "--insecure"),
        ("ui.theme", "\"own\"", "--theme"),
        ("ui.fps", "60", "--fps"),
        ("ui.ascii", "true", "--ascii"),
        ("ui.color", "false", "--no-color"),
        ("market.sol_usd", "160.5", "--sol-usd"),
        ("demo.seed", "9", "--seed"),
        ("demo.rate", "1.5", "--rate"),
        ("log.level", "\"trace\"", "--log-level"),
    ] {
        assert_eq!(shown(&config, name), (value.to_owned(), format!("flag {flag}")), "{name}");
    }
}

#[test]
fn the_short_variable_takes_several_endpoints() {
    let case = Case::new().env("SMART_STREAM_ENDPOINT", " https://a.example , https://B.example:10000/,");
    let urls: Vec<String> = case.ok().endpoints().iter().map(|endpoint| endpoint.url.clone()).collect();
    assert_eq!(urls, ["https://a.example:443", "https://b.example:10000"]);
    assert_eq!(shown(&case.ok(), "source.endpoint").1, "environment variable SMART_STREAM_ENDPOINT");
    assert!(Case::new().env("SMART_STREAM_ENDPOINT", "").ok().endpoints().is_empty());
    let hidden = Case::new().env("SMART_STREAM_ENDPOINT", &format!("https://a.example,https://{CANARY}@b.example"));
    hidden.refused(&["endpoint 2", "environment variable SMART_STREAM_ENDPOINT", "--x-token-file"]);
}

#[test]
fn no_color_counts_unless_something_says_otherwise() {
    assert!(!Case::new().ok().no_color());
    assert!(!Case::new().env("NO_COLOR", "").ok().no_color());
    let case = Case::new().env("NO_COLOR", "1");
    assert!(case.ok().no_color());
    assert_eq!(shown(&case.ok(), "ui.color").1, "environment variable NO_COLOR");
    assert!(!case.env("SMART_STREAM_UI_COLOR", "true").ok().no_color());
}

#[test]
fn which_file() {
    let case = Case::new();
    assert_eq!(case.ok().path(), None);
    let usual = case.path("smart-stream-tui/config.toml");
    let case = case.file("ui.fps = 11\n");
    assert_eq!(case.ok().path(), Some(&*usual));
    let second = case.write("second.toml", "ui.fps = 12\n", 0o600);
    let third = case.write("third.toml", "ui.fps = 13\n", 0o600);
    let case = case.env("SMART_STREAM_CONFIG", second.to_str().unwrap());
    assert_eq!((case.ok().path(), case.ok().fps()), (Some(&*second), 12));
    let case = case.flags(|flags| flags.config = Some(third.clone()));
    assert_eq!((case.ok().path(), case.ok().fps()), (Some(&*third), 13));
    case.flags(|flags| flags.config = Some("/nowhere/config.toml".into())).refused(&[
        "/nowhere/config.toml",
        "flag --config",
        "no such file",
    ]);
}

#[test]
fn the_first_file_is_the_documented_defaults() {
    let case = Case::new();
    let path = config::path(&case.flags, &|name| case.env.get(name).cloned()).unwrap();
    config::init(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shown(&case.ok(), "ui.fps"), ("30".to_owned(), "default".to_owned()));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("#fps = 30", "fps = 31")).unwrap();
    assert_eq!(case.ok().fps(), 31);
    let again = config::init(&path).unwrap_err().to_string();
    assert!(again.contains("there already"), "{again}");
    assert_eq!(case.ok().fps(), 31, "it was overwritten");
    // Uncommented as a whole, every line of it counts.
    let whole: String = text.split_inclusive('\n').map(uncomment).collect();
    fs::write(&path, whole).unwrap();
    assert!(shown(&case.ok(), "log.level").1.contains("config.toml:"));
}

fn uncomment(line: &str) -> &str {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase())).unwrap_or(line)
}
