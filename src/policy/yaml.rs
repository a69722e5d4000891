//! YAML text to a tree in which everything knows its place. This file knows
//! YAML and nothing about policies. What a policy has no use for and an
//! attacker has (anchors, tags, a second document, deep nesting, invisible
//! characters) is refused with its place, never ignored.

use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::problem::{Report, Spot};
use super::words::quote;

/// Largest policy that is read, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Deepest nesting that is read. A policy needs five levels.
const MAX_DEPTH: usize = 32;

/// Most keys of one mapping. Keys are compared with each other, so this bounds the time.
const MAX_KEYS: usize = 1000;

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// Where it starts.
    pub(super) spot: Spot,
    /// What it is.
    pub(super) kind: Kind,
}

impl Node {
    /// Whether nothing at all was written.
    fn is_absent(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if text.is_empty())
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text; `plain` if it was written without quotes, so that it may be a number.
    Scalar { text: String, plain: bool },
    /// A list.
    List(Vec<Node>),
    /// A mapping; each key once.
    Map(Vec<(Key, Node)>),
}

/// A key with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Where it starts.
    pub(super) spot: Spot,
    /// Its text.
    pub(super) text: String,
}

/// What is open while the events go by.
enum Frame {
    List(Spot, Vec<Node>),
    Map {
        spot: Spot,
        entries: Vec<(Key, Node)>,
        pending: Pending,
    },
}

/// What a mapping waits for.
enum Pending {
    Key,
    Value(Key),
    /// The key was no use; its value is read and dropped.
    Dropped,
}

/// The tree of a text, or `None` if there is nothing in it or it cannot be
/// read. Whatever is wrong is in the report.
pub(super) fn parse(text: &str, report: &mut Report) -> Option<Node> {
    if text.len() > MAX_BYTES {
        report.add(
            Spot::START,
            format!("the policy is larger than {MAX_BYTES} bytes"),
        );
        return None;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !only_visible(text, report) {
        return None;
    }
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Frame> = Vec::new();
    let mut root = None;
    let mut documents = 0_usize;
    loop {
        let (event, mark) = match parser.next_token() {
            Ok(next) => next,
            Err(error) => {
                scan_problem(&error, report);
                return None;
            }
        };
        let spot = spot(mark);
        let finished = match event {
            Event::StreamEnd => break,
            Event::DocumentStart => {
                documents += 1;
                if documents > 1 {
                    report.add_help(
                        spot,
                        "a second document starts here".to_owned(),
                        "a policy is one document: remove `---` and what follows",
                    );
                    break;
                }
                continue;
            }
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => continue,
            Event::Alias(_) => {
                // What it stands for has been reported as an anchor; without it
                // the rest of the file cannot be judged.
                report.add(spot, "an alias stands here".to_owned());
                return None;
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse(anchor, tag.is_some(), spot, report);
                if let Some(odd) = text.chars().find(|c| !is_visible(*c)) {
                    report.add(
                        spot,
                        format!(
                            "the text contains the control character U+{:04X}",
                            u32::from(odd)
                        ),
                    );
                }
                let plain = style == TScalarStyle::Plain;
                Some(Node {
                    spot,
                    kind: Kind::Scalar { text, plain },
                })
            }
            Event::SequenceStart(anchor, tag) => {
                refuse(anchor, tag.is_some(), spot, report);
                open.push(Frame::List(spot, Vec::new()));
                None
            }
            Event::MappingStart(anchor, tag) => {
                refuse(anchor, tag.is_some(), spot, report);
                open.push(Frame::Map {
                    spot,
                    entries: Vec::new(),
                    pending: Pending::Key,
                });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|frame| match frame {
                Frame::List(spot, items) => Node {
                    spot,
                    kind: Kind::List(items),
                },
                Frame::Map { spot, entries, .. } => Node {
                    spot,
                    kind: Kind::Map(entries),
                },
            }),
        };
        if open.len() > MAX_DEPTH {
            report.add(spot, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        if let Some(node) = finished {
            match open.last_mut() {
                Some(parent) => attach(parent, node, report),
                None => root = Some(node),
            }
        }
    }
    root
}

/// Puts a finished value into what is open around it.
fn attach(parent: &mut Frame, mut node: Node, report: &mut Report) {
    match parent {
        Frame::List(_, items) => items.push(node),
        Frame::Map {
            entries, pending, ..
        } => match std::mem::replace(pending, Pending::Key) {
            Pending::Key => {
                *pending = match node.kind {
                    Kind::Scalar { text, .. } => Pending::Value(Key {
                        spot: node.spot,
                        text,
                    }),
                    Kind::List(_) | Kind::Map(_) => {
                        report.add(node.spot, "a key has to be a word".to_owned());
                        Pending::Dropped
                    }
                };
            }
            Pending::Value(key) => {
                if node.is_absent() {
                    // The scanner puts an absent value where the next thing starts.
                    node.spot = key.spot;
                }
                if entries.len() == MAX_KEYS {
                    report.add(
                        key.spot,
                        format!("more than {MAX_KEYS} keys in one mapping"),
                    );
                } else if entries.len() > MAX_KEYS {
                    // Reported once, with the entry that fills it up below.
                    return;
                }
                if let Some((first, _)) = entries.iter().find(|(seen, _)| seen.text == key.text) {
                    report.add_help(
                        key.spot,
                        format!("the key {} is given twice", quote(&key.text)),
                        format!("first given in line {}", first.spot.line),
                    );
                } else {
                    entries.push((key, node));
                }
            }
            Pending::Dropped => {}
        },
    }
}

fn refuse(anchor: usize, tagged: bool, spot: Spot, report: &mut Report) {
    if anchor > 0 {
        report.add_help(
            spot,
            "anchors and aliases are not allowed in a policy".to_owned(),
            "write the value out where it is needed",
        );
    }
    if tagged {
        report.add(spot, "tags (`!…`) are not allowed in a policy".to_owned());
    }
}

fn scan_problem(error: &ScanError, report: &mut Report) {
    let info = error.info();
    let at_sign = info.contains("unexpected character") && info.contains('@');
    let message = format!("not readable as YAML: {}", super::words::visible(info));
    if at_sign {
        report.add_help(
            spot(*error.marker()),
            message,
            "a name that starts with `@` needs quotes, e.g. \"@acme/security\"",
        );
    } else {
        report.add(spot(*error.marker()), message);
    }
}

/// The scanner counts columns from 0 and takes a NUL for the end of the file,
/// which is why control characters are refused before it sees the text.
fn spot(mark: Marker) -> Spot {
    Spot {
        line: mark.line(),
        column: mark.col() + 1,
    }
}

fn only_visible(text: &str, report: &mut Report) -> bool {
    let mut line = 1;
    let mut column = 1;
    let mut fine = true;
    for c in text.chars() {
        if !is_visible(c) && c != '\r' {
            fine = false;
            report.add(
                Spot { line, column },
                format!(
                    "the control character U+{:04X} is not allowed",
                    u32::from(c)
                ),
            );
        }
        if c == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    fine
}

/// Everything but control characters and those that make a reviewer see other
/// lines, or another order, than the parser does.
fn is_visible(c: char) -> bool {
    let misleads = matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    c == '\n' || c == '\t' || !(c.is_control() || misleads)
}
