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
/// # Errors
/// [`CallError`] when the stream cannot be opened within `deadline`.
pub(super) async fn stream_append<S>(
    link: &Link,
    input: S,
    deadline: Duration,
) -> Result<impl Stream<Item = Answer> + Send + use<S>, CallError>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
{
    let unanswered = Arc::new(Unanswered::default());
    let sent = Arc::clone(&unanswered);
    let requests = input.map(move |request| {
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
