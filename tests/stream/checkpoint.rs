//! A program that ends in any way: the next one goes on where it ended, or says what it missed.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use smart_stream_tui::{
    simulator::server::{Pace, Server, ServerSettings},
    stream::{
        CheckpointRules, Gap, GapCause, Resume, StreamSettings,
        checkpoint::{Opened, open},
        recovery::{Recovery, Resumed},
    },
};
use tokio::{sync::mpsc, time::timeout};

use crate::support::{Chain, PATIENCE, settings};

/// One run of the program, and what it writes.
struct Run {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Run {
    fn start(server: &Server, home: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smart-stream-tui"));
        command.env_clear().env("HOME", home).env("XDG_CONFIG_HOME", home).env("XDG_STATE_HOME", home);
        command.args(["headless", "--endpoint", &server.url()]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = mpsc::unbounded_channel();
        // Ends with the program; a line that was cut off by its end is none.
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                if send.send(String::from_utf8(line).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Takes what it writes until this holds: how each slot stands, and the gaps.
    async fn until(
        &mut self,
        slots: &mut BTreeMap<u64, String>,
        gaps: &mut Vec<Value>,
        done: impl Fn(&BTreeMap<u64, String>, &[Value]) -> bool,
    ) {
        let wait = async {
            while !done(slots, gaps) {
                let line = self.lines.recv().await.expect("it runs");
                let line: Value = serde_json::from_str(&line).unwrap();
                match line["type"].as_str() {
                    Some("slot") => {
                        slots.insert(line["slot"].as_u64().unwrap(), line["proof"].as_str().unwrap().to_owned());
                    }
                    Some("gap") => gaps.push(line),
                    _ => {}
                }
            }
        };
        assert!(timeout(PATIENCE, wait).await.is_ok(), "not in time: {slots:?} {gaps:?}");
    }

    /// `kill -9`.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Only a test that failed leaves it running.
        let _ = self.child.kill();
    }
}

/// The slot that is on disk.
fn on_disk(home: &Path) -> Option<u64> {
    let folder = home.join("smart-stream-tui");
    let files = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| {
        path.extension().is_none() && path.file_name().unwrap().to_str().unwrap().starts_with("checkpoint-")
    });
    let bytes = fs::read(files.next()?).ok()?;
    Some(u64::from_le_bytes(bytes[16..24].try_into().unwrap()))
}

async fn serve(replay_slots: usize) -> Server {
    let settings = ServerSettings { pace: Pace::Real, replay_slots, ..ServerSettings::default() };
    Server::start(settings, Box::new(Chain::new(30, Duration::from_millis(40)))).await.unwrap()
}

/// Runs until so many slots are on disk behind the first one, then kills it.
async fn first_run(server: &Server, home: &Path, slots: &mut BTreeMap<u64, String>) {
    let mut run = Run::start(server, home);
    run.until(slots, &mut Vec::new(), |slots, _| {
        slots.first_key_value().zip(on_disk(home)).is_some_and(|((first, _), kept)| kept > first + 5)
    })
    .await;
    run.kill();
    assert!(on_disk(home) <= slots.last_key_value().map(|(last, _)| *last), "ahead of what was handed on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_program_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(2_000).await;
    let (mut slots, mut gaps) = (BTreeMap::new(), Vec::new());
    first_run(&server, home.path(), &mut slots).await;
    let first = *slots.first_key_value().unwrap().0;
    let began = Instant::now();
    for _ in 0..2 {
        let goal = server.stats().slot.unwrap() + 20;
        let mut run = Run::start(&server, home.path());
        gaps.clear();
        let repaired = |gaps: &[Value]| gaps.iter().filter(|gap| gap["repaired"] == true).count() >= 2;
        run.until(&mut slots, &mut gaps, |slots, gaps| repaired(gaps) && slots.contains_key(&goal)).await;
        // Everything between the first slot of the first run and now was handed on whole, by one run or another.
        run.until(&mut slots, &mut gaps, |slots, _| (first..=goal).all(|slot| slots.contains_key(&slot))).await;
        let lost: Vec<_> = slots.range(first..=goal).filter(|(_, proof)| *proof == "lost").collect();
        assert!(lost.is_empty(), "{lost:?}");
        assert!(gaps.iter().all(|gap| gap["cause"] == "restart" && gap["repaired"] == true), "{gaps:?}");
        run.kill();
    }
    assert!(began.elapsed() < PATIENCE);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_has_no_more_after_a_pause_is_declared() {
    let home = tempfile::tempdir().unwrap();
    let server = serve(20).await;
    let mut slots = BTreeMap::new();
    first_run(&server, home.path(), &mut slots).await;
    let kept = on_disk(home.path()).unwrap();
    let goal = server.stats().slots_frozen + 120;
    timeout(PATIENCE, server.watch().wait_for(|stats| stats.slots_frozen >= goal)).await.unwrap().unwrap();
    let (mut slots, mut gaps) = (BTreeMap::new(), Vec::new());
    let mut run = Run::start(&server, home.path());
    let declared = |gaps: &[Value]| gaps.iter().filter(|gap| gap["repaired"] == false).count() >= 2;
    run.until(&mut slots, &mut gaps, |slots, gaps| declared(gaps) && slots.len() > 10).await;
    // What the server has moves on while it is asked for: a connection may learn of it bit by bit, without a hole.
    let mut next = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| gap["repaired"] == false) {
        let next = next.entry(gap["connection"].as_u64().unwrap()).or_insert(kept + 1);
        assert_eq!((gap["from_slot"].as_u64(), &gap["cause"]), (Some(*next), &Value::from("restart")), "{gap}");
        *next = gap["to_slot"].as_u64().unwrap() + 1;
    }
    assert!(next.values().all(|next| *next > kept + 60), "{gaps:?}");
    run.kill();
    server.shutdown().await;
}

fn rules(folder: &Path) -> CheckpointRules {
    CheckpointRules { folder: folder.to_owned(), purpose: "test", within: 500 }
}

fn streams() -> StreamSettings {
    settings("127.0.0.1:1".parse().unwrap(), 1)
}

/// What a start finds, when it has ended again.
fn found(rules: &CheckpointRules, streams: &StreamSettings) -> Opened {
    let mut opened = open(rules, streams);
    opened.keeper.take().unwrap().finish(None);
    opened
}

fn keep(rules: &CheckpointRules, streams: &StreamSettings, slot: u64) {
    open(rules, streams).keeper.unwrap().finish(Some(slot));
}

#[test]
fn a_checkpoint_that_cannot_be_trusted_counts_as_none_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rules = rules(folder.path());
    assert_eq!(found(&rules, &streams()).resume, Resume::Fresh);
    keep(&rules, &streams(), 4_711);
    let mut again = open(&rules, &streams());
    assert_eq!(again.resume, Resume::After { slot: 4_711, within: 500 });
    assert_eq!((again.view.slot, &again.view.trouble), (Some(4_711), &None));
    // While it is in use, another process starts anew and does not touch it.
    let other = open(&rules, &streams());
    assert!(other.keeper.is_none() && other.resume == Resume::Fresh && other.view.trouble.is_some());
    again.keeper.take().unwrap().finish(None);
    // Other streams, or the same ones for another use, have another one.
    let finalized = StreamSettings { commitment: 2, ..streams() };
    let fewer = StreamSettings { groups: streams().groups[..2].to_vec(), ..streams() };
    for (purpose, streams) in [("test", finalized), ("test", fewer), ("another", streams())] {
        let rules = CheckpointRules { purpose, ..rules.clone() };
        assert_eq!(found(&rules, &streams).resume, Resume::Fresh);
    }
    let files = || fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let path = files().find(|path| path.extension().is_none()).unwrap();
    let good = fs::read(&path).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damages = [Vec::new(), good[..20].to_vec(), [&good[..], &[0]].concat(), flipped(0), flipped(17), flipped(39)];
    for damage in damages {
        fs::write(&path, &damage).unwrap();
        let opened = found(&rules, &streams());
        assert_eq!(opened.resume, Resume::Unknown, "{damage:?}");
        assert!(opened.view.trouble.unwrap().contains("counts as none"));
    }
    // A file of other streams under this one's name.
    keep(&CheckpointRules { purpose: "another", ..rules.clone() }, &streams(), 5);
    let foreign = files().find(|other| other.extension().is_none() && *other != path).unwrap();
    fs::copy(foreign, &path).unwrap();
    assert_eq!(found(&rules, &streams()).resume, Resume::Unknown);
}

#[test]
fn the_chain_decides_what_a_checkpoint_is_worth() {
    let gap = |from_slot, to_slot| Gap { connection: 0, from_slot, to_slot, cause: GapCause::Restart, repaired: false };
    let after = |slot| Resume::After { slot, within: 500 };
    // The checkpoint, the first slot of the run; whether a replay is wanted, what is declared, what is said.
    let cases = [
        (Resume::Fresh, 1_000, false, None, None),
        (Resume::Unknown, 1_000, false, Some(gap(1_000, 1_000)), None),
        (after(990), 1_000, true, None, Some(Resumed::Missed(10))),
        (after(1_000), 1_000, false, None, None),
        (after(1_100), 1_000, false, None, None),
        (after(1_151), 1_000, false, Some(gap(1_000, 1_000)), Some(Resumed::Ahead(151))),
        (after(u64::MAX), 1_000, false, Some(gap(1_000, 1_000)), Some(Resumed::Ahead(u64::MAX - 1_000))),
        (after(499), 1_000, false, Some(gap(500, 1_000)), Some(Resumed::TooLong(501))),
        (after(0), 400_000_000, false, Some(gap(1, 400_000_000)), Some(Resumed::TooLong(400_000_000))),
    ];
    for (resume, slot, wanted, declared, said) in cases {
        let mut recovery = Recovery::new(0, true).resuming(resume.clone());
        recovery.opened();
        let mut gaps = Vec::new();
        assert_eq!(recovery.finished(slot, &mut gaps), wanted, "{resume:?}");
        assert_eq!(gaps, Vec::from_iter(declared), "{resume:?}");
        assert_eq!(recovery.take_resumed(), said, "{resume:?}");
        if wanted {
            assert_eq!(recovery.request(Ok(Some(900)), &mut gaps), Some(991));
        }
    }
}
