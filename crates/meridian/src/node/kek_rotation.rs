//! Rotation of the Region KEK: a new epoch begins by schedule or by command, everything is wrapped anew, and the old
//! epoch is destroyed.
//!
//! ```text
//! begin      draw, wrap under the root key, write the file, sync; from now on the new KEK wraps
//! re-wrap    the Region's own keys, then material row by row through the regional log; requests go on
//! destroy    a day later, when no row names an older epoch: overwrite and remove the old file
//! ```
//! A crash at any point is mended by looking again. The day between is for import tokens, which live as long; a command may
//! end it at once, and the tokens with it. Grant tokens of a destroyed epoch are invalid as well: they are meant for the
//! first minutes of a grant.

use super::hierarchy::{self, KekFiles};
use super::regional_writer::RegionalWriter;
use crate::config::NodeConfig;
use anyhow::Context as _;
use kms_core::regional::{NewMaterial, RegionalBody, RegionalChange};
use kms_crypto::{Entropy, KekEpoch, RegionKek};
use kms_proto::regional_codec::{MATERIAL_PREFIX, row_to_change};
use kms_service::{Clock, Keyring, RegionalLog as _};
use kms_store::{Keyspace, Store};
use kms_types::{KeyId, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Materials in one command of the regional log; bounds the batch, whose rows are up to some kilobytes each.
const MATERIALS_PER_COMMAND: usize = 32;
/// Materials that have to be wrapped anew, and where the next page of rows starts.
type Page = (Vec<(KeyId, NewMaterial)>, Option<Vec<u8>>);

/// Rows that are read at once.
const ROWS_PER_PAGE: usize = 256;
/// Longest and shortest time between two looks at the clock.
const TICK_MAX: Duration = Duration::from_secs(60);
const TICK_MIN: Duration = Duration::from_millis(20);
/// Pause after a failure, such as a full queue.
const PAUSE: Duration = Duration::from_secs(1);

/// The Region's KEKs and what is being done to them.
pub(crate) struct KekRotation {
    config: NodeConfig,
    store: Arc<dyn Store>,
    files: KekFiles,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    keyring: Arc<Keyring>,
    regional: Arc<RegionalWriter>,
    /// Whether rows under older epochs may be left.
    unfinished: AtomicBool,
    /// Whether old epochs go as soon as nothing needs them.
    at_once: AtomicBool,
    rewrapped: AtomicU64,
    wake: Notify,
    beginning: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for KekRotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KekRotation").field("unfinished", &self.unfinished).finish_non_exhaustive()
    }
}

/// What the rotation works with.
pub(crate) struct KekRotationParts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) files: KekFiles,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) regional: Arc<RegionalWriter>,
}

/// The epochs as operators see them.
#[derive(Clone, Debug)]
pub(crate) struct KekStatus {
    /// Every epoch that exists, with the time at which it began.
    pub(crate) epochs: Vec<(KekEpoch, Option<Timestamp>)>,
    /// Whether rows under older epochs may be left.
    pub(crate) unfinished: bool,
    /// Materials wrapped anew since the node started.
    pub(crate) rewrapped: u64,
    /// When the next epoch begins by schedule.
    pub(crate) next_at: Option<Timestamp>,
}

impl KekRotation {
    /// Looks at nothing yet; [`KekRotation::run`] does.
    pub(crate) fn new(config: NodeConfig, parts: KekRotationParts) -> Self {
        let KekRotationParts { store, files, entropy, clock, keyring, regional } = parts;
        let unfinished = AtomicBool::new(keyring.keks().len() > 1);
        Self {
            config,
            store,
            files,
            entropy,
            clock,
            keyring,
            regional,
            unfinished,
            at_once: AtomicBool::new(false),
            rewrapped: AtomicU64::new(0),
            wake: Notify::new(),
            beginning: tokio::sync::Mutex::new(()),
        }
    }

    /// Does what is due until shutdown.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let tick = (self.config.day_length.days(1) / 20).clamp(TICK_MIN, TICK_MAX);
        loop {
            let wait = match self.step(&shutdown).await {
                Ok(()) => tick,
                Err(error) => {
                    tracing::error!(error = format!("{error:#}"), "the rotation of the Region KEK does not go on");
                    tick.max(PAUSE)
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Begins a new epoch. Everything is wrapped anew afterwards; `at_once` destroys the old epochs right after that.
    ///
    /// # Errors
    /// Fails when the root key cannot be had or the disk fails; nothing has changed then.
    pub(crate) async fn begin(self: &Arc<Self>, at_once: bool) -> anyhow::Result<KekEpoch> {
        let _one_at_a_time = self.beginning.lock().await;
        let rotation = Arc::clone(self);
        let kek = tokio::task::spawn_blocking(move || rotation.draw()).await??;
        let epoch = kek.epoch();
        self.unfinished.store(true, Ordering::Release);
        if at_once {
            self.at_once.store(true, Ordering::Release);
        }
        self.keyring.adopt(Arc::new(kek));
        tracing::info!(epoch = epoch.0, "a new epoch of the Region KEK has begun");
        self.wake.notify_one();
        Ok(epoch)
    }

    /// The epochs as operators see them.
    ///
    /// # Errors
    /// Fails when the store does.
    pub(crate) fn status(&self) -> anyhow::Result<KekStatus> {
        let keks = self.keyring.keks();
        let epochs = keks.keys().map(|epoch| {
            let began = hierarchy::began_at(self.store.as_ref(), *epoch)?;
            Ok((*epoch, began))
        });
        let epochs: Vec<_> = epochs.collect::<anyhow::Result<_>>()?;
        let newest = epochs.last().and_then(|(_, began)| *began);
        Ok(KekStatus {
            epochs,
            unfinished: self.unfinished.load(Ordering::Acquire),
            rewrapped: self.rewrapped.load(Ordering::Relaxed),
            next_at: newest.map(|began| self.next_after(began)),
        })
    }

    fn draw(&self) -> anyhow::Result<RegionKek> {
        let newest = self.newest()?;
        let epoch = KekEpoch(newest.0.checked_add(1).context("there is no further epoch")?);
        let (store, entropy) = (self.store.as_ref(), self.entropy.as_ref());
        let root = hierarchy::reread_root_key(&self.config, store, entropy)?;
        let kek = RegionKek::generate(epoch, entropy)?;
        self.files.write(epoch, &kek.wrap(&root, &self.config.region, entropy)?)?;
        hierarchy::note_beginning(store, epoch, self.clock.now())?;
        Ok(kek)
    }

    async fn step(self: &Arc<Self>, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let newest = self.newest()?;
        match hierarchy::began_at(self.store.as_ref(), newest)? {
            Some(began) if self.next_after(began) <= self.clock.now() => {
                self.begin(false).await?;
            }
            Some(_) => {}
            // An epoch of which nothing is noted is counted from now on.
            None => hierarchy::note_beginning(self.store.as_ref(), newest, self.clock.now())?,
        }
        if self.unfinished.load(Ordering::Acquire) {
            self.rewrap(shutdown).await?;
        }
        if self.keyring.keks().len() > 1 && !self.unfinished.load(Ordering::Acquire) {
            self.destroy_old()?;
        }
        Ok(())
    }

    /// Wraps everything anew that an older epoch wraps, pass by pass until one finds nothing.
    async fn rewrap(self: &Arc<Self>, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let newest = self.newest()?;
        // Whatever the regional log took in before the epoch began is in the store once this has gone through; what comes
        // later is brought up to date on its way.
        self.submit(Vec::new()).await?;
        let rotation = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let keks = rotation.keyring.keks();
            hierarchy::rewrap_own_keys(&rotation.config, rotation.store.as_ref(), &keks, rotation.entropy.as_ref())
        })
        .await??;
        while self.pass(shutdown).await? > 0 {}
        if shutdown.is_cancelled() {
            return Ok(());
        }
        // A new epoch may have begun meanwhile; then there is work again.
        let _no_beginning = self.beginning.lock().await;
        if self.newest()? == newest {
            self.unfinished.store(false, Ordering::Release);
            tracing::info!(epoch = newest.0, "everything in the store is wrapped under the newest Region KEK");
        }
        Ok(())
    }

    /// One look at every row of material; answers how many were wrapped anew.
    async fn pass(self: &Arc<Self>, shutdown: &CancellationToken) -> anyhow::Result<u64> {
        let (mut start, mut found) = (vec![MATERIAL_PREFIX], 0);
        while !shutdown.is_cancelled() {
            let rotation = Arc::clone(self);
            let (anew, next) = tokio::task::spawn_blocking(move || rotation.page(&start)).await??;
            for chunk in anew.chunks(MATERIALS_PER_COMMAND) {
                self.submit(chunk.to_vec()).await?;
                let count = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                found += count;
                self.rewrapped.fetch_add(count, Ordering::Relaxed);
            }
            match next {
                Some(next) => start = next,
                None => break,
            }
        }
        Ok(found)
    }

    /// The materials of a page of rows that have to be wrapped anew, and where the next page starts.
    fn page(&self, start: &[u8]) -> anyhow::Result<Page> {
        let end = [MATERIAL_PREFIX.saturating_add(1)];
        let rows = self.store.range(Keyspace::Regional, start, Some(&end), ROWS_PER_PAGE)?;
        // The least key behind the last one.
        let next = rows.last().filter(|_| rows.len() == ROWS_PER_PAGE).map(|(key, _)| [key.as_slice(), &[0]].concat());
        let mut anew = Vec::new();
        for (key, value) in rows {
            if let RegionalChange::PutMaterial(key_id, material) = row_to_change(&key, &value)?
                && let Some(material) = self.keyring.wrapped_anew(&key_id, &material)?
            {
                anew.push((key_id, material));
            }
        }
        Ok((anew, next))
    }

    async fn submit(&self, materials: Vec<(KeyId, NewMaterial)>) -> anyhow::Result<()> {
        self.regional.submit(RegionalBody::RewrapMaterial(materials)).await?;
        Ok(())
    }

    fn destroy_old(&self) -> anyhow::Result<()> {
        let newest = self.newest()?;
        let began = hierarchy::began_at(self.store.as_ref(), newest)?;
        let waited = began.is_some_and(|began| began.plus(self.config.day_length.days(1)) <= self.clock.now());
        if !waited && !self.at_once.load(Ordering::Acquire) {
            return Ok(());
        }
        for epoch in self.keyring.keks().keys().filter(|epoch| **epoch != newest) {
            self.keyring.retire(*epoch);
            hierarchy::destroy(self.store.as_ref(), &self.files, *epoch)?;
            tracing::info!(epoch = epoch.0, "an old epoch of the Region KEK is destroyed");
        }
        self.at_once.store(false, Ordering::Release);
        Ok(())
    }

    fn newest(&self) -> anyhow::Result<KekEpoch> {
        self.keyring.keks().last_key_value().map(|(epoch, _)| *epoch).context("there is no Region KEK")
    }

    fn next_after(&self, began: Timestamp) -> Timestamp {
        began.plus(self.config.day_length.days(self.config.kek_rotation_days))
    }
}
