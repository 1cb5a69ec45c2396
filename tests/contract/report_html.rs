//! `--report --html`: the page, as Chromium shows it, and the file that it is in.

use std::fmt::Write;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Output;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::report::{LOG, report, reporter, run};
use crate::support::{Browser, Scene, code, day_of_300_jobs, files, stderr};

/// A page in a file of its own.
pub struct Page {
    scene: Scene,
    pub path: PathBuf,
}

/// The page of this log.
pub fn page_of(log: impl AsRef<[u8]>, args: &[&str]) -> Page {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.args(["--html", "page.html"]).args(args);
    let output = command.arg("a.log").current_dir(scene.path("")).output().unwrap();
    assert_eq!((stderr(&output), output.stdout.len()), (String::new(), 0));
    let path = scene.path("page.html");
    Page { scene, path }
}

/// A browser that shows the page. It has asked for nothing else, and said nothing.
pub fn shown(page: &Page) -> Browser {
    let mut browser = Browser::start();
    browser.open(&page.path);
    assert_quiet(&browser, page);
    browser
}

pub fn assert_quiet(browser: &Browser, page: &Page) {
    let url = format!("file://{}", page.path.display());
    assert_eq!(browser.messages, Vec::<String>::new());
    let requests: Vec<&String> = browser
        .requests
        .iter()
        // The empty icon is in the page.
        .filter(|address| !address.starts_with("data:"))
        .collect();
    assert_eq!(requests, [&url]);
}

/// The texts of the elements that match and are to be seen, white space as one blank.
pub fn texts(browser: &mut Browser, selector: &str) -> Vec<String> {
    texts_of(browser, selector, "it.checkVisibility()")
}

/// The titles of the shapes that match.
fn titles(browser: &mut Browser, selector: &str) -> Vec<String> {
    texts_of(browser, &format!("{selector} title"), "true")
}

pub fn texts_of(browser: &mut Browser, selector: &str, condition: &str) -> Vec<String> {
    let found = browser.evaluate(&format!(
        "[...document.querySelectorAll({})].filter(it => {condition})
            .map(it => it.textContent.replace(/\\s+/g, ' ').trim())",
        json!(selector)
    ));
    serde_json::from_value(found).unwrap()
}

/// The number of links that lead nowhere.
pub fn lost_links(browser: &mut Browser) -> Value {
    browser.evaluate(
        "[...document.querySelectorAll('a')]
            .filter(it => !document.getElementById(it.getAttribute('href').slice(1))).length",
    )
}

#[test]
fn the_page_begins_with_the_counts_and_the_problems_in_the_words_of_the_first_screen() {
    let mut browser = shown(&page_of(LOG, &[]));
    assert_eq!(texts(&mut browser, "h1"), ["remoteexe: 3 problems now, 0 over"]);
    assert_eq!(
        texts(&mut browser, "h2"),
        [
            "Problems",
            "Timeline",
            "Starts by second of the minute",
            "Durations that grow",
            "Last lines"
        ]
    );
    assert_eq!(
        texts(&mut browser, ".counts div"),
        [
            "runs7",
            "ok3",
            "failed3",
            "lost1",
            "running0",
            "connection failures1",
            "usage errors1",
            "retried0",
            "overlaps1"
        ]
    );
    assert_eq!(
        texts(&mut browser, "#problems tbody tr"),
        [
            "FAILINGsince 18:05db01 1 run, no good run before, run 913@18:05:46exit 10: usage error",
            "FAILINGsince 21:00web01 /opt/jobs/rotate.sh every run (2), last good 21:00, run 915@21:00:01exit 3: four",
            "DROPPED20:53db01 /opt/jobs/dump.sh daily 1 connection dropped, run 913@20:53:01, not good since\
             --retries 8 (REMOTEEXE_RETRIES) tries again",
        ]
    );
}

#[test]
fn the_timeline_has_a_row_for_each_job_by_host_and_a_mark_for_each_run() {
    let mut browser = shown(&page_of(LOG, &[]));
    assert_eq!(
        texts(&mut browser, ".timeline tbody tr > th"),
        ["db01", "(no script)", "/opt/jobs/dump.sh daily", "web01", "/opt/jobs/rotate.sh"]
    );
    let marks = titles(&mut browser, ".timeline [data-job$='rotate.sh'] a[href^='#r']");
    // The marks of one state come together.
    assert_eq!(
        marks,
        ["13:21:01 ok, took 57s", "21:00:00 ok, took 4s", "21:00:01 failed, 3", "21:01:00 lost"]
    );
    let overlaps = browser.evaluate("document.querySelectorAll('.timeline path.o').length");
    assert_eq!(overlaps, 1);
}

#[test]
fn a_mark_leads_to_the_last_lines_of_its_run() {
    let mut browser = shown(&page_of(LOG, &[]));
    browser.evaluate(
        "[...document.querySelectorAll('.timeline a')]
            .find(it => it.textContent.startsWith('21:00:01'))
            .dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))",
    );
    let target = texts(&mut browser, "li:target");
    assert_eq!(
        target,
        ["21:00:01 3: the script failed, took 4s, run 915@21:00:01one two three four"]
    );
    assert_eq!(lost_links(&mut browser), 0);
}

#[test]
fn the_fields_choose_jobs_by_host_by_name_and_by_state() {
    let mut browser = shown(&page_of(LOG, &[]));
    let mut choose = |host: &str, job: &str, state: &str| {
        browser.evaluate(&format!(
            "for (const [name, value] of Object.entries({}))
                document.getElementById('filter').elements[name].value = value;
            document.getElementById('filter').dispatchEvent(new Event('input'))",
            json!({ "host": host, "job": job, "state": state })
        ));
        let rows = texts(&mut browser, ".timeline [data-job] th").join("|");
        let runs = texts(&mut browser, "#lines li b").join("|");
        let marks =
            "[...document.querySelectorAll('.row a')].filter(it => it.checkVisibility()).length";
        let marks = browser.evaluate(marks);
        format!("{}: {rows}; {marks} marks; {runs}", texts(&mut browser, "output").concat())
    };
    assert_eq!(
        choose("", "", ""),
        "3 of 3 jobs: (no script)|/opt/jobs/dump.sh daily|/opt/jobs/rotate.sh; 7 marks; \
         18:05:46|20:53:01|15:09:02|21:01:00|21:00:01|21:00:00|13:21:01"
    );
    assert_eq!(
        choose("web", "", ""),
        "1 of 3 jobs: /opt/jobs/rotate.sh; 4 marks; 21:01:00|21:00:01|21:00:00|13:21:01"
    );
    assert_eq!(
        choose("", "dump.sh", ""),
        "1 of 3 jobs: /opt/jobs/dump.sh daily; 2 marks; 20:53:01|15:09:02"
    );
    assert_eq!(choose("", "", "c"), "1 of 3 jobs: /opt/jobs/dump.sh daily; 1 marks; 20:53:01");
    assert_eq!(
        choose("", "", "f"),
        "2 of 3 jobs: (no script)|/opt/jobs/rotate.sh; 2 marks; 18:05:46|21:00:01"
    );
    assert_eq!(choose("web", "dump", ""), "0 of 3 jobs: ; 0 marks; ");
}

#[test]
fn without_its_script_the_page_shows_all_but_the_fields() {
    let page = page_of(LOG, &[]);
    let mut browser = Browser::start();
    let disabled = json!({ "value": true });
    browser.call("Emulation.setScriptExecutionDisabled", &disabled);
    browser.open(&page.path);
    assert_quiet(&browser, &page);
    assert_eq!(texts(&mut browser, "#filter"), Vec::<String>::new());
    assert_eq!(texts(&mut browser, ".timeline [data-job]").len(), 3);
    assert_eq!(texts(&mut browser, "#lines li").len(), 7);
}

#[test]
fn outages_of_a_host_and_of_cron_are_bands_and_a_job_that_takes_longer_has_a_line() {
    let mut browser = shown(&page_of(day_of_300_jobs(), &["--since", "2026-11-24"]));
    let unreachable = titles(&mut browser, ".timeline .host .bh");
    assert_eq!(unreachable, ["UNREACHABLE 09:23–10:20"]);
    assert_eq!(titles(&mut browser, "#cron .bc"), ["LOST 03:11–03:30"]);
    let durations = texts(&mut browser, ".durations tbody tr").concat();
    assert!(durations.starts_with("host_sum_batch12 /srv/backup.sh --full"), "{durations}");
}

/// The page of this log until a time of its day, beside a crontab that has long been there.
fn page_with_crontab(log: &str, lines: &str, until: &str) -> Page {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    fs::write(scene.path("crontab"), lines).unwrap();
    // Slots before the last change of a crontab are not judged.
    let crontab = fs::File::options().write(true).open(scene.path("crontab"));
    crontab.unwrap().set_modified(UNIX_EPOCH).unwrap();
    let mut command = reporter(&scene);
    command.args(["--html", "page.html", "--crontab", "crontab"]);
    command.args(["--until", &format!("2026-03-02 {until}"), "a.log"]);
    let output = command.current_dir(scene.path("")).output().unwrap();
    assert_eq!((stderr(&output), code(&output)), (String::new(), 1));
    let path = scene.path("page.html");
    Page { scene, path }
}

#[test]
fn a_slot_at_which_nothing_was_started_is_a_hollow_mark_also_of_a_job_without_runs() {
    let starts = ["10:00:01", "10:10:01", "10:40:01"];
    let runs = (1..).zip(starts);
    let log: String = runs.map(|(pid, at)| run(pid, at, at, "h1 /ten.sh", "", 0)).collect();
    let lines = "*/10 * * * * root remoteexe h1 /ten.sh\n15 * * * * root remoteexe h2 /never.sh\n";
    let mut browser = shown(&page_with_crontab(&log, lines, "10:45"));
    assert_eq!(
        titles(&mut browser, ".timeline a.m[href^='#j']"),
        ["10:20:00 not started", "10:30:00 not started", "10:15:00 not started"]
    );
    assert_eq!(
        texts(&mut browser, "#lines h3, #lines p.facts"),
        [
            "h1 /ten.sh",
            "2 not started, the last one at 10:30:00",
            "h2 /never.sh",
            "1 not started, the last one at 10:15:00"
        ]
    );
    let counts = texts(&mut browser, ".counts div");
    assert!(counts.contains(&"not started3".to_owned()), "{counts:?}");
}

#[test]
fn minutes_at_which_cron_started_nothing_are_a_band_of_every_host() {
    let (mut log, mut lines) = (String::new(), String::new());
    for job in ["h1 /a.sh", "h2 /b.sh", "h3 /c.sh"] {
        _ = writeln!(lines, "* * * * * root remoteexe {job}");
        for minute in (0..10).chain(20..30) {
            let at = format!("10:{minute:02}:01");
            log += &run(minute + 1, &at, &at, job, "", 0);
        }
    }
    let mut browser = shown(&page_with_crontab(&log, &lines, "10:30"));
    assert_eq!(titles(&mut browser, "#cron"), ["CRON DOWN 10:10–10:20"]);
    let rows = "document.querySelectorAll('.timeline .host [href=\"#cron\"]').length";
    assert_eq!(browser.evaluate(rows), 3);
    // From 10:10:00 to 10:20:01, in the 1741 seconds from 10:00:01 on.
    let place = "const band = document.querySelector('#cron .bc');
        [band.getAttribute('x'), band.getAttribute('width')]";
    assert_eq!(browser.evaluate(place), json!(["34.40%", "34.52%"]));
}

#[test]
fn a_job_of_many_runs_is_a_strip_of_their_density() {
    // Minutely in the first half of each hour, and once at the end of the day.
    let minutes = (0..1440).filter(|minute| minute % 60 < 30 || *minute == 1439);
    let log: String = minutes
        .map(|minute| {
            let start = format!("{:02}:{:02}:00", minute / 60, minute % 60);
            let end = format!("{}59", start.trim_end_matches("00"));
            run(minute + 1, &start, &end, "h /x", "", 0)
        })
        .collect();
    let page = page_of(log, &["--since", "2026-03-02"]);
    let mut browser = shown(&page);
    let strip = "[...document.querySelectorAll('.row a.g path')]
        .map(it => it.getAttribute('stroke-width') + ' ' + it.getAttribute('d'))";
    let full = format!("14 M0 9h30{}", "m30 0h30".repeat(23));
    assert_eq!(browser.evaluate(strip), json!(["4 M1430 14h10", full]));
}

#[test]
fn the_page_is_the_same_on_standard_output() {
    let page = page_of(LOG, &[]);
    let output = report(LOG, &["--html", "-"]);
    assert_eq!((stderr(&output), code(&output)), (String::new(), 1));
    assert_eq!(output.stdout, fs::read(&page.path).unwrap());
}

/// `--report --html FILE` in the scene's directory.
fn write_page(scene: &Scene, file: &str) -> Output {
    fs::write(scene.path("a.log"), LOG).unwrap();
    let mut command = reporter(scene);
    command.args(["--html", file, "a.log"]);
    command.current_dir(scene.path("")).output().unwrap()
}

#[test]
fn the_file_is_replaced_as_a_whole_and_keeps_its_mode() {
    let page = page_of(LOG, &[]);
    let whole = fs::read(&page.path).unwrap();
    fs::write(&page.path, "old").unwrap();
    fs::set_permissions(&page.path, Permissions::from_mode(0o640)).unwrap();
    // A reader that has the old file open still reads the old page: it is another file.
    let old = fs::File::open(&page.path).unwrap();
    assert_eq!(code(&write_page(&page.scene, "page.html")), 1);
    assert_eq!(fs::read(&page.path).unwrap(), whole);
    assert_eq!(std::io::read_to_string(old).unwrap(), "old");
    let mode = fs::metadata(&page.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    // Nothing is left beside it.
    let names = files(&page.scene.path(""));
    assert_eq!(names.len(), 3, "{names:?}");
}

#[test]
fn a_file_that_cannot_be_replaced_is_named_with_the_reason_and_the_remedy() {
    let scene = Scene::new();
    fs::write(scene.path("old"), "old").unwrap();
    symlink("old", scene.path("link")).unwrap();
    for file in ["link", "/dev/null", "log"] {
        let output = write_page(&scene, file);
        let message = format!(
            "remoteexe: {file}: it is not a regular file; tip: give the name of one, or - for standard output\n"
        );
        assert_eq!((stderr(&output), code(&output)), (message, 74));
    }
    let output = write_page(&scene, "gone/page.html");
    let message = "remoteexe: gone/page.html: no new file can be made beside it: No such file or directory (os error 2); \
                   tip: give a FILE in a directory that you may write to\n";
    assert_eq!((stderr(&output).as_str(), code(&output)), (message, 74));
    assert_eq!(fs::read_to_string(scene.path("old")).unwrap(), "old");
}

#[test]
fn a_page_without_a_job_to_show_has_no_timeline_and_no_link_to_one() {
    let good = run(1, "10:00:00", "10:00:05", "h /x", "", 0);
    for (log, args, told) in [
        ("", &[][..], "no runs"),
        (&good, &["--since", "2099-01-01"], "no runs"),
        (&good, &["--failed"], "2026-03-02 10:00:00 to 2026-03-02 10:00:05: 1 job, 1 host"),
    ] {
        let mut browser = shown(&page_of(log, args));
        assert_eq!(
            texts(&mut browser, "h1, .span, h2, #problems > p:last-child"),
            ["remoteexe: nothing is wrong", told, "Problems", "None in this period."]
        );
        assert_eq!(lost_links(&mut browser), 0);
    }
}
