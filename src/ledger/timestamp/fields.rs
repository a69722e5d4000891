//! Values of DER one after another. A length that is not in its shortest form, or that
//! reaches past the end, is refused; what a value means is for the reader of the structure.

use anyhow::{Context as _, ensure};
use der::{AnyRef, Decode as _, Reader as _, SliceReader, Tagged as _};

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// A context tag, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;
pub(super) const CONTEXT_1: u8 = 0xa1;

/// One value: its tag, what is inside, and all of its bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Field<'a> {
    /// The only value in these bytes.
    pub(super) fn only(bytes: &'a [u8], tag: u8) -> anyhow::Result<Self> {
        let mut fields = Fields(bytes);
        let field = fields.expect(tag)?;
        fields.end()?;
        Ok(field)
    }

    pub(super) fn fields(&self) -> Fields<'a> {
        Fields(self.content)
    }
}

/// What is left to be read.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Field<'a>>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let broken = "it is no DER";
        let mut reader = SliceReader::new(self.0).ok().context(broken)?;
        let whole = reader.tlv_bytes().ok().context(broken)?;
        let value = AnyRef::from_der(whole).ok().context(broken)?;
        self.0 = self.0.get(whole.len()..).unwrap_or_default();
        Ok(Some(Field {
            tag: u8::from(value.tag()),
            content: value.value(),
            whole,
        }))
    }

    pub(super) fn expect(&mut self, tag: u8) -> anyhow::Result<Field<'a>> {
        let field = self.next()?.context("a part is missing")?;
        ensure!(
            field.tag == tag,
            "there is a value of kind {:#04x} where {tag:#04x} belongs",
            field.tag
        );
        Ok(field)
    }

    /// The next value if it is of this kind.
    pub(super) fn optional(&mut self, tag: u8) -> anyhow::Result<Option<Field<'a>>> {
        if self.0.first() == Some(&tag) {
            return self.next();
        }
        Ok(None)
    }

    pub(super) fn end(&self) -> anyhow::Result<()> {
        ensure!(self.0.is_empty(), "something follows that does not belong");
        Ok(())
    }
}

/// The bytes of a value around its content.
pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length
        .iter()
        .position(|byte| *byte != 0)
        .map_or(&[][..], |at| &length[at..]);
    let mut bytes = vec![tag];
    match (significant, u8::try_from(significant.len())) {
        ([], _) => bytes.push(0),
        ([short], _) if *short < 0x80 => bytes.push(*short),
        (long, Ok(count)) => {
            bytes.push(0x80 | count);
            bytes.extend_from_slice(long);
        }
        // A length has eight bytes at most.
        (_, Err(_)) => {}
    }
    bytes.extend_from_slice(content);
    bytes
}
