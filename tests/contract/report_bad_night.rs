//! `--report`: the first screen of a bad night says what is wrong and why, and hides nothing that matters.
//!
//! The nights are made up: `nights/*.txt` have their crontabs, what happened, and what an operator has to know.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

use crate::support::{FAKETIME, REMOTEEXE, Running, Scene, set_modified, stderr};

const FIRST: &str = include_str!("nights/first.txt");
const SECOND: &str = include_str!("nights/second.txt");
const THIRD: &str = include_str!("nights/third.txt");
const FOURTH: &str = include_str!("nights/fourth.txt");

/// How many lines an operator looks at first.
const SCREEN: usize = 50;

/// A crontab line of one host.
struct Line {
    /// Not in the crontab, or as a comment.
    mark: Option<char>,
    when: &'static str,
    seconds: i64,
    host: String,
    script: &'static str,
    /// So that jobs of many hosts do not start together.
    offset: i64,
}

/// What happened to some jobs for a while.
struct Event {
    from: NaiveDateTime,
    until: NaiveDateTime,
    hosts: Vec<String>,
    script: &'static str,
    status: &'static str,
    seconds: i64,
    output: &'static str,
}

struct Night {
    /// The day of November with which the logs begin.
    first: u32,
    lines: Vec<Line>,
    events: Vec<Event>,
    /// The words of an incident's rows, and those of its reason.
    known: Vec<(&'static str, &'static str)>,
    /// The same of what was over before the night.
    over: Vec<(&'static str, &'static str)>,
}

fn part(night: &'static str, name: &str) -> impl Iterator<Item = &'static str> {
    let lines = night.lines().filter(|line| !line.starts_with('#'));
    let mut lines = lines.skip_while(move |line| *line != name).skip(1).collect::<Vec<_>>();
    let end = lines.iter().position(|line| !line.contains(' ')).unwrap_or(lines.len());
    lines.truncate(end);
    lines.into_iter()
}

/// The first words of a line, and the rest.
fn words<const N: usize>(line: &'static str) -> ([&'static str; N], &'static str) {
    let mut rest = line;
    let first = [(); N].map(|()| {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = after.trim_start();
        word
    });
    (first, rest)
}

/// `web01..20,db01` in full.
fn hosts(text: &str) -> Vec<String> {
    let hosts = text.split(',').flat_map(|part| match part.split_once("..") {
        None => vec![part.to_owned()],
        Some((first, last)) => {
            let (name, from) = first.split_at(first.len() - 2);
            let (from, last): (u32, u32) = (from.parse().unwrap(), last.parse().unwrap());
            (from..=last).map(|number| format!("{name}{number:02}")).collect()
        }
    });
    hosts.collect()
}

/// `24.01:10`, of November 2037.
fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(&format!("2037-11-{text}:00"), "%Y-%m-%d.%H:%M:%S").unwrap()
}

impl Night {
    fn of(night: &'static str, first: u32) -> Self {
        let lines = part(night, "lines").flat_map(|line| {
            let ([when, seconds, of], script) = words::<3>(line);
            let mark = when.chars().next().filter(|first| "#!".contains(*first));
            let when = when.trim_start_matches(['#', '!']);
            let seconds = seconds.parse().unwrap();
            (0..).zip(hosts(of)).map(move |(offset, host)| Line { mark, when, seconds, host, script, offset })
        });
        let events = part(night, "happened").map(|line| {
            let ([from, until, of, script, status, seconds], output) = words::<6>(line);
            let until = if until == "-" { NaiveDateTime::MAX } else { time(until) };
            let (from, hosts, seconds) = (time(from), hosts(of), seconds.parse().unwrap());
            Event { from, until, hosts, script, status, seconds, output }
        });
        let known = |name| part(night, name).map(|line| line.split_once(" = ").unwrap()).collect();
        let (lines, events) = (lines.collect(), events.collect());
        Self { first, lines, events, known: known("known"), over: known("over") }
    }

    /// The crontab and the logs. The run that hangs is of the process `hung`.
    fn write(&self, scene: &Scene, hung: u32) {
        let bin = Path::new(REMOTEEXE).parent().unwrap().display();
        let log = scene.path("log").display().to_string();
        let mut crontab = format!("PATH={bin}:/usr/bin:/bin\nREMOTEEXE_LOG_DIR={log}\n");
        let mut records: Vec<(NaiveDateTime, NaiveDate, String)> = Vec::new();
        let mut pid = 4_100_000;
        for line in &self.lines {
            let mark = line.mark.filter(|mark| *mark == '#').map(String::from).unwrap_or_default();
            let (fields, host, script) = (line.fields(), &line.host, line.script);
            if line.mark != Some('!') {
                let _ = writeln!(crontab, "{mark}{fields} root remoteexe {host} {script}");
            }
            for (number, slot) in line.slots(self.first).enumerate() {
                pid += 1;
                self.run(&mut records, line, slot, number, if self.hangs(line, slot) { hung } else { pid });
            }
        }
        records.sort_by_key(|(time, ..)| *time);
        fs::write(scene.path("crontab"), crontab).unwrap();
        set_modified(&scene.path("crontab"), time("01.00:00").and_utc());
        for day in self.first..=24 {
            let of_day = records.iter().filter(|(_, it, _)| it.day() == day);
            let text: String = of_day.map(|(.., text)| &**text).collect();
            let path = scene.path(format!("log/203711{day}_remoteexe.log"));
            fs::write(&path, text).unwrap();
            let written = if day == 24 { "24.06:59" } else { &*format!("{day}.23:59") };
            set_modified(&path, time(written).and_utc());
        }
    }

    fn event(&self, line: &Line, slot: NaiveDateTime) -> Option<&Event> {
        self.events.iter().find(|event| {
            let is_script = event.script == "*" || line.script.contains(event.script);
            let is_host = event.hosts[0] == "*" || event.hosts.contains(&line.host);
            let is_before = slot < event.from || slot == event.from && event.status == "crash";
            is_script && is_host && !is_before && slot < event.until
        })
    }

    fn hangs(&self, line: &Line, slot: NaiveDateTime) -> bool {
        self.event(line, slot).is_some_and(|event| event.status == "hung")
    }

    fn run(
        &self,
        records: &mut Vec<(NaiveDateTime, NaiveDate, String)>,
        line: &Line,
        slot: NaiveDateTime,
        number: usize,
        pid: u32,
    ) {
        let event = self.event(line, slot);
        let (status, mut seconds, output) =
            event.map_or(("0", line.seconds, "done"), |it| (it.status, it.seconds, it.output));
        let status = match status {
            "none" | "crash" => return,
            "flap" if number % 2 == 1 => "0",
            "flap" => "1",
            other => other,
        };
        // No two jobs take equally long.
        seconds += if status == "0" { (line.offset + i64::from(slot.minute())) % 3 } else { 0 };
        let start = slot + TimeDelta::seconds(1 + line.offset % 3);
        let end = start + TimeDelta::seconds(seconds);
        if end > time("24.06:59") && !["-", "hung"].contains(&status) {
            return;
        }
        let crashes = self.events.iter().filter(|event| event.status == "crash");
        let mut crashes = crashes.map(|event| event.from + TimeDelta::seconds(event.seconds));
        let status = if crashes.any(|at| start < at && at <= end) { "-" } else { status };
        let job = format!("{} {}", line.host, line.script);
        let mut record = |time: NaiveDateTime, text: String| {
            records.push((time, start.date(), format!("[{time}][{pid}] {text}\n")));
        };
        record(start, format!("START,-,{job}"));
        if !output.contains("usage: ") {
            record(start, format!("command,ssh -i /etc/remoteexe/key root@{job}"));
        }
        if ["-", "hung"].contains(&status) {
            return;
        }
        for line in output.replace("HOST", &line.host).replace("\\t", "\t").split("\\n") {
            if !line.is_empty() {
                record(end, line.to_owned());
            }
        }
        record(end, format!("END,{status},{job}"));
    }

    /// Writes the crontab and the logs, and starts the run that hangs.
    fn begin(&self) -> Begun {
        let scene = Scene::new();
        let mut job = scene.remoteexe_with_ssh("exec sleep 1000");
        job.env("REMOTEEXE_LOG_DIR", scene.path(""));
        let hung = self.lines.iter().find(|line| {
            let mut slots = line.slots(self.first);
            slots.any(|slot| self.hangs(line, slot))
        });
        let hung = hung.expect("a line whose run hangs");
        let hung = Running::spawn(job.arg(&hung.host).args(hung.script.split(' ')));
        self.write(&scene, hung.id());
        Begun { scene, _hung: hung }
    }
}

/// The night, as the scheduler has it at 07:00.
pub struct Begun {
    scene: Scene,
    _hung: Running,
}

impl Begun {
    pub fn of_first_night() -> Self {
        Night::of(FIRST, 23).begin()
    }

    /// `--report` with `args`, on a screen of so many columns.
    pub fn report(&self, columns: u32, args: &[&str]) -> String {
        let mut command = Command::new(REMOTEEXE);
        self.scene.equip(&mut command);
        command
            .args(["--report", "--log-dir"])
            .arg(self.scene.path("log"))
            .arg("--crontab")
            .arg(self.scene.path("crontab"))
            .args(args)
            .env("TZ", "UTC")
            .env("COLUMNS", columns.to_string())
            .env("LD_PRELOAD", FAKETIME)
            .env("FAKETIME_FMT", "%s")
            .env("FAKETIME", format!("@{}", time("24.07:00").and_utc().timestamp()));
        let output = command.output().unwrap();
        assert_eq!(stderr(&output), "");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// How many of the `known` incidents are in the first `lines` lines of the screen, and with the right reason. None may
/// stand there twice.
fn told(known: &[(&str, &str)], screen: &str, lines: usize) -> (usize, usize) {
    let rows = rows(screen, lines);
    let mut told = (0, 0);
    for (subject, reason) in known {
        let has = |row: &&String| subject.split('|').all(|word| row.contains(word));
        let of_it: Vec<&String> = rows.iter().filter(has).collect();
        let is_right = of_it.iter().any(|row| reason.split('|').any(|word| row.contains(word)));
        assert!(of_it.len() < 2, "twice: {of_it:#?}");
        told.0 += of_it.len();
        told.1 += usize::from(is_right);
        if !is_right {
            let what = if of_it.is_empty() { "untold" } else { "no reason" };
            println!("{what}: {subject} = {reason}");
        }
    }
    told
}

/// The rows of incidents in the first lines of a screen, each as one line.
fn rows(screen: &str, lines: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let incidents = screen.split("\n\nRunning ").next().unwrap();
    for line in incidents.lines().take(lines) {
        let is_first = line.starts_with(|first: char| first.is_ascii_uppercase());
        if is_first || rows.is_empty() {
            rows.push(String::new());
        }
        let row = rows.last_mut().unwrap();
        *row += &line.split_whitespace().collect::<Vec<_>>().join(" ");
        row.push(' ');
    }
    rows
}

impl Line {
    /// The five fields.
    fn fields(&self) -> String {
        let (minute, hour) = (self.offset % 60, self.when.rsplit('.').next().unwrap());
        let clock = |text: &str| {
            let (hour, minute) = text.trim_start_matches("tue").split_once(':').unwrap();
            format!("{} {}", minute.parse::<u32>().unwrap(), hour.parse::<u32>().unwrap())
        };
        let when = self.when;
        if when == "hourly" {
            format!("{minute} * * * *")
        } else if let Some(step) = when.strip_prefix("*/") {
            let step: i64 = step.parse().unwrap();
            format!("{}-59/{step} * * * *", self.offset % step)
        } else if when.starts_with("tue") {
            format!("{} * * 2", clock(when))
        } else if let Some((day, _)) = when.split_once('.') {
            format!("{} {day} * *", clock(hour))
        } else {
            format!("{} * * *", clock(when))
        }
    }

    /// Its slots until 07:00.
    fn slots(&self, first: u32) -> impl Iterator<Item = NaiveDateTime> {
        let (begin, end) = (time(&format!("{first}.00:00")), time("24.07:00"));
        let minutes = (0..).map(move |minute| begin + TimeDelta::minutes(minute));
        let fields = self.fields();
        minutes.take_while(move |minute| *minute < end).filter(move |at| {
            let now = [at.minute(), at.hour(), at.day(), at.month(), at.weekday().num_days_from_sunday()];
            fields.split(' ').zip(now).all(|(field, now)| match field.split_once("-59/") {
                Some((from, step)) => now % step.parse::<u32>().unwrap() == from.parse::<u32>().unwrap(),
                None => field == "*" || field.parse() == Ok(now),
            })
        })
    }
}

/// At least so many are in the first lines of a screen of so many columns, and so many with the right reason.
fn assert_told(night: &Night, begun: &Begun, columns: u32, least: (usize, usize)) {
    let screen = begun.report(columns, &[]);
    let told_first = told(&night.known, &screen, SCREEN);
    println!("{columns} columns: {told_first:?} of {} in {SCREEN} lines\n{screen}", night.known.len());
    assert!(told_first.0 >= least.0 && told_first.1 >= least.1, "at least {least:?}");
    // Below them stands the rest.
    let all = told(&night.known, &screen, usize::MAX);
    assert_eq!(all, (night.known.len(), night.known.len()), "{screen}");
}

#[test]
fn the_first_screen_of_a_bad_night_says_what_is_wrong_and_why() {
    // The last is one of many tools. In 120 columns and in 80.
    for (night, first, least) in
        [(FIRST, 23, [(24, 24), (15, 15)]), (SECOND, 23, [(20, 20), (15, 15)]), (FOURTH, 21, [(25, 25), (17, 16)])]
    {
        let night = Night::of(night, first);
        let begun = night.begin();
        assert_told(&night, &begun, 120, least[0]);
        assert_told(&night, &begun, 80, least[1]);
    }
}

#[test]
fn the_report_of_three_days_tells_what_was_wrong_in_each_and_nothing_twice() {
    let night = Night::of(THIRD, 22);
    let begun = night.begin();
    assert_told(&night, &begun, 120, (24, 24));
    let screen = begun.report(120, &["--all", "--since", "2037-11-22"]);
    let known = [&*night.known, &night.over].concat();
    assert_eq!(told(&known, &screen, usize::MAX), (known.len(), known.len()), "{screen}");
}
