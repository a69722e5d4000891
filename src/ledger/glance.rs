//! A quick look at a leaf. It either proves in one pass, without building anything, that the
//! leaf is one in canonical form, and says the few things that a verification needs of it; or it
//! says nothing, and [`super::leaf::Leaf::parse`] decides. It must never say yes where that
//! says no: tests hold them against each other.

use base64::Engine as _;
use memchr::{memchr, memchr2};
use sha2::{Digest as _, Sha256};

use super::accounts::RECORDS;
use super::leaf::{self, BLOB_REFERENCE_TYPE, STATEMENT_TYPE};

const BEFORE: &[u8] = br#"{"payload":""#;
const AFTER: &[u8] = br#"","payloadType":"application/vnd.in-toto+json","signatures":[]}"#;

/// Deeper nesting is looked at closely.
const DEEPEST: usize = 60;

/// Below this many digits a whole number is within ±2^53.
const DIGITS: usize = 15;

/// As strict as `STANDARD`, in the instructions that this machine has.
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
))]
static BASE64: std::sync::LazyLock<base64::engine::Simd> = std::sync::LazyLock::new(|| {
    base64::engine::Simd::standard(base64::engine::general_purpose::PAD)
});
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_feature = "neon")
)))]
use base64::engine::general_purpose::STANDARD as BASE64;

/// A leaf that is well-formed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Glance<'a> {
    payload: &'a str,
    observed_at: Option<&'a str>,
    /// Members of the predicate that were asked for, if they are there: as they are written.
    pub(super) members: [Option<&'a str>; 2],
}

/// Looks at an entry; `buffer` takes its payload. Asked for are two members of the predicate.
pub(super) fn glance<'a>(
    entry: &[u8],
    buffer: &'a mut Vec<u8>,
    asked: [&str; 2],
) -> Option<Glance<'a>> {
    let encoded = entry.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    // Kept as large as the largest entry: to fill it anew each time would cost as much as decoding.
    if buffer.len() < encoded.len() {
        buffer.resize(encoded.len(), 0);
    }
    // The engine refuses bits and padding that encoding would not give, so there is one spelling.
    let length = BASE64.decode_slice(encoded, buffer).ok()?;
    let payload = simdutf8::basic::from_utf8(buffer.get(..length)?).ok()?;
    statement(payload, asked)
}

impl Glance<'_> {
    /// Where its copy lies.
    pub(super) fn path(&self) -> String {
        let digest = Sha256::digest(self.payload.as_bytes());
        let month = leaf::month(self.observed_at);
        format!("{RECORDS}/{month}/rec_{}.json", hex::encode(&digest[..16]))
    }
}

fn statement<'a>(payload: &'a str, asked: [&str; 2]) -> Option<Glance<'a>> {
    if has_control(payload.as_bytes()) {
        return None;
    }
    let mut scan = Scan {
        text: payload,
        at: 0,
    };
    let mut members = [None; 2];
    let mut observed = None;
    let (mut typed, mut about, mut kind, mut predicate) = (false, false, false, false);
    scan.members(DEEPEST, &mut |scan, name| {
        let begin = scan.at;
        if name == "predicate" {
            predicate = scan.peek()? == b'{';
            scan.at += 1;
            scan.members(DEEPEST - 1, &mut |scan, name| {
                let begin = scan.at;
                scan.value(DEEPEST - 2)?;
                let value = scan.text.get(begin..scan.at)?;
                for (slot, asked) in members.iter_mut().zip(asked) {
                    if name == asked {
                        *slot = Some(value);
                    }
                }
                if name == "observed_at" {
                    observed = Some(value);
                }
                Some(())
            })?;
            return Some(());
        }
        scan.value(DEEPEST - 1)?;
        let value = scan.text.get(begin..scan.at)?;
        match name {
            "_type" => typed = text(value)? == STATEMENT_TYPE,
            "subject" => about = value.starts_with('[') && value != "[]",
            "predicateType" => {
                // A reference is followed elsewhere.
                let value = text(value)?;
                kind = value != BLOB_REFERENCE_TYPE;
            }
            _ => {}
        }
        Some(())
    })?;
    let whole = scan.at == payload.len();
    if !(whole && typed && about && kind && predicate) {
        return None;
    }
    let observed_at = match observed {
        Some(value) if value.starts_with('"') => Some(text(value)?),
        _ => None,
    };
    Some(Glance {
        payload,
        observed_at,
        members,
    })
}

/// The content of a text without escapes.
fn text(value: &str) -> Option<&str> {
    let text = value.strip_prefix('"')?.strip_suffix('"')?;
    memchr(b'\\', text.as_bytes()).is_none().then_some(text)
}

/// Whether there is a character that canonical form would escape. Every byte is looked at without
/// a way out of the loop, so that it is made of vector instructions.
fn has_control(bytes: &[u8]) -> bool {
    bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte)) < 0x20
}

/// A place in canonical JSON.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

/// What is done at a member's value; it has to read it.
type Member<'a, 'b> = &'b mut dyn FnMut(&mut Scan<'a>, &'a str) -> Option<()>;

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text
            .as_bytes()
            .get(self.at..)?
            .starts_with(word.as_bytes())
            .then(|| self.at += word.len())
    }

    /// Most values are texts, so those are read without a call.
    #[inline]
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            _ => self.other_value(depth),
        }
    }

    fn other_value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'{' => {
                self.at += 1;
                self.rest_of_object(depth.checked_sub(1)?, None)
            }
            b'[' => {
                self.at += 1;
                self.rest_of_array(depth.checked_sub(1)?)
            }
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    /// A member's name without its quotes: ASCII without escapes.
    fn name(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let rest = self.text.as_bytes().get(self.at..)?;
        let mut length = 0;
        loop {
            match rest.get(length)? {
                b'"' => break,
                b'\\' | 0x80.. => return None,
                _ => length += 1,
            }
        }
        let name = self.text.get(self.at..self.at + length)?;
        self.at += length + 1;
        Some(name)
    }

    /// Behind its first quote up to behind its last one.
    #[inline]
    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            let rest = self.text.as_bytes().get(self.at..)?;
            let next = memchr2(b'"', b'\\', rest)?;
            self.at += next;
            if rest[next] == b'"' {
                self.at += 1;
                return Some(());
            }
            // Those that have a short form have to use it; of the others there are none here.
            if !matches!(
                rest.get(next + 1)?,
                b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't'
            ) {
                return None;
            }
            self.at += 2;
        }
    }

    /// Zero, or digits that do not begin with one; never minus zero.
    fn number(&mut self) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let sign = usize::from(*rest.first()? == b'-');
        let digits = rest
            .get(sign..)?
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let zero = rest.get(sign) == Some(&b'0');
        if digits == 0 || digits > DIGITS || zero && (digits > 1 || sign > 0) {
            return None;
        }
        self.at += sign + digits;
        Some(())
    }

    fn rest_of_array(&mut self, depth: usize) -> Option<()> {
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            if self.peek()? == b']' {
                self.at += 1;
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// An object from its first brace on, or from behind it.
    fn members(&mut self, depth: usize, member: Member<'a, '_>) -> Option<()> {
        if self.at == 0 {
            self.take(b'{')?;
        }
        self.rest_of_object(depth, Some(member))
    }

    /// Names in ascending order, each once. Their order is that of UTF-16 in canonical form,
    /// which is the order of bytes where all are ASCII.
    fn rest_of_object(&mut self, depth: usize, mut member: Option<Member<'a, '_>>) -> Option<()> {
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        let mut before: Option<&str> = None;
        loop {
            let name = self.name()?;
            // Most differ in their first byte, which is seen without a call.
            if before.is_some_and(|before| before.bytes().ge(name.bytes())) {
                return None;
            }
            before = Some(name);
            self.take(b':')?;
            match &mut member {
                Some(member) => member(self, name)?,
                None => self.value(depth)?,
            }
            if self.peek()? == b'}' {
                self.at += 1;
                return Some(());
            }
            self.take(b',')?;
        }
    }
}

#[cfg(test)]
#[path = "glance_tests.rs"]
mod tests;
