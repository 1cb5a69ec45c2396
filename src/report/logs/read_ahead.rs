//! Reads one input ahead of those who want its lines.
//!
//! A thread reads, decompresses and parses, while the runs are assembled from what it has read before.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use chrono::NaiveDateTime;

use super::batch::{Batch, Line};
use super::decompress::decompress;
use super::splitter::Splitter;

/// How many batches are read ahead.
const AHEAD: usize = 2;

/// Reads one input line by line.
pub struct Reader {
    batches: Batches,
    batch: Batch,
    /// The index of the current line, or row of lines.
    row: usize,
    /// The local time of the last record, or before the first one the earliest time there is.
    pub time: NaiveDateTime,
}

/// The place that the batches come from.
enum Batches {
    /// A thread. Those that were used go back to it.
    Thread { filled: Receiver<io::Result<Batch>>, used: Sender<Batch> },
    /// This one, where no other can be had.
    Here(Splitter),
}

impl Reader {
    /// Reads `file`, which may be compressed.
    ///
    /// # Errors
    ///
    /// The first bytes cannot be read, or are those of a compression that is not read here.
    pub fn new(file: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            batches: Batches::of(Splitter::new(decompress(file)?)),
            batch: Batch::default(),
            row: 0,
            time: NaiveDateTime::MIN,
        })
    }

    /// Moves to the next line, or row of lines, or piece of a line that is too long. Returns false at the end.
    ///
    /// # Errors
    ///
    /// The input cannot be read or decompressed.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.row += 1;
        if self.row >= self.batch.rows.len() {
            self.row = 0;
            self.batches.next(&mut self.batch)?;
        }
        let row = self.batch.rows.get(self.row);
        if let Some(row) = row {
            self.time = row.time;
        }
        Ok(row.is_some())
    }

    /// The current line, or row of lines.
    pub fn line(&self) -> Line<'_> {
        self.batch.line(self.row)
    }
}

impl Batches {
    fn of(splitter: Splitter) -> Self {
        let (filled, receiver) = sync_channel(AHEAD);
        let (used, returned) = channel();
        // The splitter comes back if there is no thread to be had.
        let (hand_over, handed_over) = sync_channel(1);
        let thread = thread::Builder::new().spawn(move || {
            if let Ok(splitter) = handed_over.recv() {
                read_ahead(splitter, &filled, &returned);
            }
        });
        match thread {
            Ok(_) => match hand_over.send(splitter) {
                Ok(()) => Self::Thread { filled: receiver, used },
                Err(error) => Self::Here(error.0),
            },
            Err(_) => Self::Here(splitter),
        }
    }

    /// Replaces a batch that was used by the next one. That one is empty at the end.
    fn next(&mut self, batch: &mut Batch) -> io::Result<()> {
        match self {
            Self::Here(splitter) => splitter.fill(batch),
            Self::Thread { filled, used } => {
                // The thread may have ended.
                let _ = used.send(mem::take(batch));
                if let Ok(next) = filled.recv() {
                    *batch = next?;
                }
                Ok(())
            }
        }
    }
}

/// Fills batches until the input ends, or until nobody wants them any more.
fn read_ahead(
    mut splitter: Splitter,
    filled: &SyncSender<io::Result<Batch>>,
    used: &Receiver<Batch>,
) {
    loop {
        let mut batch = used.try_recv().unwrap_or_default();
        let result = splitter.fill(&mut batch);
        let is_last = result.is_err() || batch.rows.is_empty();
        if filled.send(result.map(|()| batch)).is_err() || is_last {
            return;
        }
    }
}
