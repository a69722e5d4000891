//! How often and how long an append is tried when others are faster or the remote is troubled.
//! Holds the one stop-watch of this room; what it shows goes into no record.

use std::thread;
use std::time::{Duration, Instant};

/// How long an append goes on when others are faster, or the remote is troubled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// Pushes that the server may refuse.
    pub(crate) refusals: u32,
    /// Pushes of which nobody knows how they ended. Missing rights and broken lines look
    /// like this, and are not made better by asking often.
    pub(crate) unclear: u32,
    /// No new try after so long.
    pub(crate) total: Duration,
    /// The first pause is up to this long, each later one up to twice the one before.
    pub(crate) pause: Duration,
    /// No pause is longer.
    pub(crate) longest_pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            refusals: 60,
            unclear: 2,
            total: Duration::from_secs(180),
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(4),
        }
    }
}

impl Patience {
    /// Random, so that writers who met do not meet again.
    pub(crate) fn wait(&self, failures: u32) {
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
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn is_over(&self, patience: &Patience) -> bool {
        self.0.elapsed() >= patience.total
    }
}
