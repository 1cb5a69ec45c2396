//! Decompresses logs. The first bytes of a file show the format.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::BlockDecodingStrategy::UptoBlocks;
use ruzstd::decoding::FrameDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

/// A source of bytes that another thread may read.
pub type Source = Box<dyn Read + Send>;

/// In KiB: twice what `xz -9` needs, because a file can ask for any amount of memory.
const MAX_XZ_MEMORY: u32 = 128 << 10;
/// The number of bytes that show the format.
const MAGIC: u64 = 6;
/// The first bytes of unsupported formats, and the programs that decompress them.
const UNSUPPORTED: [(&[u8], &str); 4] =
    [(b"BZh", "bzip2 -d"), (b"\x04\x22\x4d\x18", "lz4 -d"), (b"\x1f\x9d", "uncompress"), (b"PK\x03\x04", "unzip")];

/// The decompressed bytes of `file`, or its own bytes if it is not compressed. Fails for an unsupported format.
pub fn decompress(mut file: impl Read + Send + 'static) -> io::Result<Source> {
    let mut magic = Vec::new();
    (&mut file).take(MAGIC).read_to_end(&mut magic)?;
    let unsupported = UNSUPPORTED.iter().find(|(first, _)| magic.starts_with(first));
    if let Some((_, remedy)) = unsupported {
        let message = format!("compressed in a way that is not read here; first undo it: {remedy}");
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let kind = magic.clone();
    let input = Cursor::new(magic).chain(file);
    Ok(match kind.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(Checked(MultiGzDecoder::new(input))),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let input = BufReader::new(input);
            Box::new(Checked(XzReader::new_mem_limit(input, true, MAX_XZ_MEMORY)))
        }
        // A frame, or a skippable frame.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Box::new(Checked(Zstd::new(BufReader::new(input))))
        }
        _ => Box::new(input),
    })
}

/// Turns the errors of decompressors into messages with a remedy.
struct Checked<R>(R);

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.0.read(room).map_err(|error| {
            let message = match error.kind() {
                _ if error.raw_os_error().is_some() => return error,
                io::ErrorKind::Interrupted => return error,
                io::ErrorKind::OutOfMemory => {
                    "compressed in a way that takes too much memory; first undo it: xz -d, zstd -d"
                }
                _ => {
                    "the compressed data ends too early or is damaged; the runs up to there are shown, \
                     for the others get the file once more"
                }
            };
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }
}

/// Reads frames of zstd (RFC 8878), one after the other.
struct Zstd<R> {
    input: R,
    decoder: FrameDecoder,
    is_in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Self {
        Self { input, decoder: FrameDecoder::new(), is_in_frame: false }
    }

    /// Begins the next frame. Returns false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let mut frame = (&mut self.input).take(length.into());
                    io::copy(&mut frame, &mut io::sink())?;
                }
                Err(error @ FrameDecoderError::WindowSizeTooBig { .. }) => {
                    return Err(io::Error::new(io::ErrorKind::OutOfMemory, error));
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    fn check(&self) -> io::Result<()> {
        let expected = self.decoder.get_checksum_from_data();
        if expected.is_some() && expected != self.decoder.get_calculated_checksum() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "wrong checksum"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_in_frame {
                self.is_in_frame = self.begin()?;
                if !self.is_in_frame {
                    return Ok(0);
                }
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(room);
            }
            if self.decoder.is_finished() {
                self.check()?;
                self.is_in_frame = false;
            } else {
                self.decoder.decode_blocks(&mut self.input, UptoBlocks(1)).map_err(io::Error::other)?;
            }
        }
    }
}
