//! The token: where it may come from, and that it is in nothing that is shown.

use std::{
    io::{Read, Write},
    os::unix::fs::symlink,
    path::PathBuf,
};

use secrecy::ExposeSecret;
use smart_stream_tui::config::{Config, Origin, Source};

use super::{CANARY, Case};

#[test]
fn the_token_from_a_file() {
    for text in [CANARY.to_owned(), format!("{CANARY}\n"), format!("{CANARY}\r\n")] {
        let mut case = Case::new().endpoint("https://a.example");
        case.flags.x_token_file = Some(case.write("token", &text, 0o600));
        assert_eq!(token_sent(&case.ok()).as_deref(), Some(CANARY));
        assert!(matches!(case.ok().token().unwrap().origin(), Origin::File { line: None, .. }));
    }
    let case = Case::new().endpoint("https://a.example").file("source.x_token_file = \"sub/token\"\n");
    case.write("smart-stream-tui/sub/token", CANARY, 0o400);
    assert_eq!(token_sent(&case.ok()).as_deref(), Some(CANARY), "a path in a file is beside that file");
}

fn token_sent(config: &Config) -> Option<String> {
    let endpoint = config.streams(Source::Live, config.endpoints().remove(0)).endpoint;
    endpoint.x_token.map(|token| token.expose_secret().to_owned())
}

#[test]
fn token_files_that_are_refused() {
    let refused = |make: &dyn Fn(&Case) -> PathBuf, parts: &[&str]| {
        let mut case = Case::new();
        case.flags.x_token_file = Some(make(&case));
        case.refused(parts);
        case.refused(&["flag --x-token-file"]);
    };
    for mode in [0o644, 0o640, 0o620, 0o601, 0o604] {
        let shown = format!("(mode 0{mode:o})");
        refused(&|case| case.write("token", CANARY, mode), &[&shown, "chmod 600"]);
    }
    refused(&|case| case.path("none"), &["no such token file"]);
    refused(&|case| case.folder.path().to_owned(), &["not a file"]);
    refused(
        &|case| {
            symlink(case.write("token", CANARY, 0o600), case.path("link")).unwrap();
            case.path("link")
        },
        &["symbolic link"],
    );
    refused(
        &|case| {
            // Only root can give a file away; everybody else has files of root's.
            let path = case.write("token", CANARY, 0o600);
            if std::os::unix::fs::chown(&path, Some(1), None).is_ok() { path } else { "/etc/passwd".into() }
        },
        &["belongs to somebody else"],
    );
    refused(&|case| case.write("token", &CANARY.repeat(1_000), 0o600), &["too large"]);
}

#[test]
fn tokens_that_are_refused() {
    for (text, why) in [
        (String::new(), "is empty"),
        (format!("{CANARY}\n{CANARY}"), "more than one line"),
        (format!("{CANARY}\n\n"), "more than one line"),
        (format!("{CANARY}\0"), "a character in it that no token has"),
        (format!("{CANARY}é"), "a character in it that no token has"),
        (format!("{CANARY}\x1b[2J"), "a character in it that no token has"),
        (format!(" {CANARY}"), "a space"),
        (format!("{CANARY} "), "a space"),
        (format!("\"{CANARY}\""), "a quotation mark"),
    ] {
        Case::new().env("SMART_STREAM_X_TOKEN", &text).refused(&[why, "environment variable SMART_STREAM_X_TOKEN"]);
        let mut case = Case::new();
        case.flags.x_token_file = Some(case.write("token", &text, 0o600));
        case.refused(&[why, "the token from file"]);
    }
    Case::new().env("SMART_STREAM_X_TOKEN", &"x".repeat(4_097)).refused(&["too long"]);
}

#[test]
fn which_token() {
    let case = Case::new().endpoint("https://a.example").file("source.x_token_file = \"token\"\n");
    case.write("smart-stream-tui/token", "from-file", 0o600);
    assert_eq!(token_sent(&case.ok()).as_deref(), Some("from-file"));
    let mut case = case.env("SMART_STREAM_X_TOKEN", "from-variable");
    assert_eq!(token_sent(&case.ok()).as_deref(), Some("from-variable"));
    case.flags.x_token_file = Some(case.write("other", "from-flag", 0o600));
    assert_eq!(token_sent(&case.ok()).as_deref(), Some("from-flag"));
    assert_eq!(token_sent(&Case::new().endpoint("https://a.example").ok()), None);
}

#[test]
fn the_token_is_in_nothing_that_is_shown() {
    let mut case = Case::new().endpoint("https://a.example");
    assert!(case.ok().show().contains("# the token: none"));
    case = case.env("SMART_STREAM_X_TOKEN", CANARY);
    let from_variable = case.ok();
    assert!(from_variable.show().contains("set, from environment variable SMART_STREAM_X_TOKEN"));
    let path = case.write("token", CANARY, 0o600);
    case.flags.x_token_file = Some(path.clone());
    let from_file = case.ok();
    assert!(from_file.show().contains(&format!("set, from file {}", path.display())), "{}", from_file.show());
    for config in [from_variable, from_file] {
        let token = config.token().unwrap();
        let streams = config.streams(Source::Live, config.endpoints().remove(0));
        for text in [
            config.show(),
            format!("{config:?}{config:#?}"),
            format!("{token}{token:?}{:?}", token.secret()),
            format!("{streams:?}"),
        ] {
            assert!(!text.contains("CANARY"), "{text}");
        }
    }
}
/// Runs in a terminal of its own, started by the tests below.
#[test]
#[ignore = "needs the terminal that another test makes"]
fn ask_in_this_terminal() {
    let case = Case::new().endpoint("https://a.example").flags(|flags| flags.ask_token = true);
    let echo = || {
        let modes = rustix::termios::tcgetattr(std::io::stdin()).unwrap().local_modes;
        modes.contains(rustix::termios::LocalModes::ECHO | rustix::termios::LocalModes::ICANON)
    };
    assert!(echo());
    let outcome = match case.load() {
        Ok(config) => format!("length {} {}", token_sent(&config).unwrap().len(), config.token().unwrap()),
        Err(error) => error.to_string(),
    };
    println!("OUTCOME {outcome}; echo {}", echo());
}

/// What the terminal showed when these keys were typed at the prompt, or none and the process was asked to end.
fn typed(keys: Option<&str>) -> String {
    let pty = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "token::ask_in_this_terminal", "--nocapture"]);
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut writer = pty.master.take_writer().unwrap();
    let mut screen = Vec::new();
    let mut byte = [0];
    let mut is_typed = false;
    // At its end, Linux reports an error instead of an end.
    while reader.read(&mut byte).is_ok_and(|count| count == 1) {
        screen.push(byte[0]);
        if !is_typed && screen.ends_with(b"(not shown): ") {
            let process = child.process_id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().unwrap()));
            match keys {
                Some(keys) => writer.write_all(keys.as_bytes()).unwrap(),
                None => rustix::process::kill_process(process.unwrap(), rustix::process::Signal::TERM).unwrap(),
            }
            is_typed = true;
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&screen).into_owned()
}

#[test]
fn the_prompt_shows_nothing_and_gives_the_terminal_back() {
    for (keys, outcome) in [
        (Some(format!("{CANARY}\r")), "OUTCOME length 13 set, from the prompt; echo true"),
        (Some(format!("wrong\x15x{CANARY}y\x7f\n")), "OUTCOME length 14 set, from the prompt; echo true"),
        (Some(format!("{CANARY}\x03")), "OUTCOME interrupted; echo true"),
        (None, "OUTCOME interrupted; echo true"),
        (Some("\r".to_owned()), "OUTCOME the token from the prompt is empty; type or paste the token alone; echo true"),
    ] {
        let screen = typed(keys.as_deref());
        assert!(screen.contains(outcome), "{screen}");
        assert!(!screen.contains("CANARY"), "{screen}");
    }
}
