//! A list of any length, read part by part.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::error::Error;

/// A part of a list, and where it goes on.
type Part<T> = Result<(Vec<T>, Option<i64>), Error>;
type Asking<T> = Pin<Box<dyn Future<Output = Part<T>> + Send>>;

/// All rows that match a query, read from the database part by part as they are consumed. Rows that change meanwhile
/// may or may not be among them; rows that don't change come exactly once. After an error it ends.
///
/// It is a [`Stream`]. Without a crate that has methods for streams, call [`Walk::next`].
///
/// See [`Payments::walk`](crate::Payments::walk) for an example.
#[must_use = "nothing is read until it is asked for"]
pub struct Walk<T> {
    ask: Box<dyn Fn(Option<i64>) -> Asking<T> + Send>,
    asking: Option<Asking<T>>,
    ready: VecDeque<T>,
}

impl<T> Walk<T> {
    pub(super) fn new(after: Option<i64>, ask: impl Fn(Option<i64>) -> Asking<T> + Send + 'static) -> Self {
        Self { asking: Some(ask(after)), ask: Box::new(ask), ready: VecDeque::new() }
    }
}

impl<T: Unpin> Walk<T> {
    /// The next one; `None` when there are no more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next(&mut self) -> Result<Option<T>, Error> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await.transpose()
    }
}

impl<T: Unpin> Stream for Walk<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(one) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(one)));
            }
            let Some(asking) = &mut self.asking else { return Poll::Ready(None) };
            let part = ready!(asking.as_mut().poll(cx));
            self.asking = None;
            match part {
                Ok((ready, next)) => {
                    self.asking = next.map(|next| (self.ask)(Some(next)));
                    self.ready = ready.into();
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

impl<T> fmt::Debug for Walk<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Walk").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}
