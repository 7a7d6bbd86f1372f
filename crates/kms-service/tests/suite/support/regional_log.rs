//! The regional log of one Region, in memory.

use super::sources::TestClock;
use kms_core::regional::{RegionalBody, RegionalChange, RegionalCommand, RegionalOutcome, RegionalState};
use kms_service::{Clock, Directory, Keyring, PortFuture, RegionalLog, RegionalLogError, Service};
use kms_types::{KeyId, KeyMaterialId};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

pub(crate) struct TestRegionalLog {
    clock: Arc<TestClock>,
    directory: Arc<Directory>,
    inner: Mutex<Inner>,
    full: AtomicBool,
    /// Set once the service exists, which needs the log to be made.
    users: OnceLock<(Weak<Keyring>, Weak<Service>)>,
}

#[derive(Default)]
struct Inner {
    state: RegionalState,
    materials: BTreeMap<(KeyId, KeyMaterialId), Vec<u8>>,
    applied: usize,
}

impl std::fmt::Debug for TestRegionalLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestRegionalLog")
    }
}

impl TestRegionalLog {
    pub(crate) fn new(clock: Arc<TestClock>, directory: Arc<Directory>) -> Self {
        Self { clock, directory, inner: Mutex::default(), full: AtomicBool::new(false), users: OnceLock::new() }
    }

    pub(crate) fn set_users(&self, keyring: &Arc<Keyring>, service: &Arc<Service>) {
        self.users.set((Arc::downgrade(keyring), Arc::downgrade(service))).ok().unwrap();
    }

    /// From now on the queue is full, or not.
    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    pub(crate) fn len(&self) -> usize {
        self.inner.lock().unwrap().applied
    }

    /// How many versions of wrapped material of a key are stored.
    pub(crate) fn stored_versions(&self, key_id: &KeyId) -> usize {
        self.inner.lock().unwrap().materials.keys().filter(|(key, _)| key == key_id).count()
    }

    fn apply(&self, body: RegionalBody) -> RegionalOutcome {
        let mut inner = self.inner.lock().unwrap();
        let Inner { state, materials, applied } = &mut *inner;
        let result = state.apply(&RegionalCommand { at: self.clock.now(), body });
        state.check_invariants().unwrap();
        *applied += 1;
        for change in &result.changes {
            match change {
                RegionalChange::PutMaterial(key_id, new) => {
                    materials.insert((*key_id, new.material_id), new.wrapped.clone());
                }
                RegionalChange::DeleteMaterial(key_id, id) => {
                    materials.remove(&(*key_id, *id));
                }
                _ => {}
            }
        }
        drop(inner);
        match self.users.get().and_then(|(keyring, _)| keyring.upgrade()) {
            Some(keyring) => Service::absorb_regional(&self.directory, &keyring, &result.changes),
            None => self.directory.absorb_regional(&result.changes),
        }
        result.outcome
    }

    async fn synchronise(&self, key_id: &KeyId) {
        if let Some(service) = self.users.get().and_then(|(_, service)| service.upgrade()) {
            service.synchronise(key_id).await.unwrap();
        }
    }

    fn is_installed(&self, key_id: &KeyId, material: &KeyMaterialId) -> bool {
        self.directory.key(key_id).is_some_and(|entry| entry.record.has_material(material))
    }
}

impl RegionalLog for TestRegionalLog {
    fn submit(&self, body: RegionalBody) -> PortFuture<'_, Result<RegionalOutcome, RegionalLogError>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) { Err(RegionalLogError::Busy) } else { Ok(self.apply(body)) }
        })
    }

    fn wrapped_material(&self, key_id: &KeyId, material: &KeyMaterialId) -> Result<Option<Vec<u8>>, RegionalLogError> {
        Ok(self.inner.lock().unwrap().materials.get(&(*key_id, *material)).cloned())
    }

    /// Does the Region's background work for the key instead of waiting for it: a deadline passes at once.
    fn await_material<'a>(
        &'a self,
        key_id: &'a KeyId,
        material: &'a KeyMaterialId,
        _: Duration,
    ) -> PortFuture<'a, bool> {
        Box::pin(async move {
            if !self.is_installed(key_id, material) {
                self.synchronise(key_id).await;
            }
            self.is_installed(key_id, material)
        })
    }

    fn await_key<'a>(&'a self, key_id: &'a KeyId, _: Duration) -> PortFuture<'a, bool> {
        Box::pin(async move {
            if self.directory.key(key_id).is_none() {
                self.synchronise(key_id).await;
            }
            self.directory.key(key_id).is_some()
        })
    }
}
