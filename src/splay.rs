//! `--splay`: spreads the jobs of a crontab over some seconds.
//!
//! Each job has a place of its own in that time, which depends only on its operands and this machine's name. So its
//! wait is the same in every run, and in every version of remoteexe.

use std::time::Duration;

use rustix::system::uname;

use crate::stable_hash::hash;

/// How long the job with these `operands` waits on this machine, in milliseconds, if all jobs are spread over `span`.
pub fn wait(operands: &[u8], span: Duration) -> Duration {
    place(uname().nodename().to_bytes(), operands, span)
}

fn place(machine: &[u8], operands: &[u8], span: Duration) -> Duration {
    let hash = hash(&[machine, b"\n", operands].concat());
    let part = u128::from(hash) * span.as_millis();
    Duration::from_millis(u64::try_from(part >> 64).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_secs(20);

    fn milliseconds(machine: &str, operands: &str) -> u128 {
        place(machine.as_bytes(), operands.as_bytes(), SPAN).as_millis()
    }

    #[test]
    fn the_wait_of_a_job_never_changes() {
        for (machine, operands, wait) in [
            ("scheduler", "host_sum_batch01 /srv/sum.sh", 14_480),
            ("scheduler", "host_sum_batch02 /srv/sum.sh", 11_930),
            ("scheduler2", "host_sum_batch01 /srv/sum.sh", 14_190),
        ] {
            assert_eq!(milliseconds(machine, operands), wait, "{machine} {operands}");
        }
    }

    #[test]
    fn three_hundred_jobs_are_spread_over_all_seconds() {
        let jobs = (0..300).map(|job| format!("host_sum_batch{:02} /srv/job{}.sh", job % 60, job / 60));
        let mut seconds = [0; 20];
        for job in jobs {
            let wait = milliseconds("scheduler", &job);
            seconds[usize::try_from(wait / 1000).expect("20 s at most")] += 1;
        }
        // 15 are expected.
        assert!(seconds.iter().all(|count| (4..=30).contains(count)), "{seconds:?}");
    }
}
