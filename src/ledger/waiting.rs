//! Waits for futures in a room that does not know them: a ledger is read and written by plain calls, some
//! clients of servers are not. The one place of this room that starts a runtime.

use std::future::Future;
use std::thread;

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime of its own. It stays for as long as its owner, because connections that are
/// kept open live in it.
pub(super) struct Waiting(Option<Runtime>);

impl Waiting {
    pub(super) fn new() -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .context("a runtime for the ledger's connections cannot be started")?;
        Ok(Self(Some(runtime)))
    }

    /// Runs a future to its end. Whoever calls may stand inside another runtime, in which nobody may
    /// wait; then it is run on a thread of its own.
    pub(super) fn run<F>(&self, future: F) -> anyhow::Result<F::Output>
    where
        F: Future + Send,
        F::Output: Send,
    {
        let runtime = self.0.as_ref().context("the runtime has ended")?;
        if Handle::try_current().is_err() {
            return Ok(runtime.block_on(future));
        }
        thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join())
            .ok()
            .context("a request of the ledger broke off inside the program; please report it")
    }

    /// Runs futures beside each other, at most `width` at a time; the answers are in the order of the futures.
    pub(super) fn run_all<F>(
        &self,
        futures: impl IntoIterator<Item = F, IntoIter: Send> + Send,
        width: usize,
    ) -> anyhow::Result<Vec<F::Output>>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.run(async move {
            let mut running = tokio::task::JoinSet::new();
            let mut done: Vec<(usize, F::Output)> = Vec::new();
            for (number, future) in futures.into_iter().enumerate() {
                if running.len() >= width
                    && let Some(one) = running.join_next().await
                {
                    done.push(one?);
                }
                running.spawn(async move { (number, future.await) });
            }
            while let Some(one) = running.join_next().await {
                done.push(one?);
            }
            done.sort_by_key(|(number, _)| *number);
            Ok(done.into_iter().map(|(_, output)| output).collect())
        })?
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // An ordinary end waits, which is forbidden inside another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_inside_of_another_runtime_and_ends_there() {
        let outer = Builder::new_current_thread().build().unwrap();
        let answer = outer.block_on(async {
            let waiting = Waiting::new().unwrap();
            waiting.run(async { 7 }).unwrap()
        });
        assert_eq!(answer, 7);
    }

    #[test]
    fn answers_come_in_the_order_of_the_questions_however_few_run_at_a_time() {
        let waiting = Waiting::new().unwrap();
        for width in [1, 3, 100] {
            let futures = (0..20_u32).map(|number| async move {
                for _ in 0..(20 - number) {
                    tokio::task::yield_now().await;
                }
                number
            });
            let answers = waiting.run_all(futures, width).unwrap();
            assert_eq!(answers, (0..20).collect::<Vec<_>>());
        }
    }
}
