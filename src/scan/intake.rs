//! The door for foreign bytes: one pass that hashes every byte and refuses what
//! no reader behind it should have to survive. It knows bytes, strings and
//! brackets, and deliberately nothing about any report format.
//!
//! The parser skips most of a report, and skips it leniently. What is skipped is
//! checked here, so that it cannot hide bytes that another tool reads otherwise.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Deeper nesting than any tool writes.
const DEEPEST: u32 = 128;
/// Longest single string: bounds what a parser may have to hold.
const LONGEST_STRING: u64 = 64 << 20;
/// Largest file; a sparse one could keep a job busy for hours.
const LARGEST_FILE: u64 = 8 << 30;
/// Size of the blocks in which the rest is drained.
const BLOCK: usize = 64 << 10;

/// Why reading stopped before the end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The file itself could not be read.
    Failed(io::Error),
    /// The bytes are no UTF-8 JSON that we take; says where.
    Refused(String),
}

/// A reader that hashes and guards.
pub(super) struct Intake<R> {
    source: R,
    hasher: Sha256,
    /// First bytes, read ahead to see what the file is.
    head: Vec<u8>,
    offset: u64,
    text: Utf8,
    shape: Shape,
    halt: Option<Halt>,
}

impl<R: Read> Intake<R> {
    /// An intake at the start of `source`.
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            hasher: Sha256::new(),
            head: Vec::new(),
            offset: 0,
            text: Utf8::default(),
            shape: Shape::default(),
            halt: None,
        }
    }

    /// Looks at the first bytes. A mark of UTF-8 is skipped; what is no UTF-8 JSON is named.
    pub(super) fn open(&mut self) -> io::Result<()> {
        let mut head = [0; 4];
        let mut length = 0;
        while let Some(room) = head.get_mut(length..)
            && !room.is_empty()
        {
            match self.source.read(room) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        let head = head.get(..length).unwrap_or_default();
        self.hasher.update(head);
        let refusal = match head {
            [] => "the file is empty",
            [0x1f, 0x8b, ..] => "it is compressed with gzip (byte 0); hand in the unpacked file",
            [b'P', b'K', 3, 4] => "it is a zip archive (byte 0); hand in the unpacked file",
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, ..] | [_, 0, ..] => {
                "it is not UTF-8 (byte 0 looks like UTF-16 or UTF-32); convert it to UTF-8"
            }
            [b'<', ..] => "it is not SARIF but XML (byte 0)",
            _ => "",
        };
        if !refusal.is_empty() {
            return Err(self.refused(refusal.to_owned()));
        }
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        self.head = text.to_vec();
        self.offset = (head.len() - text.len()) as u64;
        Ok(())
    }

    /// Hashes what nobody read, and gives what stopped the reading and the digest of the whole file.
    pub(super) fn finish(mut self) -> (Option<Halt>, io::Result<String>) {
        let mut block = vec![0; BLOCK];
        let mut size = self.offset;
        loop {
            match self.source.read(&mut block) {
                Ok(0) => break,
                Ok(read) => {
                    self.hasher.update(block.get(..read).unwrap_or_default());
                    size += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return (self.halt, Err(error)),
            }
            if size > LARGEST_FILE {
                return (self.halt, Err(too_large()));
            }
        }
        let digest = format!("sha256:{}", hex::encode(self.hasher.finalize()));
        (self.halt, Ok(digest))
    }

    fn failed(&mut self, error: io::Error) -> io::Error {
        self.halt = Some(Halt::Failed(error));
        io::Error::other("the file could not be read")
    }

    fn refused(&mut self, reason: String) -> io::Error {
        self.halt = Some(Halt::Refused(reason));
        io::Error::other("the bytes were refused")
    }

    /// Checks bytes before the parser sees them.
    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        let start = self.offset;
        self.offset += bytes.len() as u64;
        if self.offset > LARGEST_FILE {
            return Err(self.failed(too_large()));
        }
        if let Err(at) = self.text.check(bytes) {
            let at = start + at as u64;
            return Err(self.refused(format!("it is not UTF-8 at byte {at}")));
        }
        if let Err((at, problem)) = self.shape.check(bytes) {
            let at = start + at as u64;
            return Err(self.refused(format!("{problem} at byte {at}")));
        }
        Ok(())
    }
}

impl<R: Read> Read for Intake<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.halt.is_some() {
            return Err(io::Error::other("reading has stopped"));
        }
        let length = if self.head.is_empty() {
            loop {
                match self.source.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(self.failed(error)),
                    Ok(length) => break length,
                }
            }
        } else {
            let length = self.head.len().min(buffer.len());
            for (to, from) in buffer.iter_mut().zip(self.head.drain(..length)) {
                *to = from;
            }
            let bytes = buffer.get(..length).unwrap_or_default();
            self.check(bytes)?;
            return Ok(length);
        };
        let bytes = buffer.get(..length).unwrap_or_default();
        self.hasher.update(bytes);
        self.check(bytes)?;
        Ok(length)
    }
}

/// Whether the bytes so far are UTF-8, across the borders of blocks.
#[derive(Default)]
struct Utf8 {
    /// A character that the last block cut.
    cut: Vec<u8>,
}

impl Utf8 {
    fn check(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut rest = bytes;
        while !self.cut.is_empty() {
            let Some((next, after)) = rest.split_first() else {
                return Ok(());
            };
            self.cut.push(*next);
            rest = after;
            match std::str::from_utf8(&self.cut) {
                Ok(_) => self.cut.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return Err(bytes.len() - rest.len() - 1),
            }
        }
        match std::str::from_utf8(rest) {
            Ok(_) => Ok(()),
            Err(error) => {
                let valid = error.valid_up_to();
                if error.error_len().is_some() {
                    return Err(bytes.len() - rest.len() + valid);
                }
                self.cut = rest.get(valid..).unwrap_or_default().to_vec();
                Ok(())
            }
        }
    }
}

/// Strings and brackets, no more: enough to bound both.
#[derive(Default)]
struct Shape {
    depth: u32,
    in_string: bool,
    escaped: bool,
    string_length: u64,
}

impl Shape {
    fn check(&mut self, bytes: &[u8]) -> Result<(), (usize, &'static str)> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_string {
                self.string_length += 1;
                if self.string_length > LONGEST_STRING {
                    return Err((at, "a string is longer than 64 MiB"));
                }
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.string_length = 0;
                }
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err((at, "it nests deeper than 128 levels"));
                    }
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

fn too_large() -> io::Error {
    io::Error::other("it is larger than 8 GiB")
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

    fn text_of(bytes: &[u8], drop: usize) -> Result<String, String> {
        let mut intake = Intake::new(Drops(bytes, drop));
        let mut text = Vec::new();
        let read = intake
            .open()
            .and_then(|()| intake.read_to_end(&mut text).map(|_| ()));
        match (read, intake.finish().0) {
            (Ok(()), None) => Ok(String::from_utf8(text).expect("only UTF-8 comes through")),
            (Err(_), Some(Halt::Refused(reason))) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn characters_that_blocks_cut_come_through_whole() {
        let text = "{\"é日本\": \"🦀\"}";
        for drop in 1..8 {
            assert_eq!(text_of(text.as_bytes(), drop).as_deref(), Ok(text));
        }
    }

    #[test]
    fn a_broken_character_is_named_with_its_byte() {
        for drop in 1..8 {
            let refusal = text_of(b"{\"a\xe6\x97x\"}", drop).expect_err("a refusal");
            assert!(refusal.starts_with("it is not UTF-8 at byte"), "{refusal}");
        }
    }

    #[test]
    fn a_string_has_a_longest_length() {
        let mut shape = Shape {
            in_string: true,
            string_length: LONGEST_STRING - 1,
            ..Shape::default()
        };
        assert_eq!(shape.check(b"a"), Ok(()));
        assert!(shape.check(b"a").is_err());
    }

    #[test]
    fn a_source_that_breaks_off_failed() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let mut intake = Intake::new(io::Read::chain(&b"{\"a\": "[..], Broken));
        assert!(intake.open().is_ok());
        assert!(intake.read_to_end(&mut Vec::new()).is_err());
        assert!(matches!(intake.finish().0, Some(Halt::Failed(_))));
    }
}
