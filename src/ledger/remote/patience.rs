//! How often and how long an append is tried when others are faster or the remote is troubled.
//! Holds the one stop-watch of this room; what it shows goes into no record.

use std::thread;
use std::time::{Duration, Instant};

/// How long an append goes on when others are faster, or the remote is troubled.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Patience {
    /// Tries that the other side may refuse.
    pub(in super::super) refusals: u32,
    /// After so many of them the record is left, signed, for others to seal with theirs.
    pub(in super::super) receipt_after: u32,
    /// Tries of which nobody knows how they ended. Missing rights and broken lines look
    /// like this, and are not made better by asking often.
    pub(in super::super) unclear: u32,
    /// No new try after so long.
    pub(in super::super) total: Duration,
    /// The first pause is up to this long, each later one up to twice the one before.
    pub(in super::super) pause: Duration,
    /// No pause is longer.
    pub(in super::super) longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            refusals: 60,
            receipt_after: 2,
            unclear: 2,
            total: Duration::from_secs(180),
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(4),
        }
    }
}

impl Patience {
    /// Random, so that writers who met do not meet again.
    pub(in super::super) fn wait(&self, failures: u32) {
        let most = self
            .pause
            .saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)))
            .min(self.longest_pause);
        if !most.is_zero() {
            thread::sleep(most.mul_f64(fastrand::f64()));
        }
    }
}

/// Runs since an append began.
pub(in super::super) struct Watch(Instant);

impl Watch {
    pub(in super::super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(in super::super) fn is_over(&self, patience: &Patience) -> bool {
        self.0.elapsed() >= patience.total
    }
}
