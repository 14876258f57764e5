//! The budget ledger on disk: what processes share, what survives a kill, and what becomes of garbage.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test")]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::FileExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use smart_stream_tui::stream::{
    BudgetRules,
    gate::Gate,
    limiter::{Ask, Entry, PermitId},
    permit_file::{PermitFile, ledger_key},
    permits::Place,
    status::Purpose,
};
use tokio::time::timeout;

/// Long enough for any machine: a test that reaches it has failed.
const PATIENCE: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_secs(60);
const LONGEST_CALL: Duration = Duration::from_secs(16);

const fn ask(connection: usize) -> Ask {
    Ask { connection, purpose: Purpose::Reconnect, urgent: true, cost: 1 }
}

fn open(folder: &Path, owner: u64) -> PermitFile {
    PermitFile::open(folder, 7, owner, (100, WINDOW), LONGEST_CALL).unwrap()
}

fn take(file: &PermitFile, owner: u64, serial: u64) -> Entry {
    let mut locked = file.lock().unwrap();
    let entry = Entry { id: PermitId { owner, serial }, ask: ask(2), taken: locked.now(), completed: None };
    locked.write(&entry, true).unwrap();
    entry
}

fn entries(file: &PermitFile) -> Vec<Entry> {
    let mut entries: Vec<Entry> = file.lock().unwrap().entries().collect();
    entries.sort_by_key(|entry| entry.id);
    entries
}

fn the_file(folder: &Path) -> std::path::PathBuf {
    folder.join("budget-0000000000000007")
}

#[test]
fn what_one_writes_the_others_read() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (open(folder.path(), 1), open(folder.path(), 2));
    let first = take(&one, 1, 0);
    let second = take(&two, 2, 5);
    assert_eq!(entries(&one), [first, second]);
    let mut locked = two.lock().unwrap();
    let done = Entry { completed: Some(locked.now()), ..second };
    locked.write(&done, false).unwrap();
    let until = locked.now() + Duration::from_secs(30);
    locked.freeze(until).unwrap();
    drop(locked);
    assert_eq!(entries(&one), [first, done]);
    assert_eq!(one.lock().unwrap().frozen_until(), Some(until));
}

#[test]
fn a_call_of_somebody_who_is_gone_is_held_until_it_must_be_over_and_a_window() {
    let folder = tempfile::tempdir().unwrap();
    let survivor = open(folder.path(), 2);
    let gone = open(folder.path(), 1);
    let entry = take(&gone, 1, 0);
    assert_eq!(entries(&survivor), [entry], "alive: no outcome yet");
    drop(gone);
    let found = entries(&survivor);
    assert_eq!(found, [Entry { completed: Some(entry.taken + LONGEST_CALL), ..entry }]);
    // And it stays so, also for whoever comes later.
    assert_eq!(entries(&open(folder.path(), 3)), found);
}

#[test]
fn what_cannot_be_understood_is_a_budget_spent_just_now() {
    let flip = |path: &Path, at: u64| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all_at(&[0xaa], at).unwrap();
    };
    let damages: [&dyn Fn(&Path); 7] = [
        &|path| fs::write(path, b"").unwrap(),
        &|path| fs::write(path, vec![0; 65_600]).unwrap(),
        &|path| fs::write(path, [7; 1_000]).unwrap(),
        &|path| flip(path, 3),
        &|path| flip(path, 64 + 30),
        &|path| flip(path, 64 * 500 + 1),
        &|path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(64 * 1_024).unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (open(folder.path(), 1), open(folder.path(), 2));
        take(&one, 1, 0);
        damage(&the_file(folder.path()));
        let locked = two.lock().unwrap();
        assert!(locked.repaired(), "damage {number}");
        assert_eq!(locked.entries().map(|entry| entry.ask.cost).sum::<u32>(), 100, "damage {number}");
        drop(locked);
        let locked = one.lock().unwrap();
        assert!(!locked.repaired());
        assert_eq!(locked.entries().map(|entry| entry.ask.cost).sum::<u32>(), 100, "everybody sees it");
    }
}

#[test]
fn the_name_tells_neither_host_nor_token() {
    let folder = tempfile::tempdir().unwrap();
    let key = ledger_key("grpc.example.com:443", "CANARY-TOKEN");
    let file = PermitFile::open(folder.path(), key, 1, (100, WINDOW), LONGEST_CALL).unwrap();
    take(&file, 1, 0);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.contains("example") && !name.contains("CANARY"), "{name}");
        let bytes = fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"CANARY"));
    }
    assert_ne!(key, ledger_key("grpc.example.com:443", "another"));
    assert_ne!(key, ledger_key("other.example.com:443", "CANARY-TOKEN"));
}

fn rules(limit: u32, window: Duration) -> BudgetRules {
    BudgetRules { limit, window, reserve: 0, per_connection: limit, cost_new: 1, cost_update: 1 }
}

fn gate(folder: &Path, limit: u32, window: Duration) -> Gate {
    let place = Place { folder: folder.to_owned(), key: 7, longest_call: Duration::from_millis(100) };
    Gate::shared(rules(limit, window), place).unwrap()
}

async fn until(gate: &Gate, mut condition: impl FnMut(&Gate) -> bool) {
    timeout(PATIENCE, async {
        while !condition(gate) {
            gate.changed().await;
        }
    })
    .await
    .expect("in time");
}

#[tokio::test]
async fn a_gate_knows_what_another_process_spends() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (gate(folder.path(), 3, WINDOW), gate(folder.path(), 3, WINDOW));
    let first = one.acquire(ask(0)).await.unwrap();
    let second = one.acquire(ask(0)).await.unwrap();
    let third = two.acquire(ask(0)).await.unwrap();
    let status = two.status(0);
    assert_eq!((status.used, status.others, status.shared, status.trouble), (3, 2, true, None));
    assert_eq!(status.spent.iter().filter(|spent| spent.connection.is_none()).count(), 2);
    drop(first);
    until(&two, |gate| gate.status(0).next_free_ms.is_some()).await;
    assert!(two.check(ask(1)).unwrap_err().is_some_and(|wait| wait > Duration::from_secs(55)));
    drop((second, third));
}

#[tokio::test]
async fn a_new_run_remembers_what_the_last_one_spent() {
    let folder = tempfile::tempdir().unwrap();
    let last = gate(folder.path(), 10, WINDOW);
    for _ in 0..4 {
        last.acquire(ask(0)).await.unwrap().complete();
    }
    drop(last);
    let next = gate(folder.path(), 10, WINDOW);
    until(&next, |gate| gate.status(0).used == 4).await;
    assert_eq!(next.used_by(0), 0, "spent by another");
}

#[tokio::test]
async fn out_of_reach_counts_as_full_for_a_window_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let not_a_folder = folder.path().join("file");
    fs::write(&not_a_folder, b"").unwrap();
    let window = Duration::from_millis(300);
    let gate = gate(&not_a_folder, 10, window);
    until(&gate, |gate| gate.status(0).trouble.is_some()).await;
    assert_eq!(gate.status(0).used, 10, "full");
    assert!(gate.check(ask(0)).is_err());
    // After the window a share of the budget is used, by what this process knows alone.
    let held = [gate.acquire(ask(0)).await.unwrap(), gate.acquire(ask(0)).await.unwrap()];
    assert_eq!(gate.check(ask(0)), Err(None), "no third one: others may be as blind");
    // Within reach again, the others are told what was spent meanwhile.
    fs::remove_file(&not_a_folder).unwrap();
    until(&gate, |gate| gate.status(0).trouble.is_none()).await;
    let other = self::gate(&not_a_folder, 10, window);
    until(&other, |other| other.status(0).others == 2).await;
    drop(held);
}

#[tokio::test]
async fn somebody_who_keeps_the_lock_is_not_waited_for_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), 1));
    let holder = fs::File::open(the_file(folder.path())).unwrap();
    holder.lock().unwrap();
    let gate = gate(folder.path(), 10, WINDOW);
    until(&gate, |gate| gate.status(0).trouble.is_some()).await;
    let status = gate.status(0);
    assert!(status.trouble.unwrap().contains("locked"));
    assert_eq!(status.used, 10);
}

/// Not a test of its own: what the processes of the next test run.
#[tokio::test]
async fn child() {
    let Some(folder) = std::env::var_os("STREAM_PERMITS_CHILD") else { return };
    let gate = gate(Path::new(&folder), 20, Duration::from_secs(1));
    loop {
        let Ok(permit) = gate.acquire(ask(fastrand::usize(0..3))).await else { return };
        // The call reaches the server now, and takes a while.
        println!("at {}", since_boot_ms());
        tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await;
        permit.complete();
    }
}

fn since_boot_ms() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Not a test of its own: a process that may not write to any file, as on a full disk.
#[tokio::test]
async fn child_on_a_full_disk() {
    let Some(folder) = std::env::var_os("STREAM_PERMITS_FULL") else { return };
    let gate = gate(Path::new(&folder), 10, Duration::from_secs(2));
    let tell = async {
        until(&gate, |gate| gate.status(0).trouble.is_some()).await;
        let status = gate.status(0);
        println!("full {} {}", status.used >= 10, status.trouble.unwrap());
    };
    let (first, ()) = tokio::join!(gate.acquire(ask(0)), tell);
    let held = [first.unwrap(), gate.acquire(ask(0)).await.unwrap()];
    println!("share {:?}", gate.check(ask(0)));
    drop(held);
}

#[test]
fn a_ledger_that_cannot_be_written_counts_as_full_and_says_what_to_do() {
    // With the ledger there already, and without.
    for exists in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        drop(exists.then(|| open(folder.path(), 1)));
        // The system refuses to write beyond a size of nothing, with the signal ignored: an error, as of a full disk.
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" --exact child_on_a_full_disk --nocapture"])
            .arg(std::env::current_exe().unwrap())
            .env("STREAM_PERMITS_FULL", folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let place = the_file(folder.path());
        assert!(told.contains("full true the budget ledger"), "{told}");
        assert!(told.contains(place.to_str().unwrap()) && told.contains("make room"), "{told}");
        assert!(told.contains("share Err(None)"), "{told}");
    }
}

#[test]
fn four_processes_one_of_them_killed_keep_the_rule_together() {
    let folder = tempfile::tempdir().unwrap();
    let start = || start_child(folder.path());
    let mut children: Vec<Child> = (0..4).map(|_| start()).collect();
    let (lines, calls) = std::sync::mpsc::channel();
    let mut follow = |child: &mut Child| {
        let (output, lines) = (BufReader::new(child.stdout.take().unwrap()), lines.clone());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, at)) = line.split_once("at ") {
                    lines.send(at.trim().parse::<i64>().unwrap()).unwrap();
                }
            }
        });
    };
    children.iter_mut().for_each(&mut follow);
    let mut at = Vec::new();
    let collect = |at: &mut Vec<i64>, count: usize| {
        while at.len() < count {
            at.push(calls.recv_timeout(PATIENCE).expect("a call in time"));
        }
    };
    collect(&mut at, 30);
    for _ in 0..5 {
        let mut killed = children.remove(0);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let mut next = start();
        follow(&mut next);
        children.push(next);
        let more = at.len() + 8;
        collect(&mut at, more);
    }
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(worst_second(at) <= 20);
}

/// Most calls in any second.
fn worst_second(mut at: Vec<i64>) -> usize {
    at.sort_unstable();
    let counts = (0..at.len()).map(|last| at[..=last].iter().rev().take_while(|t| **t + 1_000 >= at[last]).count());
    counts.max().unwrap()
}

fn start_child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("STREAM_PERMITS_CHILD", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn no_process_starves_and_one_that_is_stopped_holds_up_none_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut children: Vec<Child> = (0..4).map(|_| start_child(folder.path())).collect();
    let (lines, calls) = std::sync::mpsc::channel();
    for (process, child) in children.iter_mut().enumerate() {
        let (output, lines) = (BufReader::new(child.stdout.take().unwrap()), lines.clone());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some((_, at)) = line.split_once("at ") {
                    // Nobody listens any more at the end.
                    let _ = lines.send((process, at.trim().parse::<i64>().unwrap()));
                }
            }
        });
    }
    let mut at = Vec::new();
    let mut made = [0; 4];
    let mut collect = |made: &mut [usize; 4], enough: &dyn Fn(&[usize; 4]) -> bool| {
        while !enough(made) {
            let (process, when) = calls.recv_timeout(PATIENCE).expect("a call in time");
            made[process] += 1;
            at.push(when);
            assert!(at.len() < 1_500, "somebody starves: {made:?}");
        }
    };
    // Everyone gets its turn.
    collect(&mut made, &|made| made.iter().all(|calls| *calls >= 10));
    // Stopped wherever it is, perhaps with the lock: the others go on, and it goes on afterwards.
    for _ in 0..3 {
        let stopped = rustix::process::Pid::from_child(&children[0]);
        rustix::process::kill_process(stopped, rustix::process::Signal::STOP).unwrap();
        let before = made;
        collect(&mut made, &|made| (1..4).all(|other| made[other] > before[other] + 1));
        rustix::process::kill_process(stopped, rustix::process::Signal::CONT).unwrap();
        let before = made;
        collect(&mut made, &|made| made[0] > before[0] + 1);
    }
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(worst_second(at) <= 20);
}
