//! The command line: what it writes keeps to its schemas, what it is given wrong it names, and secrets stay secret.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use jsonschema::Validator;
use serde_json::Value;

const CANARY: &str = "CANARY-4f1d9c7e";
const RECORDING: &str = "tests/data/published.pb.zst";

/// The program, away from this machine's settings.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_STATE_HOME", folder);
    for name in ["SMART_STREAM_ENDPOINT", "SMART_STREAM_X_TOKEN", "SMART_STREAM_CONFIG"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn validator(folder: &Path, of: &str) -> Validator {
    let output = run(folder, &["schema", of]);
    assert!(output.status.success());
    jsonschema::validator_for(&serde_json::from_slice(&output.stdout).unwrap()).expect("a schema")
}

fn assert_valid(validator: &Validator, value: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?} in {value:#}");
}

#[test]
fn a_snapshot_of_the_demo_is_valid_and_measured() {
    let folder = tempfile::tempdir().unwrap();
    let (out, picture) = (folder.path().join("s.json"), folder.path().join("s.svg"));
    let arguments =
        ["snapshot", "--after", "6s", "--out", out.to_str().unwrap(), "--picture", picture.to_str().unwrap()];
    let output = run(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let snapshot: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_valid(&validator(folder.path(), "snapshot"), &snapshot);

    let live = snapshot["connections"].as_array().unwrap().iter().filter(|connection| connection["state"] == "live");
    assert!(live.count() >= 2);
    assert!(snapshot["budget"]["used"].as_u64().unwrap() >= 2);
    assert_eq!(snapshot["budget"]["limit"], 100);
    let groups = snapshot["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 3);
    for group in &groups[..2] {
        assert!(group["tps"].as_f64().unwrap() > 0.0, "{group:#}");
        assert!(group["latency_ms"]["p50"].as_f64().unwrap() > 0.0, "{group:#}");
    }
    for group in groups {
        assert_eq!(group["errors"], 0);
        assert_eq!(group["parse_rate"]["decoded"], group["parse_rate"]["expected"]);
    }
    let tokens = snapshot["tokens"].as_array().unwrap();
    assert!(tokens.iter().filter(|token| !token["progress_pct"].is_null()).count() >= 20);
    assert_eq!(snapshot["undecoded"], Value::Array(Vec::new()));
    let svg = fs::read_to_string(picture).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("bonding_curve"));
    assert_eq!(mode(&out), 0o600);
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn every_line_of_a_replay_keeps_to_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["replay", RECORDING, "--headless", "--speed", "max"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let validator = validator(folder.path(), "events");
    let lines: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["type"] == "trade"));
    assert!(lines.iter().any(|line| line["type"] == "connection"));
    for line in &lines {
        assert_valid(&validator, line);
    }
}

#[test]
fn what_is_recorded_is_replayed_event_by_event() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.pb.zst");
    let output = run(folder.path(), &["record", file.to_str().unwrap(), "--for", "3s"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let identity = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let names = ["type", "signature", "path", "event_index", "slot"];
        names.map(|name| event[name].clone()).into_iter().map(|part| part.to_string()).collect::<Vec<_>>().join(" ")
    };
    // The decoder alone says what the file holds; the whole program must say the same.
    let decoded = run(folder.path(), &["decode", file.to_str().unwrap()]);
    assert!(decoded.status.success(), "{}", text(&decoded.stderr));
    let decoded = text(&decoded.stdout);
    let transactions: Vec<Value> = decoded.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events = transactions.iter().filter_map(|line| line["events"].as_array()).map(Vec::len).sum::<usize>();
    let output = run(folder.path(), &["replay", file.to_str().unwrap(), "--headless", "--speed", "max"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let chain = ["trade", "token_created", "curve_completed", "graduated", "pool_created", "liquidity"];
    let stdout = text(&output.stdout);
    let of_the_chain = |line: &&str| {
        let event: Value = serde_json::from_str(line).unwrap();
        chain.contains(&event["type"].as_str().unwrap())
    };
    let mut replayed: Vec<String> = stdout.lines().filter(of_the_chain).map(identity).collect();
    let all = replayed.len();
    replayed.sort();
    replayed.dedup();
    assert_eq!(replayed.len(), all, "an event came twice");
    assert!(all > 100, "the demo trades");
    assert_eq!(all, events);
}

#[test]
fn a_wrong_input_is_named_with_its_mend() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = file("broken.toml", b"[ui\n");
    let unknown = file("unknown.toml", b"[ui]\nfpss = 3\n");
    let whole = fs::read(RECORDING).unwrap();
    let cut = file("cut.pb.zst", &whole[..whole.len() / 2]);
    let no_recording = file("text.pb", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    let cases: [(&[&str], i32, &[&str]); 14] = [
        (&["--config", &broken, "headless"], 2, &["broken.toml", "1"]),
        (&["--config", &unknown, "headless"], 2, &["fpss", "unknown.toml", "fps"]),
        (&["--config", "/nowhere/at/all.toml", "headless"], 2, &["/nowhere/at/all.toml"]),
        (&["headless", "--endpoint", "http://example.com"], 2, &["https"]),
        (&["headless", "--endpoint", "https://user:secret@example.com"], 2, &["endpoint"]),
        (&["headless", "--connections", "9"], 2, &["9", "8"]),
        (&["headless", "--x-token", CANARY], 2, &["command line", "--x-token-file"]),
        (&["headless", "--commitment", "perhaps"], 2, &["perhaps", "processed"]),
        (&["replay", "missing.pb", "--headless"], 1, &["missing.pb"]),
        (&["replay", &cut, "--headless", "--speed", "max"], 1, &["cut.pb.zst", "cut off"]),
        (&["replay", &no_recording, "--headless", "--speed", "max"], 1, &["text.pb", "not a recording"]),
        (&["snapshot", "--after", "1s", "--endpoint", "http://127.0.0.1:9"], 1, &["127.0.0.1:9", "doctor"]),
        (&["doctor", "--endpoint", "http://127.0.0.1:9"], 1, &["127.0.0.1:9", "URL"]),
        (&[], 2, &["terminal", "headless"]),
    ];
    for (arguments, code, words) in cases {
        let output = run(folder.path(), arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        let last = errors.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{arguments:?}: {errors}");
        for word in words {
            assert!(last.contains(word), "{arguments:?} does not say {word}: {last}");
        }
        assert!(!errors.contains("panicked"), "{errors}");
        assert!(!errors.contains("secret") && !errors.contains(CANARY), "{errors}");
    }
}

/// A server of its own, ended when dropped.
struct Served(std::process::Child, String);

impl Served {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = program(folder)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("an address").to_owned();
        Self(child, url)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_token_opens_the_stream_and_appears_nowhere() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, format!("{CANARY}\n")).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let token = token.to_str().unwrap();
    let server = Served::start(folder.path(), &["--require-token-file", token]);
    let out = folder.path().join("s.json");
    let stream = ["--endpoint", &server.1, "--x-token-file", token, "--log-level", "trace"];
    let mut everything = String::new();
    for command in [
        &["snapshot", "--after", "2s", "--out", out.to_str().unwrap()][..],
        &["doctor"],
        &["config", "show"],
        &["config", "path"],
    ] {
        let output = program(folder.path()).args(command).args(stream).output().unwrap();
        everything += &text(&output.stdout);
        everything += &text(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    }
    everything += &fs::read_to_string(&out).unwrap();
    let snapshot: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(snapshot["source"]["kind"], "live");
    assert!(snapshot["totals"]["transactions"].as_u64().unwrap() > 0);

    // A wrong one: code 3, and not a second try.
    let output = program(folder.path())
        .args(["snapshot", "--after", "20s", "--endpoint", &server.1])
        .env("SMART_STREAM_X_TOKEN", format!("{CANARY}-wrong"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    everything += &text(&output.stderr);
    for help in [&["--help"][..], &["headless", "--help"], &["completions", "bash"], &["man"]] {
        let output = program(folder.path()).args(help).env("SMART_STREAM_X_TOKEN", CANARY).output().unwrap();
        assert!(output.status.success());
        everything += &text(&output.stdout);
    }
    assert!(!everything.contains(CANARY), "the token was written");
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path != Path::new(token) {
            assert!(!fs::read(&path).unwrap().windows(CANARY.len()).any(|part| part == CANARY.as_bytes()), "{path:?}");
        }
    }
}

#[test]
fn faults_are_served_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, oracle) = (folder.path().join("plan.toml"), folder.path().join("oracle.jsonl"));
    fs::write(&plan, "seed = 7\n[[fault]]\nat = \"1s\"\nkind = \"reset\"\nconnection = 1\n").unwrap();
    let server =
        Served::start(folder.path(), &["--fault", plan.to_str().unwrap(), "--oracle", oracle.to_str().unwrap()]);
    let out = folder.path().join("s.json");
    let arguments = ["snapshot", "--after", "5s", "--endpoint", &server.1, "--out", out.to_str().unwrap()];
    let output = run(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let snapshot: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    let connections = snapshot["connections"].as_array().unwrap();
    assert!(connections.iter().any(|connection| connection["reconnects"] == 1), "{connections:#?}");
    assert!(connections.iter().all(|connection| connection["state"] == "live"), "{connections:#?}");
    let told = fs::read_to_string(oracle).unwrap();
    assert!(told.lines().any(|line| line.contains("\"subscribe\"")), "no call was told");
}

#[cfg(unix)]
#[test]
fn a_snapshot_replaces_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, link, file) =
        (folder.path().join("socket"), folder.path().join("link"), folder.path().join("file.json"));
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    fs::write(&file, "old").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for (target, words) in [(&socket, "not a file"), (&folder.path().to_owned(), "not a file"), (&link, "link")] {
        let output = run(folder.path(), &["snapshot", "--after", "1s", "--out", target.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
    assert!(!fs::symlink_metadata(&socket).unwrap().is_file() && fs::read_to_string(&file).unwrap() == "old");
    assert!(run(folder.path(), &["snapshot", "--after", "1s", "--out", file.to_str().unwrap()]).status.success());
    assert!(fs::read_to_string(&file).unwrap().starts_with('{'));
}

#[test]
fn the_users_own_themes_and_keys_are_read_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("smart-stream-tui");
    fs::create_dir_all(own.join("themes")).unwrap();
    let dark = fs::read_to_string("themes/dark.toml").unwrap();
    fs::write(own.join("themes/mine.toml"), &dark).unwrap();
    let listed = text(&run(folder.path(), &["themes"]).stdout);
    assert!(listed.lines().any(|name| name == "mine") && listed.lines().any(|name| name == "dark"), "{listed}");
    assert!(run(folder.path(), &["themes", "show", "mine"]).status.success());
    let picture = folder.path().join("mine.svg");
    let arguments = ["snapshot", "--after", "1s", "--theme", "mine", "--picture", picture.to_str().unwrap()];
    let output = run(folder.path(), &arguments);
    assert!(output.status.success() && picture.is_file(), "{}", text(&output.stderr));
    fs::write(own.join("themes/mine.toml"), dark.replace("text =", "txet =")).unwrap();
    let output = run(folder.path(), &["themes"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("mine"), "{}", text(&output.stderr));
}

#[test]
fn keys_in_the_readme_are_the_keys_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let keys = text(&run(folder.path(), &["--print-keys"]).stdout);
    let readme = fs::read_to_string("README.md").unwrap();
    for line in keys.lines().filter(|line| !line.trim().is_empty()) {
        assert!(readme.contains(line), "README.md lacks: {line}");
    }
}
