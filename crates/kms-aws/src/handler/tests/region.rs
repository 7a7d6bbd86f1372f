//! A Region in memory, without other Regions and without a control log: enough for single-Region keys.

use super::Api;
use crate::sigv4::tests::{NOW, principals};
use kms_audit::{AuditError, Priority, Record};
use kms_core::control::ControlBody;
use kms_core::regional::{RegionalBody, RegionalChange, RegionalCommand, RegionalOutcome, RegionalState};
use kms_crypto::{Entropy, EntropyError, KekEpoch, RegionKek, SealingKey};
use kms_service::{
    AttestationVerifier, AuditSink, Clock, Committed, ControlLog, ControlLogError, Directory, Keyring, PeerError,
    Peers, PortFuture, Ports, RegionalLog, RegionalLogError, ReplicaReport, Service, ServiceConfig, TrustRoots, Work,
    Workers, WorkersBusy,
};
use kms_types::{KeyId, KeyMaterialId, RegionName, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The API of a fresh Region `us-east-1`.
pub(super) fn api() -> Api {
    audited_api(Arc::default())
}

/// The same, believing the attestation documents of an authority too.
pub(super) fn attested_api(root_pem: &str, audit: Arc<MemoryAudit>) -> Api {
    let roots = TrustRoots::aws().unwrap().with_pem(root_pem.as_bytes()).unwrap();
    api_with(Arc::new(AttestationVerifier::new(roots)), audit)
}

/// The same, with the audit log of the test.
pub(super) fn audited_api(audit: Arc<MemoryAudit>) -> Api {
    api_with(Arc::new(AttestationVerifier::new(TrustRoots::default())), audit)
}

fn api_with(attestation: Arc<AttestationVerifier>, audit: Arc<MemoryAudit>) -> Api {
    let region = RegionName::parse("us-east-1").unwrap();
    let directory = Arc::new(Directory::new(region.clone()));
    let entropy: Arc<dyn Entropy> = Arc::new(Counter::default());
    let regional = Arc::new(Memory { directory: Arc::clone(&directory), rows: Mutex::default() });
    let kek = RegionKek::generate(KekEpoch(1), entropy.as_ref()).unwrap();
    let keyring = Keyring::new(
        ("cluster".into(), region.clone()),
        BTreeMap::from([(KekEpoch(1), Arc::new(kek))]),
        SealingKey::generate(entropy.as_ref()).unwrap(),
        Arc::clone(&entropy),
        Arc::<Memory>::clone(&regional),
        100,
    );
    let config = ServiceConfig { attestation, ..ServiceConfig::new(region.clone()) };
    let ports = Ports {
        control: Arc::new(Nobody),
        regional,
        peers: Arc::new(Nobody),
        clock: Arc::new(Still),
        entropy,
        workers: Arc::new(AtOnce),
    };
    let service = Service::new(config, directory, Arc::new(keyring), ports);
    Api::new(Arc::new(service), Arc::new(principals()), Arc::new(Still), Arc::new(|| [7; 16]), audit)
}

/// Records in memory, or none when it is full.
#[derive(Debug, Default)]
pub(super) struct MemoryAudit {
    pub(super) lines: Mutex<Vec<String>>,
    pub(super) full: std::sync::atomic::AtomicBool,
}

impl AuditSink for MemoryAudit {
    fn check(&self, _priority: Priority) -> Result<(), AuditError> {
        if self.full.load(Ordering::Relaxed) { Err(AuditError::Full) } else { Ok(()) }
    }

    fn record(&self, record: Record, priority: Priority) -> PortFuture<'_, Result<(), AuditError>> {
        let taken = self.check(priority);
        if taken.is_ok() {
            self.lines.lock().unwrap().push(format!("{record:?}"));
        }
        Box::pin(std::future::ready(taken))
    }
}

/// The time of the signed requests in tests.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }
}

/// Bytes that never repeat, and are the same in every run.
#[derive(Debug, Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in dest.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&count.to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

type Rows = (RegionalState, HashMap<(KeyId, KeyMaterialId), Vec<u8>>);

#[derive(Debug)]
struct Memory {
    directory: Arc<Directory>,
    rows: Mutex<Rows>,
}

impl RegionalLog for Memory {
    fn submit(&self, body: RegionalBody) -> PortFuture<'_, Result<RegionalOutcome, RegionalLogError>> {
        let mut rows = self.rows.lock().unwrap();
        let applied = rows.0.apply(&RegionalCommand { at: Timestamp::from_millis(NOW), body });
        for change in &applied.changes {
            if let RegionalChange::PutMaterial(key_id, material) = change {
                rows.1.insert((*key_id, material.material_id), material.wrapped.clone());
            }
        }
        self.directory.absorb_regional(&applied.changes);
        Box::pin(async move { Ok(applied.outcome) })
    }

    fn wrapped_material(&self, key_id: &KeyId, material: &KeyMaterialId) -> Result<Option<Vec<u8>>, RegionalLogError> {
        Ok(self.rows.lock().unwrap().1.get(&(*key_id, *material)).cloned())
    }

    fn await_material<'a>(&'a self, _: &'a KeyId, _: &'a KeyMaterialId, _: Duration) -> PortFuture<'a, bool> {
        Box::pin(async { false })
    }

    fn await_key<'a>(&'a self, _: &'a KeyId, _: Duration) -> PortFuture<'a, bool> {
        Box::pin(async { false })
    }
}

/// The other Regions, none of which answers.
#[derive(Debug)]
struct Nobody;

impl ControlLog for Nobody {
    fn propose(&self, _: ControlBody) -> PortFuture<'_, Result<Committed, ControlLogError>> {
        Box::pin(async { Err(ControlLogError::NoMajority { sent: false }) })
    }

    fn read_barrier(&self, _: Duration) -> PortFuture<'_, Result<u64, ControlLogError>> {
        Box::pin(async { Err(ControlLogError::NoMajority { sent: false }) })
    }
}

impl Peers for Nobody {
    fn replica_report<'a>(
        &'a self,
        region: &'a RegionName,
        _: &'a KeyId,
        _: Duration,
    ) -> PortFuture<'a, Result<ReplicaReport, PeerError>> {
        Box::pin(async { Err(PeerError::Unreachable(region.clone())) })
    }
}

/// Does the work of a worker thread on the thread that asks for it.
#[derive(Debug)]
struct AtOnce;

impl Workers for AtOnce {
    fn submit(&self, work: Work) -> Result<(), WorkersBusy> {
        work();
        Ok(())
    }
}
