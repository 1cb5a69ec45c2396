//! `--report --html` of hostile logs: their text does nothing in a browser, and the page stays small.

use std::fmt::Write;
use std::fs;
use std::io::Read;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::report::LOG;
use crate::report_html::{lost_links, page_of, shown, texts};
use crate::support::{Browser, records_of};

/// What would run, load or hide something in a page that does not escape it.
const HOSTILE: [&str; 7] = [
    "<script>console.log('ran')</script>",
    "\"><img src=http://127.0.0.1/x onerror=console.log('ran')>",
    "'><svg/onload=console.log('ran')>",
    "</title></style></script></pre><iframe src=//127.0.0.1/></iframe>",
    "<!-- --!> <![CDATA[ ]]> &lt;b&gt; &#60;",
    "{{7*7}} ${7*7} javascript:console.log('ran')",
    "</article></main><base href=//127.0.0.1/><meta http-equiv=refresh content=0>",
];

/// Opens all that a click would open.
const OPEN: &str = "for (const it of document.querySelectorAll('details')) it.open = true";

#[test]
fn a_text_from_a_log_is_shown_as_it_is_and_does_nothing() {
    let jobs: Vec<String> = (1..).zip(HOSTILE).map(|(pid, text)| format!("h{pid} /x {text}")).collect();
    let runs = (1..).zip(jobs.iter().zip(HOSTILE));
    let runs = runs.map(|(pid, (job, text))| format!("10:0{pid}:00  {pid}  {job}  5s  exit 3: {text}\n"));
    let mut browser = shown(&page_of(records_of(&runs.collect::<String>()), &[]));
    assert_eq!(texts(&mut browser, ".problem h4 > a"), jobs);
    browser.evaluate(OPEN);
    assert_eq!(texts(&mut browser, "pre"), HOSTILE);
    let foreign = "[...document.querySelectorAll('script, img, iframe, base, meta, style, [onload], [onerror]')]
        .map(it => it.localName).join(' ')";
    let own = "meta meta meta meta meta style script";
    assert_eq!(browser.evaluate(foreign), own);
}

#[test]
fn bytes_that_are_no_text_and_characters_that_mislead_are_escaped() {
    let log = records_of("10:00:00  1  h /x  5s  exit 3: OUT\n");
    let (before, after) = log.split_once("OUT").unwrap();
    let log = [before.as_bytes(), b"\xff\x1b[31m a\xe2\x80\xaeb", after.as_bytes()].concat();
    let mut browser = shown(&page_of(log, &[]));
    browser.evaluate(OPEN);
    let lines = texts(&mut browser, "pre");
    assert_eq!(lines, [r"\xff\x1b[31m a\u{202e}b"]);
}

#[test]
fn a_text_from_a_log_paints_nothing_outside_of_its_box() {
    let name = format!("h /x {}", "e\u{301}".repeat(300) + &"\u{301}".repeat(300));
    let log = records_of(&format!("10:00:00  1  {name}  5s  exit 3: {name}\n"));
    let mut browser = shown(&page_of(log, &[]));
    let open = "[...document.querySelectorAll('body *')]
        .filter(it => [...it.childNodes].some(node => node.nodeType === 3 && node.data.includes('e\u{301}')))
        .map(it => it.closest('h4, .n, pre, .why, .facts, li') ?? it)
        .filter(it => !['clip', 'hidden'].includes(getComputedStyle(it).overflowY))
        .map(it => it.outerHTML.slice(0, 50))";
    assert_eq!(browser.evaluate(open), json!([]));
}

#[test]
fn the_policy_stops_what_would_get_into_the_page_all_the_same() {
    let page = page_of(LOG, &[]);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let address = server.local_addr().unwrap();
    let injected = format!(
        "<main><img src=http://{address}/a><iframe src=http://{address}/b></iframe>\
         <link rel=stylesheet href=http://{address}/c><script src=http://{address}/d></script>\
         <script>window.ran = 1</script><img src=data:, onerror='window.ran = 1'>\
         <style>@import url(http://{address}/e)</style>"
    );
    let text = fs::read_to_string(&page.path).unwrap();
    fs::write(&page.path, text.replacen("<main>", &injected, 1)).unwrap();
    let mut browser = Browser::start();
    browser.open(&page.path);
    assert_eq!(browser.evaluate("window.ran"), Value::Null);
    let refused = browser.messages.iter();
    let refused = refused.filter(|it| it.contains("Content Security Policy"));
    assert!(refused.count() >= 7, "{:?}", browser.messages);
    drop(browser);
    // Chromium connects for a frame before it looks at the policy. It sends nothing.
    while let Ok((mut connection, _)) = server.accept() {
        let mut asked = String::new();
        connection.read_to_string(&mut asked).unwrap();
        assert_eq!(asked, "");
    }
}

#[test]
fn a_busy_day_is_below_2_mb_and_6000_pixels_whatever_fails() {
    // 300 jobs, each every three and a half minutes. Each third run fails with a line of its own.
    let mut log = String::new();
    for number in 0..120_000_u32 {
        let second = number / 300 * 215 + number % 60;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (pid, job) = (number + 1, format!("host{} /srv/job{}.sh", number % 60, number % 300));
        let status = if number / 300 % 3 == 0 { 3 } else { 0 };
        let at = format!("[2026-03-02 {hour:02}:{minute:02}:{second:02}][{pid}]");
        _ = write!(
            log,
            "{at} START,-,{job}\n{at} command,ssh root@{job}\n{at} {pid} & no < room > left\n{at} END,{status},{job}\n"
        );
    }
    let page = page_of(log, &[]);
    let size = fs::metadata(&page.path).unwrap().len();
    assert!(size < 2_000_000, "{size}");
    let mut browser = shown(&page);
    assert_eq!(texts(&mut browser, ".counts div")[0], "runs120,000");
    let height = browser.evaluate("document.documentElement.scrollHeight").as_u64().unwrap();
    assert!(height < 6000, "{height}");
    browser.evaluate(OPEN);
    assert_eq!(texts(&mut browser, "div.row[data-s]").len(), 300);
}

/// 1,000 jobs. Of each job four runs of six fail, each in a way of its own.
fn log_of_1000_jobs(hosts: u32, host: &str, script: &str, output: &str) -> String {
    let mut runs = String::new();
    for (job, hour) in (0..1000).flat_map(|job| (0..24).step_by(4).map(move |hour| (job, hour))) {
        let status = if hour < 16 { job % 200 + 1 } else { 0 };
        let (minute, second, pid) = (job / 60, job % 60, job * 24 + hour + 1);
        let (host, script) = (format!("{host}{}", job % hosts), format!("{script}{job}"));
        _ = writeln!(runs, "{hour:02}:{minute:02}:{second:02}  {pid}  {host} {script}  exit {status}: {output}");
    }
    records_of(&runs)
}

#[test]
fn a_page_of_1000_jobs_is_below_2_mb_whatever_their_names_and_their_output_are() {
    let (name, swollen) = ("/path/to/some/script.sh action ", "<&\">".repeat(250));
    for (hosts, host, script, output) in [
        (250, "host", name, &*r"three lines of\n40 bytes\neach ".repeat(10)),
        (250, "host", &swollen, ""),
        (1000, &"h&".repeat(500), name, ""),
        (250, "host", name, &swollen),
    ] {
        let page = page_of(log_of_1000_jobs(hosts, host, script, output), &[]);
        let size = fs::metadata(&page.path).unwrap().len();
        assert!(size < 2_000_000, "{size}");
        let mut browser = shown(&page);
        browser.evaluate(OPEN);
        let rows = texts(&mut browser, "div.row[data-s]").len();
        let more = texts(&mut browser, "#timeline > p:last-child").concat();
        if rows < 1000 {
            let left_out = 1000 - rows;
            let told = format!("{left_out} more jobs (choose with --host or --job)");
            assert_eq!(more, told);
        }
        assert_eq!(lost_links(&mut browser), 0);
    }
}
