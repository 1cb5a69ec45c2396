//! Many jobs at once, and one sshd that takes a few connections at a time. `tests/try/herd.sh` has figures.

use std::fs;
use std::io::Read;
use std::net::TcpStream;

use crate::support::{Running, Sandbox, Scene, mask_waits, wait_until, waits};

const JOBS: usize = 20;

/// How many connections without authentication sshd takes at once.
const SLOTS: usize = 3;

/// Starts the jobs, each of which appends its number to `ids`.
fn start(sandbox: &Sandbox, ids: &Scene, retries: &str) -> Vec<(Scene, Running)> {
    let jobs = (0..JOBS).map(|job| {
        let scene = Scene::new();
        let script = format!("echo {job} >>{}", ids.path("ids").display());
        let mut command = scene.remoteexe();
        command.args(["--retries", retries]);
        let job = Running::spawn(sandbox.connect(&mut command).args(["h", &script]));
        (scene, job)
    });
    jobs.collect()
}

/// Takes all slots with silent connections.
fn take_all_slots(sandbox: &Sandbox) -> Vec<TcpStream> {
    let slots = (0..SLOTS).map(|_| {
        let mut slot = TcpStream::connect(("127.0.0.1", sandbox.port())).unwrap();
        // sshd counts a connection before it greets.
        slot.read_exact(&mut [0; 8]).unwrap();
        slot
    });
    slots.collect()
}

#[test]
fn a_herd_that_sshd_drops_runs_with_retries_each_job_exactly_once() {
    let sandbox = Sandbox::start_with_sshd_config(&format!("MaxStartups 200\nPerSourceMaxStartups {SLOTS}"));
    let ids = Scene::new();
    let slots = take_all_slots(&sandbox);

    let mut failed = start(&sandbox, &ids, "0");
    for (scene, job) in &mut failed {
        assert_eq!(job.code(), Some(255));
        let log = scene.log();
        assert!(log.contains("Connection closed by ") || log.contains("Connection reset by "));
        assert_eq!(waits(&log), []);
    }
    assert!(!ids.path("ids").exists());

    let mut jobs = start(&sandbox, &ids, "8");
    wait_until("a retry of each job", || {
        jobs.iter().all(|(scene, _)| mask_waits(&scene.log()).contains("\nretry,1/8,255,wait S s\n"))
    });
    assert!(!ids.path("ids").exists());
    drop(slots);
    for (scene, job) in &mut jobs {
        assert_eq!(job.code(), Some(0), "{}", scene.log());
        assert_eq!(scene.log().matches("END,0,h echo ").count(), 1);
    }
    let ids = fs::read_to_string(ids.path("ids")).unwrap();
    let mut ids: Vec<usize> = ids.lines().map(|id| id.parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..JOBS).collect::<Vec<_>>());
}
