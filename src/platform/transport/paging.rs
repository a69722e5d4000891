//! Every page of a list. A list that cannot be read to its end is no list:
//! half of it would look like the whole.

use std::collections::BTreeSet;
use std::future::Future;

use serde_json::Value;
use url::Url;

use super::answer::{Answer, Listing, NoAnswer};
use super::error::{TransportError, TransportErrorKind as Kind};

/// Items asked for per page, the most that either platform gives.
pub(crate) const PER_PAGE: usize = 100;
/// More pages than any real list.
const PAGE_LIMIT: u32 = 1000;

/// Where a page stands in its list: what a platform needs to find the next one.
pub(crate) struct Page<'a> {
    /// The page itself.
    pub answer: &'a Answer,
    /// Its path.
    pub path: &'a str,
    /// Items on it.
    pub items: usize,
    /// Items so far, this page included.
    pub collected: usize,
    /// `total_count` of its envelope.
    pub total: Option<u64>,
}

/// Reads all pages. `fetch` gets a path and the number of pages before it;
/// `next` names the path of the page behind one, `None` behind the last, or
/// says why it cannot be followed.
pub(crate) async fn every_page<Fetch, Fetched, Next>(
    path: &str,
    envelope: Option<&str>,
    fetch: Fetch,
    next: Next,
) -> Result<Listing, NoAnswer>
where
    Fetch: Fn(String, u32) -> Fetched,
    Fetched: Future<Output = Result<Answer, NoAnswer>>,
    Next: Fn(&Page<'_>) -> Result<Option<String>, String>,
{
    let endpoint = format!("GET {path}");
    let fail = |kind, status, detail: String| {
        NoAnswer::Transport(TransportError::new(&endpoint, kind, detail).with_status(status))
    };
    let mut listing = Listing {
        items: Vec::new(),
        sources: Vec::new(),
        endpoint: endpoint.clone(),
    };
    let mut seen = BTreeSet::new();
    let mut previous: Option<String> = None;
    let mut current = with_parameter(path, "per_page", &PER_PAGE.to_string());
    for number in 0..PAGE_LIMIT {
        if !seen.insert(current.clone()) {
            let detail = format!(
                "page {number} of the list points back to a page already read; \
                 the list cannot be read to its end"
            );
            return Err(fail(Kind::PageLoop, None, detail));
        }
        let answer = fetch(current.clone(), number).await?;
        let status = Some(answer.status);
        let (items, total) =
            items(&answer, envelope).map_err(|detail| fail(Kind::Shape, status, detail))?;
        if !items.is_empty() && previous.as_ref() == Some(&answer.source.digest) {
            let detail = format!(
                "pages {number} and {} of the list are identical; it cannot be read to its end",
                number + 1
            );
            return Err(fail(Kind::PageLoop, status, detail));
        }
        previous = (!items.is_empty()).then(|| answer.source.digest.clone());
        let count = items.len();
        listing.items.extend(items);
        listing.sources.push(answer.source.clone());
        let page = Page {
            answer: &answer,
            path: &current,
            items: count,
            collected: listing.items.len(),
            total,
        };
        match next(&page).map_err(|detail| fail(Kind::PageLoop, status, detail))? {
            Some(path) => current = path,
            None => return Ok(listing),
        }
    }
    let detail = format!("the list has more than {PAGE_LIMIT} pages; it was not read to its end");
    Err(fail(Kind::PageLoop, None, detail))
}

/// The items of one page, and the total if its envelope names one.
fn items(answer: &Answer, envelope: Option<&str>) -> Result<(Vec<Value>, Option<u64>), String> {
    let wrong = |what: &str| format!("the answer to {} {what}", answer.endpoint);
    let body: Value = answer.json()?;
    match (body, envelope) {
        (Value::Array(items), None) => Ok((items, None)),
        (Value::Object(mut object), Some(key)) => match object.remove(key) {
            Some(Value::Array(items)) => {
                Ok((items, object.get("total_count").and_then(Value::as_u64)))
            }
            _ => Err(wrong(&format!("has no list `{key}`"))),
        },
        (_, None) => Err(wrong("is no list")),
        (_, Some(key)) => Err(wrong(&format!("is no object with a list `{key}`"))),
    }
}

/// `path` with `name=value`, replacing the same parameter if it is there.
/// Everything else stays byte for byte.
pub(crate) fn with_parameter(path: &str, name: &str, value: &str) -> String {
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let key = |pair: &str| pair.split('=').next().unwrap_or("").to_owned();
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && key(pair) != name)
        .map(ToOwned::to_owned)
        .collect();
    pairs.push(format!("{name}={value}"));
    format!("{bare}?{}", pairs.join("&"))
}

/// The value of a query parameter, as it is written.
pub(crate) fn parameter<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = path.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// Target of `rel="next"` in a `Link` header, as a path under the API's base.
/// `Err` if there is one but it leads to another host: not followed, not ignored.
pub(crate) fn link_next(answer: &Answer, api: &Url) -> Result<Option<String>, String> {
    let links = answer.headers.get_all(http::header::LINK);
    let mut target = None;
    for link in links {
        let text = link
            .to_str()
            .map_err(|_| "the link to the next page is not text".to_owned())?;
        target = target.or_else(|| next_of(text));
    }
    let Some(target) = target else {
        return Ok(None);
    };
    let url = api
        .join(target)
        .map_err(|_| "the link to the next page is no valid address".to_owned())?;
    if url.origin() != api.origin() {
        return Err(format!(
            "the link to the next page leads to another host, `{}`; it was not followed, so the \
             list is incomplete; check the address of the API",
            url.origin().ascii_serialization()
        ));
    }
    let prefix = api.path().trim_end_matches('/');
    let path = url.path();
    let path = path
        .strip_prefix(prefix)
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path);
    Ok(Some(match url.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }))
}

/// `<target>; rel="next"` among the entries of one header. Commas and semicolons
/// inside the angle brackets belong to the target.
fn next_of(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (_, opened) = rest.split_once('<')?;
        let (target, after) = opened.split_once('>')?;
        let end = after.find(",").map_or(after.len(), |_| {
            // The next entry begins at the next `<`; parameters have none.
            after.find('<').unwrap_or(after.len())
        });
        let is_next = after[..end].split([';', ',']).any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_ascii_whitespace()
                        .any(|relation| relation.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target);
        }
        rest = &after[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let header = r#"<https://h/a?page=1>; rel="prev", <https://h/a?x=1,2;3&page=3>; rel="next", <https://h/a?page=9>; rel="last""#;
        assert_eq!(next_of(header), Some("https://h/a?x=1,2;3&page=3"));
        assert_eq!(next_of(r#"<https://h/a>; rel="last""#), None);
        assert_eq!(next_of(r#"<https://h/a>; rel=next"#), Some("https://h/a"));
        assert_eq!(
            next_of(r#"<https://h/a>; title="b"; rel="first next""#),
            Some("https://h/a")
        );
        assert_eq!(next_of("nonsense"), None);
        assert_eq!(next_of("<"), None);
    }

    #[test]
    fn a_parameter_is_added_or_replaced_and_the_rest_stays() {
        assert_eq!(with_parameter("/a", "per_page", "100"), "/a?per_page=100");
        assert_eq!(
            with_parameter("/a?ref=x%2Fy", "per_page", "100"),
            "/a?ref=x%2Fy&per_page=100"
        );
        assert_eq!(
            with_parameter("/a?page=2&b=1", "page", "3"),
            "/a?b=1&page=3"
        );
        assert_eq!(parameter("/a?b=1&page=3", "page"), Some("3"));
        assert_eq!(parameter("/a", "page"), None);
    }
}
