//! One part of a policy that another policy has otherwise.

use std::fmt;

use crate::controls::Meta;
use crate::facts::Direction;

/// Longest value that is repeated, in characters: both texts may be a stranger's.
const LONGEST: usize = 300;

/// Which part of a policy is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyPart {
    /// A control, the policy's own among them.
    Control {
        /// Its code.
        code: &'static str,
        /// Its id.
        id: &'static str,
    },
    /// Another section of the file, by its key.
    Section(&'static str),
    /// The file as a whole.
    Whole,
}

impl PolicyPart {
    pub(super) fn control(meta: &Meta) -> Self {
        Self::Control {
            code: meta.code,
            id: meta.id,
        }
    }
}

impl fmt::Display for PolicyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control { code, id } => write!(f, "{code} {id}"),
            Self::Section(key) => write!(f, "{key}"),
            Self::Whole => write!(f, "policy"),
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// Where it is.
    pub part: PolicyPart,
    /// The keys that changed, e.g. `enforce` or `min, owners`; empty if the part as a
    /// whole is new or gone.
    pub setting: String,
    /// What it was.
    pub before: String,
    /// What it becomes.
    pub after: String,
    /// Which way it went.
    pub direction: Direction,
    /// More about the direction, in words.
    pub why: Option<String>,
    /// Whether it shows only when every concession of both policies has ended.
    pub later: bool,
}

impl fmt::Display for PolicyChange {
    /// Without the direction: `CHG-02 approvals-sufficient: min 2 -> 1 (why)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.part)?;
        if !self.setting.is_empty() {
            write!(f, "{} ", self.setting)?;
        }
        write!(f, "{} -> {}", self.before, self.after)?;
        if let Some(why) = &self.why {
            write!(f, " ({why})")?;
        }
        if self.later {
            write!(f, ", when every concession has ended")?;
        }
        Ok(())
    }
}

/// Collects what changed.
#[derive(Default)]
pub(super) struct Changes(pub(super) Vec<PolicyChange>);

impl Changes {
    /// Notes a difference; the texts are made fit for one line.
    pub(super) fn add(
        &mut self,
        part: PolicyPart,
        setting: &str,
        (before, after): (String, String),
        direction: Direction,
    ) {
        self.0.push(PolicyChange {
            part,
            setting: setting.to_owned(),
            before: shown(&before),
            after: shown(&after),
            direction,
            why: None,
            later: false,
        });
    }

    /// The same with words about the direction.
    pub(super) fn add_because(
        &mut self,
        part: PolicyPart,
        setting: &str,
        values: (String, String),
        direction: Direction,
        why: &str,
    ) {
        self.add(part, setting, values, direction);
        if let Some(last) = self.0.last_mut() {
            last.why = Some(shown(why));
        }
    }

    /// Notes two values that have an order, if they differ.
    pub(super) fn ordered<T: Ord>(
        &mut self,
        part: PolicyPart,
        setting: &str,
        (before, after): (T, T),
        stronger: Stronger,
        words: impl Fn(&T) -> String,
    ) {
        if before == after {
            return;
        }
        let direction = match (after > before, stronger) {
            (true, Stronger::More) | (false, Stronger::Less) => Direction::Stronger,
            (true, Stronger::Less) | (false, Stronger::More) => Direction::Weaker,
        };
        self.add(part, setting, (words(&before), words(&after)), direction);
    }
}

/// Which way of an order demands more.
#[derive(Clone, Copy)]
pub(super) enum Stronger {
    More,
    Less,
}

/// Text of a policy on one bounded line.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if c.is_control() {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}
