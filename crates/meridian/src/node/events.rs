//! Audit records of what no request does: rotations and their synchronisation, deletions at the end of their waiting period, expired material, new
//! Regions.
//!
//! Nobody reports these. For each key and Region a row says what has been recorded; whatever the published state has beyond
//! it is recorded, and then the row is brought up to date. A crash in between is mended by comparing again: the ID of a record
//! follows from its event, and after a start the log is asked whether it has the record already. So each event is recorded
//! once.

mod burials;
mod changes;
mod noted;
mod rotations;

use super::Handles;
use super::audit::directory;
use burials::burials;
use changes::Changes;
use kms_audit::{
    Acknowledgement, DiskVolume, Filter, LogFiles, LogName, MembershipChange, Priority, Search, ServiceEvent,
    ServiceRecord, Uuid,
};
use kms_core::control::RegionRole;
use kms_service::{AuditSink as _, KeyEntry};
use kms_store::{Keyspace, Store, WriteBatch, scan_prefix};
use kms_types::{AccountId, KeyArn, KeyId, KeyMaterialId, RegionName, RotationType, Timestamp};
use noted::Noted;
use rotations::{between, versions};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) use burials::Burial;
pub(crate) use changes::RecordedTo;

/// Prefix of the row of a key; the key ID follows.
const KEY_PREFIX: &[u8] = b"audited/key/";
/// Prefix of the row of a Region; its name follows.
const REGION_PREFIX: &[u8] = b"audited/region/";
/// Row with the time from which on this Region records events, in milliseconds.
const SINCE_KEY: &[u8] = b"audited/since";
/// Time between two looks at what has changed.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Notes that are made durable together.
const NOTES_AT_ONCE: usize = 1000;

/// What is to be noted of keys whose events are recorded.
#[derive(Debug, Default)]
struct Notes {
    /// Rows of keys.
    keys: WriteBatch,
    /// Burials that are recorded, to be removed.
    burials: WriteBatch,
}

/// Records events until shutdown.
pub(crate) struct Events {
    handles: Arc<Handles>,
    store: Arc<dyn Store>,
    /// The log, to be asked for records from before the start.
    files: LogFiles,
    /// What happened before this Region recorded events is not made up for.
    since: Timestamp,
    recorded_to: RecordedTo,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// # Errors
    /// Fails when the directory of the log cannot be listed.
    pub(crate) fn new(
        handles: Arc<Handles>,
        store: Arc<dyn Store>,
        data_dir: &Path,
        recorded_to: RecordedTo,
    ) -> anyhow::Result<Self> {
        let name = LogName::new(&handles.cluster_id, handles.service.region().clone())?;
        let files = LogFiles::of(Arc::new(DiskVolume::new(directory(data_dir))), name)?;
        let since = since(store.as_ref(), handles.clock.now())?;
        Ok(Self { handles, store, files, since, recorded_to })
    }

    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let changes = Changes::new(self.store.as_ref(), self.recorded_to.clone());
        let (mut waiting, mut changes) = match self.everything().and_then(|keys| Ok((keys, changes?))) {
            Ok(both) => both,
            Err(error) => {
                tracing::error!(%error, "events are not recorded: what was recorded before cannot be read");
                return;
            }
        };
        // What the first look finds may be in the log already, from before a crash.
        let mut ask_log = true;
        loop {
            waiting.extend(self.handles.agenda.take_changed());
            let mut left = BTreeSet::new();
            if let Err(error) = self.record_changes(&mut changes).await {
                tracing::debug!(%error, "a change of shared properties could not be recorded yet");
            }
            if let Err(error) = self.record_regions(ask_log).await {
                tracing::debug!(%error, "a new Region could not be recorded yet");
            }
            let mut notes = Notes::default();
            for (number, key_id) in waiting.into_iter().enumerate() {
                if let Err(error) = self.record_key(&key_id, ask_log, &mut notes).await {
                    tracing::debug!(%key_id, %error, "an event could not be recorded yet");
                    left.insert(key_id);
                }
                if number % NOTES_AT_ONCE == NOTES_AT_ONCE - 1 {
                    self.keep(std::mem::take(&mut notes)).await;
                }
                if shutdown.is_cancelled() {
                    break;
                }
            }
            self.keep(notes).await;
            waiting = left;
            ask_log = !waiting.is_empty() && ask_log;
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Every key that there is, was when something was recorded last, or is gone without a record.
    fn everything(&self) -> anyhow::Result<BTreeSet<KeyId>> {
        let gone = burials(self.store.as_ref(), None)?;
        let mut keys: BTreeSet<KeyId> = gone.into_iter().map(|burial| burial.key_id).collect();
        for row in scan_prefix(self.store.as_ref(), Keyspace::Node, KEY_PREFIX) {
            let (key, _) = row?;
            let id = key.get(KEY_PREFIX.len()..).and_then(|id| str::from_utf8(id).ok());
            keys.extend(id.and_then(|id| KeyId::parse(id).ok()));
        }
        let directory = self.handles.service.directory();
        directory.read(|regional, _| keys.extend(regional.keys_after(None).map(|record| record.key_id)));
        Ok(keys)
    }

    /// Makes notes durable. One that is lost is made again: the log is asked then.
    async fn keep(&self, notes: Notes) {
        let batches = [(Keyspace::Node, notes.keys), (Keyspace::Regional, notes.burials)];
        let batches = batches.into_iter().filter(|(_, batch)| !batch.is_empty()).collect::<Vec<_>>();
        if batches.is_empty() {
            return;
        }
        let store = Arc::clone(&self.store);
        let kept = tokio::task::spawn_blocking(move || {
            batches.into_iter().try_for_each(|(keyspace, batch)| store.write(keyspace, batch))?;
            store.barrier()
        });
        match kept.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "what was recorded of keys could not be noted"),
            Err(error) => tracing::error!(%error, "what was recorded of keys could not be noted"),
        }
    }

    async fn record_key(&self, key_id: &KeyId, ask_log: bool, notes: &mut Notes) -> anyhow::Result<()> {
        let row = [KEY_PREFIX, key_id.as_bytes()].concat();
        let before = self.store.get(Keyspace::Node, &row)?.map(|row| Noted::parse(&row)).transpose()?;
        let entry = self.handles.service.directory().key(key_id);
        let after = entry.as_deref().map(Noted::of);
        // Read after the directory: a key that is gone from there has its burial by now.
        let burials = burials(self.store.as_ref(), Some(key_id))?;
        for burial in &burials {
            self.record_burial(burial, ask_log).await?;
            notes.burials.remove(burial.row().0);
        }
        if before == after {
            return Ok(());
        }
        let account = before.as_ref().or(after.as_ref()).map(|noted| noted.account);
        let key = account.map(|account| self.arn(account, key_id));
        match (&key, &entry) {
            (Some(key), Some(entry)) => {
                self.record_rotations(key, before.as_ref(), entry, ask_log).await?;
                if let Some(before) = &before {
                    self.record_expiries(key, before, entry, ask_log).await?;
                }
            }
            // Destroyed by a version that buried nothing.
            (Some(key), None) if burials.is_empty() => {
                self.record(&ServiceEvent::DeleteKey { key }, &[], ask_log).await?;
            }
            (Some(_) | None, None) | (None, Some(_)) => {}
        }
        match after {
            Some(after) => notes.keys.put(row, after.to_bytes()),
            None => notes.keys.remove(row),
        }
        Ok(())
    }

    /// A key that was destroyed; the time tells it from a replica that was here earlier or comes later.
    async fn record_burial(&self, burial: &Burial, ask_log: bool) -> anyhow::Result<()> {
        let key = self.arn(burial.account, &burial.key_id);
        let moment = burial.at.millis().to_be_bytes();
        self.record(&ServiceEvent::DeleteKey { key: &key }, &[&moment], ask_log).await
    }

    fn arn(&self, account: AccountId, key_id: &KeyId) -> KeyArn {
        KeyArn { region: self.handles.service.region().clone(), account, key_id: *key_id }
    }

    /// Every version from the one that was current to the one that is. Of a key of which nothing is noted yet, those that became
    /// current here since it exists.
    async fn record_rotations(
        &self,
        key: &KeyArn,
        before: Option<&Noted>,
        entry: &KeyEntry,
        ask_log: bool,
    ) -> anyhow::Result<()> {
        let was = before.and_then(|noted| noted.current);
        let not_before = self.since.max(entry.record.created_at);
        // Material that was gone and came back has rotations that are recorded.
        let ask_log = ask_log || (before.is_some() && was.is_none());
        for rotation in between(&versions(entry), was, entry.current, not_before) {
            let material = rotation.to.material;
            let event = ServiceEvent::RotateKey {
                key,
                rotation_type: rotation.to.rotation_type.unwrap_or(RotationType::OnDemand),
                origin: entry.record.origin,
                previous: Some(rotation.previous),
                current: material,
            };
            self.record(&event, &[material.as_bytes()], ask_log).await?;
            self.record_synchronisation(key, &material, entry, ask_log).await?;
        }
        Ok(())
    }

    /// In the Region that was primary at that moment: that all Regions that held the key had the new material when it became current. The time is
    /// that of the first word of each, or, of a rotation from before a restart, that of the entry that vouches for it.
    async fn record_synchronisation(
        &self,
        key: &KeyArn,
        material: &KeyMaterialId,
        entry: &KeyEntry,
        ask_log: bool,
    ) -> anyhow::Result<()> {
        let Some(set) = &entry.set else { return Ok(()) };
        let activation = set.material(material).and_then(|version| version.activation.as_ref());
        // The primary may have moved since.
        let Some(activation) = activation.filter(|it| it.by.as_ref() == Some(&key.region)) else { return Ok(()) };
        let said = self.handles.service.acknowledged(&key.key_id, material);
        let holders = set.holders.iter().filter(|(_, holder)| holder.added_at <= activation.at);
        let acknowledgements: Vec<Acknowledgement> = holders
            .map(|(region, _)| {
                let at = said.get(region).copied().unwrap_or(activation.at);
                Acknowledgement { region: region.clone(), at: (!activation.without.contains(region)).then_some(at) }
            })
            .collect();
        let request_id = Uuid::derived(&[
            self.handles.cluster_id.as_bytes(),
            b"SynchronizeMultiRegionKey",
            key.key_id.as_bytes(),
            material.as_bytes(),
        ]);
        let event = ServiceEvent::SynchronizeMultiRegionKey { key, request_id, acknowledgements: &acknowledgements };
        self.record(&event, &[material.as_bytes()], ask_log).await?;
        self.handles.service.forget_acknowledgements(&key.key_id, material);
        Ok(())
    }

    /// Imported material that was to expire, is gone, and whose time is over.
    async fn record_expiries(
        &self,
        key: &KeyArn,
        before: &Noted,
        entry: &KeyEntry,
        ask_log: bool,
    ) -> anyhow::Result<()> {
        let now = self.handles.clock.now();
        for (material, expires_at) in before.expiring.iter().filter(|(_, expires_at)| *expires_at <= now) {
            if !entry.record.has_material(material) {
                let event = ServiceEvent::DeleteExpiredKeyMaterial { key, material: *material };
                let moment = expires_at.millis().to_be_bytes();
                self.record(&event, &[material.as_bytes(), &moment], ask_log).await?;
            }
        }
        Ok(())
    }

    async fn record_regions(&self, ask_log: bool) -> anyhow::Result<()> {
        let state = self.handles.control.state();
        for line in state.regions() {
            let row = [REGION_PREFIX, line.region.as_str().as_bytes()].concat();
            if self.store.get(Keyspace::Node, &row)?.is_some() {
                continue;
            }
            let (region, change) = (&line.region, membership(line.role));
            self.record(&ServiceEvent::ChangeMembership { region, change }, &[region_bytes(region)], ask_log).await?;
            let mut batch = WriteBatch::new();
            batch.put(row, [1]);
            self.store.write(Keyspace::Node, batch)?;
            self.store.barrier()?;
        }
        Ok(())
    }

    /// Records an event, unless the log has it. What tells two events of one kind and key apart is in `apart`.
    async fn record(&self, event: &ServiceEvent<'_>, apart: &[&[u8]], ask_log: bool) -> anyhow::Result<()> {
        let region = self.handles.service.region();
        let key = match event {
            ServiceEvent::RotateKey { key, .. }
            | ServiceEvent::SynchronizeMultiRegionKey { key, .. }
            | ServiceEvent::DeleteKey { key }
            | ServiceEvent::DeleteExpiredKeyMaterial { key, .. } => Some((*key).clone()),
            _ => None,
        };
        let named = key.as_ref().map(|key| key.key_id);
        let mut parts: Vec<&[u8]> =
            vec![self.handles.cluster_id.as_bytes(), region_bytes(region), event.name().as_bytes()];
        parts.extend(named.as_ref().map(|key_id| key_id.as_bytes().as_slice()));
        parts.extend_from_slice(apart);
        let event_id = Uuid::derived(&parts);
        if ask_log && self.is_recorded(event.name(), named, event_id)? {
            return Ok(());
        }
        let record = ServiceRecord { event_id, time: self.handles.clock.now(), event: *event, control_log_index: None };
        Ok(self.handles.audit.record(record.record(region), Priority::Operator).await?)
    }

    fn is_recorded(&self, name: &str, key: Option<KeyId>, event_id: Uuid) -> std::io::Result<bool> {
        let filter = Filter { key, operation: Some(name.to_owned()), ..Filter::default() };
        let wanted = event_id.to_string();
        for found in Search::new(self.files.clone(), filter) {
            if found?.event.event_id == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// From when on this Region records events: its first start with a version that does.
fn since(store: &dyn Store, now: Timestamp) -> anyhow::Result<Timestamp> {
    if let Some(row) = store.get(Keyspace::Node, SINCE_KEY)? {
        let millis =
            row.try_into().map_err(|_row| anyhow::anyhow!("the time since when events are recorded is damaged"))?;
        return Ok(Timestamp::from_millis(u64::from_be_bytes(millis)));
    }
    let mut batch = WriteBatch::new();
    batch.put(SINCE_KEY, now.millis().to_be_bytes());
    store.write(Keyspace::Node, batch)?;
    store.barrier()?;
    Ok(now)
}

const fn membership(role: RegionRole) -> MembershipChange {
    match role {
        RegionRole::Full => MembershipChange::Joined,
        RegionRole::Witness => MembershipChange::JoinedAsWitness,
    }
}

fn region_bytes(region: &RegionName) -> &[u8] {
    region.as_str().as_bytes()
}
