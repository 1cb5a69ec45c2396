//! `--report --html`: the page, as Chromium shows it, and the file that it is in.

use std::fmt::Write;
use std::fs::{self, Permissions};
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Output;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use crate::report::{LOG, report, reporter, run};
use crate::support::{Browser, Scene, code, day_of_300_jobs, files, stderr, wait_for};

/// A page in a file of its own.
struct Page {
    scene: Scene,
    path: PathBuf,
}

/// The page of this log.
fn page_of(log: impl AsRef<[u8]>, args: &[&str]) -> Page {
    let scene = Scene::new();
    fs::write(scene.path("a.log"), log).unwrap();
    let mut command = reporter(&scene);
    command.args(["--html", "page.html"]).args(args);
    let output = command
        .arg("a.log")
        .current_dir(scene.path(""))
        .output()
        .unwrap();
    assert_eq!((stderr(&output), output.stdout.len()), (String::new(), 0));
    let path = scene.path("page.html");
    Page { scene, path }
}

/// A browser that shows the page. It has asked for nothing else, and said nothing.
fn shown(page: &Page) -> Browser {
    let mut browser = Browser::start();
    browser.open(&page.path);
    assert_quiet(&browser, page);
    browser
}

fn assert_quiet(browser: &Browser, page: &Page) {
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
fn texts(browser: &mut Browser, selector: &str) -> Vec<String> {
    texts_of(browser, selector, "it.checkVisibility()")
}

/// The titles of the shapes that match.
fn titles(browser: &mut Browser, selector: &str) -> Vec<String> {
    texts_of(browser, &format!("{selector} title"), "true")
}

fn texts_of(browser: &mut Browser, selector: &str, condition: &str) -> Vec<String> {
    let found = browser.evaluate(&format!(
        "[...document.querySelectorAll({})].filter(it => {condition})
            .map(it => it.textContent.replace(/\\s+/g, ' ').trim())",
        json!(selector)
    ));
    serde_json::from_value(found).unwrap()
}

/// The number of links that lead nowhere.
fn lost_links(browser: &mut Browser) -> Value {
    browser.evaluate(
        "[...document.querySelectorAll('a')]
            .filter(it => !document.getElementById(it.getAttribute('href').slice(1))).length",
    )
}

#[test]
fn the_page_begins_with_the_counts_and_the_problems_in_the_words_of_the_first_screen() {
    let mut browser = shown(&page_of(LOG, &[]));
    assert_eq!(
        texts(&mut browser, "h1"),
        ["remoteexe: 3 problems now, 0 over"]
    );
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
            "FAILINGsince 18:05db01 1 run, no good run before, run 913@18:05:4610: usage error",
            "FAILINGsince 21:00web01 /opt/jobs/rotate.sh every run (2), last good 21:00, run 4194305@21:01:00\
             lost: no END, and the process is gone",
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
        [
            "db01",
            "(no script)",
            "/opt/jobs/dump.sh daily",
            "web01",
            "/opt/jobs/rotate.sh"
        ]
    );
    let marks = titles(
        &mut browser,
        ".timeline [data-job$='rotate.sh'] a[href^='#r']",
    );
    // The marks of one state come together.
    assert_eq!(
        marks,
        [
            "13:21:01 ok, took 57s",
            "21:00:00 ok, took 4s",
            "21:00:01 failed, 3",
            "21:01:00 lost"
        ]
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
        ["21:00:01 3: the script's own status, took 4s, run 915@21:00:01one two three four"]
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
        format!(
            "{}: {rows}; {marks} marks; {runs}",
            texts(&mut browser, "output").concat()
        )
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
    assert_eq!(
        choose("", "", "c"),
        "1 of 3 jobs: /opt/jobs/dump.sh daily; 1 marks; 20:53:01"
    );
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

#[test]
fn a_text_from_a_log_is_shown_as_it_is_and_does_nothing() {
    let log: String = (1..)
        .zip(HOSTILE)
        .map(|(pid, text)| {
            let (start, end) = (format!("10:0{pid}:00"), format!("10:0{pid}:05"));
            run(pid, &start, &end, &format!("h{pid} /x {text}"), text, 3)
        })
        .collect();
    let mut browser = shown(&page_of(log, &[]));
    let (names, lines): (Vec<_>, Vec<_>) = (1..)
        .zip(HOSTILE)
        .map(|(pid, text)| (format!("h{pid} /x {text}"), text.to_owned()))
        .unzip();
    assert_eq!(texts(&mut browser, "#lines h3"), names);
    assert_eq!(texts(&mut browser, "#lines pre"), lines);
    let foreign = "[...document.querySelectorAll('script, img, iframe, base, meta, style, [onload], [onerror]')]
        .map(it => it.localName).join(' ')";
    let own = "meta meta meta meta meta style script";
    assert_eq!(browser.evaluate(foreign), own);
}

#[test]
fn bytes_that_are_no_text_and_characters_that_mislead_are_escaped() {
    let output = b"\xff\x1b[31m a\xe2\x80\xaeb";
    let mut log = run(1, "10:00:00", "10:00:05", "h /x", "OUT", 3).into_bytes();
    let at = log.windows(3).position(|part| part == b"OUT").unwrap();
    log.splice(at..at + 3, output.iter().copied());
    let mut browser = shown(&page_of(log, &[]));
    let lines = texts(&mut browser, "#lines pre");
    assert_eq!(lines, [r"\xff\x1b[31m a\u{202e}b"]);
}

#[test]
fn a_text_from_a_log_paints_nothing_outside_of_its_box() {
    let name = format!("h /x {}", "e\u{301}".repeat(300) + &"\u{301}".repeat(300));
    let log = run(1, "10:00:00", "10:00:05", &name, &name, 3);
    let mut browser = shown(&page_of(log, &[]));
    let open = "[...document.querySelectorAll('body *')]
        .filter(it => [...it.childNodes].some(node => node.nodeType === 3 && node.data.includes('e\u{301}')))
        .map(it => it.closest('#problems td, .timeline th, h3, pre, .durations th') ?? it)
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
    for scheme in ["light", "dark"] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
        assert_eq!(browser.evaluate(FAINT), "", "{scheme}");
        for width in [390, 768, 1280, 1920, 2560] {
            let size =
                json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
            browser.call("Emulation.setDeviceMetricsOverride", &size);
            let over = browser.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth",
            );
            assert_eq!(over, 0, "{width} {scheme}");
        }
    }
    browser.call("Emulation.setEmulatedMedia", &json!({ "media": "print" }));
    // Each sheet begins with the scale.
    let head = "getComputedStyle(document.querySelector('.timeline thead')).display";
    assert_eq!(browser.evaluate(head), "table-header-group");
    assert_eq!(texts(&mut browser, "#filter, #lines"), Vec::<String>::new());
    assert_eq!(texts(&mut browser, ".timeline [data-job]").len(), 297);
    assert_quiet(&browser, &page);
}

/// The times of the timeline's scale that touch the one before.
const CROWDED: &str =
    "[...document.querySelectorAll('.axis text')].filter(it => it.checkVisibility())
    .filter((it, index, all) => index > 0
        && it.getBoundingClientRect().left < all[index - 1].getBoundingClientRect().right + 2)
    .map(it => it.textContent)";

#[test]
fn the_times_of_the_scale_stay_apart_on_every_screen_and_on_paper() {
    let log: String = (0..24)
        .map(|hour| {
            let at = format!("{hour:02}:59:59");
            run(hour + 1, &at, &at, "h /x", "", 0)
        })
        .collect();
    let mut browser = shown(&page_of(log, &["--since", "2026-03-02"]));
    for media in ["screen", "print"] {
        browser.call("Emulation.setEmulatedMedia", &json!({ "media": media }));
        for width in (390..2600).step_by(60) {
            let size =
                json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
            browser.call("Emulation.setDeviceMetricsOverride", &size);
            assert_eq!(browser.evaluate(CROWDED), json!([]), "{width} {media}");
        }
    }
}

#[test]
fn the_scale_of_a_period_of_any_length_has_round_times() {
    let first_two = |end: &str| {
        let log = run(1, "10:01:00", "10:01:05", "h /x", "", 0);
        let last = run(2, "10:01:00", "10:01:05", "h /x", "", 0).replace("2026-03-02", end);
        let mut browser = shown(&page_of(log + &last, &[]));
        let labels = texts_of(&mut browser, ".axis text", "true");
        assert!((3..=12).contains(&labels.len()), "{labels:?}");
        labels[..2].join(" ")
    };
    assert_eq!(first_two("2026-03-03"), "12:00 14:00");
    assert_eq!(first_two("2026-03-12"), "03-03 03-04");
    assert_eq!(first_two("2026-06-20"), "2026-03-21 2026-04-09");
    assert_eq!(first_two("2036-03-02"), "2027-11-01 2029-07-02");
}

#[test]
fn a_screen_reader_finds_tables_and_a_keyboard_stops_at_jobs_and_not_at_each_mark() {
    let mut browser = shown(&page_of(LOG, &[]));
    // The tree grows for some time after the page is loaded.
    let tree = wait_for("the last row and the last chart in the tree", || {
        let tree = browser.call("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap();
        let has = |role: &str, name: &str| {
            let is_such =
                |node: &Value| node["role"]["value"] == role && node["name"]["value"] == name;
            nodes.iter().any(is_such)
        };
        let is_whole = has("rowheader", "/opt/jobs/rotate.sh")
            && has("image", "Starts: 3 at most, at second 1");
        is_whole.then_some(tree)
    });
    let nodes = tree["nodes"].as_array().unwrap();
    let named = |role: &str| -> Vec<&str> {
        let nodes = nodes.iter().filter(|node| node["role"]["value"] == role);
        nodes
            .filter_map(|node| node["name"]["value"].as_str())
            .collect()
    };
    assert_eq!(named("table"), ["Now", "Timeline"]);
    let headers = named("rowheader");
    for header in [
        "db01",
        "/opt/jobs/dump.sh daily",
        "web01",
        "/opt/jobs/rotate.sh",
    ] {
        assert!(headers.contains(&header), "{header} in {headers:?}");
    }
    let images = named("image");
    for image in [
        "no outage",
        "1 ok, 1 connection failure",
        "2 ok, 1 failed, 1 lost, some at once",
        "Starts: 3 at most, at second 1",
    ] {
        assert!(images.contains(&image), "{image} in {images:?}");
    }
    let stops =
        "[...document.querySelectorAll('.timeline a')].filter(it => it.tabIndex >= 0).length";
    assert_eq!(browser.evaluate(stops), 3);
    // The ring around the job that has the focus is five pixels wide. A name that is cut does not cut it.
    let edge = "(({ overflowY, overflowClipMargin }) => [overflowY, overflowClipMargin])(
        getComputedStyle(document.querySelector('.timeline [data-job] th')))";
    assert_eq!(browser.evaluate(edge), json!(["clip", "6px"]));
}

#[test]
fn outages_of_a_host_and_of_cron_are_bands_and_a_job_that_takes_longer_has_a_line() {
    let mut browser = shown(&page_of(day_of_300_jobs(), &["--since", "2026-11-24"]));
    let unreachable = titles(&mut browser, ".timeline .host .bh");
    assert_eq!(unreachable, ["UNREACHABLE 09:23–10:20"]);
    assert_eq!(titles(&mut browser, "#cron .bc"), ["LOST 03:11–03:30"]);
    let durations = texts(&mut browser, ".durations tbody tr").concat();
    assert!(
        durations.starts_with("host_sum_batch12 /srv/backup.sh --full"),
        "{durations}"
    );
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
    let log: String = runs
        .map(|(pid, at)| run(pid, at, at, "h1 /ten.sh", "", 0))
        .collect();
    let lines = "*/10 * * * * root remoteexe h1 /ten.sh\n15 * * * * root remoteexe h2 /never.sh\n";
    let mut browser = shown(&page_with_crontab(&log, lines, "10:45"));
    assert_eq!(
        titles(&mut browser, ".timeline a.m[href^='#j']"),
        [
            "10:20:00 not started",
            "10:30:00 not started",
            "10:15:00 not started"
        ]
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
fn a_busy_day_is_below_3_mb_whatever_fails() {
    // 300 jobs, each every three and a half minutes. Each third run fails with a line of its own.
    let mut log = String::new();
    for number in 0..120_000_u32 {
        let second = number / 300 * 215 + number % 60;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (pid, job) = (
            number + 1,
            format!("host{} /srv/job{}.sh", number % 60, number % 300),
        );
        let status = if number / 300 % 3 == 0 { 3 } else { 0 };
        let at = format!("[2026-03-02 {hour:02}:{minute:02}:{second:02}][{pid}]");
        _ = write!(
            log,
            "{at} START,-,{job}\n{at} command,ssh root@{job}\n{at} {pid} & no < room > left\n{at} END,{status},{job}\n"
        );
    }
    let page = page_of(log, &[]);
    let size = fs::metadata(&page.path).unwrap().len();
    assert!(size < 3_000_000, "{size}");
    let mut browser = shown(&page);
    assert_eq!(texts(&mut browser, ".counts div")[0], "runs120,000");
    assert_eq!(texts(&mut browser, ".timeline [data-job]").len(), 300);
}

/// 1,000 jobs. Of each job four runs of six fail, each in a way of its own.
fn log_of_1000_jobs(hosts: u32, host: &str, script: &str, output: &str) -> String {
    let mut runs: Vec<(String, String)> = Vec::new();
    for (job, hour) in (0..1000).flat_map(|job| (0..24).step_by(4).map(move |hour| (job, hour))) {
        let at = format!("{hour:02}:{:02}:{:02}", job / 60, job % 60);
        let name = format!("{host}{} {script}{job}", job % hosts);
        let status = if hour < 16 { job % 200 + 1 } else { 0 };
        let status = u8::try_from(status).unwrap();
        let log = run(job * 24 + hour + 1, &at, &at, &name, output, status);
        runs.push((at, log));
    }
    runs.sort();
    runs.into_iter().map(|(_, run)| run).collect()
}

#[test]
fn a_page_of_1000_jobs_is_below_3_mb_whatever_their_names_and_their_output_are() {
    let (name, swollen) = ("/path/to/some/script.sh action ", "<&\">".repeat(250));
    for (hosts, host, script, output) in [
        (
            250,
            "host",
            name,
            &*"three lines of\n40 bytes\neach ".repeat(10),
        ),
        (250, "host", &swollen, ""),
        (1000, &"h&".repeat(500), name, ""),
        (250, "host", name, &swollen),
    ] {
        let page = page_of(log_of_1000_jobs(hosts, host, script, output), &[]);
        let size = fs::metadata(&page.path).unwrap().len();
        assert!((1_500_000..3_000_000).contains(&size), "{size}");
        let mut browser = shown(&page);
        let rows = texts(&mut browser, ".timeline [data-job]").len();
        let more = texts(&mut browser, "#timeline > p:last-child").concat();
        if rows < 1000 {
            let left_out = 1000 - rows;
            let told = format!("{left_out} more jobs (choose with --host or --job)");
            assert_eq!(more, told);
        }
        assert_eq!(lost_links(&mut browser), 0);
    }
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
        (
            &good,
            &["--failed"],
            "2026-03-02 10:00:00 to 2026-03-02 10:00:05: 1 job, 1 host",
        ),
    ] {
        let mut browser = shown(&page_of(log, args));
        assert_eq!(
            texts(&mut browser, "h1, .span, h2, #problems > p:last-child"),
            [
                "remoteexe: nothing is wrong",
                told,
                "Problems",
                "None in this period."
            ]
        );
        assert_eq!(lost_links(&mut browser), 0);
    }
}
