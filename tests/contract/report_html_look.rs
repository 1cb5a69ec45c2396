//! `--report --html`: how the page looks on screens and on paper, and to those who do not see it or have no mouse.

use serde_json::{Value, json};

use crate::report::{LOG, run};
use crate::report_html::{assert_quiet, page_of, shown, texts, texts_of};
use crate::support::{day_of_300_jobs, wait_for};

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
        browser.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
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
    // Paper is white, also where the screen is dark.
    let dark = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
    let paper = json!({ "media": "print", "features": dark });
    browser.call("Emulation.setEmulatedMedia", &paper);
    let paper = "getComputedStyle(document.documentElement).backgroundColor";
    assert_eq!(browser.evaluate(paper), "rgb(255, 255, 255)");
    assert_eq!(browser.evaluate(FAINT), "");
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
        nodes.filter_map(|node| node["name"]["value"].as_str()).collect()
    };
    assert_eq!(named("table"), ["Now", "Timeline"]);
    let headers = named("rowheader");
    for header in ["db01", "/opt/jobs/dump.sh daily", "web01", "/opt/jobs/rotate.sh"] {
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
