//! A walk over an XML document of any size, tag by tag; text is passed over. The
//! parser is quick-xml, which expands no entities of a document's own; a document
//! that declares some is refused.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::intake::Blocks;

/// Deeper nesting than any tool writes.
const DEEPEST: usize = 128;
/// Longest tag or text: bounds what has to be held.
const LONGEST_PIECE: usize = 64 << 20;

/// A tag of the document.
pub(super) enum Tag<'a> {
    /// It opens; with what stands around it, the outermost first.
    Open {
        around: &'a [String],
        name: &'a str,
        attributes: Attributes,
    },
    /// It closes.
    Close { name: &'a str },
}

/// The attributes of a tag, entities resolved.
#[derive(Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A whole number from 0 on.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.trim().parse().ok()
    }
}

/// Walks over the whole document. A refusal names the byte where it stands.
pub(super) fn walk(
    blocks: &mut Blocks,
    each: &mut dyn FnMut(Tag<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let held = Rc::new(Cell::new(0));
    let start = blocks.offset();
    let mut reader = Reader::from_reader(Bounded {
        blocks,
        held: Rc::clone(&held),
    });
    reader.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut around: Vec<String> = Vec::new();
    let mut roots = 0;
    loop {
        buffer.clear();
        held.set(0);
        let at = start + reader.buffer_position();
        let refused = |reason: &str| Err(format!("{reason} at byte {at}"));
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            // Its words may quote the document.
            Err(quick_xml::Error::Io(_)) => return refused("a tag or text is longer than 64 MiB"),
            Err(_) => return refused("it is no well-formed XML"),
        };
        match event {
            Event::Start(tag) => {
                roots += usize::from(around.is_empty());
                if roots > 1 {
                    return refused("something stands behind the end of the report");
                }
                if around.len() >= DEEPEST {
                    return refused("it nests deeper than 128 levels");
                }
                let Some(attributes) = attributes(&tag) else {
                    return refused("it is no well-formed XML");
                };
                let name = tag.name().0.to_owned();
                let open = Tag::Open {
                    around: &around,
                    name: &name,
                    attributes,
                };
                each(open).map_err(|reason| format!("{reason} at byte {at}"))?;
                around.push(name);
            }
            Event::End(_) => {
                let Some(name) = around.pop() else {
                    return refused("it is no well-formed XML");
                };
                let close = Tag::Close { name: &name };
                each(close).map_err(|reason| format!("{reason} at byte {at}"))?;
            }
            Event::DocType(declaration) => {
                let text: &str = &declaration;
                if text.contains(['[', '%']) || text.contains("ENTITY") {
                    return refused("it declares entities, which are not read");
                }
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding() {
                    let name = encoding.map(|name| name.to_ascii_lowercase());
                    if !matches!(name.as_deref(), Ok("utf-8" | "us-ascii")) {
                        return refused("its encoding is not UTF-8");
                    }
                }
            }
            Event::GeneralRef(reference) => {
                let known = matches!(&*reference, "lt" | "gt" | "amp" | "apos" | "quot");
                if !known && !reference.is_char_ref() {
                    return refused("it uses an entity that is not XML's own");
                }
            }
            Event::Text(text) => {
                if around.is_empty() && !text.trim().is_empty() {
                    return refused("text stands outside of the report");
                }
            }
            Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
            Event::Eof => {
                if !around.is_empty() || roots == 0 {
                    return refused("the XML ends too early");
                }
                return Ok(());
            }
        }
    }
}

fn attributes(tag: &BytesStart<'_>) -> Option<Attributes> {
    let mut all = Vec::new();
    for attribute in tag.attributes() {
        // One that stands twice is an error here.
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        all.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    Some(Attributes(all))
}

/// Bytes up to a limit for each piece of the document.
struct Bounded<'a> {
    blocks: &'a mut Blocks,
    held: Rc<Cell<usize>>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blocks.read(buffer)
    }
}

impl BufRead for Bounded<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.held.get() > LONGEST_PIECE {
            return Err(io::Error::other("too long"));
        }
        self.blocks.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.held.set(self.held.get() + amount);
        self.blocks.consume(amount);
    }
}
