//! Much output, long lines and many jobs at once: complete, in order, and in little memory.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::support::{Running, Scene, log_of_h_s, run, split_record};

/// In kB. The manual promises 8 MiB in all, and the program's own file, which the kernel maps, is half of that.
const MAX_MEMORY: u64 = 4 * 1024;

/// Runs `body` as ssh, which then waits; gives the peak of remoteexe's memory in kB. Mapped files do not count: the file
/// of a test's build is larger than that of a release, and how much of it is mapped depends on what is in the cache.
fn peak_memory(scene: &Scene, body: &str) -> u64 {
    let wait = "echo done; until [ -e $DIR/go ]; do sleep 0.02; done";
    let mut child = scene.start(format!("{body}; {wait}"));
    scene.wait_for_last_record("done");
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    fs::write(scene.path("go"), "").unwrap();
    assert_eq!(child.code(), Some(0));
    let kilobytes = |name: &str| -> u64 {
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    kilobytes("VmHWM:") - kilobytes("RssFile:")
}

fn lines_of(path: &Path) -> impl Iterator<Item = Vec<u8>> {
    BufReader::new(File::open(path).unwrap()).split(b'\n').map(Result::unwrap)
}

#[test]
fn a_line_of_200_megabytes_takes_little_memory_and_loses_no_byte() {
    let scene = Scene::new();
    let peak = peak_memory(&scene, "head -c 200000000 /dev/zero | tr '\\0' x; echo");
    let longest = vec![b'x'; 1 << 20];
    let mut length = 0;
    for mut line in lines_of(&scene.log_path()).skip(2) {
        line.push(b'\n');
        let (_, text) = split_record(&line).unwrap();
        if text.starts_with(b"x") {
            // In one comparison: byte by byte takes seconds in a test that is not optimised.
            assert!(text[..text.len() - 1] == longest[..text.len() - 1]);
            length += text.len() - 1;
        }
    }
    assert_eq!(length, 200_000_000);
    assert!(peak < MAX_MEMORY, "{peak} kB");
}

#[test]
fn ten_million_empty_lines_are_ten_million_records() {
    let scene = Scene::new();
    let peak = peak_memory(&scene, "head -c 10000000 /dev/zero | tr '\\0' '\\n'");
    let mut log = BufReader::new(File::open(scene.log_path()).unwrap());
    let mut empty = 0;
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line).unwrap() > 0 {
        empty += u32::from(line.ends_with(b"] \n"));
        line.clear();
    }
    assert_eq!(empty, 10_000_000);
    assert!(peak < MAX_MEMORY, "{peak} kB");
}

#[test]
fn a_flood_of_nul_bytes_leaves_no_record() {
    let scene = Scene::new();
    let peak = peak_memory(&scene, "head -c 100000000 /dev/zero");
    assert_eq!(scene.log(), log_of_h_s("done\n", 0));
    assert!(peak < MAX_MEMORY, "{peak} kB");
}

#[test]
fn a_line_that_ends_at_the_border_of_a_buffer_is_like_any_other() {
    // A new pipe, the larger one that ssh gets, the longest text of a record, the longest append.
    let borders = [64_usize << 10, 512 << 10, (1 << 20) - 128, 1 << 20];
    for length in borders.iter().flat_map(|border| border - 1..=border + 1) {
        let run = run(format!("head -c {length} /dev/zero | tr '\\0' x; echo; printf y"));
        assert_eq!(run.code, 0);
        let log = run.records;
        let output: Vec<&str> = log.lines().skip(2).collect();
        let [pieces @ .., "y", "END,0,h s"] = output.as_slice() else { panic!("{length}") };
        assert_eq!(pieces.concat(), "x".repeat(length));
        assert_eq!(pieces.len(), length.div_ceil((1 << 20) - 128));
    }
}

#[test]
fn two_hundred_jobs_at_once_leave_every_record_whole_once_and_in_order() {
    const JOBS: u64 = 200;
    const LINES: usize = 1000;
    let scene = Scene::new();
    for job in 0..JOBS {
        fs::write(scene.path(job.to_string()), random_lines(job, LINES)).unwrap();
    }
    // No job prints before all have been started.
    let lock = File::create(scene.path("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let children: Vec<Running> = (0..JOBS)
        .map(|job| {
            let mut command = scene.remoteexe_with_ssh("flock -s $DIR/lock true; cat $DIR/$2");
            Running::spawn(command.args(["h", &job.to_string()]))
        })
        .collect();
    let jobs: HashMap<u32, u64> = children.iter().map(|child| child.id()).zip(0..).collect();
    flock(&lock, FlockOperation::Unlock).unwrap();
    for mut child in children {
        assert_eq!(child.code(), Some(0));
    }

    let mut found: HashMap<u32, Vec<u8>> = HashMap::new();
    for mut line in lines_of(&scene.log_path()) {
        line.push(b'\n');
        let (pid, text) = split_record(&line).expect("a whole record");
        found.entry(pid).or_default().extend_from_slice(text);
    }
    assert_eq!(found.len(), jobs.len());
    for (pid, texts) in found {
        let job = jobs[&pid];
        let mut sent = String::new();
        File::open(scene.path(job.to_string())).unwrap().read_to_string(&mut sent).unwrap();
        let expected = format!("START,-,h {job}\ncommand,ssh root@h {job}\n{sent}END,0,h {job}\n");
        assert!(texts == expected.as_bytes(), "the records of job {job} differ");
    }
}

/// Lines of 1 to 100,000 bytes, mostly short.
fn random_lines(seed: u64, count: usize) -> String {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|_| {
            let longest = *random.choice(&[100, 100, 100, 100, 1000, 1000, 1000, 5000]).unwrap();
            let longest = if random.u32(..500) == 0 { 100_000 } else { longest };
            let letter = random.lowercase().to_string();
            letter.repeat(random.usize(1..=longest)) + "\n"
        })
        .collect()
}
