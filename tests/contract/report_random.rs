//! A model check of `--report`: random logs of runs whose facts are known.
//!
//! `SEED=N` repeats the log of seed N. A failure tells its seed.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::{self, File};
use std::io::Write;
use std::process::Output;

use chrono::DateTime;
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::report::{printed, reporter};
use crate::support::{MARK, Scene, assert_bytes, code, stderr, with_seeds};

const LOGS: u64 = 250;

/// The first process id that no process can have: `PID_MAX_LIMIT` of the kernel is one less.
const FIRST_PID: u32 = 4_194_305;

/// 2026-03-02 22:00:00 UTC, so that there is a midnight before long.
const BEGIN: i64 = 1_772_488_800;

/// The role of a record.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Start,
    Command,
    Retry,
    /// A line of output, or a message.
    Output,
    /// A line of output that has a mark, because it looks like a record.
    Marked,
    /// A line that may come before the command, too.
    Refusal,
    End(u8),
}

/// Records with no others in between.
type Chunk = Vec<(Vec<u8>, Role)>;

/// The known facts about a run.
#[derive(Default)]
struct Known {
    pid: u32,
    job: Vec<u8>,
    start: i64,
    last: i64,
    code: Option<u8>,
    command: Option<Vec<u8>>,
    retries: u32,
    lines: u64,
    bytes: u64,
    tail: VecDeque<Vec<u8>>,
    is_overlapped: bool,
    is_clock_back: bool,
    is_ambiguous: bool,
    /// The command of the retry that follows.
    next: Option<Vec<u8>>,
    /// Its records.
    records: Vec<u8>,
}

impl Known {
    /// Whether a record may belong to it: the rule that the manual states.
    fn fits(&self, text: &[u8], role: Role) -> bool {
        match role {
            Role::Start => false,
            Role::Command if self.has_command() => self.next.as_deref() == Some(text),
            Role::Command => text.ends_with(&self.job),
            Role::Retry | Role::Output | Role::Marked => self.has_command(),
            Role::Refusal => true,
            Role::End(_) => operands(text) == self.job,
        }
    }

    fn take(&mut self, text: &[u8], role: Role, time: i64) {
        self.is_clock_back |= time < self.last;
        self.last = time;
        match role {
            Role::Start => {}
            Role::Retry => self.next = self.command.clone(),
            Role::Command => {
                if self.has_command() {
                    self.retries += 1;
                    self.tail.clear();
                }
                self.command = Some(text.to_vec());
                self.next = None;
            }
            Role::Output | Role::Marked | Role::Refusal => {
                self.lines += 1;
                self.bytes += text.len() as u64 + 1;
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                self.tail.push_back(text[..text.len().min(1024)].to_vec());
                if self.tail.len() > 5 {
                    self.tail.pop_front();
                }
            }
            Role::End(code) => self.code = Some(code),
        }
    }

    fn has_command(&self) -> bool {
        self.command.is_some()
    }

    fn is_usage_error(&self) -> bool {
        self.code == Some(10) && !self.has_command()
    }

    fn is_connection_failure(&self) -> bool {
        self.code == Some(255) && self.tail.iter().any(|line| *line == REFUSED[..REFUSED.len() - 1])
    }

    /// Without a connection the script did not run.
    fn overlaps(&self) -> bool {
        self.is_overlapped && self.code.is_some() && !self.is_connection_failure()
    }

    fn document(&self) -> Value {
        let ended = self.code.map(|_| self.last);
        let duration = ended.map(|end| end - self.start);
        json!({
            "pid": self.pid,
            "job": text(&self.job),
            "start": rfc3339(self.start),
            "end": ended.map(rfc3339),
            "last": rfc3339(self.last),
            // A clock that was set back has no answer.
            "duration": duration.filter(|_| !self.is_clock_back),
            "status": match self.code {
                Some(0) => "ok",
                Some(_) => "failed",
                None => "lost",
            },
            "exit_status": self.code,
            "connection_failure": self.is_connection_failure(),
            "usage_error": self.is_usage_error(),
            "retries": self.retries,
            "lines": self.lines,
            "bytes": self.bytes,
            "tail": self.tail.iter().map(|line| text(line)).collect::<Vec<_>>(),
            "overlapped": self.overlaps(),
            "ambiguous": self.is_ambiguous,
        })
    }
}

/// The operands in START or END.
fn operands(text: &[u8]) -> &[u8] {
    let mut fields = text.splitn(3, |&byte| byte == b',');
    fields.nth(2).expect("START and END have three fields")
}

/// Bytes as `--json` gives them.
fn text(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "bytes": bytes }),
    }
}

fn rfc3339(time: i64) -> String {
    DateTime::from_timestamp(time, 0).expect("a time").to_rfc3339()
}

const REFUSED: &[u8] = b"ssh: connect to host h port 22: Connection refused\r";

const JOBS: [&[u8]; 12] = [
    b"h /x",
    b"h /x.sh a,b,[c]",
    b"h  two  blanks ",
    b"h1 /x",
    "h 日本 é".as_bytes(),
    b"h \x93\xfa\xff",
    b"h END,0,x",
    b"h START,-,x",
    b"h -,-,command,h",
    b"h [2026-03-02 10:00:00][4194305] START,-,h /x",
    b"h \\n\\x1b[31m",
    b"h2 /x/y/z --option=value",
];

/// A line of output that looks like no record.
fn plain(random: &mut Rng) -> Vec<u8> {
    match random.u32(..12) {
        0 => Vec::new(),
        1 => b"  \t \r".to_vec(),
        2 => "日本語 αβγ".into(),
        3 => {
            let bytes = (0..random.usize(..200)).map(|_| random.u8(..));
            bytes.filter(|byte| *byte != b'\n').collect()
        }
        4 => b"[2026-03-02 10:00:00][4194305] END,0,h /x".to_vec(),
        5 => b"END,".to_vec(),
        6 => b"START,0,h /x".to_vec(),
        7 => b"retry,1/3".to_vec(),
        8 if random.u32(..20) == 0 => vec![b'x'; random.usize(1000..1_048_500)],
        9 => vec![b'x'; random.usize(1000..1050)],
        _ => format!("line {}", random.u32(..)).into_bytes(),
    }
}

/// Output of a run of `job`, some of which looks like records.
fn output(random: &mut Rng, job: &[u8]) -> Chunk {
    let marked = |text: &[u8]| (text.to_vec(), Role::Marked);
    match random.u32(..16) {
        0 => vec![marked(b"START,-,x y"), marked(b"command,ssh root@x y")],
        1 => vec![marked(&[b"START,-,", job].concat())],
        2 => vec![marked(b"END,0,x y")],
        3 => vec![marked(&[b"END,7,", job].concat())],
        4 => vec![marked(&[b"command,ssh -i k root@", job].concat())],
        5 => vec![marked(b"remoteexe: the next line is output"); random.usize(1..3)],
        6 => vec![marked(b"retry,1/9,255,wait 1.000 s"), marked(b"wait,3 s")],
        7 => vec![marked(b"remoteexe: ssh was killed: not connected after 20.000 s")],
        8 => vec![(b"error: x".to_vec(), Role::Refusal), (b"usage: y".to_vec(), Role::Output)],
        _ => vec![(plain(random), Role::Output)],
    }
}

/// Records that a job has printed in a log without marks.
fn unmarked(random: &mut Rng) -> Chunk {
    let end = (b"END,0,x y".to_vec(), Role::End(0));
    if random.bool() {
        return vec![end];
    }
    let mut lines = vec![
        (b"START,-,x y".to_vec(), Role::Start),
        (b"command,ssh root@x y".to_vec(), Role::Command),
        (plain(random), Role::Output),
    ];
    if random.bool() {
        lines.push(end);
    }
    lines
}

/// The records of a run of `job`.
fn run(random: &mut Rng, job: &[u8], has_marks: bool) -> VecDeque<Chunk> {
    let start = ([b"START,-,", job].concat(), Role::Start);
    let end = |code: u8| ([format!("END,{code},").as_bytes(), job].concat(), Role::End(code));
    let command = ([b"command,ssh -i k root@", job].concat(), Role::Command);
    if random.u32(..12) == 0 {
        let words: [&[u8]; 2] = [b"error: x", b"usage: remoteexe target script [parameters]"];
        let words = &words[random.usize(..2)..];
        let words = words.iter().map(|line| vec![(line.to_vec(), Role::Refusal)]);
        let chunks = [vec![start]].into_iter().chain(words);
        return chunks.chain([vec![end(10)]]).collect();
    }
    let is_lost = random.u32(..8) == 0;
    let mut chunks = VecDeque::from([vec![start], vec![command.clone()]]);
    for retry in 1..=random.u32(..24).saturating_sub(20) {
        chunks.push_back(vec![(REFUSED.to_vec(), Role::Output)]);
        let text = format!("retry,{retry}/8,255,wait 0.412 s");
        chunks.push_back(vec![(text.into_bytes(), Role::Retry)]);
        chunks.push_back(vec![command.clone()]);
    }
    let mut rest: Vec<Chunk> = (0..random.usize(..12)).map(|_| output(random, job)).collect();
    if is_lost {
        chunks.extend(rest);
        chunks.truncate(random.usize(1..=chunks.len()));
        return chunks;
    }
    if !has_marks && random.u32(..6) == 0 {
        rest.push(unmarked(random));
    }
    let code = *random.choice(&[0, 0, 0, 1, 10, 126, 143, 255, 255]).expect("a status");
    if code == 255 && random.bool() {
        rest.push(vec![(REFUSED.to_vec(), Role::Output)]);
    }
    rest.push(vec![end(code)]);
    if random.u32(..4) == 0 {
        // As the bash original: all at once, and a blank record where there was no output.
        if rest.len() == 1 {
            rest.insert(0, vec![(Vec::new(), Role::Output)]);
        }
        rest = vec![rest.concat()];
    }
    chunks.extend(rest);
    chunks
}

/// One process id, and the records that its run has still to write.
#[derive(Default)]
struct Slot {
    pid: u32,
    run: Option<usize>,
    chunks: VecDeque<Chunk>,
    /// The day of the run's file, and whether it is the user's by now.
    file: (i64, bool),
    last: i64,
}

/// A log and the known facts about it.
#[derive(Default)]
struct Model {
    runs: Vec<Known>,
    /// Its lines, with the day of the file that they are in and whether it is the user's.
    lines: Vec<((i64, bool), Vec<u8>)>,
    /// The runs that have ended, the first first.
    ends: Vec<usize>,
    unrecognized: u64,
    unmatched: u64,
    has_clock_steps: bool,
    is_in_several_files: bool,
    /// Jobs print no record without a mark.
    has_marks: bool,
    /// The run of each process id whose END has not come.
    open: HashMap<u32, Vec<usize>>,
    /// The process id that started each job last.
    started_by: HashMap<Vec<u8>, u32>,
}

impl Model {
    fn new(random: &mut Rng) -> Self {
        let is_in_several_files = random.u32(..3) == 0;
        let mut model = Self {
            has_clock_steps: !is_in_several_files && random.u32(..3) == 0,
            is_in_several_files,
            has_marks: random.u32(..4) > 0,
            ..Self::default()
        };
        let mut now = BEGIN;
        for _ in 0..random.usize(..3) {
            model.unmatched += 1;
            model.write((day(now), false), now, 4_000_000, b"END,0,h /x");
        }
        // In containers that share a log directory, several processes have one id.
        let is_shared = !is_in_several_files && random.u32(..3) == 0;
        let mut slots: Vec<Slot> = (FIRST_PID..)
            .take(random.usize(1..8))
            .map(|pid| Slot { pid: if is_shared { FIRST_PID + pid % 2 } else { pid }, ..Slot::default() })
            .collect();
        let runs = random.usize(1..40);
        // The record after START follows at once: few records of other runs come between.
        let mut just_started = None;
        loop {
            let index = match just_started {
                Some((index, between)) if between == 0 || random.bool() => {
                    just_started = None;
                    index
                }
                Some((index, between)) => {
                    just_started = Some((index, between - 1));
                    random.usize(..slots.len())
                }
                None => {
                    now += model.pause(random);
                    random.usize(..slots.len())
                }
            };
            let is_done = |slot: &Slot| slot.chunks.is_empty();
            if !is_done(&slots[index]) {
                model.go_on(random, &mut slots[index], now);
            } else if model.runs.len() < runs {
                now = model.start(random, &mut slots, index, now);
                just_started = just_started.or(Some((index, 2)));
            } else if slots.iter().all(is_done) {
                return model;
            }
        }
    }

    /// How long it is to the next record.
    fn pause(&self, random: &mut Rng) -> i64 {
        match random.u32(..40) {
            0 if self.has_clock_steps => random.i64(-8000..8000),
            0..3 => random.i64(0..5000),
            3..15 => random.i64(0..5),
            _ => 0,
        }
    }

    /// Starts a run of a process; gives the time, which may be later.
    fn start(&mut self, random: &mut Rng, slots: &mut [Slot], index: usize, mut now: i64) -> i64 {
        let job = *random.choice(&JOBS).expect("a job");
        let file = (day(now), self.is_in_several_files && random.u32(..6) == 0);
        // No file shows the order within a second.
        if slots[index].run.is_some() && (0..2).contains(&(now - slots[index].last)) {
            now += 1;
            return now;
        }
        let slot = &mut slots[index];
        slot.chunks = run(random, job, self.has_marks);
        slot.run = Some(self.runs.len());
        slot.file = file;
        self.go_on(random, slot, now);
        now
    }

    /// Adds the run that a START begins.
    fn begin(&mut self, pid: u32, job: &[u8], now: i64) {
        let previous = self.started_by.insert(job.to_vec(), pid);
        for other in previous.into_iter().chain([pid]) {
            for &run in self.open.get(&other).into_iter().flatten() {
                // A run that waits before its next attempt does nothing.
                let goes_on = other == pid || self.runs[run].next.is_none();
                self.runs[run].is_overlapped |= goes_on && self.runs[run].job == job;
            }
        }
        self.open.entry(pid).or_default().push(self.runs.len());
        self.runs.push(Known { pid, job: job.to_vec(), start: now, last: now, ..Known::default() });
    }

    /// Gives a record that a process has written to the run that it belongs to.
    fn take(&mut self, pid: u32, text: &[u8], role: Role, now: i64, line: &[u8]) {
        if role == Role::Start {
            self.begin(pid, operands(text), now);
        }
        let Some(open) = self.open.get_mut(&pid).filter(|open| !open.is_empty()) else {
            self.unmatched += 1;
            return;
        };
        let last = open[open.len() - 1];
        let runs = &mut self.runs;
        let fitting = open.iter().copied().filter(|&run| runs[run].fits(text, role));
        let fitting: Vec<usize> = match role {
            Role::Start => vec![last],
            _ => fitting.collect(),
        };
        let (run, role) = match fitting.as_slice() {
            [] => (last, Role::Output),
            [.., latest] => (*latest, role),
        };
        let doubtful = if fitting.is_empty() { &*open } else { &fitting };
        if fitting.len() != 1 {
            for &run in doubtful {
                runs[run].is_ambiguous = true;
            }
        }
        runs[run].records.extend_from_slice(line);
        runs[run].take(text, role, now);
        if matches!(role, Role::End(_)) {
            open.retain(|&other| other != run);
            self.ends.push(run);
        }
    }

    /// Writes the next records of a run.
    fn go_on(&mut self, random: &mut Rng, slot: &mut Slot, now: i64) {
        // The daily file may be taken away at any time.
        slot.file.1 |= self.is_in_several_files && random.u32(..60) == 0;
        slot.last = now;
        for (text, role) in slot.chunks.pop_front().expect("a chunk") {
            if random.u32(..30) == 0 {
                self.write_unrecognized(random, slot.file);
            }
            if role == Role::Marked {
                self.write(slot.file, now, slot.pid, b"remoteexe: the next line is output");
            }
            let line = self.write(slot.file, now, slot.pid, &text);
            self.take(slot.pid, &text, role, now, &line);
        }
    }

    fn write(&mut self, file: (i64, bool), now: i64, pid: u32, text: &[u8]) -> Vec<u8> {
        let time = DateTime::from_timestamp(now, 0).expect("a time");
        let prefix = format!("[{}][{pid}] ", time.format("%Y-%m-%d %H:%M:%S"));
        let line = [prefix.as_bytes(), text, b"\n"].concat();
        self.lines.push((file, line.clone()));
        line
    }

    fn write_unrecognized(&mut self, random: &mut Rng, file: (i64, bool)) {
        let lines: [&[u8]; 7] = [
            b"",
            b"torn",
            b"[2026-03-02 10:00:00][41943",
            b"[2026-03-02 10:00:00][4194305]",
            b"[2026-03-02 10:00:60][4194305] END,0,h /x",
            b"\x00\x01\xff[2026-03-02 10:00:00][4194305] END,0,h /x",
            b" [2026-03-02 10:00:00][4194305] END,0,h /x",
        ];
        let line = random.choice(lines).expect("a line");
        // Two processes that mend a torn line at once leave an empty one.
        self.unrecognized += u64::from(!line.is_empty());
        self.lines.push((file, [line, b"\n"].concat()));
    }

    /// The expected documents of `--json`, in the order of the ENDs, with the runs without END last.
    fn documents(&self) -> Vec<Value> {
        let mut lost: Vec<&Known> = self.runs.iter().filter(|run| run.code.is_none()).collect();
        // The sort is stable: runs of one process id stay in the order of their STARTs.
        lost.sort_by_key(|run| (run.start, run.pid));
        let ended = self.ends.iter().map(|&run| &self.runs[run]);
        ended.chain(lost).map(Known::document).collect()
    }

    /// The first lines that the view must have.
    fn header(&self) -> String {
        let count = |has: &dyn Fn(&Known) -> bool| self.runs.iter().filter(|run| has(run)).count();
        let show = |time: Option<i64>| {
            let time = DateTime::from_timestamp(time.expect("a run"), 0).expect("a time");
            time.format("%Y-%m-%d %H:%M:%S").to_string()
        };
        format!(
            "{} to {}   {}\n\
             runs {}   ok {}   failed {}   lost {}   running 0\n\
             connection failures {}   usage errors {}   retried {}   overlaps ",
            show(self.runs.iter().map(|run| run.start).min()),
            show(self.runs.iter().map(|run| run.last).max()),
            self.size(),
            self.runs.len(),
            count(&|run| run.code == Some(0)),
            count(&|run| run.code.is_some_and(|code| code != 0)),
            count(&|run| run.code.is_none()),
            count(&Known::is_connection_failure),
            count(&Known::is_usage_error),
            count(&|run| run.retries > 0),
        )
    }

    /// The number of jobs, and of the hosts on which ssh was to run something.
    fn size(&self) -> String {
        let jobs: BTreeSet<&[u8]> = self.runs.iter().map(|run| &*run.job).collect();
        let with_command = self.runs.iter().filter(|run| run.has_command());
        let host = |run: &Known| run.job.split(|&byte| byte == b' ').next().map(<[u8]>::to_vec);
        let hosts: BTreeSet<_> = with_command.map(host).collect();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let (jobs, hosts) = (jobs.len(), hosts.len());
        format!("{jobs} job{}, {hosts} host{}", plural(jobs), plural(hosts))
    }

    fn overlaps(&self) -> usize {
        self.runs.iter().filter(|run| run.overlaps()).count()
    }

    /// The files of the log with their names in the log directory.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        if !self.is_in_several_files {
            let lines: Vec<&[u8]> = self.lines.iter().map(|(_, line)| line.as_slice()).collect();
            return vec![("20260302_remoteexe.log".to_owned(), lines.concat())];
        }
        let uid = rustix::process::geteuid().as_raw();
        let mut files: BTreeMap<(i64, bool), Vec<u8>> = BTreeMap::new();
        for (file, line) in &self.lines {
            files.entry(*file).or_default().extend_from_slice(line);
        }
        let name = |(day, is_user_s): (i64, bool)| {
            let date = DateTime::from_timestamp(day * 86_400, 0).expect("a day");
            let user = if is_user_s { format!(".{uid}") } else { String::new() };
            format!("{}_remoteexe{user}.log", date.format("%Y%m%d"))
        };
        files.into_iter().map(|(file, log)| (name(file), log)).collect()
    }
}

fn day(time: i64) -> i64 {
    time.div_euclid(86_400)
}

/// The documents of `--json`, with only the fields that the model knows.
fn documents(output: &Output, like: &[Value]) -> Vec<Value> {
    let printed = printed(output);
    let known = like.first().and_then(Value::as_object).expect("a run");
    let document = |line: &str| {
        let mut document: Value = serde_json::from_str(line).expect("JSON");
        let fields = document.as_object_mut().expect("an object");
        fields.retain(|name, _| known.contains_key(name));
        // Of a lost run nobody knows how long it was going on.
        if fields["status"] == "lost" {
            fields["overlapped"] = json!(false);
        }
        document
    };
    // What is good and not as usual is no run.
    let runs = printed.lines().filter(|line| !line.contains(r#""status":"watch""#));
    runs.map(document).collect()
}

/// Checks the runs in the output of `--json`, and the exit status.
fn compare(model: &Model, output: &Output, what: &str, seed: u64) {
    let mut expected = model.documents();
    let mut found = documents(output, &expected);
    if model.is_in_several_files {
        // No file tells the order within a second.
        for runs in [&mut found, &mut expected] {
            for run in runs.iter_mut() {
                run["overlapped"] = json!(null);
            }
            runs.sort_by_key(Value::to_string);
        }
    }
    assert_eq!(found.len(), expected.len(), "runs {what}; SEED={seed}");
    for (found, expected) in found.into_iter().zip(expected) {
        assert_eq!(found, expected, "{what}; SEED={seed}");
    }
    let is_good = |run: &Known| run.code == Some(0) && !run.is_ambiguous;
    let has_failures = !model.runs.iter().all(is_good);
    assert_eq!(code(output), i32::from(has_failures), "{what}; SEED={seed}");
}

/// `--report ARGS` of the log directory, over all time.
fn report(scene: &Scene, args: &[&str]) -> Output {
    reporter(scene).args(["--since", "2026-01-01"]).args(args).output().unwrap()
}

/// Makes a log at random, and checks the runs that `--json` finds in it.
fn check_runs(random: &mut Rng, seed: u64) -> (Model, Scene) {
    let model = Model::new(random);
    let scene = Scene::new();
    for (name, log) in &model.files() {
        fs::write(scene.path("log").join(name), log).unwrap();
    }
    compare(&model, &report(&scene, &["--json"]), "in the log directory", seed);
    (model, scene)
}

fn check(seed: u64) {
    let random = &mut Rng::with_seed(seed);
    let (model, scene) = check_runs(random, seed);
    let files = model.files();
    let compare = |output: &Output, what: &str| compare(&model, output, what, seed);
    check_view(&model, &printed(&report(&scene, &[])), seed);

    let run = &model.runs[random.usize(..model.runs.len())];
    let is_same = |other: &&Known| (other.pid, other.start) == (run.pid, run.start);
    if model.runs.iter().filter(is_same).count() == 1 {
        let start = rfc3339(run.start);
        let name = format!("{}@{} {}", run.pid, &start[..10], &start[11..19]);
        let output = report(&scene, &["--run", &name]);
        assert_eq!(stderr(&output), "", "SEED={seed}");
        println!("--run; SEED={seed}");
        // Before the records of a bad run stands why it was bad.
        let head = output.stdout.windows(2).position(|pair| pair == b"\n\n");
        let head = head.filter(|_| !output.stdout.starts_with(b"["));
        assert_bytes(&output.stdout[head.map_or(0, |head| head + 2)..], &run.records);
        let output = report(&scene, &["--json", "--run", &name]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let lines = document["output"].as_array().map(Vec::len);
        assert_eq!(lines, usize::try_from(run.lines).ok(), "SEED={seed}");
    }

    let [(_, log)] = files.as_slice() else { return };
    let mut command = reporter(&scene);
    command.arg("--json");
    match random.u32(..3) {
        0 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(log).unwrap();
            fs::write(scene.path("a"), encoder.finish().unwrap()).unwrap();
            compare(&command.arg(scene.path("a")).output().unwrap(), "compressed");
        }
        1 => {
            fs::write(scene.path("a"), log).unwrap();
            command.stdin(File::open(scene.path("a")).unwrap());
            compare(&command.arg("-").output().unwrap(), "on standard input");
        }
        // Files are merged by time: one whose clock was set back cannot be put together again.
        _ if !model.has_clock_steps => {
            let mut cut = random.usize(..=model.lines.len());
            // A mark is written with its line.
            while cut > 0 && model.lines[cut - 1].1.ends_with(MARK.as_bytes()) {
                cut -= 1;
            }
            let first: usize = model.lines[..cut].iter().map(|(_, line)| line.len()).sum();
            fs::write(scene.path("a"), &log[..first]).unwrap();
            fs::write(scene.path("b"), &log[first..]).unwrap();
            command.args([scene.path("a"), scene.path("b")]);
            compare(&command.output().unwrap(), "in two files");
        }
        _ => {}
    }
}

fn check_view(model: &Model, view: &str, seed: u64) {
    let header = model.header();
    // The period that is asked for ends now, if the logs are in a directory.
    let (title, of_model) = (view.lines().next(), header.lines().next());
    let is_asked = title.is_some_and(|title| title.contains(" (now) "));
    let title = title.filter(|_| is_asked).or(of_model).unwrap_or_default();
    let header = header.replacen(of_model.unwrap_or_default(), title, 1);
    let rest = view.strip_prefix(&header).unwrap_or_else(|| {
        let found: Vec<&str> = view.lines().take(3).collect();
        panic!("{}\nand not\n{header}SEED={seed}", found.join("\n"))
    });
    let (overlaps, rest) = rest.split_once('\n').expect("a line");
    if !model.is_in_several_files {
        assert_eq!(overlaps, model.overlaps().to_string(), "SEED={seed}");
    }
    let ambiguous = model.runs.iter().filter(|run| run.is_ambiguous).count();
    let counts = format!(
        "unrecognized lines {}   records without START {}   ambiguous runs {ambiguous}\n",
        model.unrecognized, model.unmatched
    );
    if model.unrecognized + model.unmatched + ambiguous as u64 > 0 {
        assert!(rest.starts_with(&counts), "{counts}\n{rest}\nSEED={seed}");
    }
    let is_certain = rest.contains("nothing is wrong") || !rest.contains("not certain: ");
    assert!(ambiguous == 0 || !is_certain, "{rest}\nSEED={seed}");
    // Other characters may take no column, or two.
    let is_narrow = |line: &str| line.len() <= 80 || !line.is_ascii();
    assert!(view.lines().all(is_narrow), "{view}\nSEED={seed}");
}

#[test]
#[ignore = "takes half an hour: cargo test -- --ignored report_random"]
fn the_runs_of_a_hundred_thousand_logs_are_those_that_wrote_them() {
    with_seeds(100_000, |seed| drop(check_runs(&mut Rng::with_seed(seed), seed)));
}

#[test]
fn every_count_and_every_duration_is_that_of_the_runs_that_wrote_the_log() {
    with_seeds(LOGS, check);
}
