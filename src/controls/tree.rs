//! How a judgement over the reviews of a change came about: who had a hand in it, and
//! what became of each review. Verdict and tree are made of the same values, so that
//! the one cannot tell another story than the other. Shows nothing.

use std::fmt;

use crate::facts::{Account, Unknown};

/// The decision tree of a control over a change.
pub struct Tree {
    /// Who had a hand in the change, in the order in which they were found; `None` where
    /// the control does not ask.
    pub hands: Option<Vec<Deed>>,
    /// One for each question that the reviews are asked; empty where the control does
    /// not look at them.
    pub branches: Vec<Branch>,
}

/// One question to the reviews.
pub struct Branch {
    /// What the approvals are for, where there are several questions.
    pub about: Option<String>,
    /// How many have to count; 0: none may, for they are objections.
    pub needed: usize,
    /// One for each review, in their order; or why the reviews could not be seen.
    pub rulings: Result<Vec<Ruling>, Unknown>,
}

/// What somebody did to the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// Who did it.
    pub who: Doer,
    /// What, e.g. `wrote a commit`.
    pub how: &'static str,
    /// Which commit, or when.
    pub at: Option<String>,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doer {
    /// An account.
    Account(Account),
    /// The platform itself, in the name of the author.
    Platform(Account),
    /// Somebody who belongs to no account, by the name that the commit gives.
    Nobody(String),
    /// It cannot be told.
    Hidden(Unknown),
}

/// What became of one review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Its place among the reviews, from 0.
    pub review: usize,
    /// Who gave it; `None`: the account is gone.
    pub reviewer: Option<Account>,
    /// What it is worth.
    pub worth: Worth,
}

impl Ruling {
    /// The name of the reviewer, with its `@`.
    pub fn who(&self) -> String {
        self.reviewer.as_ref().map_or_else(
            || "a deleted account".to_owned(),
            |account| format!("@{}", account.login),
        )
    }
}

/// What a review is worth to a control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts, for this reason.
    Counts(String),
    /// It does not.
    Never(Against),
    /// It cannot be told.
    Unknown(Unknown),
}

/// Why a review does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// It is a comment.
    Comment,
    /// Its author's account is gone.
    Gone,
    /// It was not given by a person.
    NotAPerson,
    /// The platform did not tell whether it was given by a person.
    Untold,
    /// The same person gave another opinion later.
    Replaced,
    /// It asks for changes.
    ChangesRequested,
    /// It was dismissed or withdrawn.
    Dismissed,
    /// Its state is not known to this version.
    Odd(String),
    /// The reviewer may not write.
    MayNotWrite,
    /// The reviewer opened the change.
    Opener,
    /// The reviewer had a hand in the change: what they did.
    Hand(&'static str),
    /// It does not cover the head: what it covers.
    Stale(String),
    /// The reviewer is none of these.
    NotNamed(String),
    /// The policy takes the reviewer for an agent.
    Agent,
    /// It asks for no changes, where objections are looked for.
    NoObjection,
}

impl Against {
    /// Whether it is about who approved, not about what they said.
    pub(super) fn is_about_the_approver(&self) -> bool {
        match self {
            Self::MayNotWrite | Self::Opener | Self::NotNamed(_) => true,
            Self::Comment
            | Self::Gone
            | Self::NotAPerson
            | Self::Untold
            | Self::Replaced
            | Self::ChangesRequested
            | Self::Dismissed
            | Self::Odd(_)
            | Self::Hand(_)
            | Self::Stale(_)
            | Self::Agent
            | Self::NoObjection => false,
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comment => out.write_str("a comment is no approval"),
            Self::Gone => out.write_str("the account is gone, so it is nobody's"),
            Self::NotAPerson => {
                out.write_str("only people approve, and this is no person's account")
            }
            Self::Untold => out.write_str(
                "only people approve, and the platform did not tell whether this account is a person's: \
                 run the check again, with a token of scope `read_api` that sees the account",
            ),
            Self::Replaced => out.write_str("the same person gave another opinion later"),
            Self::ChangesRequested => out.write_str("it asks for changes"),
            Self::Dismissed => out.write_str("it was dismissed or withdrawn"),
            Self::Odd(word) => write!(out, "`{word}` is no approval"),
            Self::MayNotWrite => out.write_str("the reviewer may not write to the repository"),
            Self::Opener => out.write_str("the reviewer opened the change"),
            Self::Hand(how) => write!(out, "the reviewer had a hand in the change: {how}"),
            Self::Stale(how) => out.write_str(how),
            Self::NotNamed(owners) => write!(out, "the reviewer is none of {owners}"),
            Self::NoObjection => out.write_str("it asks for no changes"),
            Self::Agent => out.write_str("the policy takes the reviewer for an agent"),
        }
    }
}
