//! `--report` of damaged logs: it reports the rest, and never crashes.
//!
//! `SEED=N` repeats the damage of seed N. A failure tells its seed.

use std::io::Write;
use std::process::{Output, Stdio};
use std::thread;

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::report::{LOG, fields, printed, reporter};
use crate::support::{Scene, stderr, with_seeds};

const DAMAGED_LOGS: u64 = 300;

const FORMS: [&[&str]; 4] = [&["--json"], &[], &["--tsv"], &["--run", "913"]];

/// A log with every kind of record.
fn undamaged() -> Vec<u8> {
    let more = b"\
[2026-03-02 22:00:00][20] START,-,h /\xff\xfe a,[b]
[2026-03-02 22:00:00][21] START,-,h /y
[2026-03-02 22:00:00][21] command,ssh root@h /y
[2026-03-02 22:00:00][20] command,ssh root@h /\xff\xfe a,[b]
[2026-03-02 22:00:01][20] ssh: connect to host h port 22: Connection refused\r
[2026-03-02 22:00:01][20] retry,1/8,255,wait 0.412 s
[2026-03-02 22:00:02][20] command,ssh root@h /\xff\xfe a,[b]
[2026-03-02 22:00:02][21] START,-,x
[2026-03-02 22:00:02][21] END,0,h /y
[2026-03-02 22:00:02][21] END,0,x
[2026-03-02 22:00:03][21] END,1,h /y
[2026-03-02 23:59:59][20] \x1b[2J
[2026-03-03 00:00:01][20] END,255,h /\xff\xfe a,[b]
";
    [LOG.as_bytes(), more].concat()
}

/// Changes bytes of `log`, as a bad disk or a careless tool does.
fn damage(random: &mut Rng, log: &mut Vec<u8>) {
    for _ in 0..random.usize(1..20) {
        let length = log.len();
        let at = random.usize(..=length);
        let end = random.usize(at..=length.min(at + 300));
        match random.u32(..9) {
            0 => log.truncate(at.max(length / 2)),
            1 => drop(log.drain(at..end)),
            2 => log.splice(at..at, [random.u8(..)]).for_each(drop),
            3 => log[at..end].iter_mut().for_each(|byte| *byte = random.u8(..)),
            4 => log[at..end].fill(0),
            5 => {
                let piece = log[at..end].to_vec();
                let to = random.usize(..=length);
                log.splice(to..to, piece).for_each(drop);
            }
            // Times, process ids and statuses become as large as can be.
            6 => {
                let digits = log.iter_mut().filter(|byte| byte.is_ascii_digit());
                digits.skip(at % 1000).take(8).for_each(|byte| *byte = b'9');
            }
            7 => log.splice(at..at, *b"\r\n").for_each(drop),
            _ => {
                // Whole lines, out of order.
                let mut lines: Vec<&[u8]> = log.split_inclusive(|&byte| byte == b'\n').collect();
                let some = random.usize(..=lines.len());
                random.shuffle(&mut lines[..some]);
                *log = lines.concat();
            }
        }
        if log.is_empty() {
            return;
        }
    }
}

/// `--report ARGS` of a log on standard input.
fn report_stdin(scene: &Scene, args: &[&str], log: &[u8]) -> Output {
    let mut command = reporter(scene);
    command.args(args).arg("-").stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A refused input is not read to its end.
            let _ = stdin.write_all(log);
        });
        child.wait_with_output().unwrap()
    })
}

/// Checks that each line of `log` is counted once: in a run of `documents`, or in the header of the view.
fn check_counts(log: &[u8], documents: &Output, view: &Output, what: &str) {
    let mut counted: usize = fields(documents, "command retries lines end")
        .iter()
        .map(|document| {
            let (rest, end) = document.rsplit_once(' ').unwrap();
            let (rest, lines) = rest.rsplit_once(' ').unwrap();
            let (command, retries) = rest.rsplit_once(' ').unwrap();
            let number = |text: &str| text.parse::<usize>().unwrap();
            let is_there = |field: &str| usize::from(field != "null");
            1 + is_there(command) + number(retries) + number(lines) + is_there(end)
        })
        .sum();
    let view = printed(view);
    for name in ["unrecognized lines ", "records without START "] {
        let count = view.split_once(name).map(|(_, count)| {
            let digits = count.split(|c: char| !c.is_ascii_digit());
            digits.into_iter().next().unwrap().parse::<usize>().unwrap()
        });
        counted += count.unwrap_or(0);
    }
    let lines = log.split(|&byte| byte == b'\n');
    let lines = lines.filter(|line| !line.is_empty()).count();
    // A retry record is not counted, even where it is a line of output.
    let retries = memchr::memmem::find_iter(log, b"] retry,").count();
    assert!((lines - retries..=lines).contains(&counted), "{counted} of {lines} lines; {what}");
}

/// Checks the promises that hold for any log and form, and returns what the forms print and their exit status.
fn check<const N: usize>(scene: &Scene, log: &[u8], forms: [&[&str]; N], what: &str) -> ([Output; N], i32) {
    let mut statuses = Vec::new();
    let outputs = forms.map(|args| {
        let output = report_stdin(scene, args, log);
        let status = output.status.code();
        assert!(matches!(status, Some(0 | 1 | 74)), "{status:?} of {args:?}: {}; {what}", stderr(&output));
        if args.contains(&"--run") {
            return output;
        }
        assert_eq!(stderr(&output).is_empty(), status != Some(74), "{what}");
        statuses.extend(status);
        let shown = str::from_utf8(&output.stdout);
        let shown = shown.unwrap_or_else(|_| panic!("{args:?} is not UTF-8; {what}"));
        let steers = |c: char| c.is_ascii_control() && c != '\n' && c != '\t' && c != '\x7f';
        assert!(!shown.contains(steers), "{shown:?}; {what}");
        if args.contains(&"--json") {
            let durations = fields(&output, "duration");
            assert!(durations.iter().all(|duration| !duration.contains('-')), "{what}");
        }
        output
    });
    assert!(statuses.iter().all(|status| *status == statuses[0]), "{statuses:?}; {what}");
    (outputs, statuses[0])
}

#[test]
fn a_damaged_log_is_reported_whatever_the_damage() {
    let scene = Scene::new();
    let check = |seed: u64| {
        let random = &mut Rng::with_seed(seed);
        let mut log = undamaged();
        damage(random, &mut log);
        let (outputs, status) = check(&scene, &log, FORMS, &format!("SEED={seed}"));
        let is_gzip = log.starts_with(b"\x1f\x8b");
        assert!(status != 74 || is_gzip, "SEED={seed}");
        if !is_gzip {
            check_counts(&log, &outputs[0], &outputs[1], &format!("SEED={seed}"));
        }

        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&undamaged()).unwrap();
        let mut compressed = encoder.finish().unwrap();
        damage(random, &mut compressed);
        // What comes out of the decompressor is a log like any other.
        let forms = [FORMS[0], FORMS[random.usize(1..FORMS.len())]];
        check(&scene, &compressed, forms, &format!("compressed, SEED={seed}"));
    };
    with_seeds(DAMAGED_LOGS, check);
}
