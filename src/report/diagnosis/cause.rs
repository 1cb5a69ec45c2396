//! Recognizes incidents with one cause by what they have in common.

use std::path::PathBuf;

use super::evidence::{Account, History, HostId, JobId, Outcome};
use super::incident::{Incident, IncidentKind, IncidentState};
use crate::escape::printable;
use crate::report::runs::reason::state_of_host;

/// Words of programs that cannot reach a service. A line with such a word names the service.
const OF_A_SERVICE: [&str; 7] = ["connect", "resolve", "://", " port ", "unreachable", "no such host", "getaddrinfo"];

/// What incidents that are merged have in common. Each `bool` is whether they are over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same job again, in this state.
    Again(Vec<JobId>, IncidentState),
    /// The same hosts, unreachable again.
    HostAgain(Vec<HostId>),
    /// ssh is refused in this way.
    Refused(Outcome, bool),
    /// ssh fails in this way on this host.
    Ssh(HostId, Option<Outcome>, bool),
    /// The words for a state of this host.
    OnHost(HostId, &'static str, bool),
    /// The words about a service that cannot be reached.
    Service(String, bool),
    /// The same script of the same user, in the same state, in the same way, with the same words.
    Script(Account, Box<[u8]>, IncidentState, bool, Option<Outcome>, String),
    /// Jobs on lines of one crontab, which cron ignores.
    Ignored(PathBuf),
}

impl Likeness {
    /// What an incident has in common with other times at which the same job or host was bad.
    pub fn repeated(incident: &Incident) -> Option<Self> {
        let is_of_a_crowd = matches!(incident.kind, IncidentKind::Dropped { .. } | IncidentKind::Late { .. });
        let may_repeat = !incident.is_of_all() && !is_of_a_crowd;
        match &incident.kind {
            IncidentKind::Unreachable { hosts } if hosts.len() == 1 || incident.is_over() => {
                Some(Self::HostAgain(hosts.clone()))
            }
            _ if may_repeat && incident.is_over() && incident.jobs.len() <= 1 => {
                Some(Self::Again(incident.jobs.clone(), incident.state()))
            }
            _ => None,
        }
    }

    /// What a job has in common with others whose login or key is also refused.
    pub fn refused(incident: &Incident) -> Option<Self> {
        let way = incident.main_way().filter(|way| way.refusal().is_some())?;
        (incident.kind == IncidentKind::Failing).then(|| Self::Refused(way, incident.is_over()))
    }

    /// What a job has in common with other jobs of its host, or of a service that they need.
    pub fn surroundings(incident: &Incident, history: &History) -> Option<Self> {
        let (IncidentKind::Failing, [job]) = (&incident.kind, incident.jobs.as_slice()) else { return None };
        let (host, way, is_over) = (history.job(*job).host, incident.main_way(), incident.is_over());
        if way.is_some_and(|way| way.connection_failure().is_some_and(|it| !it.is_transient())) {
            return Some(Self::Ssh(host, way, is_over));
        }
        let gist = gist(incident, history);
        let words = gist.to_lowercase();
        match state_of_host(&words) {
            Some(state) => Some(Self::OnHost(host, state, is_over)),
            None => OF_A_SERVICE.iter().any(|word| words.contains(word)).then_some(Self::Service(gist, is_over)),
        }
    }

    /// What a job has in common with the same script on other hosts.
    pub fn script(incident: &Incident, history: &History) -> Option<Self> {
        match (&incident.kind, incident.jobs.as_slice()) {
            (IncidentKind::NotStarted { place, is_ignored: true }, _) if !incident.is_over() => {
                Some(Self::Ignored(place.file.to_path_buf()))
            }
            (
                IncidentKind::Failing
                | IncidentKind::Flapping
                | IncidentKind::Hung { .. }
                | IncidentKind::Lost
                | IncidentKind::Slower { .. }
                | IncidentKind::NotStarted { .. },
                [job],
            ) => {
                let script = history.job(*job).script().into();
                let (state, way) = (incident.state(), incident.main_way());
                let gist = gist(incident, history);
                Some(Self::Script(history.account(*job), script, state, incident.is_over(), way, gist))
            }
            _ => None,
        }
    }
}

/// The reason of the last bad run, with `#` for the host and for words with a digit: these differ from run to run.
fn gist(incident: &Incident, history: &History) -> String {
    let Some(run) = incident.last.filter(|run| run.outcome.is_bad()) else { return String::new() };
    let host = printable(history.host(history.job(run.job).host));
    let line = history.line(&run).map(printable).unwrap_or_default();
    let is_in_a_name = |letter: char| letter.is_alphanumeric() || "-._".contains(letter);
    let differs = |word: &str| {
        let mut names = word.split(|letter| !is_in_a_name(letter));
        word.contains(|letter: char| letter.is_ascii_digit()) || names.any(|name| name == host)
    };
    line.split_whitespace().map(|word| if differs(word) { "#" } else { word }).collect::<Vec<_>>().join(" ")
}
