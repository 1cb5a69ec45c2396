//! `--report --html`: the page, as Chromium shows it, and the file that it is in.

use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::report::{LOG, reporter};
use crate::support::{Browser, Scene, day_of_300_jobs, records_of, set_modified, stderr, wait_for};

/// A page in a file of its own.
pub struct Page {
    _scene: Scene,
    pub path: PathBuf,
}

/// The page of this log, with these arguments of the report.
pub fn page_of(log: impl AsRef<[u8]>, args: &[&str]) -> Page {
    page_in(Scene::new(), log, args)
}

/// The page of this log until a time of its day, beside a crontab that has long been there.
fn page_with_crontab(log: &str, lines: &str, until: &str) -> Page {
    let scene = Scene::new();
    fs::write(scene.path("crontab"), lines).unwrap();
    // Slots before the last change of a crontab are not judged.
    set_modified(&scene.path("crontab"), UNIX_EPOCH);
    page_in(scene, log, &["--crontab", "crontab", "--until", &format!("2026-03-02 {until}")])
}

fn page_in(scene: Scene, log: impl AsRef<[u8]>, args: &[&str]) -> Page {
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.args(["--html", "page.html"]).args(args);
    let output = command.arg("a.log").current_dir(scene.path("")).output().unwrap();
    assert_eq!((stderr(&output), output.stdout.len()), (String::new(), 0));
    let path = scene.path("page.html");
    Page { _scene: scene, path }
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

/// Clicks where the first element that matches is.
fn click(browser: &mut Browser, selector: &str) {
    let place = browser.evaluate(&format!(
        "(it => {{ it.scrollIntoView({{ block: 'center' }}); const {{ left, top, width, height }} = it.getClientRects()[0];
            return [left + Math.min(width / 2, 5), top + height / 2]; }})(document.querySelector({}))",
        json!(selector)
    ));
    drag(browser, &place, &place);
}

/// Presses the button of the mouse at one place, and releases it at another.
fn drag(browser: &mut Browser, from: &Value, to: &Value) {
    for (kind, at) in [("mousePressed", from), ("mouseMoved", to), ("mouseReleased", to)] {
        let button = json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
        browser.call("Input.dispatchMouseEvent", &button);
    }
}

/// Presses a key, which may type a text.
fn press(browser: &mut Browser, key: &str, text: &str) {
    for (kind, text) in [("keyDown", text), ("keyUp", "")] {
        browser.call("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "code": key, "text": text }));
    }
}

/// Fills a field of the page.
fn fill(browser: &mut Browser, field: &str, value: &str) {
    browser.evaluate(&format!(
        "document.getElementById('find').elements[{}].value = {};
        document.getElementById('find').dispatchEvent(new Event('input', {{ bubbles: true }}))",
        json!(field),
        json!(value)
    ));
}

/// The crontab lines of three jobs.
const EACH_MINUTE: &str = "* * * * * root remoteexe h1 /a.sh
* * * * * root remoteexe h2 /b.sh
* * * * * root remoteexe h3 /c.sh
";

fn hash(browser: &mut Browser) -> String {
    let hash = browser.evaluate("decodeURIComponent(location.hash.replaceAll('+', ' '))");
    hash.as_str().unwrap().to_owned()
}

/// The problems and the jobs that are seen, and their number in words.
fn seen(browser: &mut Browser) -> String {
    let problems = texts(browser, ".problem h4 > a").join("|");
    let jobs = texts(browser, "div.row[data-s] .n").join("|");
    format!("{problems}; {jobs}; {}", texts(browser, "output").concat())
}

/// The titles of the cells in a job's row.
fn cells(browser: &mut Browser, job: &str) -> Value {
    browser.evaluate(&format!(
        "[...document.querySelectorAll('div.row')].find(it => it.querySelector('.n').title === {})
            ?.querySelectorAll('svg title').values().map(it => it.textContent).toArray()",
        json!(job)
    ))
}

#[test]
fn the_page_begins_with_its_time_and_the_problems_and_ends_with_what_was_read() {
    let mut browser = shown(&page_of(LOG, &[]));
    let head = texts(&mut browser, "h1, .span, h2").join("; ");
    let (made, rest) = head.split_once(", for ").unwrap();
    assert!(made.starts_with("remoteexe: 3 problems now, 0 over; Made 20"), "{made}");
    assert_eq!(
        rest,
        "2026-03-02 13:21:01 to 2026-03-02 21:01:00: 7 runs, 3 jobs, 2 hosts; Problems; Timeline; What was read"
    );
    assert_eq!(
        texts(&mut browser, ".problem > .head"),
        [
            "FAILING since 18:05 db011 run, no good run in these logs, run 913@18:05:46exit 10: usage error",
            "FAILING since 21:00 web01 /opt/jobs/rotate.shevery run (2), last good 21:00, run 915@21:00:01exit 3: four",
            "DROPPED 20:53 db01 /opt/jobs/dump.sh daily1 connection dropped, run 913@20:53:01, not good since\
             --retries 8 (REMOTEEXE_RETRIES) tries again",
        ]
    );
    assert_eq!(
        texts(&mut browser, ".beside"),
        [
            "18:05:46 exit 10: usage errorno good run in these logs",
            "13:21:01 ok, 57s21:00:00 ok, 4s21:00:01 exit 321:01:00 lost: no END, and the process is gonelast good 21:00",
            "15:09:02 ok, 3s20:53:01 exit 255: connection dropped by the serverlast good 15:09"
        ]
    );
    assert_eq!(texts(&mut browser, ".counts div")[..3], ["runs7", "ok3", "failed3"]);
}

#[test]
fn a_click_on_a_problem_opens_its_output_in_place_and_a_link_leads_back() {
    let page = page_of(LOG, &[]);
    for has_script in [true, false] {
        let mut browser = Browser::start();
        let disabled = json!({ "value": !has_script });
        browser.call("Emulation.setScriptExecutionDisabled", &disabled);
        browser.open(&page.path);
        assert_quiet(&browser, &page);
        assert_eq!(texts(&mut browser, "#find").len(), usize::from(has_script));
        assert_eq!(texts(&mut browser, "pre"), Vec::<String>::new());
        click(&mut browser, "#p1 h4 a");
        wait_for("the output", || (texts(&mut browser, "pre").len() == 1).then_some(()));
        assert_eq!(texts(&mut browser, "pre"), ["one two three four"]);
        assert_eq!(texts(&mut browser, "mark"), ["four"]);
        assert_eq!(
            texts(&mut browser, "#p1 .runs h4"),
            [
                "Last bad run: 21:00:01 exit 3, took 4s, run 915@21:00:01",
                "Last good run: 21:00:00 ok, took 4s, run 914@21:00:00",
            ]
        );
        assert_ne!(hash(&mut browser), "");
        click(&mut browser, "#p1 .back");
        wait_for("the way back", || hash(&mut browser).ends_with("p1").then_some(()));
        assert_eq!(lost_links(&mut browser), 0);
    }
}

#[test]
fn a_cell_has_the_worst_of_its_time_and_leads_to_its_last_bad_run() {
    let log = records_of(
        "10:00:00   1  h /x.sh   ok: fine
         10:10:00   2  h /x.sh   exit 2: no room
         10:11:00   3  h /x.sh   exit 2: no room
         10:20:00   4  h /x.sh   exit 2: no room
         10:21:00   5  h /x.sh   ok: fine
         10:22:00   7  h /x.sh   ok: fine
         11:10:00   6  h /x.sh   ok: fine
         23:59:59  90  h2 /y.sh  ok\n",
    );
    let mut browser = shown(&page_of(log, &["--since", "2026-03-02"]));
    let lines = browser.evaluate("Object.entries(document.querySelector('.lines').dataset).join(' ')");
    assert_eq!(lines, "begin,2026-03-02T00:00:00 step,600 columns,144");
    let titles = ["10:10–10:20: 2 of 2 failed, exit 2", "10:20–10:30: 1 of 3 failed, exit 2"];
    assert_eq!(cells(&mut browser, "h /x.sh"), json!(titles));
    // The pause of 40 minutes after 10:30 is no cell.
    let good = "document.querySelector('div.row path.g').getAttribute('d')";
    assert_eq!(browser.evaluate(good), "M60 16h1M67 16h1");
    click(&mut browser, "div.row svg a:last-of-type path");
    assert_eq!(texts(&mut browser, ".here"), ["10:20:00 exit 2, took 0s, run 4@10:20:00: no room"]);
    // The jobs of a host without a problem are behind the line of the host.
    assert_eq!(texts(&mut browser, ".lines .n"), ["Job", "h /x.sh", "h2"]);
    click(&mut browser, ".host summary");
    assert_eq!(texts(&mut browser, ".host .n"), ["h2", "h2 /y.sh"]);
}

#[test]
fn each_bad_cell_takes_a_click_anywhere_in_its_box_and_no_ended_run_is_drawn_as_running() {
    let log = records_of(
        "10:00:01..10:04:01/1m       30  h1 /a.sh         ok
         10:05:01                     5  h1 /a.sh  2m39s  exit 3: no room
         10:06:01..10:09:01/1m       36  h1 /a.sh         ok
         10:20:01..10:29:01/1m       50  h1 /a.sh         ok
         10:00:01..10:09:01/1m       60  h2 /b.sh         ok
         10:20:01..10:24:01/1m       80  h2 /b.sh         ok
         10:25:01                    25  h2 /b.sh         exit 255: ssh: connect to host h2 port 22: Connection refused
         10:26:01..10:29:01/1m       86  h2 /b.sh         ok
         10:00:01..10:09:01/1m       90  h3 /c.sh         ok
         10:20:01..10:24:01/1m      110  h3 /c.sh         ok
         10:25:01               4194305  h3 /c.sh         lost
         10:26:01..10:29:01/1m      116  h3 /c.sh         ok\n",
    );
    let mut browser = shown(&page_with_crontab(&log, EACH_MINUTE, "10:30"));
    for (job, title, target) in [
        ("h1 /a.sh", "failed", "r"),
        ("h2 /b.sh", "connection failure", "r"),
        ("h3 /c.sh", "lost", "r"),
        ("h3 /c.sh", "not started", "j"),
    ] {
        for part in [0.1, 0.3, 0.7, 0.9] {
            let place = browser.evaluate(&format!(
                "(() => {{
                    const row = [...document.querySelectorAll('div.row')].find(it => it.querySelector('.n').title === '{job}');
                    row.scrollIntoView({{ block: 'center' }});
                    const {{ left, top, width, height }} = row.querySelector('.t').getBoundingClientRect();
                    const [, columns] = row.querySelector('.t').getAttribute('viewBox').split(' ').slice(1);
                    const it = [...row.querySelectorAll('title')].find(it => it.textContent.includes('{title}')).parentElement;
                    const column = Number(it.getAttribute('d').match(/M(\\d+)/)[1]);
                    return [left + (column + .5) * width / columns, top + height * {part}];
                }})()"
            ));
            let hit = browser.evaluate(&format!("document.elementFromPoint({}, {}).textContent", place[0], place[1]));
            assert!(hit.as_str().unwrap().contains(title), "{job} {title} {part}: {hit}");
            drag(&mut browser, &place, &place);
            let at = hash(&mut browser);
            assert!(at.starts_with(&format!("#at={target}")), "{job} {title} {part}: {at}");
        }
    }
    assert_eq!(browser.evaluate("document.querySelectorAll('.lines path.r').length"), 0);
}

#[test]
fn a_link_to_the_runs_of_a_job_shows_its_name_and_keeps_the_mark_in_its_output() {
    let page = page_of(LOG, &[]);
    let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    let id = shown(&page).evaluate("document.querySelector('#p1 h4 a').getAttribute('href')");
    for has_script in [true, false] {
        let mut browser = Browser::start();
        browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": !has_script }));
        browser.call("Emulation.setEmulatedMedia", &dark);
        browser.open(&page.path.with_file_name(format!("page.html{}", id.as_str().unwrap())));
        let mark = "(it => it && getComputedStyle(it).backgroundColor
            !== getComputedStyle(it.closest('.runs')).backgroundColor)(document.querySelector('#p1 mark'))";
        assert_eq!(browser.evaluate(mark), true, "{has_script}");
        assert_eq!(browser.evaluate(FAINT), "", "{has_script}");
        let top = browser.evaluate("document.querySelector('#p1 h4').getBoundingClientRect().top");
        assert!(top.as_f64().unwrap() >= 0.0, "{has_script}: {top}");
    }
}

#[test]
fn what_is_cut_says_so() {
    let log = records_of(
        "10:01:00..11:10:00/1m  1  h /x.sh  exit 3: 1\\n2\\n3\\n4\\n5\\nno room
         12:00:00  4194304  h /x.sh  10m  ok: connected to warehouse\n",
    )
    .replace("12:10:00][4194304] connected", "12:00:01][4194304] connected");
    let mut browser = shown(&page_of(log, &["--until", "2026-03-02 12:05"]));
    browser.evaluate("for (const it of document.querySelectorAll('details')) it.open = true");
    assert_eq!(texts(&mut browser, "pre"), ["connected to warehouse", "… 2 3 4 5 no room"]);
    let facts = texts(&mut browser, ".runs .facts");
    assert!(facts.contains(&"61 of 71 runs shown".to_owned()), "{facts:?}");
    let heads = texts(&mut browser, ".runs h4").join(", ");
    assert!(heads.starts_with("Now: 12:00:00 still running, for 5m00s"), "{heads}");
}

#[test]
fn all_words_of_the_filter_must_be_in_the_job_its_state_its_reason_or_its_output_in_any_case() {
    let page = page_of(LOG, &[]);
    let mut browser = shown(&page);
    let all = "db01|web01 /opt/jobs/rotate.sh|db01 /opt/jobs/dump.sh daily; db01 (no script)|web01 /opt/jobs/rotate.sh|\
               db01 /opt/jobs/dump.sh daily; 3 of 3 problems, 3 of 3 jobs";
    let one = |job: &str| format!("{job}; {job}; 1 of 3 problems, 1 of 3 jobs");
    let (rotate, dump) = (&*one("web01 /opt/jobs/rotate.sh"), &*one("db01 /opt/jobs/dump.sh daily"));
    let none = "; ; 0 of 3 problems, 0 of 3 jobs";
    for (text, expected) in [
        ("", all),
        ("ROTATE web", rotate),
        ("dropped db01", dump),
        ("dump(daily)", dump),
        ("three FAILING", rotate),
        ("rotate dump", none),
    ] {
        fill(&mut browser, "q", text);
        assert_eq!(seen(&mut browser), expected, "{text}");
    }
    fill(&mut browser, "q", "");
    click(&mut browser, "[name=q]");
    "Rotate web".chars().map(String::from).for_each(|key| press(&mut browser, &key, &key));
    assert_eq!(hash(&mut browser), "#q=Rotate web");
    assert_eq!(seen(&mut browser), rotate);
    for (sent, expected) in [("Rotate+web", rotate), ("Rotate%20web", rotate), ("100%", none)] {
        let mut other = Browser::start();
        other.open(&page.path.with_file_name(format!("page.html#q={sent}")));
        assert_eq!(other.messages, Vec::<String>::new());
        assert_eq!(seen(&mut other), expected, "{sent}");
        assert_eq!(texts(&mut other, "#problems h3").is_empty(), expected == none);
    }
}

#[test]
fn a_drag_or_two_clicks_on_the_axis_choose_a_part_of_the_time() {
    let page = page_of(day_of_300_jobs(), &["--since", "2026-11-24"]);
    let mut browser = shown(&page);
    let part = "document.querySelector('.t').getAttribute('viewBox')";
    let all = browser.evaluate(part);
    let place = |browser: &mut Browser, column: f64| {
        browser.evaluate(&format!(
            "(() => {{ document.querySelector('.axis').scrollIntoView();
                const {{ left, top, width }} = document.querySelector('.scale').getBoundingClientRect();
                return [left + width * {column} / 114, top + 20]; }})()"
        ))
    };
    let [from, to] = [54.5, 65.5].map(|column| place(&mut browser, column));
    drag(&mut browser, &from, &to);
    assert_eq!(hash(&mut browser), "#from=2026-11-24T09:00:00&to=2026-11-24T11:00:00");
    assert_eq!(browser.evaluate(part), "54 0 12 18");
    let times = texts_of(&mut browser, ".tick", "true");
    assert_eq!((times.first().unwrap().as_str(), times.last().unwrap().as_str()), ("09:00", "10:50"));
    let states = texts(&mut browser, ".problem .state").join(" ");
    assert!(states.contains("UNREACHABLE") && !states.contains("LOST"), "{states}");
    let mut other = Browser::start();
    other.open(&page.path.with_file_name("page.html#from=2026-11-24T09:00:00&to=2026-11-24T11:00:00"));
    assert_eq!(other.evaluate(part), "54 0 12 18");
    click(&mut browser, "button[type=reset]");
    assert_eq!((hash(&mut browser), browser.evaluate(part)), (String::new(), all));
    for column in [54.5, 65.5] {
        let at = place(&mut browser, column);
        drag(&mut browser, &at, &at);
    }
    assert_eq!(browser.evaluate(part), "54 0 12 18");
}

#[test]
fn the_jobs_are_sorted_by_their_problems_their_names_or_their_durations() {
    let log = records_of(
        "10:00:00  1  b /x   1s  exit 3
         10:01:00  2  a /y   9s  ok
         10:02:00  3  c /z  20s  ok\n",
    );
    let mut browser = shown(&page_of(log, &[]));
    let mut sorted = |by: &str| {
        fill(&mut browser, "sort", by);
        (hash(&mut browser), texts(&mut browser, ".lines .n")[1..].join("|"))
    };
    let sorted_by = |by: &str, jobs: &str| (format!("#{by}"), jobs.to_owned());
    assert_eq!(sorted("name"), sorted_by("sort=name", "a /y|b /x|c /z"));
    assert_eq!(sorted("duration"), sorted_by("sort=duration", "c /z|a /y|b /x"));
    assert_eq!(sorted("worst").1, "b /x|a|c");
}

#[test]
fn the_timeline_is_one_stop_of_the_tab_key_and_arrows_lead_to_rows_and_cells() {
    let mut browser = shown(&page_of(LOG, &[]));
    let stops = "[...document.querySelectorAll('.lines a, .lines summary')].filter(it => it.tabIndex >= 0).length";
    assert_eq!(browser.evaluate(stops), 1);
    let stops =
        "[...document.querySelectorAll('.problem a')].filter(it => it.tabIndex >= 0 && it.checkVisibility()).length";
    assert_eq!(browser.evaluate(stops), 3);
    browser.evaluate("document.querySelector('.lines .n a').focus()");
    let mut at = |key: &str| {
        press(&mut browser, key, "");
        let text = browser.evaluate("document.activeElement.textContent");
        text.as_str().unwrap().to_owned()
    };
    assert_eq!(at("ArrowDown"), "web01 /opt/jobs/rotate.sh");
    assert_eq!(at("ArrowRight"), "21:00–21:05: 1 of 3 lost, 1 failed");
    assert_eq!(at("ArrowDown"), "20:50–20:55: 1 of 1 connection failure, exit 255: connection dropped by the server");
    assert_eq!(at("Home"), "db01 /opt/jobs/dump.sh daily");
    assert_eq!(at("ArrowUp"), "web01 /opt/jobs/rotate.sh");
}

#[test]
fn what_concerned_all_jobs_is_a_mark_across_all_rows() {
    let log = records_of(
        "10:00:01..10:09:01/1m  10  h1 /a.sh  ok
         10:20:01..10:29:01/1m  20  h1 /a.sh  ok
         10:00:01..10:09:01/1m  30  h2 /b.sh  ok
         10:20:01..10:29:01/1m  40  h2 /b.sh  ok
         10:00:01..10:09:01/1m  50  h3 /c.sh  ok
         10:20:01..10:29:01/1m  60  h3 /c.sh  ok\n",
    );
    let mut browser = shown(&page_with_crontab(&log, EACH_MINUTE, "10:30"));
    assert_eq!(texts(&mut browser, ".marks-list"), ["10:10–10:20 CRON DOWN: 30 runs of 3 jobs not started"]);
    // From 10:10:00 to 10:20:01, in columns of 30 seconds from 10:00:00 on.
    let band = "document.querySelector('.band').getAttribute('d')";
    assert_eq!(browser.evaluate(band), "M20.00 0V1H40.03V0z");
    let edges = "(({ left, right }) => { const cells = document.querySelector('.t').getBoundingClientRect();
        return Math.abs(left - cells.left) + Math.abs(right - cells.right) < 2; })(document.querySelector('.marks').getBoundingClientRect())";
    assert_eq!(browser.evaluate(edges), true);
    let missed = cells(&mut browser, "h1 /a.sh");
    assert_eq!(missed[0], "10:10:00–10:10:30: 1 of 1 not started");
    // The cells of a problem that is over end with the problem.
    let last = texts_of(&mut browser, ".bar title", "true");
    assert!(last.last().unwrap().starts_with("10:19:00 h"), "{last:?}");
    assert!(last.iter().all(|it| it.ends_with("not started")), "{last:?}");
}

#[test]
fn a_job_that_is_slower_or_creeps_has_a_chart_of_its_durations() {
    let charts = |log: String, args: &[&str], problem: &str| {
        let mut browser = shown(&page_of(log, args));
        texts(&mut browser, &format!("{problem} .problem"))
            .into_iter()
            .filter(|it| it.contains(", usual "))
            .collect::<Vec<_>>()
    };
    let slower = charts(day_of_300_jobs(), &["--since", "2026-11-24"], "#problems");
    assert!(slower.len() == 1 && slower[0].starts_with("SLOWER"), "{slower:?}");
    // Each night half a minute more, until the limit of two hours is near.
    let nights = (1..=14)
        .map(|day| format!("03-{day:02} 01:00:00  {day}  h timeout 3600 /dump.sh  {}m  ok: done\n", 15 + day * 3));
    let creeping = charts(records_of(&nights.collect::<String>()), &[], "#watch");
    let creeping = creeping.iter().find(|it| it.starts_with("CREEPING"));
    let creeping = creeping.expect("a finding with its chart");
    assert!(creeping.contains("first 18m00s, ") && creeping.ends_with(", last 57m00s"), "{creeping}");
}

/// The texts whose contrast to what is behind them is less than 4.5 (WCAG 2.2, 1.4.3).
const FAINT: &str = "(() => {
    const parts = color => color.match(/[\\d.]+/g).map(Number);
    const light = color => parts(color).slice(0, 3).map(it => it / 255)
        .map(it => it <= .04045 ? it / 12.92 : ((it + .055) / 1.055) ** 2.4)
        .reduce((sum, it, index) => sum + it * [.2126, .7152, .0722][index], 0);
    const behind = it => {
        for (; it; it = it.parentElement) {
            const color = getComputedStyle(it).backgroundColor;
            if ((parts(color)[3] ?? 1) > 0) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    const found = new Set();
    for (const it of document.querySelectorAll('body *')) {
        const own = [...it.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!own || !it.checkVisibility() || it.closest('script, title, pattern')) continue;
        const style = getComputedStyle(it);
        const color = it.closest('svg') ? style.fill : style.color;
        const [one, other] = [light(color), light(behind(it))].sort((a, b) => b - a);
        const contrast = (one + .05) / (other + .05);
        if (contrast < 4.5) found.add(`${it.localName}.${it.getAttribute('class')} ${contrast}`);
    }
    return [...found].join(', ');
})()";

#[test]
fn the_page_fits_screens_from_390_to_2560_pixels_and_is_legible_light_and_dark_and_printed() {
    let page = page_of(day_of_300_jobs(), &["--since", "2026-11-24"]);
    let mut browser = shown(&page);
    browser.evaluate("for (const it of document.querySelectorAll('details')) it.open = true");
    let watched = texts(&mut browser, "#watch .problem").len();
    for scheme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
        assert_eq!(browser.evaluate(FAINT), "", "{scheme}");
        for width in [320, 390, 768, 1280, 1920, 2560] {
            let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
            browser.call("Emulation.setDeviceMetricsOverride", &size);
            let over = browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
            assert_eq!(over, 0, "{width} {scheme}");
            assert_eq!(browser.evaluate(CROWDED), json!([]), "{width}");
            assert_eq!(
                texts(&mut browser, ".beside .facts").len(),
                texts(&mut browser, ".problem").len() - watched,
                "{width}"
            );
            assert_eq!(browser.evaluate(COVERED), json!([]), "{width}");
        }
    }
    // Paper is white, also where the screen is dark, and has the problems with their reasons only.
    let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    let paper = json!({ "media": "print", "features": dark });
    browser.call("Emulation.setEmulatedMedia", &paper);
    let paper = "getComputedStyle(document.documentElement).backgroundColor";
    assert_eq!(browser.evaluate(paper), "rgb(255, 255, 255)");
    assert_eq!(browser.evaluate(FAINT), "");
    assert_eq!(texts(&mut browser, "#find, #timeline, #read, pre"), Vec::<String>::new());
    let reasons = texts(&mut browser, ".why").concat();
    assert!(reasons.contains("ORDER_DB: unbound variable"), "{reasons}");
    assert_quiet(&browser, &page);
}

/// The texts of the timeline that the marks across all rows would cover.
const COVERED: &str = "[...document.querySelectorAll('.row > span, .lines .opened')]
    .filter(it => !(Number(getComputedStyle(it).zIndex) > Number(getComputedStyle(document.querySelector('.marks')).zIndex)))
    .map(it => it.className)";

/// The times of the timeline's scale that touch the one before.
const CROWDED: &str = "[...document.querySelectorAll('.scale .tick')].filter(it => it.checkVisibility())
    .filter((it, index, all) => index > 0
        && it.getBoundingClientRect().left < all[index - 1].getBoundingClientRect().right + 2)
    .map(it => it.textContent)";

#[test]
fn a_page_without_a_job_to_show_has_no_timeline_and_no_link_to_one() {
    let good = records_of("10:00:00  1  h /x  5s  ok\n");
    for (log, args) in [("", &[][..]), (&good, &["--since", "2099-01-01"]), (&good, &["--failed"])] {
        let mut browser = shown(&page_of(log, args));
        let texts = texts(&mut browser, "h1, h2, #problems > p");
        let expected = ["remoteexe: nothing is wrong", "Problems", "None in this period.", "What was read"];
        assert_eq!(texts, expected);
        assert_eq!(lost_links(&mut browser), 0);
    }
}
