//! A log that is full for a while, or for good: no record is lost in silence, and the job goes on.

use std::fs;

use crate::support::{
    MARK, REMOTEEXE, Running, Scene, is_asleep, log_of_h_s, needs_root, own_mounts, records, wait_until,
};

/// Runs remoteexe in front of an ssh that runs `body`, with a log directory on a disk of `size` bytes. A file named
/// `filler` takes all of them but `free`. Gives the log and standard error, which goes to `$DIR/stderr`.
fn run(size: usize, free: usize, body: &str) -> (String, String) {
    needs_root();
    let scene = Scene::new();
    let mut shell = own_mounts(&format!(
        "mount -t tmpfs -o size={size} none $DIR/log
         head -c {} /dev/zero >$DIR/log/filler
         status=0; {REMOTEEXE} h s 2>$DIR/stderr || status=$?
         cat $DIR/log/*_remoteexe.log >$DIR/result
         exit $status",
        size - free
    ));
    scene.equip_with_ssh(&mut shell, body);
    assert_eq!(Running::spawn(&mut shell).code(), Some(7), "the status of the job");
    let read = |name| fs::read_to_string(scene.path(name)).unwrap();
    (read("result"), read("stderr"))
}

/// Makes room in an ssh's script, once remoteexe has found the disk full.
const MAKE_ROOM: &str =
    "until grep -q keeping $DIR/stderr; do sleep 0.01; done; rm $DIR/log/filler; echo after; exit 7";

/// The same, after another process has written to the log.
const MAKE_ROOM_LATE: &str = "until grep -q keeping $DIR/stderr; do sleep 0.01; done; rm $DIR/log/filler
    echo foreign | tee -a $DIR/log/*_remoteexe.log >/dev/null; echo after; exit 7";

/// Prints numbered lines of 100 bytes in an ssh's script.
fn print_lines(count: u32) -> String {
    format!("seq -f '%099.0f' {count}")
}

fn lines(count: u32) -> String {
    (1..=count).map(|number| format!("{number:099}\n")).collect::<Vec<_>>().concat()
}

#[test]
fn a_disk_that_is_full_at_the_start_costs_no_record_once_there_is_room() {
    let (log, stderr) = run(65536, 0, &format!("echo before; {MAKE_ROOM}"));
    assert_eq!(records(&log), log_of_h_s("before\nafter\n", 7));
    assert_eq!(stderr.lines().count(), 1);
    assert!(stderr.ends_with(
        "_remoteexe.log: No space left on device (os error 28); keeping up to 1 MiB of records to try again\n"
    ));
}

#[test]
fn a_record_that_a_full_disk_cuts_in_two_is_whole_once_there_is_room() {
    let (log, _) = run(65536, 8192, &format!("{}; {MAKE_ROOM}", print_lines(200)));
    assert_eq!(records(&log), log_of_h_s(&(lines(200) + "after\n"), 7));
}

#[test]
fn a_cut_record_is_repeated_whole_where_another_process_has_written_behind_it() {
    let (log, _) = run(65536, 8192, &format!("{}; {MAKE_ROOM_LATE}", print_lines(200)));
    let (torn, whole): (Vec<&str>, Vec<&str>) = log.split_inclusive('\n').partition(|line| line.ends_with("foreign\n"));
    assert_eq!(torn.len(), 1);
    assert!(torn[0].starts_with('['), "a beginning of ours: {}", torn[0]);
    let expected = log_of_h_s(&(lines(200) + "after\n"), 7);
    assert_eq!(records(&whole.concat()), expected);
}

#[test]
fn a_mark_that_a_full_disk_cuts_off_its_line_is_repeated_with_it() {
    // The cut comes at another place each time.
    for padding in (0..130).step_by(10) {
        let begin = "x".repeat(padding);
        let (log, _) = run(65536, 8192, &format!("echo {begin}; yes END,0,h | head -n 200; {MAKE_ROOM_LATE}"));
        let (before, after) = log.split_once("foreign\n").expect("a foreign line");
        let whole = &before[..=before.rfind('\n').unwrap()];
        let whole = whole
            .strip_suffix(MARK)
            .map_or(whole, |whole| &whole[..whole.rfind('\n').map_or(0, |newline| newline + 1)]);
        let output = format!("{begin}\n{}after\n", format!("{MARK}END,0,h\n").repeat(200));
        assert_eq!(records(&(whole.to_owned() + after)), log_of_h_s(&output, 7));
    }
}

#[test]
fn when_more_comes_than_can_be_held_the_log_says_how_many_lines_are_missing() {
    let (log, stderr) = run(8 << 20, 8192, &format!("{}; {MAKE_ROOM}", print_lines(30_000)));
    let log = records(&log);
    let output = log.strip_prefix("START,-,h s\ncommand,ssh root@h s\n").unwrap();
    let output = output.strip_suffix("after\nEND,7,h s\n").expect("what comes later");
    // Lines that were in the pipe when there was room again come after the gap.
    let (kept, rest) = output.split_once("remoteexe: ").unwrap();
    let (loss, rest) = rest.split_once('\n').unwrap();
    let count = u32::try_from(kept.lines().count()).unwrap();
    let later = u32::try_from(rest.lines().count()).unwrap();
    let all = lines(30_000);
    assert!(all.starts_with(kept), "the first lines, each once");
    assert!(all.ends_with(rest), "the last lines, each once");
    assert!(kept.len() > 700_000, "a mebibyte of records is held: {}", kept.len());
    assert_eq!(loss, format!("{} lines lost, the log was full", 30_000 - count - later));
    assert_eq!(stderr.lines().count(), 1);
}

#[test]
fn what_a_disk_that_stays_full_does_not_take_goes_to_standard_error() {
    let (log, stderr) = run(65536, 8192, &format!("{}; exit 7", print_lines(200)));
    let (warning, rest) = stderr.split_once('\n').unwrap();
    assert!(warning.contains("No space left on device"));
    // The disk was full in the middle of a record. It is cut in the log and whole on standard error.
    let whole = log.rfind('\n').unwrap() + 1;
    let all = log[..whole].to_owned() + rest;
    assert_eq!(records(&all), log_of_h_s(&lines(200), 7));
}

#[test]
fn where_the_disk_stays_full_standard_error_says_how_many_lines_are_missing() {
    let (_, stderr) = run(65536, 0, &format!("{}; exit 7", print_lines(30_000)));
    let (_, rest) = stderr.split_once('\n').unwrap();
    let rest = records(rest);
    let output = rest.strip_prefix("START,-,h s\ncommand,ssh root@h s\n").unwrap();
    let output = output.strip_suffix("\nEND,7,h s\n").unwrap();
    let (kept, loss) = output.rsplit_once('\n').unwrap();
    let count = u32::try_from(kept.lines().count()).unwrap();
    assert!(format!("{kept}\n") == lines(count), "the first lines, each once");
    assert_eq!(loss, format!("remoteexe: {} lines lost, the log was full", 30_000 - count));
}

#[test]
fn a_disk_that_is_full_from_start_to_end_leaves_the_whole_run_on_standard_error() {
    let (log, stderr) = run(65536, 0, "echo out; exit 7");
    assert_eq!(log, "");
    let (_, rest) = stderr.split_once('\n').unwrap();
    assert_eq!(records(rest), log_of_h_s("out\n", 7));
}

#[test]
fn a_record_that_standard_error_has_taken_in_part_is_whole_in_a_log_that_can_be_written_again() {
    let scene = Scene::new();
    fs::remove_dir(scene.path("log")).unwrap();
    let (_unread, stderr) = std::io::pipe().unwrap();
    let body = "seq 20000; echo >$DIR/begun; until [ -e $DIR/go ]; do sleep 0.01; done";
    let mut command = scene.remoteexe_with_ssh(body);
    let mut child = Running::spawn(command.args(["h", "s"]).stderr(stderr));
    scene.wait_for_file("begun");
    wait_until("the output to be read", || is_asleep(&child));
    fs::create_dir(scene.path("log")).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    // This also checks that each line is a record.
    let log = scene.log();
    assert!(log.ends_with("\n20000\nEND,0,h s\n"));
}
