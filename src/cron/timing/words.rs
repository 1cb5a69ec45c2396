//! A schedule in words: `every 5 min`, `Mon to Fri at 03:30`.

use super::Timing;
use super::field::{MONTHS, WEEKDAYS};

impl Timing {
    /// The schedule in words, or `text`, which it was read from, where words would be longer.
    pub fn words(&self, text: &str) -> String {
        if self.is_reboot {
            return "at boot".to_owned();
        }
        if self.spread != Some(0) {
            return text.to_owned();
        }
        match (self.days_in_words(), self.hours_in_words()) {
            (Some(days), Some(times)) if days == "daily" => times,
            (Some(days), Some(times)) => {
                let times = times.strip_prefix("daily ").unwrap_or(&times);
                format!("{days} {times}")
            }
            _ => text.to_owned(),
        }
    }

    fn hours_in_words(&self) -> Option<String> {
        let minutes = members(self.minutes);
        let hours = members(u64::from(self.hours));
        let every_minutes = interval(&minutes, 60);
        match (every_minutes, interval(&hours, 24)) {
            (Some(1), Some(1)) => Some("every minute".to_owned()),
            (Some(step), Some(1)) => Some(format!("every {step} min")),
            _ if minutes.len() == 1 && hours.len() == 24 => {
                Some(format!("hourly at :{:02}", minutes[0]))
            }
            (_, Some(step)) if minutes.len() == 1 && hours.len() > 3 => {
                Some(format!("every {step} h at :{:02}", minutes[0]))
            }
            _ if minutes.len() == 1 && (1..=3).contains(&hours.len()) => {
                let times = hours
                    .iter()
                    .map(|hour| format!("{hour:02}:{:02}", minutes[0]));
                Some(format!("daily at {}", times.collect::<Vec<_>>().join(", ")))
            }
            _ => None,
        }
    }

    fn days_in_words(&self) -> Option<String> {
        let all_days = self.days.count_ones() == 31;
        let all_months = self.months.count_ones() == 12;
        let all_weekdays = self.weekdays.count_ones() == 7;
        // Days that need not match both are any day if one of the fields has all.
        let any_day = if self.needs_both_days {
            all_days && all_weekdays
        } else {
            all_days || all_weekdays
        };
        match (all_months, any_day) {
            (true, true) => Some("daily".to_owned()),
            (true, false) if all_days && self.needs_both_days => Some(self.weekdays_in_words()),
            (true, false)
                if all_weekdays && self.needs_both_days && self.days.is_power_of_two() =>
            {
                Some(format!("monthly on day {}", self.days.trailing_zeros()))
            }
            (false, false)
                if all_weekdays
                    && self.needs_both_days
                    && self.days.is_power_of_two()
                    && self.months.is_power_of_two() =>
            {
                let month = MONTHS.get(self.months.trailing_zeros() as usize - 1)?;
                Some(format!("yearly on {} {month}", self.days.trailing_zeros()))
            }
            _ => None,
        }
    }

    fn weekdays_in_words(&self) -> String {
        if self.weekdays == 0b011_1110 {
            return "Mon to Fri".to_owned();
        }
        let names = (0..7).filter(|day| self.weekdays >> day & 1 == 1);
        names
            .map(|day| WEEKDAYS[day])
            .collect::<Vec<_>>()
            .join(", ")
    }
}

fn members(bits: u64) -> Vec<u32> {
    (0..64).filter(|bit| bits >> bit & 1 == 1).collect()
}

/// The step, if `members` are 0, STEP, 2 STEP and so on through `cycle`, which STEP divides.
fn interval(members: &[u32], cycle: u32) -> Option<u32> {
    let count = u32::try_from(members.len())
        .ok()
        .filter(|count| *count > 1)?;
    let step = cycle / count;
    let is_even = step * count == cycle
        && members
            .iter()
            .zip(0..)
            .all(|(member, index)| *member == index * step);
    is_even.then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cron::daemon::Daemon;

    #[test]
    fn a_time_is_told_in_words() {
        for (text, words) in [
            ("* * * * *", "every minute"),
            ("*/5 * * * *", "every 5 min"),
            ("17 * * * *", "hourly at :17"),
            ("@hourly", "hourly at :00"),
            ("5 */4 * * *", "every 4 h at :05"),
            ("30 3 * * *", "daily at 03:30"),
            ("0 3,15 * * *", "daily at 03:00, 15:00"),
            ("30 3 * * 1-5", "Mon to Fri at 03:30"),
            ("30 3 * * sat,7", "Sun, Sat at 03:30"),
            ("*/10 * * * 6", "Sat every 10 min"),
            ("@monthly", "monthly on day 1 at 00:00"),
            ("@yearly", "yearly on 1 Jan at 00:00"),
            ("@reboot", "at boot"),
            ("1,2 3 * * *", "1,2 3 * * *"),
            ("*/7 * * * *", "*/7 * * * *"),
            ("0 0 1 * mon", "0 0 1 * mon"),
        ] {
            let (timing, _) = Timing::parse(text.as_bytes(), Daemon::Debian).unwrap();
            assert_eq!(timing.words(text), words, "{text}");
        }
    }
}
