//! `--report --prometheus`: gauges for `node_exporter`'s textfile collector.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Days, Utc};

use crate::manual::shown;
use crate::report::{LOG, report, reporter, run};
use crate::support::{
    REMOTEEXE, Scene, code, day_of_300_jobs, files, own_mounts, run_tool, stderr,
};

/// The metrics of this log, which Prometheus accepts.
fn metrics(log: impl AsRef<[u8]>, args: &[&str]) -> String {
    let args = [&["--prometheus"], args].concat();
    checked(&report(log, &args))
}

/// The same of a finished command.
fn checked(output: &Output) -> String {
    assert_eq!(stderr(output), "");
    assert_eq!(code(output), 0);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped());
    promtool.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool");
    let mut input = promtool.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let verdict = promtool.wait_with_output().unwrap();
    assert_eq!((code(&verdict), &*stderr(&verdict)), (0, ""), "{text}");
    text
}

/// The samples of one metric without its name.
fn samples<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let lines = text.lines();
    let samples = lines.filter_map(|line| line.strip_prefix("remoteexe_")?.strip_prefix(name));
    samples.filter(|rest| rest.starts_with('{')).collect()
}

/// The name of the log of a day that is so many days ago, and the day.
fn day_ago(days: u64) -> (String, DateTime<Utc>) {
    let day = Utc::now() - Days::new(days);
    (format!("log/{}_remoteexe.log", day.format("%Y%m%d")), day)
}

/// Writes the log of that day, with one run that took a second. It was not written to since.
fn log_run_ago(scene: &Scene, days: u64, job: &str, status: u8) -> DateTime<Utc> {
    let (name, start) = day_ago(days);
    let path = scene.path(name);
    let log = run(7, "10:00:00", "10:00:01", job, "", status);
    let day = start.format("%Y-%m-%d").to_string();
    fs::write(&path, log.replace("2026-03-02", &day)).unwrap();
    let end = start.date_naive().and_hms_opt(10, 0, 1).unwrap().and_utc();
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::from(end)).unwrap();
    end
}

/// `remoteexe --report --prometheus ARGS` of the scene's log directory, without the crontabs of this machine.
fn of_dir(scene: &Scene, args: &[&str]) -> String {
    let mut command = reporter(scene);
    command.args(["--prometheus", "--no-crontab"]).args(args);
    checked(&command.output().unwrap())
}

#[test]
fn each_job_and_host_has_its_gauges() {
    assert_eq!(
        metrics(LOG, &[]),
        r#"# HELP remoteexe_job_last_start_timestamp_seconds Time of the last START.
# TYPE remoteexe_job_last_start_timestamp_seconds gauge
remoteexe_job_last_start_timestamp_seconds{host="db01",script=""} 1772474746
remoteexe_job_last_start_timestamp_seconds{host="db01",script="/opt/jobs/dump.sh daily"} 1772484781
remoteexe_job_last_start_timestamp_seconds{host="web01",script="/opt/jobs/rotate.sh"} 1772485260
# HELP remoteexe_job_last_success_timestamp_seconds Time of the last END of a good run.
# TYPE remoteexe_job_last_success_timestamp_seconds gauge
remoteexe_job_last_success_timestamp_seconds{host="db01",script="/opt/jobs/dump.sh daily"} 1772464145
remoteexe_job_last_success_timestamp_seconds{host="web01",script="/opt/jobs/rotate.sh"} 1772485204
# HELP remoteexe_job_last_completion_timestamp_seconds Time of the last END.
# TYPE remoteexe_job_last_completion_timestamp_seconds gauge
remoteexe_job_last_completion_timestamp_seconds{host="db01",script=""} 1772474746
remoteexe_job_last_completion_timestamp_seconds{host="db01",script="/opt/jobs/dump.sh daily"} 1772484782
remoteexe_job_last_completion_timestamp_seconds{host="web01",script="/opt/jobs/rotate.sh"} 1772485205
# HELP remoteexe_job_last_exit_code Exit status in the last END.
# TYPE remoteexe_job_last_exit_code gauge
remoteexe_job_last_exit_code{host="db01",script=""} 10
remoteexe_job_last_exit_code{host="db01",script="/opt/jobs/dump.sh daily"} 255
remoteexe_job_last_exit_code{host="web01",script="/opt/jobs/rotate.sh"} 3
# HELP remoteexe_job_last_duration_seconds Time from START to the last END.
# TYPE remoteexe_job_last_duration_seconds gauge
remoteexe_job_last_duration_seconds{host="db01",script=""} 0
remoteexe_job_last_duration_seconds{host="db01",script="/opt/jobs/dump.sh daily"} 1
remoteexe_job_last_duration_seconds{host="web01",script="/opt/jobs/rotate.sh"} 4
# HELP remoteexe_job_running Runs that go on.
# TYPE remoteexe_job_running gauge
remoteexe_job_running{host="db01",script=""} 0
remoteexe_job_running{host="db01",script="/opt/jobs/dump.sh daily"} 0
remoteexe_job_running{host="web01",script="/opt/jobs/rotate.sh"} 0
# HELP remoteexe_job_next_expected_timestamp_seconds Time of the next start that a crontab plans.
# TYPE remoteexe_job_next_expected_timestamp_seconds gauge
# HELP remoteexe_job_missed Slots of its crontab lines since the last START at which nothing was started.
# TYPE remoteexe_job_missed gauge
# HELP remoteexe_host_last_reached_timestamp_seconds Time at which a remote command last ended by itself.
# TYPE remoteexe_host_last_reached_timestamp_seconds gauge
remoteexe_host_last_reached_timestamp_seconds{host="db01"} 1772464145
remoteexe_host_last_reached_timestamp_seconds{host="web01"} 1772485205
# HELP remoteexe_jobs_left_out Jobs that have no gauges, because there are too many.
# TYPE remoteexe_jobs_left_out gauge
remoteexe_jobs_left_out 0
# HELP remoteexe_problems Problems now, as the first screen of the report has them.
# TYPE remoteexe_problems gauge
remoteexe_problems{state="failing"} 2
remoteexe_problems{state="flapping"} 0
remoteexe_problems{state="lost"} 0
remoteexe_problems{state="hung"} 0
remoteexe_problems{state="unreachable"} 0
remoteexe_problems{state="login_refused"} 0
remoteexe_problems{state="host_key"} 0
remoteexe_problems{state="slower"} 0
remoteexe_problems{state="dropped"} 1
remoteexe_problems{state="silent"} 0
remoteexe_problems{state="not_started"} 0
remoteexe_problems{state="cron_down"} 0
remoteexe_problems{state="log_full"} 0
remoteexe_problems{state="late"} 0
"#
    );
}

#[test]
fn the_problems_are_those_of_the_first_screen() {
    let text = metrics(day_of_300_jobs(), &[]);
    assert_eq!(
        samples(&text, "problems"),
        [
            r#"{state="failing"} 2"#,
            r#"{state="flapping"} 1"#,
            r#"{state="lost"} 0"#,
            r#"{state="hung"} 0"#,
            r#"{state="unreachable"} 0"#,
            r#"{state="login_refused"} 0"#,
            r#"{state="host_key"} 0"#,
            r#"{state="slower"} 1"#,
            r#"{state="dropped"} 0"#,
            r#"{state="silent"} 0"#,
            r#"{state="not_started"} 0"#,
            r#"{state="cron_down"} 0"#,
            r#"{state="log_full"} 0"#,
            r#"{state="late"} 0"#,
        ]
    );
}

#[test]
fn no_byte_of_a_log_makes_prometheus_refuse_the_file() {
    let mut log = run(1, "10:00:00", "10:00:05", "h /x \"a\" \\n {b}", "", 0).into_bytes();
    log.extend(run(2, "10:01:00", "10:01:05", "h /caf_", "", 0).bytes().map(|byte| match byte {
        b'_' => b'\xe9',
        byte => byte,
    }));
    log.extend(run(3, "10:02:00", "10:02:05", "h /caf\u{e9} \u{202e}\t\x1b", "", 0).bytes());
    let text = metrics(log, &[]);
    assert_eq!(
        samples(&text, "job_last_exit_code"),
        [
            r#"{host="h",script="/caf\\xe9"} 0"#,
            r#"{host="h",script="/café \\u{202e}\\t\\x1b"} 0"#,
            r#"{host="h",script="/x \"a\" \\n {b}"} 0"#,
        ]
    );
}

#[test]
fn two_hosts_or_jobs_that_look_the_same_have_one_series() {
    let mut log = run(1, "10:00:00", "10:00:05", r"h\xe9 /x", "", 0).into_bytes();
    for byte in run(2, "10:01:00", "10:01:05", "h_ /x", "", 0).bytes() {
        log.push(if byte == b'_' { b'\xe9' } else { byte });
    }
    let text = metrics(log, &[]);
    assert_eq!(
        samples(&text, "host_last_reached_timestamp_seconds"),
        [r#"{host="h\\xe9"} 1772445665"#]
    );
    assert_eq!(samples(&text, "job_last_start_timestamp_seconds").len(), 1);
}

#[test]
fn parameters_that_change_from_run_to_run_make_no_new_series() {
    let mut log = run(1, "10:00:00", "10:00:01", "h /day.sh 2026-03-01", "", 3);
    log += &run(2, "10:00:02", "10:00:04", "h /day.sh 2026-03-02", "", 0);
    for number in 0..51 {
        log += &run(10 + number, "10:01:00", "10:01:01", &format!("h /many.sh {number}x"), "", 0);
    }
    for number in 0..50 {
        log += &run(100 + number, "10:02:00", "10:02:01", &format!("h /few.sh {number}x"), "", 0);
    }
    let text = metrics(log, &[]);
    let codes = samples(&text, "job_last_exit_code");
    assert!(codes.contains(&r#"{host="h",script="/day.sh *"} 0"#), "{codes:?}");
    assert!(codes.contains(&r#"{host="h",script="/many.sh …"} 0"#), "{codes:?}");
    assert!(codes.contains(&r#"{host="h",script="/few.sh 49x"} 0"#), "{codes:?}");
    assert_eq!(codes.len(), 52, "{codes:?}");
    let durations = samples(&text, "job_last_duration_seconds");
    assert!(durations.contains(&r#"{host="h",script="/day.sh *"} 2"#), "{durations:?}");
}

#[test]
fn a_label_is_no_longer_than_1024_bytes() {
    let (host, script) = ("h".repeat(3000), "x".repeat(3000));
    let text = metrics(run(1, "10:00:00", "10:00:01", &host, "", 0), &[]);
    let reached = format!(r#"{{host="{}"}} 1772445601"#, &host[..1024]);
    assert_eq!(samples(&text, "host_last_reached_timestamp_seconds"), [reached]);
    let text = metrics(run(1, "10:00:00", "10:00:01", &format!("h {script}"), "", 0), &[]);
    let code = format!(r#"{{host="h",script="{}"}} 0"#, &script[..1022]);
    assert_eq!(samples(&text, "job_last_exit_code"), [code]);
}

#[test]
fn a_status_that_is_accepted_is_a_success() {
    let log = run(1, "10:00:00", "10:00:01", "h /x", "", 75);
    assert!(samples(&metrics(&log, &[]), "job_last_success_timestamp_seconds").is_empty());
    let text = metrics(&log, &["--ok", "75"]);
    let success = samples(&text, "job_last_success_timestamp_seconds");
    assert_eq!(success, [r#"{host="h",script="/x"} 1772445601"#]);
    assert_eq!(samples(&text, "job_last_exit_code"), [r#"{host="h",script="/x"} 75"#]);
}

#[test]
fn a_run_that_goes_on_is_counted() {
    let scene = Scene::new();
    let _running = scene.start("exec sleep 1000");
    scene.wait_for_record("command,ssh root@h s");
    let text = of_dir(&scene, &[]);
    assert_eq!(samples(&text, "job_running"), [r#"{host="h",script="s"} 1"#]);
    assert!(samples(&text, "job_last_completion_timestamp_seconds").is_empty());
}

#[test]
fn a_last_success_is_found_although_it_is_weeks_old() {
    let scene = Scene::new();
    let success = log_run_ago(&scene, 33, "h /monthly.sh", 0).timestamp();
    log_run_ago(&scene, 50, "h /forgotten.sh", 0);
    log_run_ago(&scene, 4, "h /monthly.sh", 1);
    log_run_ago(&scene, 1, "h /nightly.sh", 0);
    let text = of_dir(&scene, &[]);
    assert_eq!(
        samples(&text, "job_last_success_timestamp_seconds")[0],
        format!(r#"{{host="h",script="/monthly.sh"}} {success}"#)
    );
    assert_eq!(
        samples(&text, "job_last_exit_code"),
        [r#"{host="h",script="/monthly.sh"} 1"#, r#"{host="h",script="/nightly.sh"} 0"#]
    );
    // It is no problem of today's screen.
    assert_eq!(samples(&text, "problems")[0], r#"{state="failing"} 0"#);

    let text = of_dir(&scene, &["--since", "8d"]);
    assert_eq!(samples(&text, "job_last_success_timestamp_seconds").len(), 1);
    assert_eq!(samples(&text, "job_last_exit_code").len(), 2);
}

#[test]
fn the_next_start_of_a_job_comes_from_its_crontab() {
    let scene = Scene::new();
    log_run_ago(&scene, 1, "h /x.sh", 0);
    let line = "* * * * * root remoteexe";
    let dir = scene.path("log");
    let dir = dir.display();
    let crontab = format!(
        "{line} --log-dir {dir} h /x.sh\n{line} --log-dir {dir} new /y.sh\n{line} --log-dir /elsewhere h /z.sh\n"
    );
    fs::write(scene.path("crontab"), crontab).unwrap();
    let mut command = reporter(&scene);
    command.args(["--prometheus", "--crontab", "crontab"]);
    command.current_dir(scene.path(""));
    let before = Utc::now().timestamp();
    let text = checked(&command.output().unwrap());
    let after = Utc::now().timestamp();
    let next = samples(&text, "job_next_expected_timestamp_seconds");
    let jobs = next.iter().map(|sample| sample.rsplit_once(' ').unwrap());
    let (labels, times): (Vec<_>, Vec<i64>) =
        jobs.map(|(labels, time)| (labels, time.parse::<i64>().unwrap())).unzip();
    assert_eq!(labels, [r#"{host="h",script="/x.sh"}"#, r#"{host="new",script="/y.sh"}"#]);
    for time in times {
        assert!((before + 1..=after + 60).contains(&time) && time % 60 == 0, "{time}");
    }
    assert_eq!(samples(&text, "job_last_start_timestamp_seconds").len(), 1);
}

#[test]
fn slots_without_a_start_are_counted_until_the_next_start() {
    let scene = Scene::new();
    log_run_ago(&scene, 1, "h /x.sh", 0);
    let dir = scene.path("log");
    let crontab = format!("* * * * * root remoteexe --log-dir {} h /x.sh\n", dir.display());
    fs::write(scene.path("crontab"), crontab).unwrap();
    let missed = || {
        let mut command = reporter(&scene);
        command.args(["--prometheus", "--crontab", "crontab"]);
        command.current_dir(scene.path(""));
        let text = checked(&command.output().unwrap());
        let samples = samples(&text, "job_missed");
        let count = samples[0].strip_prefix(r#"{host="h",script="/x.sh"} "#);
        count.unwrap().parse::<u64>().unwrap()
    };
    // Nothing is judged before the last change of the crontab.
    assert_eq!(missed(), 0);
    let file = File::options().append(true).open(scene.path("crontab")).unwrap();
    let days = Duration::from_secs(4 * 86_400);
    file.set_modified(SystemTime::now() - days).unwrap();
    // Since 10:00 yesterday.
    let count = missed();
    assert!((13 * 60..38 * 60).contains(&count), "{count}");
    scene.run(scene.remoteexe_with_ssh("true").env("TZ", "UTC").args(["h", "/x.sh"]));
    assert_eq!(missed(), 0);
}

#[test]
fn a_job_in_a_crontab_has_its_own_series_however_many_its_script_has() {
    let scene = Scene::new();
    let jobs: Vec<String> = (0..52).map(|number| format!("h /x.sh {number}x")).collect();
    let runs = (1..).zip(&jobs);
    let runs = runs.map(|(pid, job)| run(pid, "10:00:00", "10:00:01", job, "", 0));
    fs::write(scene.path("a.log"), runs.collect::<String>()).unwrap();
    let crontab = "* * * * * root remoteexe h /x.sh 51x\n";
    fs::write(scene.path("crontab"), crontab).unwrap();
    let mut command = reporter(&scene);
    command.args(["--prometheus", "--crontab", "crontab", "a.log"]);
    let output = command.current_dir(scene.path("")).output().unwrap();
    assert_eq!(
        samples(&checked(&output), "job_last_exit_code"),
        [r#"{host="h",script="/x.sh 51x"} 0"#, r#"{host="h",script="/x.sh …"} 0"#]
    );
}

#[test]
fn the_file_is_on_the_disk_before_it_replaces_the_old_one() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), LOG).unwrap();
    fs::create_dir(scene.path("text")).unwrap();
    fs::write(scene.path("text/x.prom"), "old").unwrap();
    let mut strace = Command::new("strace");
    scene.equip(&mut strace);
    strace.current_dir(scene.path(""));
    strace.args(["-f", "-o", "trace", "-e", "trace=fsync,rename,renameat,renameat2"]);
    strace.args(["sh", "-c", "umask 077; exec \"$@\"", "sh", REMOTEEXE]);
    strace.args(["--report", "--prometheus", "-o", "text/x.prom", "a.log"]);
    let output = strace.output().unwrap();
    assert_eq!((code(&output), &*stderr(&output), &*output.stdout), (0, "", &b""[..]));
    let trace = fs::read_to_string(scene.path("trace")).unwrap();
    let fsync = trace.find("fsync(").expect("an fsync");
    let rename = trace.find("rename").expect("a rename");
    assert!(fsync < rename, "{trace}");

    assert_eq!(files(&scene.path("text")), [scene.path("text/x.prom")]);
    let text = fs::read_to_string(scene.path("text/x.prom")).unwrap();
    assert!(text.contains("remoteexe_problems{"), "{text}");
    let mode = fs::metadata(scene.path("text/x.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), LOG).unwrap();
    fs::create_dir(scene.path("text")).unwrap();
    let mut unshare = own_mounts(&format!(
        "mount -t tmpfs -o size=8k none $DIR/text
         cd $DIR/text
         head -c 5000 /dev/zero >x.prom
         status=0
         {REMOTEEXE} --report --prometheus -o x.prom ../a.log || status=$?
         ls -A; wc -c <x.prom
         exit $status"
    ));
    scene.equip(&mut unshare);
    let output = unshare.output().unwrap();
    assert_eq!(
        (code(&output), &*stderr(&output), str::from_utf8(&output.stdout).unwrap()),
        (74, "remoteexe: x.prom: No space left on device (os error 28)\n", "x.prom\n5000\n")
    );
}

#[test]
fn a_file_that_cannot_be_written_or_read_is_told() {
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["--prometheus", "-o", "/dev/null"],
            74,
            "/dev/null: it is not a regular file; tip: give the name of one, or - for standard output",
        ),
        (
            &["--prometheus", "-o", "/no/x.prom"],
            74,
            "tip: give a FILE in a directory that you may write to",
        ),
        (&["--prometheus", "--crontab", "/no/crontab"], 74, "/no/crontab: No such file"),
        (&["-o", "x.prom"], 10, "error: -o is for --prometheus only"),
        (&["--prometheus", "--json"], 10, "'--prometheus' cannot be used with '--json'"),
    ];
    for (args, status, message) in cases {
        let output = report(LOG, args);
        assert_eq!(code(&output), status, "{args:?}");
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
}

#[test]
fn the_alerts_in_the_manual_fire_when_they_should() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prometheus");
    run_tool("promtool", &["check", "rules", &format!("{data}/alerts.yml")]);
    run_tool("promtool", &["test", "rules", &format!("{data}/alerts_test.yml")]);
    let alerts = fs::read_to_string(format!("{data}/alerts.yml")).unwrap();
    assert!(shown().contains(&alerts));
}
