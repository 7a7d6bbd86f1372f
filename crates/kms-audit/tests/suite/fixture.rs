//! A cluster's worth of logs on the twin, with a clock, IDs and signatures that repeat.

use kms_audit::{
    ApiCall, AuditLog, Checkpoint, Elements, Event, Evidence, Head, Identity, LogFiles, LogName, Member, MemoryVolume,
    Operation, Outcome, Priority, Receipt, Record, Report, RequestOrigin, Resource, Signature, SignedCheckpoint,
    Signer, SignerError, SigningKeyId, Start, UserIdentity, Uuid, Verifier, WriterOptions, WriterPorts, verify,
};
use kms_types::{AccountId, KeyArn, KeyId, RegionName, Timestamp};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// 2026-11-22T00:00:00Z.
pub(crate) const DAY_ONE: u64 = 1_795_305_600_000;
pub(crate) const DAY: u64 = 86_400_000;
/// Longest wait for something that the writer does by itself.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

pub(crate) fn log_of(name: &str) -> LogName {
    LogName::new("dev-1", region(name)).unwrap()
}

pub(crate) fn log() -> LogName {
    log_of("eu-west-1")
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("111122223333").unwrap()
}

pub(crate) fn key_arn(region_name: &str) -> KeyArn {
    let key_id = KeyId::parse("mrk-1234abcd12ab34cd56ef1234567890ab").unwrap();
    KeyArn { region: region(region_name), account: account(), key_id }
}

pub(crate) fn uuid(number: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Uuid::from_bytes(bytes)
}

/// The record of one Decrypt, told apart by its number.
pub(crate) fn decrypt(number: u64, time: u64) -> Record {
    decrypt_in(&region("eu-west-1"), number, time, None)
}

pub(crate) fn decrypt_in(region: &RegionName, number: u64, time: u64, control_log_index: Option<u64>) -> Record {
    let key = key_arn(region.as_str());
    let parameters = Elements::new()
        .text(Member::KEY_ID, key.key_id.as_str())
        .text(Member::ENCRYPTION_ALGORITHM, "SYMMETRIC_DEFAULT");
    let none = Elements::new();
    let call = ApiCall {
        event_id: uuid(number),
        request_id: uuid(number | 1 << 63),
        time: Timestamp::from_millis(time),
        operation: Operation::kms("Decrypt"),
        identity: Identity::User(alice()),
        origin: RequestOrigin { address: "192.0.2.7", user_agent: "aws-cli/2.31", tls: None },
        outcome: Outcome::Success,
        parameters: &parameters,
        response: &none,
        additional: &none,
        resources: &[Resource::Key(&key)],
        recipient: Some(account()),
        decision: None,
        control_log_index,
    };
    call.record(region)
}

pub(crate) fn alice() -> UserIdentity<'static> {
    UserIdentity {
        arn: "arn:aws:iam::111122223333:user/alice",
        principal_id: "AIDAEXAMPLE",
        account: account(),
        access_key_id: Some("AKIAEXAMPLE"),
        user_name: "alice",
    }
}

/// The number of a record made by [`decrypt`].
pub(crate) fn number(event: &Event) -> u64 {
    u64::from_str_radix(&event.event_id.replace('-', ""), 16).unwrap()
}

/// Signatures of all Regions. Not a signature scheme: whoever can check can sign. Tests do not forge by accident.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    region: RegionName,
}

impl Keys {
    pub(crate) fn of(region: &RegionName) -> Self {
        Self { region: region.clone() }
    }
}

fn toy_signature(region: &RegionName, bytes: &[u8]) -> Signature {
    let key: [u8; 32] = Sha256::digest(region.as_str()).into();
    let bytes = Sha256::new_with_prefix(key).chain_update(bytes).finalize().to_vec();
    Signature { key: SigningKeyId::from_bytes(key), bytes }
}

impl Signer for Keys {
    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerError> {
        Ok(toy_signature(&self.region, bytes))
    }
}

impl Verifier for Keys {
    fn verify(&self, region: &RegionName, bytes: &[u8], signature: &Signature) -> bool {
        *signature == toy_signature(region, bytes)
    }
}

/// The surroundings of one Region's writer.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) log: LogName,
    pub(crate) volume: MemoryVolume,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) options: WriterOptions,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self::of("eu-west-1", MemoryVolume::new())
    }

    /// A writer's surroundings without a reserve, and without anything that happens by itself.
    pub(crate) fn of(region_name: &str, volume: MemoryVolume) -> Self {
        let options = WriterOptions {
            reserve_bytes: 0,
            interval: Duration::from_secs(3600),
            deadline: PATIENCE,
            ..WriterOptions::default()
        };
        Self { log: log_of(region_name), volume, clock: Arc::new(AtomicU64::new(DAY_ONE)), options }
    }

    /// The same on another volume, such as one after a power cut.
    pub(crate) fn on(&self, volume: MemoryVolume) -> Self {
        Self { volume, ..self.clone() }
    }

    pub(crate) fn ports(&self) -> WriterPorts {
        let (clock, ids) = (Arc::clone(&self.clock), Arc::new(AtomicU64::new(1 << 40)));
        WriterPorts {
            volume: Arc::new(self.volume.clone()),
            clock: Arc::new(move || Timestamp::from_millis(clock.load(Ordering::SeqCst))),
            event_ids: Arc::new(move || uuid(ids.fetch_add(1, Ordering::SeqCst))),
            signer: Arc::new(Keys::of(self.log.region())),
        }
    }

    pub(crate) fn open(&self) -> AuditLog {
        AuditLog::open(self.ports(), self.log.clone(), &self.options).unwrap()
    }

    pub(crate) fn files(&self) -> LogFiles {
        LogFiles::of(Arc::new(self.volume.clone()), self.log.clone()).unwrap()
    }

    /// Every record in the log, by the order of files and lines.
    pub(crate) fn events(&self) -> Vec<Event> {
        let files = self.files();
        let contents = files.days().iter().map(|day| self.volume.read(&files.name(*day)).unwrap());
        let text = String::from_utf8(contents.collect::<Vec<_>>().concat()).unwrap();
        text.lines().map(|line| Event::parse(line).unwrap()).collect()
    }

    /// Numbers of the records that requests made.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.events().iter().filter(|event| event.name == "Decrypt").map(number).collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.events().into_iter().map(|event| event.name).collect()
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_with(&[], &[])
    }

    pub(crate) fn verify_with(&self, heads: &[Head], checkpoints: &[SignedCheckpoint]) -> Report {
        let verifier = Keys::of(self.log.region());
        let evidence = Evidence { start: Start::Origin, heads, checkpoints, verifier: &verifier };
        verify(&self.files(), &evidence).unwrap()
    }

    /// A log with so many records, half of them on the second day, closed in good order.
    pub(crate) fn written(region_name: &str, records: u64) -> Self {
        let node = Self::of(region_name, MemoryVolume::new());
        let log = node.open();
        for number in 0..records {
            let time = DAY_ONE + DAY * (2 * number / records.max(1)) + number;
            node.clock.store(time, Ordering::SeqCst);
            append(&log, decrypt_in(node.log.region(), number, time, None));
        }
        drop(log);
        node
    }

    /// A signed checkpoint of the log as it is, countersigned by these Regions.
    pub(crate) fn checkpoint(&self, head: Head, witnesses: &[&str]) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            log: self.log.clone(),
            head,
            time: Timestamp::from_millis(DAY_ONE),
            control_log_index: head.sequence / 2,
        };
        let mut signed = checkpoint.sign(&Keys::of(self.log.region())).unwrap();
        for witness in witnesses.iter().map(|name| region(name)) {
            let keys = Keys::of(&witness);
            signed.countersign(witness, Timestamp::from_millis(DAY_ONE + 1), &keys).unwrap();
        }
        signed
    }
}

/// Appends a request's record and returns its place.
pub(crate) fn append(log: &AuditLog, record: Record) -> Head {
    match log.append(record, Priority::Request).unwrap() {
        Receipt::Recorded(head) => head,
        Receipt::Unrecorded => panic!("the record was let go"),
    }
}

/// Waits until something holds that the writer brings about by itself.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::yield_now();
    }
}
