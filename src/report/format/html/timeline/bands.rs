//! Outages of hosts and of cron, as bands in the timeline.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use super::scale::Scale;
use crate::report::diagnosis;
use crate::report::diagnosis::incident::{Incident, IncidentKind, IncidentState};
use crate::report::format::report::Report;
use crate::report::history::HostId;

/// In units. Closer bands are drawn as one.
const NEAR: i64 = 3;

/// A time in which nothing could run.
#[derive(Debug, Clone, Copy)]
pub struct Band {
    /// In local time.
    pub from: NaiveDateTime,
    pub to: NaiveDateTime,
    pub state: IncidentState,
}

#[derive(Debug, Default)]
pub struct Bands {
    /// The host could not be reached.
    pub hosts: BTreeMap<HostId, Vec<Band>>,
    /// Nothing was started, or all that ran was lost.
    pub cron: Vec<Band>,
}

impl Bands {
    pub fn of(report: &Report, scale: &Scale) -> Self {
        let mut bands = Self::default();
        for incident in diagnosis::incidents(&report.evidence()) {
            let Some(band) = band(&incident, scale) else {
                continue;
            };
            match &incident.kind {
                IncidentKind::Unreachable { .. } | IncidentKind::Refused { .. } => {
                    for host in incident.hosts() {
                        bands.hosts.entry(*host).or_default().push(band);
                    }
                }
                IncidentKind::Silent { .. }
                | IncidentKind::CronDown { .. }
                | IncidentKind::ClockJumped { .. }
                | IncidentKind::Lost { together: true, .. } => {
                    bands.cron.push(band);
                }
                _ => {}
            }
        }
        let all = bands.hosts.values_mut().chain([&mut bands.cron]);
        all.for_each(|bands| join(bands, scale));
        bands
    }
}

/// The time of the incident, if it is in the period.
fn band(incident: &Incident, scale: &Scale) -> Option<Band> {
    let window = incident.window;
    let band = Band {
        from: match incident.kind {
            IncidentKind::Lost { .. } => window.last,
            _ => window.since,
        },
        to: incident.end().unwrap_or(scale.end),
        state: incident.state(),
    };
    (band.to >= scale.begin && band.from < scale.end).then_some(band)
}

fn join(bands: &mut Vec<Band>, scale: &Scale) {
    bands.sort_by_key(|band| band.from);
    bands.dedup_by(|next, band| {
        let is_near =
            scale.unit(next.from) - scale.unit(band.to) < NEAR && next.state == band.state;
        if is_near {
            band.to = band.to.max(next.to);
        }
        is_near
    });
}
