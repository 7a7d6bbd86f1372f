//! `meridian.cluster.v1.Audit`: reading this Region's audit log, for operators.
//!
//! A read is bounded in records, bytes and time, and few run at once: the log's disk is the one that requests wait for. Files
//! are read page by page off the async threads, and only as fast as the caller takes the pages.

mod reader;

use super::recording::{Recording, own};
use crate::node::Handles;
use kms_audit::{Cursor, Day, Elements, Filter, Member, WantedOutcome};
use kms_proto::cluster::v1 as pb;
use kms_proto::cluster::v1::audit_server::Audit;
use kms_types::{KeyId, Timestamp};
use parking_lot::Mutex;
use reader::Reader;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

/// Reads at one time, followers included.
const READERS_MAX: usize = 8;
/// Most records of a search.
const SEARCH_RECORDS_MAX: u32 = 10_000;
/// Records of a search that names no limit.
const SEARCH_RECORDS: u32 = 1_000;
/// Most records from before a tail.
const TAIL_RECORDS_MAX: u32 = 1_000;
/// Pages that wait for the caller.
const PAGES_WAITING: usize = 2;

/// What a call answers.
type Pages = ReceiverStream<Result<pb::AuditPage, Status>>;

/// The service.
#[derive(Debug)]
pub(crate) struct AuditService {
    handles: Arc<Handles>,
    places: Arc<Semaphore>,
    readers: Mutex<JoinSet<()>>,
    shutdown: CancellationToken,
}

impl AuditService {
    /// Reads the log of a node until shutdown.
    pub(crate) fn new(handles: Arc<Handles>, shutdown: CancellationToken) -> Self {
        Self { handles, places: Arc::new(Semaphore::new(READERS_MAX)), readers: Mutex::default(), shutdown }
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_full| Status::resource_exhausted("too many reads of the audit log are in progress"))
    }

    /// A reader and the pages that it will send.
    fn reader(&self, filter: Filter, place: OwnedSemaphorePermit) -> (Reader, Pages) {
        let (sender, pages) = mpsc::channel(PAGES_WAITING);
        (Reader::new(Arc::clone(&self.handles.audit), filter, sender, place), ReceiverStream::new(pages))
    }

    /// Starts a read, which ends with its deadline, with the caller, or with the node.
    fn start(&self, read: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.shutdown.clone();
        let mut readers = self.readers.lock();
        while readers.try_join_next().is_some() {}
        readers.spawn(async move { stopped.run_until_cancelled(read).await.unwrap_or_default() });
    }

    fn search(&self, asked: &pb::SearchAuditRequest) -> Result<Pages, Status> {
        let filter = filter(asked.filter.as_ref())?;
        let after = asked.after.as_ref().map(cursor).transpose()?;
        let limit = if asked.limit == 0 { SEARCH_RECORDS } else { asked.limit.min(SEARCH_RECORDS_MAX) };
        let (reader, pages) = self.reader(filter, self.place()?);
        self.start(reader.search(after, count(limit)));
        Ok(pages)
    }

    fn tail(&self, asked: &pb::TailAuditRequest) -> Result<Pages, Status> {
        let filter = filter(asked.filter.as_ref())?;
        let last = count(asked.count.min(TAIL_RECORDS_MAX));
        let (reader, pages) = self.reader(filter, self.place()?);
        self.start(reader.tail(last, asked.follow));
        Ok(pages)
    }
}

#[tonic::async_trait]
impl Audit for AuditService {
    type SearchAuditStream = Pages;
    type TailAuditStream = Pages;

    async fn search_audit(
        &self,
        request: Request<pb::SearchAuditRequest>,
    ) -> Result<Response<Self::SearchAuditStream>, Status> {
        let shown = shown(request.get_ref().filter.as_ref(), request.get_ref().limit);
        let recording = Recording::begin(&self.handles, own("SearchAuditLog", true), &request, shown)?;
        let pages = self.search(request.get_ref());
        recording.finish(pages).await
    }

    async fn tail_audit(
        &self,
        request: Request<pb::TailAuditRequest>,
    ) -> Result<Response<Self::TailAuditStream>, Status> {
        let shown = shown(request.get_ref().filter.as_ref(), request.get_ref().count);
        let recording = Recording::begin(&self.handles, own("TailAuditLog", true), &request, shown)?;
        let pages = self.tail(request.get_ref());
        recording.finish(pages).await
    }
}

/// What the record of a read says that was looked for.
fn shown(filter: Option<&pb::AuditFilter>, limit: u32) -> Elements<'static> {
    let shown = Elements::new().number(Member::LIMIT, limit.into());
    let Some(filter) = filter else { return shown };
    let named = [(Member::KEY_ID, &filter.key_id), (Member::USER_NAME, &filter.principal)];
    let named = named.into_iter().filter(|(_, value)| !value.is_empty());
    let shown = named.fold(shown, |shown, (member, value)| shown.text(member, value.clone()));
    match filter.operation.as_str() {
        "" => shown,
        operation => shown.texts(Member::OPERATIONS, [operation.to_owned()]),
    }
}

fn filter(asked: Option<&pb::AuditFilter>) -> Result<Filter, Status> {
    let Some(asked) = asked else { return Ok(Filter::default()) };
    let text = |value: &String| (!value.is_empty()).then(|| value.clone());
    let key = text(&asked.key_id).map(|id| KeyId::parse(&id)).transpose();
    Ok(Filter {
        key: key.map_err(|_invalid| Status::invalid_argument("key_id is not a key ID"))?,
        principal: text(&asked.principal),
        operation: text(&asked.operation),
        from: asked.from_ms.map(Timestamp::from_millis),
        to: asked.to_ms.map(Timestamp::from_millis),
        outcome: text(&asked.outcome).as_deref().map(WantedOutcome::parse),
    })
}

fn cursor(asked: &pb::AuditCursor) -> Result<Cursor, Status> {
    let day = Day::parse(&asked.day).ok_or_else(|| Status::invalid_argument("after.day is not a day"))?;
    Ok(Cursor { day, offset: asked.offset })
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
