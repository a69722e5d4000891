//! What was asked, how often, and the digest of each answer. Never a host, a
//! header of ours, a body.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::facts::{Recorded, Requests};

/// Collects the log of one session.
#[derive(Default)]
pub(super) struct Recorder {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    log: Vec<Recorded>,
    points: u32,
    /// Number of the present round; 0 before the first.
    wave: u32,
    /// Highest round that a request was made in.
    highest: u32,
    /// How often everything was read again.
    read_again: u32,
}

impl Recorder {
    /// The next round begins: one more than any that had requests.
    pub(super) fn begin_wave(&self) {
        let mut book = self.book();
        book.wave = book.highest.saturating_add(1);
    }

    /// Everything is read again.
    pub(super) fn begin_again(&self) {
        let mut book = self.book();
        book.read_again = book.read_again.saturating_add(1);
    }

    /// The round of a request that waited for `depth` others of its own list.
    pub(super) fn wave(&self, depth: u32) -> u32 {
        let mut book = self.book();
        let wave = book.wave.max(1).saturating_add(depth);
        book.highest = book.highest.max(wave);
        wave
    }

    pub(super) fn add(&self, entry: Recorded, points: u32) {
        let mut book = self.book();
        book.points = book.points.saturating_add(points);
        book.log.push(entry);
    }

    /// The log in an order that does not depend on which answer came first.
    pub(super) fn requests(&self) -> Requests {
        let book = self.book();
        let mut log = book.log.clone();
        log.sort_by(|a, b| {
            (a.wave, &a.method, &a.path, &a.digest, a.attempts)
                .cmp(&(b.wave, &b.method, &b.path, &b.digest, b.attempts))
        });
        let mut waves: Vec<u32> = log.iter().map(|entry| entry.wave).collect();
        waves.dedup();
        Requests {
            count: log
                .iter()
                .fold(0, |sum, entry| entry.attempts.saturating_add(sum)),
            graphql_points: book.points,
            waves: u32::try_from(waves.len()).unwrap_or(u32::MAX),
            read_again: book.read_again,
            log,
        }
    }

    /// A panic elsewhere leaves the book as it was; it is only ever appended to.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `sha256:<64 hex>`.
pub(super) fn digest(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, wave: u32, attempts: u32) -> Recorded {
        Recorded {
            method: "GET".to_owned(),
            path: path.to_owned(),
            status: Some(200),
            digest: digest(b""),
            accepted_permissions: None,
            attempts,
            wave,
        }
    }

    #[test]
    fn the_log_has_one_order_whoever_answered_first() {
        let orders = [["/a", "/b"], ["/b", "/a"]].map(|paths| {
            let recorder = Recorder::default();
            recorder.begin_wave();
            for path in paths {
                recorder.add(entry(path, recorder.wave(0), 2), 1);
            }
            recorder.begin_wave();
            recorder.add(entry("/0", recorder.wave(0), 1), 0);
            recorder.requests()
        });
        assert_eq!(orders[0], orders[1]);
        assert_eq!(orders[0].count, 5);
        assert_eq!(orders[0].waves, 2);
        assert_eq!(orders[0].graphql_points, 2);
        assert_eq!(orders[0].log[2].path, "/0");
    }

    #[test]
    fn a_round_after_second_pages_counts_behind_them() {
        let recorder = Recorder::default();
        recorder.begin_wave();
        assert_eq!((recorder.wave(0), recorder.wave(1)), (1, 2));
        recorder.begin_wave();
        assert_eq!(recorder.wave(0), 3);
        recorder.begin_wave();
        recorder.begin_wave();
        assert_eq!(recorder.wave(0), 4, "a round without requests is none");
    }
}
