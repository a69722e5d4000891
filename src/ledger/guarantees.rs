//! What each kind of ledger promises, and what it cannot: plain sentences that users are shown.

use super::place::{GitPlace, Place};

/// Plain sentences for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarantees {
    pub promises: &'static [&'static str],
    pub administrators_could: &'static [&'static str],
}

/// What the kind of ledger at a place promises.
pub fn guarantees(place: &Place) -> Guarantees {
    match place {
        Place::Folder(_) => FOLDER,
        Place::Git(place) => git(place),
        #[cfg(feature = "postgres")]
        Place::Database(_) => DATABASE,
        #[cfg(feature = "s3")]
        Place::Bucket(_) => BUCKET,
    }
}

/// What a branch promises depends on who makes its commits.
pub(super) fn git(place: &GitPlace) -> Guarantees {
    if place.publisher.is_some() {
        GIT_BY_API
    } else {
        GIT
    }
}

pub(super) const FOLDER: Guarantees = Guarantees {
    promises: &[
        "an append is whole or absent, also after a crash",
        "concurrent writers on one machine lose nothing and store nothing twice",
        "any later change of a sealed byte is found by `ledger verify`",
    ],
    administrators_could: &[
        "delete the folder, or replace it by an older copy: only a checkpoint kept elsewhere shows it",
        "with the signing key: write a new history",
    ],
};

const GIT: Guarantees = Guarantees {
    promises: &[
        "an append from here is one commit that is pushed, unsigned: it is there whole or not at all",
        "writers on any number of machines lose nothing and store nothing twice: the server takes a commit only on the tip that it was made for",
        "any later change of a sealed byte, and any commit that does more than add, is found by `ledger verify`",
    ],
    administrators_could: &[
        "whoever may force-push or delete the branch: put an older or another history there, which only a checkpoint kept elsewhere shows",
        "whoever may push to the branch: seal records of their own, so let only the gate's account push there",
        "times of commits are the runner's and prove nothing",
    ],
};

const GIT_BY_API: Guarantees = Guarantees {
    promises: &[
        "an append from here is one commit that the platform makes through its API and signs: it is there whole or not at all, and `git verify-commit` with the platform's published key shows which account it was made for and when; the first commit of all, and receipts, are pushed and unsigned",
        "writers on any number of machines, by API or by push, lose nothing and store nothing twice: the platform makes a commit only on the tip that it was made for, and what it made is fetched and compared with what was asked for",
        "any later change of a sealed byte, and any commit that does more than add, is found by `ledger verify`, which does not look at the platform's signatures",
    ],
    administrators_could: &[
        "whoever may force-push or delete the branch: put an older or another history there, which only a checkpoint kept elsewhere shows",
        "whoever may push to the branch: seal records of their own, and have commits signed by the platform as well, so let only the gate's account write there and sign checkpoints with a key",
        "the platform itself: sign what it likes; that commits are signed rests on its word",
    ],
};

#[cfg(feature = "postgres")]
pub(super) const DATABASE: Guarantees = Guarantees {
    promises: &[
        "an append is one call of one function in one transaction: it is there whole or not at all, and on the server's disk when it is reported",
        "writers on any number of machines lose nothing and store nothing twice: the function takes an append only on the number of records that it was made for",
        "the gate's login may execute functions and nothing else; for everybody, triggers refuse to change or remove what is sealed",
        "any later change of a sealed byte, and any earlier checkpoint that does not fit the log, is found by `ledger verify`",
    ],
    administrators_could: &[
        "the schema's owner and superusers: take the triggers away, or restore an older backup, which only a checkpoint kept elsewhere shows",
        "whoever has the gate's password: seal records of their own, so hand it to the gate's job only, and sign with a key",
        "switch off what keeps data on the disk, below the server or with a replica that takes over too early: the newest records may then be lost, which only a checkpoint kept elsewhere shows",
    ],
};

#[cfg(feature = "s3")]
pub(super) const BUCKET: Guarantees = Guarantees {
    promises: &[
        "an append is the creation of one object: it is there whole or not at all, and whoever comes next finishes what follows from it",
        "writers on any number of machines lose nothing and store nothing twice: the server creates an object only where none is, which is tried anew in every append",
        "nothing is ever replaced or removed, so an object lock or a retention rule over the bucket is no hindrance",
        "any later change of a sealed byte, any object that is missing or too much, and any checkpoint that is not of a beginning of the log is found by `ledger verify`",
    ],
    administrators_could: &[
        "without an object lock in compliance mode: delete or replace objects, down to an older ledger that looks whole, which only a checkpoint kept elsewhere shows",
        "whoever may create objects: seal records of their own, so let only the gate's role do that",
        "with versioning: hide an object behind a newer version or a delete marker; versions are not listed here, only what an ordinary read gives is verified",
    ],
};
