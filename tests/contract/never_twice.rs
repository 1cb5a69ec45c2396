//! Connections that are cut, or whose time is over, at random: a job that may have been started is not started
//! again.
//!
//! `SEED=N` repeats the random choices of a run that failed. Its message has the N. The timing is not
//! repeated.

use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::Signal;

use crate::launchers::LAUNCHERS;
use crate::support::{
    Cut, Proxy, REQUESTED, Running, Sandbox, Scene, children, compile_ssh, mask_waits, seed_to_repeat, try_send_to,
    waits,
};

/// How many jobs run at once.
const WORKERS: u64 = 6;

/// Fewer tries are cut than there are, so that a job can run in the end.
const MOST_CUTS: usize = 3;
const RETRIES: usize = 5;

/// sshd sends more bytes than this in the key exchange, before ssh says who it is. OpenSSH 9.2 sends 1333
/// with the key and the key exchange of the sandbox.
const BEFORE_AUTHENTICATION: usize = 1300;

/// More than sshd sends or receives for a job. A cut behind that is none.
const WHOLE_JOB: usize = 6000;

/// How a job has gone.
struct Run {
    code: Option<i32>,
    log: String,
}

impl Run {
    fn retries(&self) -> usize {
        waits(&self.log).len()
    }

    fn is_lost(&self) -> bool {
        self.code == Some(255) && self.retries() < RETRIES
    }
}

/// Jobs on a sandbox's host, each of which appends its number to the file `ids`.
struct Jobs {
    seed: u64,
    sandbox: Sandbox,
    ids: Scene,
}

impl Jobs {
    fn new() -> Self {
        let seed = seed_to_repeat().unwrap_or_else(|| fastrand::u64(..1 << 32));
        println!("SEED={seed}");
        Self { seed, sandbox: Sandbox::start(), ids: Scene::new() }
    }

    /// Runs a job through `port` with these options, and with the ssh in the directory `bin` if there is one.
    fn run(&self, job: u64, port: u16, options: &[&str], bin: Option<&str>) -> Run {
        let scene = Scene::new();
        // The output is longer than all that sshd sends before it.
        let script = format!("echo {job} >>{}; seq 800", self.ids.path("ids").display());
        let mut command = scene.remoteexe();
        if let Some(bin) = bin {
            command.env("PATH", format!("{bin}:/usr/bin:/bin"));
        }
        command.args(["--retries", &RETRIES.to_string(), "--retry-delay", "0.01"]);
        command.args(["-p", &port.to_string()]).args(options);
        let code = Running::spawn(self.sandbox.connect(&mut command).args(["h", &script])).code();
        let log = scene.log();
        assert_eq!(log.matches("START,-,").count(), 1, "{log}");
        assert_eq!(log.matches("END,").count(), 1, "{log}");
        assert!(!log.contains("remoteexe marker"), "{log}");
        Run { code, log }
    }

    /// Runs a job through a proxy that cuts its first connections. Gives the number of all connections too.
    fn run_cut(&self, job: u64, cuts: Vec<Cut>, options: &[&str], bin: Option<&str>) -> (Run, usize) {
        let proxy = Proxy::start(self.sandbox.port(), cuts);
        let run = self.run(job, proxy.port(), options, bin);
        (run, proxy.finish())
    }

    /// Runs `count` jobs, several at once, each by `run`. Expects that no job runs twice, and that each job with status 0
    /// runs.
    fn run_all(&self, count: u64, run: impl Fn(u64, &mut Rng) -> Run + Sync) -> HashMap<u64, Run> {
        let next = AtomicU64::new(0);
        let work = || {
            let mine = std::iter::repeat_with(|| next.fetch_add(1, Ordering::SeqCst));
            let mine = mine.take_while(|job| *job < count);
            mine.map(|job| (job, run(job, &mut Rng::with_seed(self.seed + job)))).collect::<Vec<_>>()
        };
        let runs: HashMap<u64, Run> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
            let runs = workers.into_iter().map(thread::ScopedJoinHandle::join);
            runs.flat_map(|runs| runs.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        let starts = self.starts();
        for (job, run) in &runs {
            let starts = starts.get(job).copied().unwrap_or_default();
            let allowed = if run.code == Some(0) { 1..=1 } else { 0..=1 };
            assert!(allowed.contains(&starts), "job {job} has run {starts} times; SEED={}\n{}", self.seed, run.log);
        }
        runs
    }

    /// How often each job ran.
    fn starts(&self) -> HashMap<u64, usize> {
        let mut starts = HashMap::new();
        for id in fs::read_to_string(self.ids.path("ids")).unwrap_or_default().lines() {
            *starts.entry(id.parse().unwrap()).or_default() += 1;
        }
        starts
    }
}

#[test]
fn jobs_that_are_cut_before_authentication_run_in_the_end_and_once() {
    let jobs = Jobs::new();
    jobs.run_all(40, |job, random| {
        let cuts = random.usize(1..=MOST_CUTS);
        let cut = |_| Cut { of_server: true, ..Cut::random(random, BEFORE_AUTHENTICATION) };
        let cuts: Vec<Cut> = (0..cuts).map(cut).collect();
        let (run, connections) = jobs.run_cut(job, cuts.clone(), &[], None);
        assert_eq!(
            (run.code, run.retries(), connections),
            (Some(0), cuts.len(), cuts.len() + 1),
            "{cuts:?} SEED={}\n{}",
            jobs.seed,
            run.log
        );
        let log = mask_waits(&run.log);
        for retry in 1..=cuts.len() {
            let record = format!("\nretry,{retry}/{RETRIES},255,wait S s\ncommand,ssh ");
            assert!(log.contains(&record), "{log}");
        }
        run
    });
}

#[test]
fn jobs_that_are_cut_anywhere_never_run_twice() {
    let jobs = Jobs::new();
    let runs = jobs.run_all(200, |job, random| {
        let cuts = random.usize(1..MOST_CUTS);
        let cuts = (0..cuts).map(|_| Cut::random(random, WHOLE_JOB)).collect();
        jobs.run_cut(job, cuts, &[], None).0
    });

    // Each way in which a job can go was taken.
    let starts = jobs.starts();
    let count = |what: fn(&Run) -> bool, is_started: bool| {
        let runs = runs.iter().filter(|(job, run)| what(run) && starts.contains_key(job) == is_started);
        runs.count()
    };
    let retried = count(|run| run.code == Some(0) && run.retries() > 0, true);
    let lost = count(Run::is_lost, true);
    println!(
        "{} jobs: {} without a retry, {retried} with, {lost} cut while they ran, {} cut before",
        runs.len(),
        count(|run| run.code == Some(0) && run.retries() == 0, true),
        count(Run::is_lost, false),
    );
    assert!(retried > 0 && lost > 0, "SEED={}", jobs.seed);
}

#[test]
fn jobs_whose_time_to_connect_ends_around_the_request_never_run_twice() {
    let jobs = Jobs::new();
    // As many jobs at once as below: the time depends on that.
    let begin = Instant::now();
    jobs.run_all(WORKERS, |job, _| jobs.run(job, jobs.sandbox.port(), &[], None));
    let whole = begin.elapsed().as_secs_f64();

    let jobs = Jobs { ids: Scene::new(), ..jobs };
    let runs = jobs.run_all(200, |job, random| {
        let timeout = format!("{:.3}", 0.01 + random.f64() * whole);
        let cut = random.bool().then(|| Cut::random(random, WHOLE_JOB));
        jobs.run_cut(job, Vec::from_iter(cut), &["--connect-timeout", &timeout], None).0
    });

    let is_timeout = |run: &&Run| run.log.contains("ssh was killed: not connected after");
    let timeouts = runs.values().filter(is_timeout).count();
    let late = runs.values().filter(|run| run.log.contains(&format!(" s\n{REQUESTED}")));
    let ok = runs.values().filter(|run| run.code == Some(0));
    println!("{} jobs: {timeouts} with a timeout, {} ok", runs.len(), ok.clone().count());
    assert_eq!(late.count(), 0, "a job was killed that was just requested");
    let retried = ok.filter(is_timeout).count();
    assert!(timeouts > 0 && retried > 0, "SEED={}", jobs.seed);
}

#[test]
fn jobs_behind_launchers_that_are_cut_or_time_out_at_any_moment_never_run_twice() {
    let jobs = Jobs::new();
    let scenes = LAUNCHERS.map(|_| Scene::new());
    let launchers = LAUNCHERS.iter().zip(&scenes);
    let bins: Vec<String> = launchers.map(|((_, main), scene)| compile_ssh(scene, main)).collect();
    let runs = jobs.run_all(100, |job, random| {
        let bin = random.choice(&bins);
        let timeout = format!("{:.3}", 0.01 + random.f64());
        let cut = random.bool().then(|| Cut::random(random, WHOLE_JOB));
        jobs.run_cut(job, Vec::from_iter(cut), &["--connect-timeout", &timeout], bin.map(String::as_str)).0
    });
    assert!(runs.values().all(|run| run.retries() == 0), "SEED={}", jobs.seed);
    assert!(runs.values().any(|run| run.code == Some(0)), "SEED={}", jobs.seed);
}

/// Sets a flag when it goes, also when a job has failed.
struct Over<'a>(&'a AtomicBool);
impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn jobs_whose_sshd_is_killed_at_any_moment_never_run_twice() {
    let jobs = Jobs::new();
    let is_over = AtomicBool::new(false);
    let (runs, kills) = thread::scope(|scope| {
        let over = Over(&is_over);
        let killer = scope.spawn(|| {
            let mut random = Rng::with_seed(jobs.seed);
            let mut kills = 0;
            while !is_over.load(Ordering::SeqCst) {
                // This sleep waits for nothing. It makes the moment random.
                thread::sleep(Duration::from_millis(random.u64(..200)));
                // The process that serves one connection, from the first byte to the last.
                if let Some(pid) = random.choice(children(jobs.sandbox.sshd())) {
                    kills += usize::from(try_send_to(&pid, Signal::KILL));
                }
            }
            kills
        });
        let runs = jobs.run_all(100, |job, _| jobs.run(job, jobs.sandbox.port(), &[], None));
        drop(over);
        (runs, killer.join().unwrap())
    });
    let retried = runs.values().filter(|run| run.retries() > 0).count();
    let lost = runs.values().filter(|run| run.is_lost()).count();
    println!("{kills} kills, {retried} jobs with a retry, {lost} lost");
    assert!(retried > 0 && lost > 0, "SEED={}", jobs.seed);
}
