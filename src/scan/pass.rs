//! Passing over JSON that nobody reads: checks every byte of it by RFC 8259 and
//! finds its end, without recursion and without keeping anything. Most of a
//! report is passed over, so this is what reading costs.
//!
//! It takes what serde_json takes as an ignored value and refuses what that
//! refuses, which tests compare. Whether the bytes are UTF-8 is checked where
//! they come in.

use wide::u8x32;

/// Deepest nesting that is passed over.
pub(super) const DEEPEST: usize = 1_000;
/// Words that remember for each level whether it is an object.
const WORDS: usize = DEEPEST.div_ceil(64);

/// Why a value has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The bytes end before it does.
    RanOut,
    /// It is no JSON.
    Wrong {
        /// Where.
        at: usize,
        /// Why.
        reason: &'static str,
    },
}

/// What an attempt to pass over something gives.
type End = Result<usize, Stop>;

fn wrong<T>(at: usize, reason: &'static str) -> Result<T, Stop> {
    Err(Stop::Wrong { at, reason })
}

/// The end of the value that stands at or behind `start`, with `around` brackets open around it.
#[inline]
pub(super) fn value(bytes: &[u8], start: usize, around: usize) -> End {
    let at = white(bytes, start);
    match bytes.get(at) {
        Some(b'{' | b'[') => nested(bytes, at, around),
        Some(b'"') => string(bytes, at + 1).map(|text| text.end),
        _ => word(bytes, at),
    }
}

fn nested(bytes: &[u8], start: usize, around: usize) -> End {
    let mut at = start;
    let mut levels = Levels::default();
    'value: loop {
        at = white(bytes, at);
        match bytes.get(at) {
            Some(b'"') => at = string(bytes, at + 1)?.end,
            Some(open @ (b'{' | b'[')) => {
                if around + levels.depth >= DEEPEST {
                    return wrong(at, "it nests deeper than 1000 levels");
                }
                let is_object = *open == b'{';
                levels.open(is_object);
                at = white(bytes, at + 1);
                match bytes.get(at) {
                    Some(b'}') if is_object => {}
                    Some(b']') if !is_object => {}
                    _ => {
                        if is_object {
                            at = key(bytes, at)?;
                        }
                        continue 'value;
                    }
                }
                levels.close();
                at += 1;
            }
            _ => at = word(bytes, at)?,
        }
        while levels.depth > 0 {
            at = white(bytes, at);
            let is_object = levels.is_object();
            match bytes.get(at) {
                Some(b',') => {
                    at += 1;
                    if is_object {
                        at = key(bytes, white(bytes, at))?;
                    }
                    continue 'value;
                }
                Some(b'}') if is_object => {}
                Some(b']') if !is_object => {}
                Some(_) => return wrong(at, "expected a comma or a closing bracket"),
                None => return Err(Stop::RanOut),
            }
            levels.close();
            at += 1;
        }
        return Ok(at);
    }
}

/// The first byte from `at` on that is no white space, or the end.
#[inline]
pub(super) fn white(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
        // Indented reports hold long runs of blanks.
        while bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(b"        ") {
            at += 8;
        }
    }
    at
}

/// A string that has an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    /// Behind its closing quote.
    pub(super) end: usize,
    /// Whether something in it is escaped.
    pub(super) escaped: bool,
}

/// The string whose inside begins at `at`.
#[inline]
pub(super) fn string(bytes: &[u8], at: usize) -> Result<Text, Stop> {
    match inside(bytes, at)? {
        Inside::Ended(text) => Ok(text),
        Inside::Open(_) => Err(Stop::RanOut),
    }
}

/// What stands from within a string on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inside {
    /// The rest of the string.
    Ended(Text),
    /// The string goes on behind the bytes; where to look on for its end.
    Open(usize),
}

/// What stands from within a string on, `at` being no place within an escape.
#[inline]
pub(super) fn inside(bytes: &[u8], mut at: usize) -> Result<Inside, Stop> {
    let mut escaped = false;
    loop {
        while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            let found = special(*chunk);
            if found != 0 {
                at += found.trailing_zeros() as usize;
                break;
            }
            at += 32;
        }
        match bytes.get(at) {
            Some(b'"') => {
                return Ok(Inside::Ended(Text {
                    end: at + 1,
                    escaped,
                }));
            }
            Some(b'\\') => {
                escaped = true;
                // Nearly all are of one character.
                if let Some(b'"' | b'\\' | b'/' | b'n' | b'r' | b't') = bytes.get(at + 1) {
                    at += 2;
                    continue;
                }
                at = match escape(bytes, at) {
                    Err(Stop::RanOut) => return Ok(Inside::Open(at)),
                    end => end?,
                };
            }
            Some(..0x20) => return wrong(at, "a control character stands in a string"),
            Some(_) => at += 1,
            None => return Ok(Inside::Open(at)),
        }
    }
}

/// One bit for each of the bytes that is a quote, a backslash or a control character.
/// Most strings end within so many, so that a search with a start of its own costs more.
#[inline]
fn special(bytes: [u8; 32]) -> u32 {
    let bytes = u8x32::from(bytes);
    let quote = bytes.simd_eq(u8x32::splat(b'"'));
    let backslash = bytes.simd_eq(u8x32::splat(b'\\'));
    let control = bytes.min(u8x32::splat(0x1f)).simd_eq(bytes);
    (quote | backslash | control).to_bitmask()
}

/// Behind the escape whose backslash stands at `at`.
fn escape(bytes: &[u8], at: usize) -> End {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            for digit in at + 2..at + 6 {
                match bytes.get(digit) {
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(_) => return wrong(digit, "invalid escape"),
                    None => return Err(Stop::RanOut),
                }
            }
            Ok(at + 6)
        }
        Some(_) => wrong(at + 1, "invalid escape"),
        None => Err(Stop::RanOut),
    }
}

/// Behind the key and the colon that stand at `at`.
#[inline]
fn key(bytes: &[u8], at: usize) -> End {
    match bytes.get(at) {
        Some(b'"') => {}
        Some(_) => return wrong(at, "expected a key"),
        None => return Err(Stop::RanOut),
    }
    let colon = white(bytes, string(bytes, at + 1)?.end);
    match bytes.get(colon) {
        Some(b':') => Ok(colon + 1),
        Some(_) => wrong(colon, "expected a colon"),
        None => Err(Stop::RanOut),
    }
}

/// Behind the number, `true`, `false` or `null` at `at`.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> End {
    match bytes.get(at) {
        Some(b'-' | b'0'..=b'9') => number(bytes, at),
        Some(b't') => literal(bytes, at, b"true"),
        Some(b'f') => literal(bytes, at, b"false"),
        Some(b'n') => literal(bytes, at, b"null"),
        Some(_) => wrong(at, "expected a value"),
        None => Err(Stop::RanOut),
    }
}

fn literal(bytes: &[u8], at: usize, word: &[u8]) -> End {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(word) {
        return Ok(at + word.len());
    }
    if word.starts_with(rest) {
        return Err(Stop::RanOut);
    }
    wrong(at, "expected a value")
}

/// A number that reaches to the end of the bytes is taken as whole.
#[inline]
fn number(bytes: &[u8], start: usize) -> End {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits(bytes, at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

/// Behind one digit or more.
#[inline]
fn digits(bytes: &[u8], start: usize) -> End {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    match bytes.get(at) {
        _ if at > start => Ok(at),
        Some(_) => wrong(at, "invalid number"),
        None => Err(Stop::RanOut),
    }
}

/// The brackets that are open: one bit each.
#[derive(Default)]
struct Levels {
    objects: [u64; WORDS],
    depth: usize,
}

impl Levels {
    #[inline]
    fn open(&mut self, is_object: bool) {
        if let Some(word) = self.objects.get_mut(self.depth / 64) {
            let bit = 1 << (self.depth % 64);
            *word = if is_object { *word | bit } else { *word & !bit };
        }
        self.depth += 1;
    }

    #[inline]
    fn close(&mut self) {
        self.depth -= 1;
    }

    /// Whether the innermost is an object.
    #[inline]
    fn is_object(&self) -> bool {
        let inner = self.depth - 1;
        let word = self.objects.get(inner / 64).copied().unwrap_or_default();
        word >> (inner % 64) & 1 == 1
    }
}

#[cfg(test)]
mod tests;
