//! Waits for many futures at once, in order, or for none. Knows nothing of requests.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Waits for the answer if it is needed; if not, nothing is asked. The question is
/// made on the heap, so that many of them side by side need little stack.
pub(super) async fn when<F: Future>(
    needed: bool,
    question: impl FnOnce() -> F,
) -> Option<F::Output> {
    if needed {
        Some(Box::pin(question()).await)
    } else {
        None
    }
}

/// The results of all futures, in the order in which they were given.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    poll_fn(move |context| {
        let mut pending = false;
        for (future, slot) in waiting.iter_mut().zip(done.iter_mut()) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *slot = Some(value),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
        }
    })
    .await
}
