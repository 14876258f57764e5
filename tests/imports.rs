//! Each stage knows only the stages before it, and the terminal is the front end's alone.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each folder of `src/` may name of the others.
const MAY: [(&str, &[&str]); 12] = [
    ("chain", &[]),
    ("decode", &["chain"]),
    ("stream", &["chain"]),
    ("market", &["chain", "decode"]),
    ("mev", &["chain", "decode", "market"]),
    ("engine", &["chain", "decode", "market", "mev", "stream"]),
    ("output", &["chain", "decode", "market", "mev", "engine", "stream"]),
    ("ui", &["chain", "decode", "market", "mev", "engine", "stream"]),
    ("simulator", &["chain", "decode"]),
    ("score", &["chain", "decode", "market", "mev", "engine", "simulator", "stream"]),
    ("config", &["chain", "decode", "mev", "stream"]),
    ("cli", &["chain", "decode", "market", "mev", "engine", "output", "ui", "simulator", "score", "config", "stream"]),
];

/// Crates that belong to the terminal, and who may name them.
const TERMINAL: [&str; 3] = ["ratatui", "crossterm", "tui_logger"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The stage a file belongs to: its first folder, or its own name directly under `src/`.
fn stage(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = relative.components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The modules of this crate that a source names, as `crate::a` or inside `crate::{a, b::{…}}`.
fn named(source: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for (at, _) in source.match_indices("crate::") {
        if source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &source[at + "crate::".len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (position, sign) in list.char_indices() {
            match sign {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    names.push(word(list[start..position].trim_start()));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.push(word(list[start..position].trim_start()));
                    start = position + 1;
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn data_flows_one_way() {
    let may: BTreeMap<&str, &[&str]> = MAY.into();
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files.len() > 50);
    let mut wrong = Vec::new();
    for file in &files {
        let (stage, source) = (stage(file), fs::read_to_string(file).unwrap());
        let Some(allowed) = may.get(stage.as_str()) else {
            assert!(["lib", "main"].contains(&stage.as_str()), "{stage} is in no row of the table");
            continue;
        };
        for name in named(&source) {
            if may.contains_key(name.as_str()) && name != stage && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} names {name}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_terminal_is_the_front_ends() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files.iter().filter(|file| !["ui", "main"].contains(&stage(file).as_str())) {
        let source = fs::read_to_string(file).unwrap();
        for library in TERMINAL {
            assert!(!source.contains(&format!("{library}::")), "{} names {library}", file.display());
        }
    }
}

#[test]
fn names_are_found_however_they_are_written() {
    let source = "use crate::a::b; use crate::{c, d::{e, f}, g::h}; fn x() { crate::i::j() } $crate::k my_crate::l";
    assert_eq!(named(source), ["a", "c", "d", "g", "i"]);
}
