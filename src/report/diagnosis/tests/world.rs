//! A scheduler, its jobs on twelve hosts, and its log of two days.

use std::rc::Rc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use fastrand::Rng;

use crate::report::history::History;
use crate::report::history::builder::HistoryBuilder;
use crate::report::history::scope::Scope;
use crate::report::logs::chunk::Records;
use crate::report::logs::owner::Owner;
use crate::report::logs::scheduler::Scheduler;
use crate::report::runs::assembler::Assembler;
use crate::report::runs::run::Run;

const HOSTS: u32 = 12;
const OFTEN: &str = "/srv/often.sh";
const HALF: &str = "/srv/half.sh --hourly=2";
const NIGHT: &str = "/srv/night.sh";
const NEW: &str = "/srv/new.sh";

/// After this many, process ids are used again.
const PIDS: u32 = 2000;

const TIMED_OUT: &str = "ssh: connect to host h port 22: Connection timed out\r";
const DROPPED: &str = "kex_exchange_identification: Connection closed by remote host";

#[derive(Debug, Clone)]
pub struct Made {
    pub job: Rc<str>,
    pub host: u32,
    pub start: NaiveDateTime,
    pub end: NaiveDateTime,
    pub pid: u32,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Ends(u8, &'static str),
    /// Killed at its `end`.
    Killed,
    Hangs,
}

/// What goes wrong, and when: an hour each, so that no two things meet.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Host 0 does not answer for an hour.
    pub dead: Option<NaiveDateTime>,
    /// On hosts 1 to 3 a script is broken.
    pub deploy: Option<NaiveDateTime>,
    /// On host 4 the next run hangs.
    pub hung: Option<NaiveDateTime>,
    /// On host 5 a job is good and bad in turn.
    pub flapping: Option<(NaiveDateTime, Vec<bool>)>,
    /// On host 6 a job takes longer.
    pub slower: Option<NaiveDateTime>,
    /// On host 7 a job fails until the second time.
    pub failed: Option<(NaiveDateTime, NaiveDateTime)>,
    /// On host 8 a run is killed.
    pub killed: Option<NaiveDateTime>,
    /// On host 9 two silent runs are killed that night: one of a job with a single good run, and the first of another.
    pub seldom: bool,
    /// On host 9 a run takes seven minutes, so that the next one overlaps it.
    pub long: Option<NaiveDateTime>,
    /// On hosts 10 and 11 connections are dropped for 30 minutes.
    pub herd: Option<NaiveDateTime>,
    /// The machine is down for 18 minutes.
    pub reboot: Option<NaiveDateTime>,
    /// The known time of the boot after that.
    pub boot: Option<NaiveDateTime>,
}

pub struct World {
    pub runs: Vec<Made>,
    pub now: NaiveDateTime,
    pub plan: Plan,
    random: Rng,
}

pub fn floor_hour(time: NaiveDateTime) -> NaiveDateTime {
    time.date().and_hms_opt(time.hour(), 0, 0).expect("an hour")
}

impl World {
    /// All kinds of incidents, each at a random time.
    pub fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut hours: Vec<u32> = (3..17).collect();
        random.shuffle(&mut hours);
        let minutes: Vec<i64> = (0..10).map(|_| random.i64(0..12) * 5).collect();
        let time = |number: usize| {
            let hour = TimeDelta::hours(hours[number].into());
            Self::midnight() + hour + TimeDelta::minutes(minutes[number])
        };
        let failed = time(6);
        let mut plan = Plan {
            dead: Some(time(0)),
            deploy: Some(time(1)),
            hung: Some(time(2)),
            slower: Some(time(3)),
            killed: Some(time(4)),
            seldom: true,
            long: Some(time(5)),
            herd: Some(floor_hour(time(7))),
            reboot: Some(floor_hour(time(8)) + TimeDelta::minutes(12)),
            ..Plan::default()
        };
        // A run that takes longer than its hour must not meet the reboot.
        let reboot = plan.reboot.expect("there is one");
        plan.boot = random.bool().then(|| reboot + TimeDelta::minutes(17));
        let is_clear = |from: NaiveDateTime, hours: i64| {
            reboot < from - TimeDelta::hours(1) || reboot > from + TimeDelta::hours(hours + 1)
        };
        plan.hung =
            plan.hung.map(|hung| if hung < reboot { reboot + TimeDelta::hours(1) } else { hung });
        let length = TimeDelta::minutes(30 * random.i64(2..5));
        plan.failed = Some((failed, failed + length)).filter(|_| is_clear(failed, 3));
        plan.dead = plan.dead.filter(|dead| is_clear(*dead, 1));
        plan.slower = plan.slower.filter(|slower| is_clear(*slower, 4) && slower.hour() < 14);
        let flapping = floor_hour(time(9));
        let pattern = (0..random.usize(4..8))
            .flat_map(|_| [vec![false], vec![true; random.usize(1..4)]].concat());
        plan.flapping = Some((flapping, pattern.collect())).filter(|_| is_clear(flapping, 3));
        Self::made(plan, random)
    }

    pub fn healthy() -> Self {
        Self::made(Plan::default(), Rng::with_seed(1))
    }

    /// The machine was down for 18 minutes, and one run was killed by that, or none.
    pub fn booted(killed: usize) -> Self {
        let reboot = Self::midnight() + TimeDelta::minutes(9 * 60 + 12);
        let plan = Plan {
            reboot: Some(reboot),
            boot: Some(reboot + TimeDelta::minutes(17)),
            ..Plan::default()
        };
        let mut world = Self::made(plan, Rng::with_seed(1));
        let lost = world.runs.iter_mut().filter(|run| run.fate == Fate::Killed);
        for run in lost.skip(killed) {
            run.end = run.start + TimeDelta::seconds(1);
            run.fate = Fate::Ends(0, "done");
        }
        world
    }

    pub fn dead_host_at_second_one() -> Self {
        let dead = Some(Self::midnight() + TimeDelta::hours(9));
        let plan = Plan { dead, ..Plan::default() };
        let mut world = Self::made(plan, Rng::with_seed(1));
        for run in &mut world.runs {
            let start = run.start.with_second(1).expect("a second");
            run.end = start + (run.end - run.start);
            run.start = start;
        }
        world
    }

    fn midnight() -> NaiveDateTime {
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).expect("a day");
        day.and_time(NaiveTime::MIN)
    }

    fn made(plan: Plan, random: Rng) -> Self {
        let mut world =
            Self { runs: Vec::new(), now: Self::midnight() + TimeDelta::hours(20), plan, random };
        let mut minute = Self::midnight() - TimeDelta::days(1);
        while minute < world.now {
            let number = minute.hour() * 60 + minute.minute();
            for host in 0..HOSTS {
                for (script, every, offset) in
                    [(OFTEN, 5, host % 5), (HALF, 30, host % 5), (NIGHT, 1440, 120 + host)]
                {
                    if number % every == offset {
                        world.start(host, script, minute);
                    }
                }
            }
            if world.plan.seldom && minute == Self::midnight() + TimeDelta::minutes(40) {
                world.start(9, NEW, minute);
            }
            minute += TimeDelta::minutes(1);
        }
        let order = |run: &Made| run.start;
        world.runs.sort_by_key(order);
        let mut free = (1000..1000 + PIDS).collect::<Vec<u32>>().into_iter().cycle();
        let mut taken = None;
        for run in &mut world.runs {
            run.pid = free.find(|pid| Some(*pid) != taken).expect("an id");
            if run.fate == Fate::Hangs {
                taken = Some(run.pid);
            }
        }
        world
    }

    fn start(&mut self, host: u32, script: &str, minute: NaiveDateTime) {
        let plan = self.plan.clone();
        let is_down =
            |reboot: NaiveDateTime| minute >= reboot && minute < reboot + TimeDelta::minutes(18);
        if plan.reboot.is_some_and(is_down) {
            return;
        }
        let start = minute + TimeDelta::seconds(self.random.i64(3..40));
        let mut run = Made {
            job: format!("host{host:02} {script}").into(),
            host,
            start,
            // Less than ten seconds apart: no job is slower by chance.
            end: start + TimeDelta::seconds(self.random.i64(1..10)),
            pid: 0,
            fate: Fate::Ends(0, "done"),
        };
        self.spoil(&mut run, script, minute);
        if let Some(reboot) = plan.reboot {
            // Two runs are sure to be killed.
            let is_last = minute + TimeDelta::minutes(2) == reboot && script == OFTEN;
            if is_last && run.fate == Fate::Ends(0, "done") {
                run.end += TimeDelta::minutes(4);
            }
            if run.start < reboot && run.end >= reboot && run.fate != Fate::Hangs {
                run.end = reboot;
                run.fate = Fate::Killed;
            }
        }
        if run.end >= self.now && run.fate != Fate::Hangs {
            return;
        }
        self.runs.push(run);
    }

    fn spoil(&mut self, run: &mut Made, script: &str, minute: NaiveDateTime) {
        let plan = self.plan.clone();
        let from = |time: Option<NaiveDateTime>, minutes: i64| {
            time.is_some_and(|time| minute >= time && minute < time + TimeDelta::minutes(minutes))
        };
        let forever = 1 << 20;
        match (run.host, script) {
            (0, _) if from(plan.dead, 60) => {
                run.end = run.start + TimeDelta::seconds(20);
                run.fate = Fate::Ends(255, TIMED_OUT);
            }
            (1..=3, HALF) if from(plan.deploy, forever) => run.fate = Fate::Ends(2, "unbound"),
            (4, OFTEN) if from(plan.hung, 5) => run.fate = Fate::Hangs,
            (5, OFTEN) => {
                if let Some((begin, pattern)) = &plan.flapping
                    && let Ok(place) = usize::try_from((minute - *begin).num_minutes() / 5)
                    && minute >= *begin
                    && pattern.get(place) == Some(&false)
                {
                    run.fate = Fate::Ends(3, "locked");
                }
            }
            (6, OFTEN) if from(plan.slower, forever) => run.end += TimeDelta::seconds(60),
            (7, HALF) if plan.failed.is_some_and(|(begin, end)| (begin..end).contains(&minute)) => {
                run.fate = Fate::Ends(4, "no space");
            }
            (8, OFTEN) if from(plan.killed, 5) => {
                run.end = run.start + TimeDelta::minutes(1);
                run.fate = Fate::Killed;
            }
            (9, NIGHT | NEW) if plan.seldom && minute > Self::midnight() => {
                run.fate = Fate::Killed;
            }
            (9, OFTEN) if from(plan.long, 5) => run.end = run.start + TimeDelta::minutes(7),
            (10 | 11, OFTEN) if from(plan.herd, 30) => {
                run.start = minute + TimeDelta::seconds(self.random.i64(0..3));
                run.end = run.start;
                run.fate = Fate::Ends(255, DROPPED);
            }
            _ => {}
        }
        // A herd that is dropped whole for longer is no herd: every second run is taken.
        if let Fate::Ends(255, DROPPED) = run.fate
            && (minute.minute() / 5) % 2 == 1
        {
            run.fate = Fate::Ends(0, "done");
            run.start = minute + TimeDelta::seconds(30);
            run.end = run.start + TimeDelta::seconds(5);
        }
    }

    /// The history of what had been logged before `until`, and the period from `since` on.
    pub fn at(&self, until: NaiveDateTime, since: NaiveDateTime) -> (History, Scope) {
        let mut lines: Vec<(NaiveDateTime, u32, String)> = Vec::new();
        for run in &self.runs {
            let mut line = |time, text: String| lines.push((time, run.pid, text));
            let Made { job, start, .. } = run;
            line(*start, format!("START,-,{job}"));
            line(*start, format!("command,ssh root@{job}"));
            if let Fate::Ends(status, output) = run.fate {
                line(run.end, output.to_owned());
                line(run.end, format!("END,{status},{job}"));
            }
        }
        lines.retain(|(time, ..)| *time < until);
        lines.sort_by_key(|(time, ..)| *time);
        let mut builder = HistoryBuilder::new(None, false);
        let mut finished = |run: Run| builder.add(&run);
        let boot = self.plan.boot.filter(|boot| *boot < until);
        let mut assembler = Assembler::new(None, boot);
        let owner = Owner { scheduler: Scheduler::default(), uid: Some(0), is_shared: false };
        for (time, pid, text) in lines {
            let (lines, count, prefix, is_output) = (text.as_bytes(), 1, 0, false);
            let record = Records { time, pid, lines, count, prefix, is_output };
            assembler.take(owner, &record, &mut finished);
        }
        let is_running = |trace: &crate::report::runs::trace::Trace| {
            let same = |run: &&Made| (run.pid, run.start) == (trace.pid, trace.start);
            let run = self.runs.iter().find(same).expect("it was made");
            run.fate == Fate::Hangs || run.end >= until
        };
        assembler.finish(is_running, &mut finished);
        let scope = Scope { since, now: until, is_live: true, boot, has_all_jobs: true };
        (builder.finish(), scope)
    }
}
