//! Random outputs of ssh, and the log that each must leave.
//!
//! `SEED=N` repeats the run with that seed. A run that fails prints its seed.

use std::fmt::Write as _;
use std::fs;

use fastrand::Rng;

use crate::report::fields;
use crate::support::{Scene, files, records, texts, with_seeds};

const RUNS: u64 = 400;

/// What an ssh writes, and when it renames the log meanwhile.
struct Plan {
    /// The script of the ssh, a write(2) a line.
    script: String,
    /// All that it writes.
    output: Vec<u8>,
    /// The exit status that remoteexe must give, and the record about it.
    status: i32,
    note: String,
}

impl Plan {
    fn new(random: &mut Rng) -> Self {
        let output = random_output(random);
        let mut script = String::new();
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            // Short pieces cut lines and characters in two. Long ones arrive in one read.
            let longest = *random.choice(&[1, 3, 50, 5000, 5000, 5000]).expect("a choice");
            let (piece, later) = rest.split_at(random.usize(1..=longest.min(rest.len())));
            rest = later;
            let stream = if random.bool() { " >&2" } else { "" };
            // In octal, which every printf understands for every byte.
            let octal: Vec<String> = piece.iter().map(|byte| format!("\\{byte:03o}")).collect();
            let _ = writeln!(script, "printf '{}'{stream}", octal.concat());
            if random.u32(..40) == 0 {
                let _ = writeln!(script, "rotate");
            }
            if random.u32(..40) == 0 {
                let _ = writeln!(script, "sleep 0.001");
            }
        }
        let (end, status, note) = random_end(random);
        script.push_str(&end);
        Self { script, output, status, note }
    }

    /// The texts of the records that the log must have.
    fn expected(&self) -> Vec<u8> {
        let mut output = self.output.clone();
        output.retain(|&byte| byte != 0);
        if output.last().is_some_and(|&byte| byte != b'\n') {
            output.push(b'\n');
        }
        let end = format!("{}END,{},h s\n", self.note, self.status);
        [b"START,-,h s\ncommand,ssh root@h s\n", output.as_slice(), end.as_bytes()].concat()
    }
}

fn random_output(random: &mut Rng) -> Vec<u8> {
    let mut output = Vec::new();
    for _ in 0..random.usize(..60) {
        let longest = *random.choice(&[0, 1, 20, 200, 5000]).expect("a choice");
        let length = random.usize(..=longest);
        match random.u32(..4) {
            0 => output.extend((0..length).map(|_| random.u8(..))),
            1 => output.extend("日本語 αβγ ".repeat(length / 20 + 1).bytes()),
            _ => output.extend((0..length).map(|_| random.u8(b' '..=b'~'))),
        }
        output.push(b'\n');
    }
    if random.bool() {
        output.extend_from_slice(b"no newline");
    }
    output
}

fn random_end(random: &mut Rng) -> (String, i32, String) {
    if random.u32(..4) == 0 {
        let signals = [(1, "HUP"), (9, "KILL"), (11, "SEGV"), (15, "TERM")];
        let (signal, name) = *random.choice(&signals).expect("a choice");
        let note = format!("remoteexe: ssh died by signal {name}\n");
        (format!("kill -{signal} $$"), 128 + signal, note)
    } else {
        let status = random.i32(0..=255);
        (format!("exit {status}"), status, returned(status))
    }
}

/// The record about a status of the remote command that may stand for a signal.
fn returned(status: i32) -> String {
    match status {
        129..160 => format!("remoteexe: the script returned {status}\n"),
        _ => String::new(),
    }
}

fn check(seed: u64) {
    let plan = Plan::new(&mut Rng::with_seed(seed));
    let scene = Scene::new();
    // In a file, because an environment variable holds no more than 128 kB.
    let rotate = "n=100; rotate() { n=$((n + 1)); mv $DIR/log/* $DIR/rotated/$n 2>/dev/null; }";
    fs::write(scene.path("plan"), format!("{rotate}\n{}", plan.script)).unwrap();
    fs::create_dir(scene.path("rotated")).unwrap();
    let mut command = scene.remoteexe_with_ssh(". $DIR/plan");
    let status = command.args(["h", "s"]).status().unwrap();
    assert_eq!(status.code(), Some(plan.status), "SEED={seed}");

    let mut log = Vec::new();
    for file in files(&scene.path("rotated")).iter().chain(&files(&scene.path("log"))) {
        log.extend(fs::read(file).unwrap());
    }
    assert!(texts(&log) == plan.expected(), "the log differs from what was sent; SEED={seed}");
}

#[test]
fn whatever_ssh_writes_is_in_the_log_byte_for_byte() {
    with_seeds(RUNS, check);
}

/// Lines of which most look like records, or nearly so.
fn records_of_a_script(random: &mut Rng) -> String {
    let heads = [
        "START,-,",
        "START,",
        "command,ssh root@",
        "wait,",
        "retry,",
        "END,0,",
        "END,3,",
        "END,",
        "error: ",
        "remoteexe: ",
        "remoteexe: the next line is output",
        "usage: remoteexe target script [parameters]",
        "[2026-03-02 13:21:01][913] ",
        " ",
        "",
    ];
    let tails = [
        "h s",
        "h",
        "5 s",
        "0.100 s",
        "1/8,255,wait 0.100 s",
        "no retries: ",
        "7 lines lost, the log was full",
        "ssh was killed: not connected after 20.000 s",
        "db01 /srv/nightly.sh",
        "\r",
        " ",
        "",
    ];
    let mut lines = String::new();
    for _ in 0..random.usize(1..40) {
        lines.push_str(random.choice(heads).expect("a choice"));
        lines.push_str(random.choice(tails).expect("a choice"));
        lines.push_str(random.choice(["", "", "x", "\r"]).expect("a choice"));
        lines.push('\n');
    }
    lines
}

fn check_read_back(seed: u64) {
    let random = &mut Rng::with_seed(seed);
    let (printed, status) = (records_of_a_script(random), random.i32(0..=254));
    let scene = Scene::new();
    fs::write(scene.path("printed"), &printed).unwrap();
    let body = format!("cat $DIR/printed; exit {status}");
    let run = scene.run(scene.remoteexe_with_ssh(body).args(["h", "s"]));
    assert_eq!(run.code, status, "SEED={seed}");

    let report = |args: &[&str]| scene.remoteexe().arg("--report").args(args).output().unwrap();
    let lines = printed.lines().count();
    let facts = fields(&report(&["--json"]), "job exit_status lines ambiguous pid");
    let [facts] = facts.as_slice() else { panic!("{facts:?}; SEED={seed}") };
    let (facts, pid) = facts.rsplit_once(' ').unwrap();
    assert_eq!(facts, format!("\"h s\" {status} {lines} false"), "SEED={seed}");
    let logged = records(&String::from_utf8(report(&["--run", pid]).stdout).unwrap());
    let expected = format!("START,-,h s\ncommand,ssh root@h s\n{printed}{}END,{status},h s\n", returned(status));
    assert_eq!(logged, expected, "SEED={seed}");
}

#[test]
fn a_script_that_prints_records_is_read_back_as_one_run_with_exactly_these_lines() {
    with_seeds(RUNS / 2, check_read_back);
}
