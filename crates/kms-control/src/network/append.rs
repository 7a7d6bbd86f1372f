//! Entries and heartbeats to one peer as a stream: the next request does not wait for the answer to the one before, so
//! that one proposal after another costs one round trip each. Every answer has a deadline of its own.

use crate::links::{CallError, Link, within};
use crate::types::TypeConfig;
use crate::wire;
use futures::{Stream, StreamExt};
use kms_proto::peer::v1 as pb;
use openraft::OptionalSend;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};
use prost::Message;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::Streaming;

/// A slow link still carries this much; longer messages get more time.
const BYTES_PER_MS: usize = 256;

/// Deadlines of the requests that have no answer yet, oldest first.
#[derive(Debug, Default)]
struct Unanswered {
    deadlines: Mutex<VecDeque<Instant>>,
    added: Notify,
}

impl Unanswered {
    fn add(&self, deadline: Instant) {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner).push_back(deadline);
        self.added.notify_one();
    }

    fn remove_oldest(&self) {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    }

    fn oldest(&self) -> Option<Instant> {
        self.deadlines.lock().unwrap_or_else(PoisonError::into_inner).front().copied()
    }

    /// Returns once the oldest request is overdue, however the queue changes meanwhile.
    async fn overdue(&self) {
        loop {
            match self.oldest() {
                None => self.added.notified().await,
                Some(deadline) => {
                    tokio::time::sleep_until(deadline).await;
                    if self.oldest().is_some_and(|oldest| oldest <= Instant::now()) {
                        return;
                    }
                }
            }
        }
    }
}

type Answer = Result<StreamAppendResult<TypeConfig>, CallError>;

/// Sends `input` to a peer. The answers come in the order of the requests and end with the first failure.
///
/// The first request is awaited before the peer is called: openraft delays it after a failure. A peer that is down
/// would otherwise be called again at once, for ever.
///
/// # Errors
/// [`CallError`] when the stream cannot be opened within `deadline`.
pub(super) async fn stream_append<S>(
    link: &Link,
    mut input: S,
    deadline: Duration,
) -> Result<impl Stream<Item = Answer> + Send + use<S>, CallError>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
{
    let first = input.next().await;
    let unanswered = Arc::new(Unanswered::default());
    let sent = Arc::clone(&unanswered);
    let requests = futures::stream::iter(first).chain(input).map(move |request| {
        let request = wire::append_to_pb(request);
        let more = u64::try_from(request.encoded_len() / BYTES_PER_MS).unwrap_or(u64::MAX);
        sent.add(Instant::now() + deadline + Duration::from_millis(more));
        request
    });
    let mut client = link.client();
    let answers = within(deadline, client.append_entries(requests)).await?;
    Ok(futures::stream::unfold(Some((answers, unanswered)), move |state| async move {
        let (mut answers, unanswered) = state?;
        let answer = next_answer(&mut answers, &unanswered, deadline).await?;
        let state = matches!(answer, Ok(Ok(_))).then_some((answers, unanswered));
        Some((answer, state))
    }))
}

/// `None` when the peer has answered everything and the input has ended.
async fn next_answer(
    answers: &mut Streaming<pb::AppendEntriesResponse>,
    unanswered: &Unanswered,
    deadline: Duration,
) -> Option<Answer> {
    let message = tokio::select! {
        message = answers.message() => message,
        () = unanswered.overdue() => return Some(Err(CallError::Deadline(deadline))),
    };
    match message {
        Ok(Some(answer)) => {
            unanswered.remove_oldest();
            Some(wire::appended_from_pb(answer).map_err(|error| CallError::Refused(error.to_string())))
        }
        Ok(None) => None,
        Err(status) => Some(Err(CallError::from_status(&status))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Vote;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_peer_that_is_down_is_not_called_before_there_is_a_request() {
        // Nobody listens on this port.
        let link = Link::to("http://127.0.0.1:1");
        let (send, requests) = tokio::sync::mpsc::unbounded_channel();
        let input = Box::pin(futures::stream::unfold(requests, |mut requests| async {
            requests.recv().await.map(|request| (request, requests))
        }));
        let mut call = Box::pin(stream_append(&link, input, Duration::from_secs(10)));
        for _ in 0..100 {
            assert!((&mut call).now_or_never().is_none(), "called without a request");
            tokio::task::yield_now().await;
        }
        let request =
            AppendEntriesRequest { vote: Vote::new(1, 1), prev_log_id: None, entries: Vec::new(), leader_commit: None };
        send.send(request).unwrap();
        assert!(matches!(call.await.err(), Some(CallError::Unreachable(_))));
    }
}
