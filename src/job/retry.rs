//! Decides whether another attempt follows a failed one, and after which wait.
//!
//! A server from 9.8 on locks out an address whose logins fail (`PerSourcePenalties` of `sshd_config(5)`). A connection
//! that it drops because it has too many (`MaxStartups`), or because of a lock-out, adds nothing. A refused login may
//! look like such a drop and adds up to 10 s, and 15 s together lock out every job of this machine. So after a
//! connection that was closed at the login there are few retries, with longer waits. A job that was dropped four times
//! is probably locked out. It waits long, so that all jobs outlast the lock-out, and over a wide span, so that jobs
//! with refused keys do not cause the next one. (In a simulation of 50 good jobs, 10 with a refused key and a refused
//! account, waits that double up to a minute led to a second lock-out in 49 of 100 cases, these in 7.)

use std::time::Duration;

use super::monitor::Verdict;
use crate::log::record::{Notice, Retry};
use crate::random;

/// The reason for no retry if ssh is configured to say nothing.
const MUTED: &str = "; its LogLevel, QUIET or FATAL, hides why: set ERROR or more";
/// The longest wait, unless the first wait may be longer.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The most retries after connections that were closed at the login.
const MAX_AT_LOGIN: u32 = 3;
/// The shortest wait after such a connection, as a multiple of the longest first wait after another.
const LOGIN_FACTOR: u32 = 10;
/// The first retry of a job that is probably locked out.
const FIRST_PATIENT: u32 = 5;
/// The longest wait of such a job, as a multiple of the longest first wait. Its shortest wait is a quarter of that.
const PATIENT_FACTOR: u32 = 120;

#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// The most attempts after the first one.
    pub count: u32,
    /// The longest first wait; it doubles with each further one.
    pub delay: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Retry(Retry),
    /// Ends the run. Where another attempt was possible, the log says why there is none.
    Final(Option<(Notice, &'static str)>),
}

pub struct Failures {
    retries: Retries,
    all: u32,
    at_login: u32,
}

impl Failures {
    pub fn new(retries: Retries) -> Self {
        Self { retries, all: 0, at_login: 0 }
    }

    /// Whether another attempt can follow one more failure.
    pub fn leave_a_retry(&self) -> bool {
        self.all < self.retries.count
    }

    /// Counts a failed attempt with this verdict, and decides what follows.
    pub fn decide(&mut self, verdict: Verdict) -> Decision {
        self.all += 1;
        match verdict {
            _ if self.all > self.retries.count => Decision::Final(None),
            Verdict::Permanent | Verdict::PortTaken => Decision::Final(None),
            Verdict::Unexplained | Verdict::Closed(_) | Verdict::Silent(_) => {
                Decision::Final(Some((Notice::NoRetry, "")))
            }
            Verdict::Muted => Decision::Final(Some((Notice::NoRetry, MUTED))),
            Verdict::Transient => self.retry(self.retries.wait(self.all)),
            Verdict::ClosedAtLogin => {
                self.at_login += 1;
                if self.at_login > MAX_AT_LOGIN {
                    return Decision::Final(Some((Notice::LooksRefused, "")));
                }
                let shortest = self.retries.delay.saturating_mul(LOGIN_FACTOR);
                let wait = between(shortest, shortest.saturating_mul(2));
                self.retry(wait.max(self.retries.wait(self.all)))
            }
        }
    }

    /// The record of a last attempt that follows at once.
    pub fn without_wait(&self) -> Retry {
        let number = self.all + 1;
        Retry { number, count: self.retries.count.max(number), wait: Duration::ZERO }
    }

    fn retry(&self, wait: Duration) -> Decision {
        Decision::Retry(Retry { number: self.all, count: self.retries.count, wait })
    }
}

impl Retries {
    /// How long to wait before retry `number`, counted from 1. Random: jobs that were dropped in the same second must
    /// not come back in the same second.
    fn wait(&self, number: u32) -> Duration {
        let longest = self.longest_wait(number);
        let shortest = if number < FIRST_PATIENT { Duration::ZERO } else { longest / 4 };
        between(shortest, longest)
    }

    fn longest_wait(&self, number: u32) -> Duration {
        let factor = if number < FIRST_PATIENT { 2_u32.pow(number.saturating_sub(1)) } else { PATIENT_FACTOR };
        let cap = self.delay.max(LONGEST_WAIT);
        self.delay.saturating_mul(factor).min(cap)
    }
}

/// A random time between these, in milliseconds; the longest if there is no randomness.
fn between(shortest: Duration, longest: Duration) -> Duration {
    let span = longest.saturating_sub(shortest).as_millis();
    let span = u64::try_from(span).unwrap_or(u64::MAX - 1);
    random::number().map_or(longest, |random| shortest + Duration::from_millis(random % (span + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_three_times_and_then_is_two_minutes_or_the_delay() {
        for (delay, waits) in [(1, [1, 2, 4, 8, 120, 120, 120, 120, 120]), (200, [200; 9]), (0, [0; 9])] {
            let retries = Retries { count: u32::MAX, delay: Duration::from_secs(delay) };
            let found = (1..9).chain([u32::MAX]).map(|number| retries.longest_wait(number).as_secs());
            assert_eq!(found.collect::<Vec<_>>(), waits);
        }
    }

    #[test]
    fn waits_are_spread_over_the_whole_span() {
        let retries = Retries { count: 1, delay: Duration::from_secs(8) };
        let waits: Vec<Duration> = (0..1000).map(|_| retries.wait(1)).collect();
        for second in 0..8 {
            let span = Duration::from_secs(second)..Duration::from_secs(second + 1);
            let hits = waits.iter().filter(|wait| span.contains(wait)).count();
            // 125 are expected; fewer than 60 come once in 10^9 runs.
            assert!(hits > 60, "{hits} of 1000 waits in second {second}");
        }
    }

    #[test]
    fn eight_retries_outlast_a_lock_out_of_two_minutes() {
        let retries = Retries { count: 8, delay: Duration::from_secs(1) };
        for _ in 0..1000 {
            let waits = (1..=8).map(|number| retries.wait(number));
            assert!(waits.sum::<Duration>() >= Duration::from_secs(120));
        }
    }

    #[test]
    fn connections_closed_at_the_login_are_retried_three_times_among_any_others() {
        let retries = Retries { count: 8, delay: Duration::ZERO };
        let mut failures = Failures::new(retries);
        for (number, verdict) in (1..).zip([
            Verdict::ClosedAtLogin,
            Verdict::Transient,
            Verdict::ClosedAtLogin,
            Verdict::ClosedAtLogin,
            Verdict::Transient,
        ]) {
            let retry = Retry { number, count: 8, wait: Duration::ZERO };
            assert_eq!(failures.decide(verdict), Decision::Retry(retry));
        }
        let refused = Decision::Final(Some((Notice::LooksRefused, "")));
        assert_eq!(failures.decide(Verdict::ClosedAtLogin), refused);
    }
}
