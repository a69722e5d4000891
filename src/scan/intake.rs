//! The door for foreign bytes: every byte is hashed and checked to be UTF-8, in
//! blocks, on a thread of its own where a file has more than one. It knows bytes
//! and deliberately nothing about any report format.
//!
//! A parser skips most of a report, and skips it leniently. What is skipped is
//! checked here, so that it cannot hide bytes that another tool reads otherwise.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::utf8::Utf8;

/// Size of the first block, by which the format is told.
pub(super) const FIRST: usize = 256 << 10;
/// Size of the others.
pub(super) const BLOCK: usize = 128 << 10;
/// What is read and hashed at once, while it is in the nearest cache.
const PIECE: usize = 32 << 10;
/// Room in front of each block, so that what is left of the one before can be put
/// there and nobody has to copy blocks.
pub(super) const ROOM: usize = 32 << 10;
/// Blocks between the two threads: enough that neither waits for the other's hiccups.
const AHEAD: usize = 3;
/// Largest file; a sparse one could keep a job busy for hours.
const LARGEST_FILE: u64 = 16 << 30;

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The file itself could not be read.
    Failed(io::Error),
    /// The bytes are no text that we take; says where.
    Refused(String),
}

/// What became of a file.
pub(super) struct Outcome<T> {
    /// What the reader made of it; `None` if not even its first bytes were taken.
    pub(super) read: Option<T>,
    /// What stopped the reading, besides the reader itself.
    pub(super) halt: Option<Halt>,
    /// `sha256:<64 hex>` of the whole file, also of what nobody read.
    pub(super) digest: io::Result<String>,
}

/// Hands the blocks of `source` to `work`, and reads to the end whatever `work` does.
pub(super) fn through<T>(
    source: impl Read + Send,
    work: impl FnOnce(&mut Blocks) -> T,
) -> Outcome<T> {
    let mut intake = Intake::new(source);
    let first = match intake.block(Vec::new()) {
        Ok(first) => first,
        Err(halt) => return intake.finish(None, Some(halt)),
    };
    if intake.ended {
        let mut blocks = Blocks::new(first, None);
        let read = work(&mut blocks);
        return intake.finish(Some(read), None);
    }
    let (filled, blocks) = mpsc::sync_channel(AHEAD);
    let (used, empty) = mpsc::channel();
    thread::scope(|scope| {
        let pump = scope.spawn(move || intake.pump(&filled, &empty));
        let mut blocks = Blocks::new(first, Some(Line { blocks, used }));
        let read = work(&mut blocks);
        drop(blocks);
        match pump.join() {
            Ok(Outcome { halt, digest, .. }) => Outcome {
                read: Some(read),
                halt,
                digest,
            },
            Err(_) => Outcome {
                read: None,
                halt: None,
                digest: Err(io::Error::other("the file could not be hashed")),
            },
        }
    })
}

/// What is named at once by its first bytes.
fn refusal(head: &[u8]) -> Option<&'static str> {
    match head {
        [] => Some("the file is empty"),
        [0x1f, 0x8b, ..] => Some("it is compressed with gzip (byte 0); hand in the unpacked file"),
        [b'P', b'K', 3, 4, ..] => Some("it is a zip archive (byte 0); hand in the unpacked file"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
            Some("it is not UTF-8 (byte 0 looks like UTF-16 or UTF-32); convert it to UTF-8")
        }
        _ => None,
    }
}

/// The side that reads the file.
struct Intake<R> {
    source: R,
    hasher: Sha256,
    offset: u64,
    text: Utf8,
    ended: bool,
}

impl<R: Read> Intake<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            hasher: Sha256::new(),
            offset: 0,
            text: Utf8::default(),
            ended: false,
        }
    }

    /// The next block behind its room, hashed and checked.
    fn block(&mut self, mut block: Vec<u8>) -> Result<Vec<u8>, Halt> {
        self.raw(&mut block).map_err(Halt::Failed)?;
        let bytes = block.get(ROOM..).unwrap_or_default();
        let start = self.offset - bytes.len() as u64;
        if let Some(refusal) = refusal(bytes).filter(|_| start == 0) {
            return Err(Halt::Refused(refusal.to_owned()));
        }
        let broken = self.text.check(bytes, self.ended);
        broken.map_err(|at| {
            Halt::Refused(format!("it is not UTF-8 at byte {}", start + at as u64))
        })?;
        Ok(block)
    }

    fn raw(&mut self, block: &mut Vec<u8>) -> io::Result<()> {
        let length = ROOM + if self.offset == 0 { FIRST } else { BLOCK };
        if block.capacity() == 0 {
            // Pages that are never filled are never touched.
            *block = vec![0; length];
        }
        block.resize(length, 0);
        let mut filled = ROOM;
        while filled < length && !self.ended {
            let piece = filled..length.min(filled + PIECE);
            let Some(piece) = block.get_mut(piece) else {
                break;
            };
            match self.source.read(piece) {
                Ok(read) => {
                    self.hasher.update(piece.get(..read).unwrap_or_default());
                    self.ended = read == 0;
                    filled += read;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        block.truncate(filled);
        self.offset += (filled - ROOM) as u64;
        if self.offset > LARGEST_FILE {
            return Err(io::Error::other("it is larger than 16 GiB"));
        }
        Ok(())
    }

    /// Sends block after block until the end, or until nobody listens any more.
    fn pump(mut self, filled: &SyncSender<Delivery>, empty: &Receiver<Vec<u8>>) -> Outcome<()> {
        while !self.ended {
            let room = empty.try_recv().unwrap_or_default();
            match self.block(room) {
                Ok(block) => {
                    if filled.send(Delivery::Block(block)).is_err() {
                        return self.finish(None, None);
                    }
                }
                Err(halt) => {
                    // Whoever listens stops here; nobody listening is as good.
                    let _ = filled.send(Delivery::Halted);
                    return self.finish(None, Some(halt));
                }
            }
        }
        self.finish(None, None)
    }

    /// Hashes what is left.
    fn finish<T>(mut self, read: Option<T>, halt: Option<Halt>) -> Outcome<T> {
        let mut room = Vec::new();
        let mut failure = None;
        while !self.ended && failure.is_none() {
            failure = self.raw(&mut room).err();
        }
        let digest = failure.map_or_else(
            || Ok(format!("sha256:{}", hex::encode(self.hasher.finalize()))),
            Err,
        );
        Outcome { read, halt, digest }
    }
}

enum Delivery {
    Block(Vec<u8>),
    /// Something stopped the reading; it is told elsewhere.
    Halted,
}

struct Line {
    blocks: Receiver<Delivery>,
    used: Sender<Vec<u8>>,
}

/// The side that a reader sees: the bytes of the file, a mark of UTF-8 taken away.
pub(super) struct Blocks {
    block: Vec<u8>,
    at: usize,
    /// Position in the file behind the block.
    end: u64,
    line: Option<Line>,
}

impl Blocks {
    fn new(first: Vec<u8>, line: Option<Line>) -> Self {
        let bytes = first.get(ROOM..).unwrap_or_default();
        let mark = if bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self {
            at: ROOM + mark,
            end: bytes.len() as u64,
            block: first,
            line,
        }
    }

    /// What is at hand and not yet taken.
    pub(super) fn head(&self) -> &[u8] {
        self.block.get(self.at..).unwrap_or_default()
    }

    /// Position in the file of the first byte of [`Self::head`].
    pub(super) fn offset(&self) -> u64 {
        self.end - self.head().len() as u64
    }

    /// Marks so many bytes as taken.
    pub(super) fn pass(&mut self, count: usize) {
        self.at = self.block.len().min(self.at + count);
    }

    /// Puts what is at hand behind what is left of `window` from `at` on, and gives the
    /// place where that begins now. Copies only what is left, if the room will do.
    pub(super) fn append_to(&mut self, window: &mut Vec<u8>, at: usize) -> usize {
        let left = window.get(at..).unwrap_or_default();
        let start = self.at.checked_sub(left.len());
        let room = start.and_then(|start| self.block.get_mut(start..self.at));
        if let (Some(start), Some(room)) = (start, room) {
            room.copy_from_slice(left);
            std::mem::swap(&mut self.block, window);
            self.at = self.block.len();
            return start;
        }
        window.drain(..at);
        window.extend_from_slice(self.block.get(self.at..).unwrap_or_default());
        self.at = self.block.len();
        0
    }

    /// Goes on to the next block if all of this one is taken. `false`: the file has ended.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if self.at < self.block.len() {
            return Ok(true);
        }
        let Some(line) = &self.line else {
            return Ok(false);
        };
        match line.blocks.recv() {
            Ok(Delivery::Block(block)) => {
                self.at = ROOM;
                self.end += (block.len() - ROOM) as u64;
                let used = std::mem::replace(&mut self.block, block);
                // A window that has grown is not kept. Nobody takes it back after the last block.
                if used.capacity() <= ROOM + FIRST {
                    let _ = line.used.send(used);
                }
                Ok(self.block.len() > ROOM)
            }
            Ok(Delivery::Halted) => Err(io::Error::other("reading has stopped")),
            Err(_) => {
                self.line = None;
                Ok(false)
            }
        }
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.advance()?;
        let length = self.head().read(buffer)?;
        self.pass(length);
        Ok(length)
    }
}

impl io::BufRead for Blocks {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.advance()?;
        Ok(self.head())
    }

    fn consume(&mut self, amount: usize) {
        self.pass(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that gives a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn text_of(bytes: &[u8], drop: usize) -> Result<Vec<u8>, String> {
        let outcome = through(Drops(bytes, drop), |blocks| {
            let mut text = Vec::new();
            blocks.read_to_end(&mut text).map(|_| text)
        });
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
        assert_eq!(outcome.digest.expect("a digest"), digest);
        match (outcome.read, outcome.halt) {
            (Some(Ok(text)), None) => Ok(text),
            (_, Some(Halt::Refused(reason))) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bytes_come_through_whole_whatever_the_blocks_cut() {
        let text = "{\"é日本\": \"🦀\"}";
        for drop in 1..8 {
            assert_eq!(text_of(text.as_bytes(), drop), Ok(text.into()));
        }
        // Each character of the border once in each phase.
        for shift in 0..4 {
            let long = format!("{}{}", "x".repeat(FIRST - shift), "🦀".repeat(BLOCK));
            assert!(text_of(long.as_bytes(), BLOCK) == Ok(long.into()));
        }
    }

    #[test]
    fn a_broken_character_is_named_with_its_byte() {
        for drop in 1..8 {
            let refusal = text_of(b"{\"a\xe6\x97x\"}", drop).expect_err("a refusal");
            assert!(refusal.starts_with("it is not UTF-8 at byte"), "{refusal}");
        }
        let mut long = vec![b'x'; 3 * BLOCK];
        long[2 * BLOCK + 7] = 0xff;
        let refusal = text_of(&long, BLOCK).expect_err("a refusal");
        assert_eq!(
            refusal,
            format!("it is not UTF-8 at byte {}", 2 * BLOCK + 7)
        );
        assert!(text_of(b"{\"a\xe6\x97", 8).is_err(), "cut in a character");
    }

    #[test]
    fn a_reader_that_stops_early_leaves_the_digest_whole() {
        let long = vec![b'x'; 9 * BLOCK + 1];
        let outcome = through(&long[..], |blocks| blocks.head().len());
        assert_eq!(outcome.read, Some(FIRST));
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&long)));
        assert_eq!(outcome.digest.expect("a digest"), digest);
    }

    #[test]
    fn a_source_that_breaks_off_failed() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        for length in [3, BLOCK, 3 * BLOCK] {
            let source = vec![b'x'; length];
            let outcome = through(Read::chain(&source[..], Broken), |blocks| {
                blocks.read_to_end(&mut Vec::new()).is_ok()
            });
            assert!(matches!(outcome.halt, Some(Halt::Failed(_))));
            assert_ne!(outcome.read, Some(true));
        }
    }
}
