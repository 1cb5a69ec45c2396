//! Reads several inputs as one log, merged by time.

use std::io::{self, IsTerminal};
use std::{collections::HashSet, iter::Peekable};

use chrono::NaiveDateTime;
use indicatif::{ProgressBar, ProgressStyle};

use super::open::{FileId, Input, InputError};
use super::{chunk::Records, owner::Owner, read_ahead::Reader};

/// The size of inputs, in bytes, from which a progress bar is shown.
const LONG: u64 = 64 << 20;

struct OpenInput<'a> {
    input: &'a Input,
    owner: Owner,
    reader: Reader,
}

#[derive(Debug, Default)]
pub struct MergeResult {
    /// The number of different files that were opened.
    pub files: usize,
    /// Inputs that could not be read to their end, with the reasons.
    pub unread: Vec<(Input, InputError)>,
    /// The number of lines that are not records.
    pub unrecognized: u64,
}

/// Reads all `inputs` and passes their records to `take`, each with its owner, in order of time: a run that had to
/// switch to another file continues there.
pub fn read(inputs: &[Input], take: &mut impl FnMut(Owner, &Records)) -> MergeResult {
    let (mut unread, mut unrecognized) = (Vec::new(), 0);
    let mut read = HashSet::new();
    let progress = progress(inputs);
    let mut closed = in_order(inputs);
    let mut open: Vec<OpenInput> = Vec::new();
    loop {
        let next = (0..open.len()).min_by_key(|&index| open[index].reader.time);
        let time = next.map(|index| open[index].reader.time);
        // An input is opened when the others have come to its day: a year of logs must not need a year of descriptors.
        if let Some((_, input)) = closed.next_if(|(day, _)| time.is_none_or(|time| *day <= time)) {
            match start(input, &mut read, &progress) {
                Ok(opened) => open.extend(opened),
                Err(error) => unread.push((input.clone(), error)),
            }
            continue;
        }
        let Some(next) = next else { break };
        let OpenInput { input, owner, reader } = &mut open[next];
        match reader.records() {
            Some(records) => take(*owner, &records),
            None => unrecognized += u64::from(reader.is_unrecognized()),
        }
        let is_line = reader.advance().unwrap_or_else(|error| {
            unread.push(((*input).clone(), error.into()));
            false
        });
        if !is_line {
            open.remove(next);
        }
    }
    progress.finish_and_clear();
    MergeResult { files: read.len(), unread, unrecognized }
}

/// Sorts the inputs by name, and puts before each the first second of the day in its name.
///
/// Within a second, records in the daily file are older than records in a per-user file, because a run switches from
/// the first to the second. Records in a rotated file are older still.
fn in_order(inputs: &[Input]) -> Peekable<impl Iterator<Item = (NaiveDateTime, &Input)>> {
    let mut sorted: Vec<&Input> = inputs.iter().collect();
    sorted.sort_by_key(|input| input.file_name());
    let first_second =
        |input: &'_ Input| input.file_name().map(|name| name.log.day).map_or(NaiveDateTime::MIN, NaiveDateTime::from);
    sorted.into_iter().map(move |input| (first_second(input), input)).peekable()
}

/// Opens `input` and reads its first line. Returns None if there is no line, or if the file is `read` already.
fn start<'a>(
    input: &'a Input,
    read: &mut HashSet<FileId>,
    progress: &ProgressBar,
) -> Result<Option<OpenInput<'a>>, InputError> {
    let Some((file, owner)) = input.open(read)? else { return Ok(None) };
    let mut reader = Reader::new(progress.wrap_read(file))?;
    Ok(reader.advance()?.then_some(OpenInput { input, owner, reader }))
}

/// A progress bar on standard error, if that is a terminal and the inputs are long.
fn progress(inputs: &[Input]) -> ProgressBar {
    let size = inputs.iter().map(Input::size).sum();
    if size < LONG || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {eta}");
    ProgressBar::new(size).with_style(style.expect("the template is valid"))
}
