//! Whether a failed attempt is followed by another, and after which wait.

use std::time::Duration;

use super::marker::Verdict;
use crate::log::record::Retry;
use crate::random;

/// The longest wait, unless the first wait may be longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often and how soon to try again.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How many attempts there may be after the first one.
    pub count: u32,
    /// The longest that the first wait may be; it doubles with each further one.
    pub delay: Duration,
}

/// What follows an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Another attempt.
    Retry(Retry),
    /// The end of the run.
    Final,
    /// The end of the run, because ssh has failed without saying why.
    Unexplained,
}

impl Retries {
    /// Decides what follows when `failed` attempts have failed, the last one with this verdict.
    pub fn decide(&self, failed: u32, verdict: Verdict) -> Decision {
        match verdict {
            _ if failed > self.count => Decision::Final,
            Verdict::Permanent => Decision::Final,
            Verdict::Unexplained => Decision::Unexplained,
            Verdict::Transient => Decision::Retry(Retry {
                number: failed,
                count: self.count,
                wait: self.wait(failed),
            }),
        }
    }

    /// How long to wait before retry `number`, the first being 1.
    ///
    /// Random, from 0 to the longest wait ("full jitter"), in milliseconds: jobs that were dropped
    /// in the same second must not come back in the same second.
    fn wait(&self, number: u32) -> Duration {
        let longest = self.longest_wait(number);
        let milliseconds = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        random::number().map_or(longest, |random| {
            Duration::from_millis(random % (milliseconds + 1))
        })
    }

    fn longest_wait(&self, number: u32) -> Duration {
        let factor = 2_u32.saturating_pow(number.saturating_sub(1));
        let cap = self.delay.max(LONGEST_WAIT);
        self.delay.saturating_mul(factor).min(cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest_waits(delay: Duration) -> Vec<u64> {
        let retries = Retries { count: 9, delay };
        let waits = (1..=9).map(|number| retries.longest_wait(number));
        waits.map(|wait| wait.as_secs()).collect()
    }

    #[test]
    fn the_longest_wait_doubles_up_to_a_minute_or_to_the_delay() {
        let second = Duration::from_secs(1);
        assert_eq!(longest_waits(second), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(longest_waits(90 * second), [90; 9]);
        assert_eq!(longest_waits(Duration::ZERO), [0; 9]);
        let retries = Retries {
            count: u32::MAX,
            delay: second,
        };
        assert_eq!(retries.longest_wait(u32::MAX), 60 * second);
    }

    #[test]
    fn waits_are_spread_over_the_whole_span() {
        let retries = Retries {
            count: 1,
            delay: Duration::from_secs(8),
        };
        let waits: Vec<Duration> = (0..1000).map(|_| retries.wait(1)).collect();
        for second in 0..8 {
            let span = Duration::from_secs(second)..Duration::from_secs(second + 1);
            let hits = waits.iter().filter(|wait| span.contains(wait)).count();
            // 125 are expected; fewer than 60 come once in 10^9 runs.
            assert!(hits > 60, "{hits} of 1000 waits in second {second}");
        }
    }

    #[test]
    fn only_a_transient_failure_is_followed_by_another_attempt_and_only_so_often() {
        let retries = Retries {
            count: 2,
            delay: Duration::ZERO,
        };
        let retry = |number| {
            Decision::Retry(Retry {
                number,
                count: 2,
                wait: Duration::ZERO,
            })
        };
        for (failed, verdict, decision) in [
            (1, Verdict::Transient, retry(1)),
            (2, Verdict::Transient, retry(2)),
            (3, Verdict::Transient, Decision::Final),
            (1, Verdict::Permanent, Decision::Final),
            (1, Verdict::Unexplained, Decision::Unexplained),
            (3, Verdict::Unexplained, Decision::Final),
        ] {
            assert_eq!(retries.decide(failed, verdict), decision);
        }
    }
}
