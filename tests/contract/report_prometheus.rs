//! `--report --prometheus`: gauges for `node_exporter`'s textfile collector.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use chrono::{DateTime, Days, Utc};
use serde_json::Value;

use crate::report::{LOG, report, reporter, run};
use crate::report_bad_night::first_night;
use crate::support::{REMOTEEXE, Scene, code, day_of_300_jobs, files, own_mounts, run_tool, stderr};

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
fn each_job_and_host_has_its_metrics() {
    let text = metrics(LOG, &[]);
    let of_job = r#"{host="web01",script="/opt/jobs/rotate.sh"} "#;
    let values = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(of_job)?;
        Some(format!("{} {value}", name.strip_prefix("remoteexe_job_")?))
    });
    assert_eq!(
        values.collect::<Vec<_>>(),
        [
            "last_start_timestamp_seconds 1772485260",
            "last_success_timestamp_seconds 1772485204",
            "last_completion_timestamp_seconds 1772485205",
            "last_exit_code 3",
            "last_duration_seconds 4",
            "running 0",
            "usual_duration_seconds 4",
            // Of the day of the report.
            "runs_total 0",
            "failures_total 0",
            "connection_failures_total 0",
            "retries_total 0",
        ]
    );
    assert_eq!(
        samples(&text, "host_last_reached_timestamp_seconds"),
        [r#"{host="db01"} 1772464145"#, r#"{host="web01"} 1772485205"#]
    );
    let age = Utc::now().timestamp() - value(&text, "report_timestamp_seconds ");
    assert!((0..600).contains(&age), "{age}");
    assert!(text.contains("\nremoteexe_report_duration_seconds "));
    assert_eq!(samples(&text, "build_info"), [format!("{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))]);
}

/// The value of the sample that begins so.
fn value(text: &str, sample: &str) -> i64 {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("remoteexe_"));
    let value = lines.find_map(|line| line.strip_prefix(sample));
    value.unwrap_or_else(|| panic!("{sample} in {text}")).parse().unwrap()
}

#[test]
fn a_cause_is_one_problem_with_the_names_of_what_it_concerns() {
    let text = metrics(LOG, &[]);
    assert_eq!(
        samples(&text, "problem"),
        [
            r#"{state="dropped",job="db01 /opt/jobs/dump.sh daily",host="db01",script="/opt/jobs/dump.sh daily"} 1"#,
            r#"{state="failing",host="db01",script=""} 1"#,
            r#"{state="failing",job="web01 /opt/jobs/rotate.sh",host="web01",script="/opt/jobs/rotate.sh"} 1"#,
        ]
    );
    // A script that fails in one way on many hosts is one cause.
    let text = metrics(day_of_300_jobs(), &[]);
    let failing = r#"problem{state="failing",host="several",script="/srv/rotate_orders.sh"} "#;
    assert_eq!(value(&text, failing), 1);
    assert_eq!(value(&text, r#"problems{state="failing"} "#), 2);
    assert_eq!(value(&text, r#"problems{state="hung"} "#), 0);
}

#[test]
fn counters_begin_at_midnight_and_lose_nothing_when_an_older_log_is_removed() {
    let scene = Scene::new();
    log_run_ago(&scene, 1, "h /x.sh", 1);
    let ssh = "echo ssh: connect to host h port 22: Connection refused; exit 255";
    for ssh in ["true", "exit 3", ssh] {
        scene.run(scene.remoteexe_with_ssh(ssh).env("TZ", "UTC").args(["h", "/x.sh"]));
    }
    let counts = || {
        let text = of_dir(&scene, &[]);
        let names = ["runs", "failures", "connection_failures", "retries"];
        names.map(|name| value(&text, &format!("job_{name}_total{{host=\"h\",script=\"/x.sh\"}} ")))
    };
    // Unless midnight has just passed.
    let before = counts();
    assert!(before == [3, 2, 1, 0] || Utc::now().format("%H").to_string() == "00", "{before:?}");
    fs::remove_file(scene.path(day_ago(1).0)).unwrap();
    assert_eq!(counts(), before);
}

#[test]
fn each_of_several_schedulers_has_metrics_of_its_own() {
    let scene = Scene::new();
    for (dir, ssh) in [("one", "true"), ("two", "exit 3")] {
        let mut job = scene.remoteexe_with_ssh(ssh);
        job.env("TZ", "UTC").env("REMOTEEXE_LOG_DIR", scene.path(dir));
        fs::create_dir(scene.path(dir)).unwrap();
        scene.run(job.args(["h", "/x.sh"]));
    }
    let mut command = reporter(&scene);
    command.args(["--prometheus", "--no-crontab", "--log-dir", "one", "--log-dir", "two"]);
    let text = checked(&command.current_dir(scene.path("")).output().unwrap());
    assert_eq!(
        samples(&text, "job_last_exit_code"),
        [r#"{host="h",script="/x.sh",scheduler="one"} 0"#, r#"{host="h",script="/x.sh",scheduler="two"} 3"#]
    );
    let failing = r#"problem{state="failing",job="h /x.sh",host="h",script="/x.sh",scheduler="two"} "#;
    assert_eq!(value(&text, failing), 1);
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
    assert_eq!(samples(&text, "host_last_reached_timestamp_seconds"), [r#"{host="h\\xe9"} 1772445665"#]);
    assert_eq!(samples(&text, "job_last_start_timestamp_seconds").len(), 1);
}

#[test]
fn parameters_that_change_from_run_to_run_make_no_new_series() {
    let mut log = run(1, "10:00:00", "10:00:01", "h /day.sh 2026-03-01", "", 3);
    log += &run(2, "10:00:02", "10:00:04", "h /day.sh 2026-03-02", "", 0);
    for number in 0..52 {
        log += &run(200 + number, "10:01:00", "10:01:01", &format!("h /many.sh {number}x"), "", 0);
    }
    for number in 0..50 {
        log += &run(100 + number, "10:02:00", "10:02:01", &format!("h /few.sh {number}x"), "", 0);
    }
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    // A job in a crontab has its own.
    fs::write(scene.path("crontab"), "* * * * * root remoteexe h /many.sh 50x\n").unwrap();
    let mut command = reporter(&scene);
    command.args(["--prometheus", "--crontab", "crontab", "a.log"]);
    let text = checked(&command.current_dir(scene.path("")).output().unwrap());
    let codes = samples(&text, "job_last_exit_code");
    assert!(codes.contains(&r#"{host="h",script="/many.sh 50x"} 0"#), "{codes:?}");
    assert!(codes.contains(&r#"{host="h",script="/day.sh *"} 0"#), "{codes:?}");
    assert!(codes.contains(&r#"{host="h",script="/many.sh …"} 0"#), "{codes:?}");
    assert!(codes.contains(&r#"{host="h",script="/few.sh 49x"} 0"#), "{codes:?}");
    assert_eq!(codes.len(), 53, "{codes:?}");
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
    assert_eq!(value(&text, r#"problems{state="failing"} "#), 0);

    let text = of_dir(&scene, &["--since", "8d"]);
    assert_eq!(samples(&text, "job_last_success_timestamp_seconds").len(), 1);
    assert_eq!(samples(&text, "job_last_exit_code").len(), 2);
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

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/prometheus");

/// What an expression gives after some minutes, with the samples of a text all the time.
fn expect(metrics: &str, minutes: u32, expected: &[(&str, u32)]) {
    let scene = Scene::new();
    let mut test =
        format!("rule_files: [{DATA}/alerts.yml]\nevaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n");
    for sample in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = sample.rsplit_once(' ').unwrap();
        let series = series.replace('\'', "''");
        _ = writeln!(test, "  - series: '{series}'\n    values: '{value}x60'");
    }
    test += "  promql_expr_test:\n";
    for (expression, value) in expected {
        _ = writeln!(test, "  - expr: '{expression} or vector(0)'\n    eval_time: {minutes}m");
        _ = writeln!(test, "    exp_samples: [{{labels: '{{}}', value: {value}}}]");
    }
    fs::write(scene.path("test.yml"), test).unwrap();
    run_tool("promtool", &["test", "rules", scene.path("test.yml").to_str().unwrap()]);
}

#[test]
fn of_a_bad_night_there_is_one_alert_for_each_cause_and_none_of_a_report_that_is_new() {
    let screen = first_night(&[]);
    let problems = screen.lines().find_map(|line| line.strip_suffix(" over")?.split_once(" problems now"));
    let problems: u32 = problems.unwrap().0.parse().unwrap();
    let text = first_night(&["--prometheus"]);
    let firing = |labels: &str| {
        format!("sum(count by (alertname, state, host, script) (ALERTS{{alertstate=\"firing\"{labels}}}))")
    };
    // Nine hosts refuse a key.
    expect(
        &text,
        40,
        &[
            (&firing(""), problems),
            (&firing(",state=\"login_refused\",host=\"several\""), 1),
            (&firing(",state=\"hung\",host=\"app03\",script=\"/srv/bi/export.py\""), 1),
            (&firing(",state=\"not_started\",host=\"app04\""), 1),
            (&firing(",alertname=\"RemoteexeReportIsOld\""), 0),
        ],
    );
    expect(&text, 4, &[(&firing(""), 0)]);
}

#[test]
fn a_skip_is_no_alert_and_a_report_that_is_old_or_missing_is_one() {
    let log = run(1, "10:00:00", "10:00:05", "h flock -n /l /x", "", 0)
        + &run(2, "10:05:00", "10:05:01", "h flock -n /l /x", "", 1);
    let text = metrics(log, &[]);
    let (firing, old) = ("count(ALERTS{alertstate=\"firing\"})", "count(ALERTS{alertname=\"RemoteexeReportIsOld\"})");
    expect(&text, 40, &[(firing, 0)]);
    let zero = "remoteexe_report_timestamp_seconds 0\n";
    expect(zero, 15, &[(firing, 0)]);
    expect(zero, 16, &[(firing, 1), (old, 1)]);
    expect("up 1\n", 1, &[(firing, 1), (old, 1)]);
}

#[test]
fn the_dashboard_uses_metrics_that_are_there() {
    run_tool("promtool", &["check", "rules", &format!("{DATA}/alerts.yml")]);
    let text = metrics(LOG, &[]);
    let dashboard = fs::read_to_string(format!("{DATA}/grafana.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for (number, target) in targets.enumerate() {
        let expression = target["expr"].as_str().unwrap();
        for part in expression.split("remoteexe_").skip(1) {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
            assert!(text.contains(&format!("# TYPE remoteexe_{} ", &part[..end])), "{expression}");
        }
        _ = writeln!(rules, "  - record: panel:{number}\n    expr: {expression:?}");
    }
    let scene = Scene::new();
    fs::write(scene.path("rules.yml"), rules).unwrap();
    run_tool("promtool", &["check", "rules", scene.path("rules.yml").to_str().unwrap()]);
}
