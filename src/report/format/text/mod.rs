//! Text for a person: the first screen with the incidents, and the answers to an operator's questions.

pub mod changes;
pub mod comparison;
pub mod first_screen;
pub mod heading;
pub mod healthy;
pub mod incident_words;
pub mod incidents;
pub mod job_history;
pub mod names;
pub mod page;
pub mod run_list;
pub mod running;
pub mod watch;

use super::{Format, Needs, Report};
use crate::report::output::ReportOutput;
use crate::report::output::style::Style;
use crate::report::query::window::Reach;
use crate::report::query::{Question, TextQuery};
use page::Page;

pub struct Text {
    pub query: TextQuery,
    pub color: Option<bool>,
}

impl Format for Text {
    fn needs(&self) -> Needs {
        let question = self.query.question;
        let is_comparison = question == Question::Comparison;
        Needs {
            slots: true,
            looks_back: question == Question::Wrong,
            history: true,
            // A list of runs shows how each run ended, even after the period.
            as_of_end: question != Question::Runs,
            baseline: matches!(question, Question::Wrong | Question::Changes),
            watch: matches!(question, Question::Wrong | Question::Changes),
            is_news: question == Question::Changes,
            reach: if is_comparison { Reach::PeriodBefore } else { Reach::DayBefore },
            is_paged: true,
            ..Needs::default()
        }
    }

    fn finish(self: Box<Self>, report: &Report, out: &mut ReportOutput) -> bool {
        let mut page = Page::new(Style::of_stdout(self.color));
        let is_bad = match self.query.question {
            Question::Wrong => first_screen::show(&mut page, report),
            Question::Runs => run_list::show(&mut page, report),
            Question::Comparison => comparison::show(&mut page, report),
            Question::Changes => changes::show(&mut page, report),
        };
        out.write(page.text.as_bytes());
        let is_news = self.query.question == Question::Changes;
        is_bad || !is_news && report.lost_starts() > 0
    }
}
