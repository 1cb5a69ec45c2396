//! Reads one input ahead: a thread reads, decompresses and parses, while runs are assembled from earlier lines.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::{mem, thread};

use chrono::NaiveDateTime;

use super::chunk::{Chunk, GroupKind, Records};
use super::{decompress::decompress, splitter::Splitter};

/// The number of chunks that are read ahead.
const AHEAD: usize = 2;

pub struct Reader {
    chunks: Chunks,
    chunk: Chunk,
    /// The index of the current group.
    group: usize,
    /// The local time of the last record, or the earliest possible time.
    pub time: NaiveDateTime,
}

enum Chunks {
    /// From another thread, to which used chunks go back.
    Thread { filled: Receiver<io::Result<Chunk>>, used: Sender<Chunk> },
    /// From this thread, if no other could be started.
    Here(Splitter),
}

impl Reader {
    /// Reads `file`, which may be compressed. Fails for an unsupported format.
    pub fn new(file: impl Read + Send + 'static) -> io::Result<Self> {
        Ok(Self {
            chunks: Chunks::of(Splitter::new(decompress(file)?)),
            chunk: Chunk::default(),
            group: 0,
            time: NaiveDateTime::MIN,
        })
    }

    /// Moves to the next group, or piece of a line that is too long. Returns false at the end.
    pub fn advance(&mut self) -> io::Result<bool> {
        self.group += 1;
        if self.group >= self.chunk.groups.len() {
            self.group = 0;
            self.chunks.next(&mut self.chunk)?;
        }
        let group = self.chunk.groups.get(self.group);
        if let Some(group) = group {
            self.time = group.time;
        }
        Ok(group.is_some())
    }

    /// The current group, if its lines are records.
    pub fn records(&self) -> Option<Records<'_>> {
        self.chunk.records(self.group)
    }

    pub fn is_unrecognized(&self) -> bool {
        matches!(self.chunk.groups[self.group].kind, GroupKind::Unrecognized)
    }
}

impl Chunks {
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

    /// Replaces a used chunk by the next chunk, which is empty at the end.
    fn next(&mut self, chunk: &mut Chunk) -> io::Result<()> {
        match self {
            Self::Here(splitter) => splitter.fill(chunk),
            Self::Thread { filled, used } => {
                // The thread may have ended.
                let _ = used.send(mem::take(chunk));
                if let Ok(next) = filled.recv() {
                    *chunk = next?;
                }
                Ok(())
            }
        }
    }
}

/// Fills chunks until the input ends, or until the receiver is gone.
fn read_ahead(mut splitter: Splitter, filled: &SyncSender<io::Result<Chunk>>, used: &Receiver<Chunk>) {
    loop {
        let mut chunk = used.try_recv().unwrap_or_default();
        let result = splitter.fill(&mut chunk);
        let is_last = result.is_err() || chunk.groups.is_empty();
        if filled.send(result.map(|()| chunk)).is_err() || is_last {
            return;
        }
    }
}
