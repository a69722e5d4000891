//! A walk over a JSON document of any size: objects key by key, arrays element
//! by element, in a window that holds the value at hand and no more. Each value
//! is filled by `cursor` out of the window; only the brackets and commas of the
//! outer levels are followed here. What is skipped is checked as well.
//!
//! Strict where two tools could read two things out of one file (a key that
//! stands twice, bytes behind the end), tolerant about the rest. Messages name
//! what was expected, never what was found: that may be a secret.

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed as _, Error as _, IgnoredAny};

use super::cursor::Cursor;
use super::intake::{BLOCK, Blocks};
use super::json::{Fields, Leaf, Object, complaint};
use super::pass::{self, Inside, Stop};

/// Deeper nesting of the outer levels than any tool writes.
const DEEPEST: usize = 128;
/// Longest value that is parsed at once: bounds what has to be held. Tests make do with less.
const LONGEST_VALUE: usize = if cfg!(test) { 4 << 20 } else { 16 << 20 };

/// Why a document is refused, and where.
#[derive(Debug)]
pub(super) struct Trouble {
    reason: String,
    at: u64,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} at byte {}", self.reason, self.at)
    }
}

/// What is read out of an element of an array and may point into the report, as long as it
/// is looked at.
pub(super) trait InPlace {
    /// The same for the life of the bytes.
    type Of<'de>: Deserialize<'de>;
}

/// What a callback gives back.
pub(super) type Step = Result<(), Trouble>;

/// The walk.
pub(super) struct Stream<'a> {
    blocks: &'a mut Blocks,
    window: Vec<u8>,
    /// The next byte in the window.
    at: usize,
    /// Position in the file behind the window.
    end: u64,
    ended: bool,
    depth: usize,
}

impl<'a> Stream<'a> {
    /// A walk that stands before the document.
    pub(super) fn new(blocks: &'a mut Blocks) -> Self {
        let end = blocks.offset();
        Self {
            blocks,
            window: Vec::new(),
            at: 0,
            end,
            ended: false,
            depth: 0,
        }
    }

    /// A refusal at the place where the walk stands.
    pub(super) fn trouble(&self, reason: impl Into<String>) -> Trouble {
        Trouble {
            reason: reason.into(),
            at: self.position(self.at),
        }
    }

    /// Position in the file of a place in the window.
    fn position(&self, at: usize) -> u64 {
        self.end
            .saturating_sub(self.window.len().saturating_sub(at) as u64)
    }

    /// The next byte that is no white space; `None`: the file has ended.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Trouble> {
        loop {
            while let Some(byte) = self.window.get(self.at) {
                if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                    return Ok(Some(*byte));
                }
                self.at += 1;
            }
            if !self.grow()? {
                return Ok(None);
            }
        }
    }

    /// Only white space may follow.
    pub(super) fn end(&mut self) -> Step {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.trouble("something stands behind the end of the report")),
        }
    }

    /// One whole value.
    pub(super) fn value<T: DeserializeOwned>(&mut self) -> Result<T, Trouble> {
        self.parsed(|cursor| T::deserialize(cursor))
    }

    /// One single value.
    pub(super) fn leaf(&mut self) -> Result<Leaf<'static>, Trouble> {
        self.parsed(|cursor| Leaf::deserialize(cursor).map(Leaf::into_owned))
    }

    /// One object, filled anew.
    pub(super) fn filled<T: Fields + Default>(&mut self) -> Result<T, Trouble> {
        self.parsed(|cursor| {
            let mut item = T::default();
            Object(&mut item).deserialize(cursor)?;
            Ok(item)
        })
    }

    /// An object of which the given keys are read. `false`: it is null.
    pub(super) fn object(
        &mut self,
        what: &'static str,
        keys: &[&'static str],
        each: &mut dyn FnMut(&mut Self, &'static str) -> Step,
    ) -> Result<bool, Trouble> {
        let mut seen = 0_u64;
        self.entries(what, &mut |stream, key| {
            let Some(index) = keys.iter().position(|known| *known == key) else {
                return stream.skip();
            };
            if seen & (1 << index) != 0 {
                return Err(stream.trouble(format!(
                    "`{}` stands twice in {what}, so that two tools could read two things",
                    keys.get(index).unwrap_or(&"a key"),
                )));
            }
            seen |= 1 << index;
            each(stream, keys.get(index).copied().unwrap_or_default())
        })
    }

    /// An object whose keys are names. `false`: it is null.
    pub(super) fn entries(
        &mut self,
        what: &'static str,
        each: &mut dyn FnMut(&mut Self, &str) -> Step,
    ) -> Result<bool, Trouble> {
        match self.peek()? {
            Some(b'{') => {}
            Some(b'n') => {
                self.value::<()>()?;
                return Ok(false);
            }
            _ => return Err(self.trouble(format!("expected {what} as an object"))),
        }
        self.inside(b'}', &mut |stream| {
            if stream.peek()? != Some(b'"') {
                return Err(stream.trouble("expected a key"));
            }
            let key: String = stream.value()?;
            if stream.peek()? != Some(b':') {
                return Err(stream.trouble("expected a colon"));
            }
            stream.at += 1;
            each(stream, &key)
        })?;
        Ok(true)
    }

    /// An array, element by element. `false`: it is null.
    pub(super) fn array(
        &mut self,
        what: &'static str,
        each: &mut dyn FnMut(&mut Self) -> Step,
    ) -> Result<bool, Trouble> {
        match self.peek()? {
            Some(b'[') => {}
            Some(b'n') => {
                self.value::<()>()?;
                return Ok(false);
            }
            _ => return Err(self.trouble(format!("expected {what} as an array"))),
        }
        self.inside(b']', each)?;
        Ok(true)
    }

    /// An array of objects, each handed over as it comes. `false`: it is null.
    pub(super) fn list<T: Fields + Default>(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(T) -> Result<(), String>,
    ) -> Result<bool, Trouble> {
        self.array(what, &mut |stream| {
            let item = stream.filled()?;
            each(item).map_err(|reason| stream.trouble(reason))
        })
    }

    /// An array of values of one type, each handed over as it comes. `false`: it is null.
    pub(super) fn values<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(T) -> Result<(), String>,
    ) -> Result<bool, Trouble> {
        self.array(what, &mut |stream| {
            let item = stream.value()?;
            each(item).map_err(|reason| stream.trouble(reason))
        })
    }

    /// An array of values that are looked at where they stand, and copied by nobody. `false`:
    /// it is null.
    pub(super) fn looked_at<T: InPlace>(
        &mut self,
        what: &'static str,
        mut each: impl FnMut(T::Of<'_>) -> Result<(), String>,
    ) -> Result<bool, Trouble> {
        self.array(what, &mut |stream| {
            stream.parsed(|cursor| {
                let value = T::Of::deserialize(&mut *cursor)?;
                // An array goes on behind it, and what is cut here is read again: but once it
                // was handed over, it must not be.
                cursor.goes_on()?;
                each(value).map_err(serde_json::Error::custom)
            })
        })
    }

    /// A document that is an array of values of one type. Null is no such list: nobody
    /// says that it is empty.
    pub(super) fn document<T: DeserializeOwned>(
        &mut self,
        each: impl FnMut(T) -> Result<(), String>,
    ) -> Step {
        if !self.values("the report", each)? {
            return Err(self.trouble("the report is null"));
        }
        self.end()
    }

    /// Passes over a value, however large.
    pub(super) fn skip(&mut self) -> Step {
        match self.peek()? {
            Some(b'{' | b'[') => {}
            Some(b'"') => return self.skip_string(),
            _ => return self.value::<IgnoredAny>().map(|_| ()),
        }
        if self.window.len() - self.at < BLOCK / 2 {
            self.grow()?;
        }
        if let Some(done) = self.attempt(|cursor| IgnoredAny::deserialize(cursor)) {
            return done.map(|_| ());
        }
        if self.peek()? == Some(b'{') {
            self.entries("an object", &mut |stream, _| stream.skip())?;
        } else {
            self.array("an array", &mut Self::skip)?;
        }
        Ok(())
    }

    /// Passes over a string, of which nothing is held.
    fn skip_string(&mut self) -> Step {
        self.at += 1;
        loop {
            match pass::inside(&self.window, self.at) {
                Ok(Inside::Ended(text)) => {
                    self.at = text.end;
                    return Ok(());
                }
                Ok(Inside::Open(at)) => self.at = at,
                Err(Stop::Wrong { at, reason }) => {
                    self.at = at;
                    return Err(self.trouble(reason));
                }
                Err(Stop::RanOut) => {}
            }
            if !self.grow()? {
                return Err(self.trouble("the report ends too early"));
            }
        }
    }

    /// The inside of brackets, one of which stands next.
    fn inside(&mut self, close: u8, each: &mut dyn FnMut(&mut Self) -> Step) -> Step {
        if self.depth >= DEEPEST {
            return Err(self.trouble(format!("it nests deeper than {DEEPEST} levels")));
        }
        self.at += 1;
        self.depth += 1;
        let mut first = true;
        loop {
            match self.peek()? {
                None => return Err(self.trouble("the report ends too early")),
                Some(byte) if byte == close && first => break,
                Some(_) => {}
            }
            each(self)?;
            first = false;
            match self.peek()? {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                None => return Err(self.trouble("the report ends too early")),
                Some(_) => return Err(self.trouble("expected a comma or a closing bracket")),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    /// Parses the value that stands next, with as large a window as it takes.
    fn parsed<T>(
        &mut self,
        mut read: impl FnMut(&mut Cursor<'_>) -> serde_json::Result<T>,
    ) -> Result<T, Trouble> {
        if self.peek()?.is_none() {
            return Err(self.trouble("the report ends too early"));
        }
        loop {
            if let Some(done) = self.attempt(&mut read) {
                return done;
            }
            if !self.grow()? {
                return Err(self.trouble("the report ends too early"));
            }
        }
    }

    /// Parses the value that stands next. `None`: more bytes are needed to tell.
    fn attempt<T>(
        &mut self,
        mut read: impl FnMut(&mut Cursor<'_>) -> serde_json::Result<T>,
    ) -> Option<Result<T, Trouble>> {
        let rest = self.window.get(self.at..).unwrap_or_default();
        let mut cursor = Cursor::new(rest);
        match read(&mut cursor) {
            // A number at the edge may go on behind it.
            Ok(_) if cursor.at() >= rest.len() && !self.ended => None,
            Ok(value) => {
                self.at += cursor.at();
                Some(Ok(value))
            }
            Err(_) if cursor.ran_out() && !self.ended => None,
            Err(error) => Some(Err(Trouble {
                reason: complaint(&error),
                at: self.position(self.at + cursor.at()),
            })),
        }
    }

    /// Forgets what is done and takes in at least as much as is left. `false`: the file has ended.
    fn grow(&mut self) -> Result<bool, Trouble> {
        if self.ended {
            return Ok(false);
        }
        let left = self.window.len() - self.at;
        if left > LONGEST_VALUE {
            return Err(self.trouble("a value is longer than 16 MiB"));
        }
        // Twice as much, so that what is parsed anew stays in proportion, but no more than
        // it takes to tell that the value is too long.
        let enough = (2 * left).min(LONGEST_VALUE + 1);
        loop {
            match self.blocks.advance() {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    return Ok(true);
                }
                Err(_) => return Err(self.trouble("reading has stopped")),
            }
            self.at = self.blocks.append_to(&mut self.window, self.at);
            self.end = self.blocks.offset();
            if self.window.len() - self.at >= enough {
                return Ok(true);
            }
        }
    }
}
