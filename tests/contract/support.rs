//! What the tests share.

use std::thread;
use std::time::{Duration, Instant};

mod browser;
mod case;
mod clock;
mod cron;
mod day;
mod job;
mod launcher;
mod log;
mod mounts;
mod process;
mod proxy;
pub mod report;
mod run_notation;
mod sandbox;
mod scene;
mod terminal;
mod user;

pub use browser::Browser;
pub use case::case_as_run;
pub use clock::{FAKETIME, set_modified};
pub use cron::cron;
pub use day::day_of_300_jobs;
pub use job::{LOOK_ALIKE, assert_fits, job};
pub use launcher::{SOME_VERSION, compile_ssh, forge_ssh};
pub use log::{MARK, REQUESTED, files, log_of_h_s, mask_waits, records, split_record, texts, texts_in, waits};
pub use mounts::own_mounts;
pub use process::{
    Lingering, Running, children, code, is_asleep, is_running, run_tool, send, send_to, state, stderr, try_send_to,
};
pub use proxy::{Cut, Proxy};
pub use run_notation::records_of;
pub use sandbox::Sandbox;
pub use scene::{REMOTEEXE, Scene};
pub use terminal::Terminal;
pub use user::{as_ordinary_user, needs_root};

/// How long a condition may take to become true. Only a test that fails waits so long.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits until `condition` gives something.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until `condition` holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(what, || condition().then_some(()));
}

/// Compares bytes, and shows them readable where they differ.
pub fn assert_bytes(found: &[u8], expected: &[u8]) {
    assert_eq!(found.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// Calls `check` with `count` seeds in a row, the first of them random, and prints the first.
///
/// If the environment has a seed, to repeat a run that failed, `check` is called with that one only.
pub fn with_seeds(count: u64, check: impl Fn(u64) + Sync) {
    if let Some(seed) = seed_to_repeat() {
        return Some(seed).into_iter().for_each(check);
    }
    let first = fastrand::u64(..1 << 32);
    println!("SEED={first} and the {count} after it");
    // In two threads, as such a test is among the longest.
    at_once([0, 1], |half| (first + half..first + count).step_by(2).for_each(&check));
}

/// The seed in the environment.
pub fn seed_to_repeat() -> Option<u64> {
    let seed = std::env::var("SEED").ok()?;
    Some(seed.parse().expect("SEED=NUMBER"))
}

/// Checks all cases at once, because most of their time each one waits.
pub fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}
