//! Many jobs at once: each record is whole, once, and in order. `cases/jobs` has much output of one job.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};

use rustix::fs::{FlockOperation, flock};

use crate::support::{Running, Scene, split_record};

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
    for line in BufReader::new(File::open(scene.log_path()).unwrap()).split(b'\n') {
        let line = [line.unwrap(), b"\n".to_vec()].concat();
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
