//! `--report --prometheus` with the alerts and the dashboard of `tests/data/prometheus`.

use std::fmt::Write as _;
use std::fs;

use crate::report::{printed, report};
use crate::report_bad_night::Begun;
use crate::support::{Scene, records_of, run_tool};

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
    let night = Begun::of_first_night();
    let screen = night.report(80, &[]);
    let problems = screen.lines().find_map(|line| line.strip_suffix(" over")?.split_once(" problems now"));
    let problems: u32 = problems.unwrap().0.parse().unwrap();
    let text = night.report(80, &["--prometheus"]);
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
    let skipped = "10:00:00  1  h flock -n /l /x  5s  ok\n10:05:00  2  h flock -n /l /x  1s  exit 1\n";
    let text = printed(&report(records_of(skipped), &["--prometheus"]));
    let (firing, old) = ("count(ALERTS{alertstate=\"firing\"})", "count(ALERTS{alertname=\"RemoteexeReportIsOld\"})");
    expect(&text, 40, &[(firing, 0)]);
    let zero = "remoteexe_report_timestamp_seconds 0\n";
    expect(zero, 15, &[(firing, 0)]);
    expect(zero, 16, &[(firing, 1), (old, 1)]);
    expect("up 1\n", 1, &[(firing, 1), (old, 1)]);
}
