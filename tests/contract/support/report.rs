//! `remoteexe --report` of a log, for the tests that are no cases.

use std::fs::{self};
use std::process::{Command, Output};

use serde_json::Value;

use super::process::{code, stderr};
use super::scene::{REMOTEEXE, Scene};

/// A log of the bash original: the output is logged at the end, a run without output has a blank record,
/// and many runs have one process id. At the end two runs overlap, and one has no END.
pub const LOG: &str = "\
[2026-03-02 13:21:01][913] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 13:21:01][913] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 13:21:58][913] \n\
[2026-03-02 13:21:58][913] END,0,web01 /opt/jobs/rotate.sh
[2026-03-02 15:09:02][913] START,-,db01 /opt/jobs/dump.sh daily
[2026-03-02 15:09:02][913] command,ssh -i /etc/key root@db01 /opt/jobs/dump.sh daily
[2026-03-02 15:09:05][913] Warning: Permanently added 'db01,192.0.2.7' (RSA) to the list of known hosts.
[2026-03-02 15:09:05][913] dump(daily)
[2026-03-02 15:09:05][913] END,0,db01 /opt/jobs/dump.sh daily
[2026-03-02 18:05:46][913] START,-,db01
[2026-03-02 18:05:46][913] usage: remoteexe target script [parameters]
[2026-03-02 18:05:46][913] e.g.) remoteexe host_sum_batch01 /path/to/starting_sh/sum.sh
[2026-03-02 18:05:46][913] e.g.) remoteexe host_user_batch02 \"/path/to/starting_sh/user_log.sh action\"
[2026-03-02 18:05:46][913] END,10,db01
[2026-03-02 20:53:01][913] START,-,db01 /opt/jobs/dump.sh daily
[2026-03-02 20:53:01][913] command,ssh -i /etc/key root@db01 /opt/jobs/dump.sh daily
[2026-03-02 20:53:02][913] ssh_exchange_identification: Connection closed by remote host
[2026-03-02 20:53:02][913] END,255,db01 /opt/jobs/dump.sh daily
[2026-03-02 21:00:00][914] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:00][914] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:01][915] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:01][915] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:03][915] one
[2026-03-02 21:00:03][915] two
[2026-03-02 21:00:03][915] three
[2026-03-02 21:00:03][915] four
[2026-03-02 21:00:04][914] END,0,web01 /opt/jobs/rotate.sh
[2026-03-02 21:00:05][915] END,3,web01 /opt/jobs/rotate.sh
[2026-03-02 21:01:00][4194305] START,-,web01 /opt/jobs/rotate.sh
[2026-03-02 21:01:00][4194305] command,ssh -i /etc/key root@web01 /opt/jobs/rotate.sh
";

/// remoteexe with `--report`, in UTC and without a terminal. It is ended after a minute of the processor's time, which
/// does not pass faster on a busy machine.
pub fn reporter(scene: &Scene) -> Command {
    let mut command = Command::new("/usr/bin/prlimit");
    scene.equip(&mut command);
    command.env("TZ", "UTC");
    command.args(["--cpu=60", REMOTEEXE, "--report"]);
    command
}

/// `remoteexe --report ARGS` of this log.
pub fn report(log: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    // The report says what it has read.
    command.args(args).arg("a.log").current_dir(scene.path(""));
    command.output().unwrap()
}

/// The standard output of a report without errors.
pub fn printed(output: &Output) -> String {
    assert_eq!(stderr(output), "");
    assert!([0, 1].contains(&code(output)), "{}", code(output));
    String::from_utf8(output.stdout.clone()).expect("printable text")
}

/// These fields of each document of `--json`, as JSON.
pub fn fields(output: &Output, names: &str) -> Vec<String> {
    let documents = str::from_utf8(&output.stdout).expect("JSON").lines();
    documents
        .map(|document| {
            let document: Value = serde_json::from_str(document).expect("JSON");
            let field = |name: &str| {
                let field = document.get(name);
                let field = field.unwrap_or_else(|| panic!("{name} in {document}"));
                field.to_string()
            };
            let fields: Vec<String> = names.split(' ').map(field).collect();
            fields.join(" ")
        })
        .collect()
}

/// `remoteexe --report ARGS` of `log` on a terminal of so many columns.
pub fn on_a_terminal(columns: u16, no_color: &str, log: impl AsRef<[u8]>, args: &str) -> String {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut script = Command::new("script");
    scene.equip(&mut script);
    let command = format!("stty cols {columns}; cd $DIR; exec {REMOTEEXE} --report {args} a.log");
    script.env("TZ", "UTC").env("NO_COLOR", no_color);
    script.env("TERM", "xterm").env("PAGER", "");
    script.args(["-qec", &command, "/dev/null"]);
    let output = script.output().unwrap();
    assert_eq!(stderr(&output), "");
    // The terminal driver makes CR LF of each LF.
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// A run that ends after so many seconds.
pub fn run(pid: u32, start: &str, end: &str, job: &str, output: &str, status: u8) -> String {
    let begin = format!("[2026-03-02 {start}][{pid}]");
    let finish = format!("[2026-03-02 {end}][{pid}]");
    let output: Vec<String> = output.lines().map(|line| format!("{finish} {line}\n")).collect();
    let output = output.concat();
    format!("{begin} START,-,{job}\n{begin} command,ssh root@{job}\n{output}{finish} END,{status},{job}\n")
}
