//! The log of a busy scheduler.

use fastrand::Rng;

/// The log of two days of 300 jobs on 60 hosts, the second one until 18:59, with incidents of all kinds.
pub fn day_of_300_jobs() -> String {
    let mut random = Rng::with_seed(2026);
    let mut lines: Vec<(String, String)> = Vec::new();
    let scripts = [
        ("/srv/sum.sh", 5),
        ("/srv/rotate_orders.sh", 5),
        ("/path/to/starting_sh/user_log.sh action", 30),
        ("/srv/nightly.sh", 1440),
        ("/srv/backup.sh --full", 60),
    ];
    let time = |second: u32| {
        let (day, second) = (23 + second / 86_400, second % 86_400);
        format!("2026-11-{day} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    };
    let today = |hour: u32, minute: u32| 86_400 + hour * 3600 + minute * 60;
    let end_of_log = today(18, 59);
    let mut pid = 1000;
    for host in 0..60 {
        for (number, (script, every)) in (0_u32..).zip(scripts) {
            let name = ["sum", "order", "user"][host as usize % 3];
            let job = format!("host_{name}_batch{host:02} {script}");
            let mut minute = (host * 7 + number) % every;
            while minute * 60 < end_of_log {
                let at = minute * 60;
                minute += every;
                if (today(3, 12)..today(3, 30)).contains(&at) {
                    continue;
                }
                pid += 1;
                let start = at + random.u32(1..=2);
                let mut seconds = random.u32(5..=20) + if number == 0 { 60 } else { 0 };
                let (mut status, mut output) = (0, "");
                match (host, number) {
                    (4, _) if (today(9, 20)..today(10, 20)).contains(&at) => {
                        (status, seconds) = (255, 63);
                        output = "ssh: connect to host host_order_batch04 port 22: Connection timed out\r";
                    }
                    (0..=5, 1) if at >= today(14, 0) => {
                        (status, seconds, output) = (2, 1, "ORDER_DB: unbound variable");
                    }
                    (7, 3) if at >= 86_400 => (status, output) = (1, "disk full"),
                    (11, 2) if at >= today(8, 0) && random.bool() => {
                        (status, output) = (3, "lock held");
                    }
                    (12, 4) if at >= today(6, 0) => seconds += 200,
                    (14.., 0 | 1) if at % 3600 == 0 && random.u32(..20) == 0 => {
                        (status, seconds) = (255, 0);
                        output = "kex_exchange_identification: Connection closed by remote host";
                    }
                    _ => {}
                }
                if start + seconds >= end_of_log {
                    continue;
                }
                let mut line = |second: u32, text: String| {
                    lines.push((time(second), format!("[{pid}] {text}")));
                };
                line(start, format!("START,-,{job}"));
                line(start, format!("command,ssh root@{job}"));
                let is_killed = start < today(3, 12) && start + seconds >= today(3, 12);
                if is_killed {
                    continue;
                }
                if !output.is_empty() {
                    line(start + seconds, output.to_owned());
                }
                line(start + seconds, format!("END,{status},{job}"));
            }
        }
    }
    lines.sort_by(|(one, _), (other, _)| one.cmp(other));
    let lines = lines.into_iter().map(|(time, text)| format!("[{time}]{text}\n"));
    lines.collect()
}
