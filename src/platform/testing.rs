//! What sessions against a server on loopback are set up with in tests: the place
//! `acme/payments`, a token that is none, and the limits of a real run until a test sets others.

use crate::facts::{Platform, Snapshot, Subject};

use super::transport::testing::Server;
use super::{Limits, Place, Setup, Thrift, Token, Wanted};

/// The moment of everything that is set up here.
const NOW: &str = "2026-06-01T12:00:00Z";

/// Asks that server about what is wanted of `acme/payments`.
pub(super) fn setup(platform: Platform, server: &Server, wanted: Wanted) -> Setup {
    Setup {
        place: Place {
            platform,
            api: server.url.clone(),
            graphql: server.url.join("/graphql").expect("an address"),
            repository: "acme/payments".to_owned(),
            wanted,
            train: None,
            run_url: None,
        },
        token: Token::new("test".to_owned()),
        settings_token: None,
        ca_bundle: None,
        limits: Limits::default(),
        now: NOW.parse().expect("a literal timestamp"),
        program: "ccgate/test".to_owned(),
        thrift: Thrift::Rounds,
    }
}

/// The same, and no request is repeated.
pub(super) fn setup_once(platform: Platform, server: &Server, wanted: Wanted) -> Setup {
    let mut setup = setup(platform, server, wanted);
    setup.limits.attempts = 1;
    setup
}

/// The change of that number, at whatever head it has.
pub(super) fn change(number: u64) -> Wanted {
    Wanted::Change {
        number,
        head: None,
        target: None,
    }
}

/// A snapshot of change 42 of `acme/payments` at that head, of which nothing was seen yet.
pub(super) fn snapshot(platform: Platform, head: &str) -> Snapshot {
    let subject = Subject {
        platform,
        repository: "acme/payments".to_owned(),
        change: Some(42),
        head: head.to_owned(),
        target: "main".to_owned(),
    };
    let now = NOW.parse().expect("a literal timestamp");
    Snapshot::all_unknown(subject, now, "ccgate test".to_owned())
}
