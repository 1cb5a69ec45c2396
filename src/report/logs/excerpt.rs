//! Reads a log from a given time on. A binary search finds the place, because records are in order of time. A
//! compressed log is read from its beginning.

use std::collections::HashSet;
use std::io::{self, Read};

use chrono::NaiveDateTime;

use super::chunk::{Chunk, Records};
use super::decompress::{Source, decompress};
use super::open::{Input, InputError, LogFile};
use super::{data::Data, owner::Owner, splitter::Splitter};
use crate::log::record::Parser;

/// The search narrows the place down to this many bytes, which are then read.
const NEAR: u64 = 128 << 10;
/// The bytes that each step of the search reads to find a record.
const PROBE: usize = 16 << 10;
/// The least budget for older logs, in bytes.
const LEAST: u64 = 192 << 20;
/// The cost of a compressed byte, which becomes several bytes.
const COMPRESSED: u64 = 8;

/// The bytes of older logs that were read, and the most that may be read.
#[derive(Debug, Clone, Copy)]
pub struct ReadBudget {
    used: u64,
    most: u64,
}

impl ReadBudget {
    /// A budget of `most` bytes, or of [`LEAST`] if that is more.
    pub fn new(most: u64) -> Self {
        Self { used: 0, most: most.max(LEAST) }
    }

    /// Takes the cost of a whole compressed log from the budget. Returns false if not enough is left.
    fn takes_whole(&mut self, size: u64) -> bool {
        let size = size.saturating_mul(COMPRESSED);
        let has_room = self.used.saturating_add(size) <= self.most;
        self.used += if has_room { size } else { 0 };
        has_room
    }

    pub fn is_spent(&self) -> bool {
        self.used >= self.most
    }
}

/// Passes the records from `begin` on to `take`, until that returns false. Returns false if the budget is spent.
pub fn read(
    log: &LogFile,
    begin: NaiveDateTime,
    budget: &mut ReadBudget,
    take: &mut impl FnMut(Owner, &Records) -> bool,
) -> Result<bool, InputError> {
    let input = Input::Log(log.clone());
    let Some((mut data, owner)) = input.open(&mut HashSet::new())? else { return Ok(true) };
    // The search costs too: anybody can make any number of small logs.
    budget.used += NEAR;
    let is_compressed = log.name.is_compressed;
    if is_compressed && !budget.takes_whole(input.size()) {
        return Ok(false);
    }
    let source: Source = if is_compressed {
        decompress(data)?
    } else {
        let at = place_of(&mut data, begin)?;
        data.go_to(at)?;
        Box::new(data)
    };
    let mut splitter = Splitter::new(source);
    let mut chunk = Chunk::default();
    while is_compressed || !budget.is_spent() {
        splitter.fill(&mut chunk)?;
        let Some(last) = chunk.groups.last() else { return Ok(true) };
        budget.used += if is_compressed { 0 } else { last.end as u64 };
        for index in 0..chunk.groups.len() {
            if let Some(records) = chunk.records(index)
                && records.time >= begin
                && !take(owner, &records)
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A position shortly before the first record of `time` or later.
fn place_of(data: &mut Data, time: NaiveDateTime) -> io::Result<u64> {
    let (mut low, mut high) = (0, data.end.unwrap_or_default());
    while high - low > NEAR {
        let middle = low + (high - low) / 2;
        if time_after(data, middle)?.is_some_and(|it| it < time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The time of the first whole record that begins within [`PROBE`] bytes after `at`.
fn time_after(data: &mut Data, at: u64) -> io::Result<Option<NaiveDateTime>> {
    data.go_to(at)?;
    let mut bytes = Vec::with_capacity(PROBE);
    data.take(PROBE as u64).read_to_end(&mut bytes)?;
    let mut parser = Parser::default();
    let mut lines = bytes.split(|byte| *byte == b'\n').skip(1);
    Ok(lines.find_map(|line| Some(parser.parse(line)?.time)))
}
