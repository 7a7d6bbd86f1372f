//! One read of the audit log: from files to pages, off the async threads.

use crate::node::RegionAudit;
use kms_audit::{Cursor, Filter, Found, Page, PageBounds, Search, tail_while};
use kms_proto::cluster::v1 as pb;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::Instant;
use tonic::Status;

/// Time for one search, and for a caller to take a page.
const DEADLINE: Duration = Duration::from_secs(20);
/// Time between two looks whether the log has grown.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// A page is well below what a gRPC client takes in one message by default, 4 MiB, even with one record on top.
const PAGE: PageBounds = PageBounds { records: 200, bytes: 1024 * 1024, lines: 20_000 };

/// See the module. Holds a place among the readers until it ends.
pub(super) struct Reader {
    log: Arc<RegionAudit>,
    filter: Filter,
    pages: mpsc::Sender<Result<pb::AuditPage, Status>>,
    _place: OwnedSemaphorePermit,
}

/// The caller has gone, or does not take what it asked for.
struct Gone;

/// Why a read ends early.
enum End {
    Caller(Gone),
    Failed(io::Error),
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Caller(gone)
    }
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Reader {
    pub(super) fn new(
        log: Arc<RegionAudit>,
        filter: Filter,
        pages: mpsc::Sender<Result<pb::AuditPage, Status>>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { log, filter, pages, _place: place }
    }

    /// Sends at most `limit` records, from a place on if one is given.
    pub(super) async fn search(self, after: Option<Cursor>, limit: usize) {
        let ended = self.send_found(after, limit).await;
        self.close(ended).await;
    }

    /// Sends the last records and, if asked for, what comes afterwards.
    pub(super) async fn tail(self, last: usize, follow: bool) {
        let ended = self.send_last(last, follow).await;
        self.close(ended).await;
    }

    async fn send_found(&self, after: Option<Cursor>, limit: usize) -> Result<(), End> {
        let deadline = Instant::now() + DEADLINE;
        let mut search = self.open(after).await?;
        let mut left = limit;
        loop {
            let bounds = PageBounds { records: PAGE.records.min(left), ..PAGE };
            let page;
            (search, page) = read(search, bounds).await?;
            left = left.saturating_sub(page.found.len());
            let last = page.ended || left == 0 || Instant::now() >= deadline;
            let next = search.cursor().filter(|_| last && !page.ended);
            if last || !page.found.is_empty() {
                self.send(&page.found, next).await?;
            }
            if last {
                return Ok(());
            }
            if self.pages.is_closed() {
                return Err(Gone.into());
            }
        }
    }

    async fn send_last(&self, last: usize, follow: bool) -> Result<(), End> {
        // Before the look at the log: what comes meanwhile is not missed.
        let seen = self.log.status().head.sequence;
        let (log, filter) = (Arc::clone(&self.log), self.filter.clone());
        // One at least, for the place from which to follow.
        let deadline = Instant::now() + DEADLINE;
        let in_time = move || Instant::now() < deadline;
        let found = off_thread(move || tail_while(&log.files()?, &filter, last.max(1), &in_time)).await?;
        for page in found.get(found.len().saturating_sub(last)..).unwrap_or_default().chunks(PAGE_OF_TAIL) {
            self.send(page, None).await?;
        }
        if follow { self.follow(found.last().map(Found::end), seen).await } else { Ok(()) }
    }

    /// Sends what comes after a place, and after a look at the log, until the caller has gone.
    async fn follow(&self, mut place: Option<Cursor>, mut seen: u64) -> Result<(), End> {
        loop {
            let mut search = self.open_at_end(place).await?;
            let mut ended = false;
            while !ended {
                let page;
                (search, page) = read(search, PAGE).await?;
                ended = page.ended;
                if !page.found.is_empty() {
                    self.send(&page.found, None).await?;
                }
                if self.pages.is_closed() {
                    return Err(Gone.into());
                }
            }
            place = search.cursor().or(place);
            seen = self.grown(seen).await?;
        }
    }

    /// Waits until the log has grown beyond a sequence.
    async fn grown(&self, seen: u64) -> Result<u64, Gone> {
        loop {
            let now = self.log.status().head.sequence;
            if now != seen {
                return Ok(now);
            }
            tokio::select! {
                () = self.pages.closed() => return Err(Gone),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    async fn open(&self, after: Option<Cursor>) -> io::Result<Search> {
        let (log, filter) = (Arc::clone(&self.log), self.filter.clone());
        off_thread(move || match after {
            Some(after) => Search::resume(log.files()?, filter, after),
            None => Ok(Search::new(log.files()?, filter)),
        })
        .await
    }

    /// Opens the log to go on at a place, or at the newest file if nothing was found before.
    async fn open_at_end(&self, place: Option<Cursor>) -> io::Result<Search> {
        if place.is_some() {
            return self.open(place).await;
        }
        let log = Arc::clone(&self.log);
        let newest = off_thread(move || Ok(log.files()?.days().last().copied())).await?;
        self.open(newest.map(|day| Cursor { day, offset: 0 })).await
    }

    async fn send(&self, found: &[Found], next: Option<Cursor>) -> Result<(), Gone> {
        let records = found.iter().map(|found| found.text.clone()).collect();
        let next = next.map(|next| pb::AuditCursor { day: next.day.to_string(), offset: next.offset });
        let page = pb::AuditPage { records, next };
        match tokio::time::timeout(DEADLINE, self.pages.send(Ok(page))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }

    async fn close(self, ended: Result<(), End>) {
        let Err(End::Failed(error)) = ended else { return };
        tracing::warn!(%error, "the audit log could not be read for an operator");
        let status = match error.kind() {
            io::ErrorKind::TimedOut => Status::deadline_exceeded("too little was found in time; name a --from time"),
            _ => Status::internal(format!("the audit log cannot be read: {error}")),
        };
        // A caller that has gone needs no reason.
        drop(tokio::time::timeout(DEADLINE, self.pages.send(Err(status))).await);
    }
}

/// Records of a tail in one page: as many as fit below the limit of a message, were all of the greatest size.
const PAGE_OF_TAIL: usize = 16;

/// Reads one page on a thread that may wait for the disk.
async fn read(mut search: Search, bounds: PageBounds) -> io::Result<(Search, Page)> {
    off_thread(move || search.page(bounds).map(|page| (search, page))).await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
