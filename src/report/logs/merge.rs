//! Reads several inputs as one log, in the order of time.

use std::collections::HashSet;
use std::io::{self, IsTerminal};
use std::iter::Peekable;

use chrono::NaiveDateTime;
use indicatif::{ProgressBar, ProgressStyle};

use super::batch::Line;
use super::open::{FileId, Input, InputError};
use super::owner::Owner;
use super::read_ahead::Reader;

/// The number of bytes from which on reading takes so long that a person wants to see its progress.
const LONG: u64 = 64 << 20;

/// An input that is being read.
struct Open<'a> {
    input: &'a Input,
    owner: Owner,
    reader: Reader,
}

/// What became of the inputs.
#[derive(Debug, Default)]
pub struct MergeResult {
    /// How many different files were opened.
    pub files: usize,
    /// Those that could not be read to their end, and the reasons.
    pub unread: Vec<(Input, InputError)>,
}

/// Reads all `inputs` and gives their lines to `take`, each with its owner, merged by the time of their
/// records: a run that had to change to another file goes on there.
pub fn read(inputs: &[Input], take: &mut impl FnMut(Owner, Line)) -> MergeResult {
    let mut unread = Vec::new();
    let mut read = HashSet::new();
    let progress = progress(inputs);
    let mut closed = in_order(inputs);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let next = (0..open.len()).min_by_key(|&index| open[index].reader.time);
        let time = next.map(|index| open[index].reader.time);
        // Opened only when the others have come to its day: a year of logs must not need a year of
        // descriptors.
        let has_come = |(day, _): &(NaiveDateTime, &Input)| time.is_none_or(|time| *day <= time);
        if let Some((_, input)) = closed.next_if(has_come) {
            match start(input, &mut read, &progress) {
                Ok(opened) => open.extend(opened),
                Err(error) => unread.push((input.clone(), error)),
            }
            continue;
        }
        let Some(next) = next else { break };
        let Open { input, owner, reader } = &mut open[next];
        take(*owner, reader.line());
        let is_line = reader.advance().unwrap_or_else(|error| {
            unread.push(((*input).clone(), error.into()));
            false
        });
        if !is_line {
            open.remove(next);
        }
    }
    progress.finish_and_clear();
    MergeResult { files: read.len(), unread }
}

/// The inputs in the order in which they are opened, each with the first second of the day in its name.
///
/// If two have records of the same second, those in the daily file are older than those in a per-user
/// file: a run changes from the daily file to that of its user. Those in a rotated file are older still.
fn in_order(inputs: &[Input]) -> Peekable<impl Iterator<Item = (NaiveDateTime, &Input)>> {
    let mut sorted: Vec<&Input> = inputs.iter().collect();
    sorted.sort_by_key(|input| input.file_name());
    let first_second = |input: &'_ Input| {
        let day = input.file_name().map(|name| name.log.day);
        day.map_or(NaiveDateTime::MIN, NaiveDateTime::from)
    };
    let inputs = sorted.into_iter();
    inputs.map(move |input| (first_second(input), input)).peekable()
}

/// Opens `input` and reads its first line. Returns nothing if there is no line, or if it is `read` already.
fn start<'a>(
    input: &'a Input,
    read: &mut HashSet<FileId>,
    progress: &ProgressBar,
) -> Result<Option<Open<'a>>, InputError> {
    let Some((file, owner)) = input.open(read)? else {
        return Ok(None);
    };
    let mut reader = Reader::new(progress.wrap_read(file))?;
    Ok(reader.advance()?.then_some(Open { input, owner, reader }))
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
