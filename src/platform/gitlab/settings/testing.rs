//! What tests of translations share: answers without a server.

use serde_json::Value;

use crate::facts::Source;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::wire::{Pages, Reply};

/// All pages of a list.
#[expect(
    clippy::result_large_err,
    reason = "the shape of every answer of the client"
)]
pub(in super::super) fn pages(items: Value) -> Pages {
    let Value::Array(items) = items else {
        panic!("a list is wanted");
    };
    Ok(Listing {
        items,
        sources: vec![source()],
        endpoint: "GET /list".to_owned(),
    })
}

/// One answer with this body.
#[expect(
    clippy::result_large_err,
    reason = "the shape of every answer of the client"
)]
pub(in super::super) fn one(body: &Value) -> Reply {
    Ok(answer(200, &body.to_string()))
}

/// An answer that is none.
#[expect(
    clippy::result_large_err,
    reason = "the shape of every answer of the client"
)]
pub(in super::super) fn refused<T>(status: u16) -> Result<T, NoAnswer> {
    Err(NoAnswer::Status(answer(status, r#"{"message":"no"}"#)))
}

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::copy_from_slice(body.as_bytes()),
        endpoint: "GET /one".to_owned(),
        source: source(),
    }
}

fn source() -> Source {
    Source {
        endpoint: "GET /one".to_owned(),
        digest: String::new(),
    }
}
