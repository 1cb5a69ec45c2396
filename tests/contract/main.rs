//! The contract, by behaviour: what an operator can rely on, each test a sentence of it.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that fails, and it says with what it failed"
)]

mod airflow;
mod cases;
mod completions;
mod connect_timeout;
mod cron;
mod cron_stopped;
mod demo;
mod herd;
mod hostile_operands;
mod launchers;
mod lingering_helpers;
mod many_at_once;
mod never_twice;
mod random_runs;
mod real_sshd;
mod report_bad_night;
mod report_damage;
mod report_honest;
mod report_html;
mod report_html_hostile;
mod report_prometheus;
mod report_random;
mod report_reason;
mod report_screen;
mod retries;
mod retry_settings;
mod signals;
mod ssh_setups;
mod stalled_readers;
mod support;

use support::report;
