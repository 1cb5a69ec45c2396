//! Reads one input ahead: a thread reads, decompresses and parses, while runs are assembled from earlier lines.

use std::io::{self, Read};
use std::mem;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use chrono::NaiveDateTime;

use super::batch::{Batch, Line};
use super::decompress::decompress;
use super::splitter::Splitter;

/// The number of batches that are read ahead.
const AHEAD: usize = 2;

pub struct Reader {
    batches: Batches,
    batch: Batch,
    /// The index of the current row.
    row: usize,
    /// The local time of the last record, or the earliest possible time.
    pub time: NaiveDateTime,
}

enum Batches {
    /// A thread. Used batches go back to it.
    Thread { filled: Receiver<io::Result<Batch>>, used: Sender<Batch> },
    /// This thread, if there is no other.
    Here(Splitter),
}

impl Reader {
    /// Reads `file`, which may be compressed. Fails for a format that is not read.
    pub fn new(file: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            batches: Batches::of(Splitter::new(decompress(file)?)),
            batch: Batch::default(),
            row: 0,
            time: NaiveDateTime::MIN,
        })
    }

    /// Moves to the next row, or piece of a line that is too long. Returns false at the end.
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

    /// The current row.
    pub fn line(&self) -> Line<'_> {
        self.batch.line(self.row)
    }
}

impl Batches {
    fn of(splitter: Splitter) -> Self {
        let (filled, receiver) = sync_channel(AHEAD);
        let (used, returned) = channel();
        // If no thread can be started, the splitter comes back.
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

    /// Replaces a used batch by the next one, which is empty at the end.
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

/// Fills batches until the input ends, or until the receiver is gone.
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
