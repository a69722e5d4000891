//! Whether an answer is worth another try, and how long to wait before it.
//! Pure: the platform's `Date` header is the clock that its reset times are read against.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde::Deserialize;

/// Pause when the platform says "too many" about its own limit but not how long:
/// GitHub's documentation asks for at least a minute.
const UNSAID_PAUSE: Duration = Duration::from_secs(60);
/// Pause before the second try; doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No single pause that we choose ourselves is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(16);

/// What to do with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is an answer, good or bad.
    Keep,
    /// A limit; wait as long as asked, or as we think fit.
    RateLimited(Option<Duration>),
    /// The server is in trouble; the same.
    Trouble(Option<Duration>),
}

/// Classifies one answer. `graphql_limited`: its body carries a rate-limit error.
pub(super) fn judge(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    graphql_limited: bool,
) -> Verdict {
    let asked = asked_pause(headers);
    match status {
        429 => Verdict::RateLimited(asked),
        403 if headers.contains_key("retry-after") || remaining_is_zero(headers) => {
            Verdict::RateLimited(Some(asked.unwrap_or(UNSAID_PAUSE)))
        }
        403 if says_limit(&String::from_utf8_lossy(body)) => {
            Verdict::RateLimited(Some(asked.unwrap_or(UNSAID_PAUSE)))
        }
        500 | 502..=504 => Verdict::Trouble(asked),
        200..=299 if graphql_limited => Verdict::RateLimited(Some(asked.unwrap_or(UNSAID_PAUSE))),
        _ => Verdict::Keep,
    }
}

/// Our own pause before try `attempt + 1`: exponential, with jitter from a half to the whole.
pub(super) fn own_pause(attempt: u32) -> Duration {
    let whole = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// `Retry-After` in seconds or as a date, else the reset time if nothing is left.
fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let now = text("date").and_then(http_date);
    let until = |moment: Timestamp| {
        let seconds = moment.as_second().checked_sub(now?.as_second())?;
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    if let Some(asked) = text("retry-after").map(str::trim) {
        return match asked.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            // A date without a clock to read it against: no idea, so a long pause.
            Err(_) => http_date(asked).and_then(until).or(Some(UNSAID_PAUSE)),
        };
    }
    if !remaining_is_zero(headers) {
        return None;
    }
    let reset = text("x-ratelimit-reset").or_else(|| text("ratelimit-reset"))?;
    let moment = Timestamp::from_second(reset.trim().parse().ok()?).ok()?;
    // One second more: the reset is given in whole seconds.
    until(moment).map(|pause| pause.saturating_add(Duration::from_secs(1)))
}

fn remaining_is_zero(headers: &HeaderMap) -> bool {
    ["x-ratelimit-remaining", "ratelimit-remaining"]
        .iter()
        .filter_map(|name| headers.get(*name))
        .any(|value| value.as_bytes().trim_ascii() == b"0")
}

/// The words of GitHub's limits, which may come with 403 or inside a 200.
fn says_limit(text: &str) -> bool {
    let text = text.to_lowercase();
    [
        "secondary rate limit",
        "api rate limit exceeded",
        "rate limit already exceeded",
        "abuse detection",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// A date of HTTP (`Sat, 21 Nov 2026 10:00:00 GMT`).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text.trim())
        .ok()
}

/// The little that the transport itself looks at in a GraphQL answer.
pub(super) struct GraphqlGlance {
    /// One of the errors is a rate limit.
    pub limited: bool,
    /// `data.rateLimit.cost`.
    pub points: u32,
}

/// Looks at a GraphQL body; anything unreadable is simply not a rate limit.
pub(super) fn glance(body: &[u8]) -> GraphqlGlance {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default)]
        errors: Option<Vec<Entry>>,
        #[serde(default)]
        data: Option<Data>,
    }
    #[derive(Deserialize)]
    struct Entry {
        #[serde(default, rename = "type")]
        kind: Option<serde_json::Value>,
        #[serde(default)]
        message: Option<serde_json::Value>,
    }
    #[derive(Deserialize)]
    struct Data {
        #[serde(default, rename = "rateLimit")]
        rate_limit: Option<Cost>,
    }
    #[derive(Deserialize)]
    struct Cost {
        #[serde(default)]
        cost: Option<u32>,
    }
    let body: Option<Body> = serde_json::from_slice(body).ok();
    let (errors, data) = body.map_or((None, None), |body| (body.errors, body.data));
    let limited = errors.unwrap_or_default().iter().any(|entry| {
        let text = |value: &Option<serde_json::Value>| {
            value
                .as_ref()
                .and_then(|value| value.as_str())
                .unwrap_or("")
                .to_owned()
        };
        matches!(text(&entry.kind).as_str(), "RATE_LIMITED" | "RATE_LIMIT")
            || says_limit(&text(&entry.message))
    });
    GraphqlGlance {
        limited,
        points: data
            .and_then(|data| data.rate_limit)
            .and_then(|limit| limit.cost)
            .unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.insert(*name, value.parse().unwrap());
        }
        map
    }

    fn limited(seconds: u64) -> Verdict {
        Verdict::RateLimited(Some(Duration::from_secs(seconds)))
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(
            judge(429, &headers(&[("retry-after", "7")]), b"", false),
            limited(7)
        );
        let dated = headers(&[
            ("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
            ("retry-after", "Sat, 21 Nov 2026 10:00:09 GMT"),
        ]);
        assert_eq!(judge(429, &dated, b"", false), limited(9));
        let past = headers(&[
            ("date", "Sat, 21 Nov 2026 10:00:00 GMT"),
            ("retry-after", "Sat, 21 Nov 2026 09:00:00 GMT"),
        ]);
        assert_eq!(judge(429, &past, b"", false), limited(0));
        assert_eq!(
            judge(429, &headers(&[("retry-after", "soon")]), b"", false),
            limited(60)
        );
    }

    #[test]
    fn an_exhausted_limit_waits_for_its_reset() {
        let github = headers(&[
            ("date", "Thu, 01 Jan 1970 00:16:40 GMT"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1010"),
        ]);
        assert_eq!(judge(403, &github, b"", false), limited(11));
        assert_eq!(judge(429, &github, b"", false), limited(11));
        let gitlab = headers(&[
            ("date", "Thu, 01 Jan 1970 00:16:40 GMT"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1005"),
        ]);
        assert_eq!(judge(429, &gitlab, b"Retry later\n", false), limited(6));
    }

    #[test]
    fn a_limit_that_says_nothing_gets_a_minute_on_403_and_a_back_off_on_429() {
        let words = br#"{"message":"You have exceeded a secondary rate limit."}"#;
        assert_eq!(judge(403, &HeaderMap::new(), words, false), limited(60));
        assert_eq!(judge(200, &HeaderMap::new(), b"{}", true), limited(60));
        assert_eq!(
            judge(429, &HeaderMap::new(), b"Retry later", false),
            Verdict::RateLimited(None)
        );
    }

    #[test]
    fn a_permission_answer_is_not_taken_for_a_limit() {
        let body = br#"{"message":"Resource not accessible by integration"}"#;
        let left = headers(&[("x-ratelimit-remaining", "4999")]);
        assert_eq!(judge(403, &left, body, false), Verdict::Keep);
        for status in [200, 301, 304, 400, 401, 404, 410, 422, 501] {
            assert_eq!(judge(status, &HeaderMap::new(), b"", false), Verdict::Keep);
        }
    }

    #[test]
    fn server_trouble_is_tried_again() {
        for status in [500, 502, 503, 504] {
            assert_eq!(
                judge(status, &HeaderMap::new(), b"", false),
                Verdict::Trouble(None)
            );
        }
    }

    #[test]
    fn our_own_pause_doubles_with_jitter_and_stays_below_its_cap() {
        for _ in 0..200 {
            let first = own_pause(1);
            assert!(first >= FIRST_PAUSE / 2 && first <= FIRST_PAUSE);
            let third = own_pause(3);
            assert!(third >= FIRST_PAUSE * 2 && third <= FIRST_PAUSE * 4);
            assert!(own_pause(u32::MAX) <= LONGEST_PAUSE);
        }
    }

    #[test]
    fn a_rate_limit_inside_a_graphql_answer_is_seen() {
        assert!(glance(br#"{"errors":[{"type":"RATE_LIMITED","message":"x"}]}"#).limited);
        assert!(
            glance(br#"{"errors":[{"message":"API rate limit exceeded for user 1"}]}"#).limited
        );
        assert!(!glance(br#"{"errors":[{"type":"FORBIDDEN","message":"no"}]}"#).limited);
        assert!(!glance(b"<html>").limited);
        assert_eq!(glance(br#"{"data":{"rateLimit":{"cost":3}}}"#).points, 3);
    }
}
