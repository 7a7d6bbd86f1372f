//! A cluster of Regions in one process, and short forms of the requests that most tests make.

use super::control_log::{Link, Seat, SharedLog};
use super::regional_log::TestRegionalLog;
use super::sources::{Stream, TestClock, TestWorkers};
use kms_core::control::{
    ControlBody, ControlChange, ControlCommand, ControlOutcome, RegionRole, RegisterRegion, ResidencyRule,
    ResidencyRules,
};
use kms_crypto::{Entropy, KekEpoch, RegionKek, SealingKey};
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::decrypt::{DecryptRequest, DecryptResponse};
use kms_service::operations::describe_key::DescribeKeyRequest;
use kms_service::operations::encrypt::{EncryptRequest, Secret};
use kms_service::operations::key_metadata::KeyMetadata;
use kms_service::operations::replicate_key::{ReplicateKeyRequest, ReplicateKeyResponse};
use kms_service::operations::rotate_key_on_demand::RotateKeyOnDemandRequest;
use kms_service::{
    Authenticated, Caller, Clock, Directory, Identities, Identity, Keyring, KmsError, Lease, Ports, RequestId, Service,
    ServiceConfig,
};
use kms_types::{AccountId, EncryptionContext, KeyId, RegionName, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";

/// Most rounds of background work until nothing moves any more.
const ROUNDS_MAX: usize = 20;

pub(crate) struct Cluster {
    clock: Arc<TestClock>,
    log: Arc<SharedLog>,
    workers: Arc<TestWorkers>,
    nodes: BTreeMap<RegionName, Node>,
    callers_entropy: Stream,
}

struct Node {
    service: Arc<Service>,
    regional: Arc<TestRegionalLog>,
    keyring: Arc<Keyring>,
}

pub(crate) fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

/// A request of an administrator of the usual account.
pub(crate) fn admin<T>(request: T) -> Authenticated<T> {
    admin_of(ACCOUNT, request)
}

/// A request of an administrator of an account.
pub(crate) fn admin_of<T>(account: &str, request: T) -> Authenticated<T> {
    Authenticated { caller: caller(&format!("arn:aws:iam::{account}:user/admin"), true), request }
}

/// A request of somebody in the usual account who may do nothing.
pub(crate) fn nobody<T>(request: T) -> Authenticated<T> {
    user(&format!("arn:aws:iam::{ACCOUNT}:user/nobody"), request)
}

/// A request of a principal who is no administrator.
pub(crate) fn user<T>(arn: &str, request: T) -> Authenticated<T> {
    Authenticated { caller: caller(arn, false), request }
}

fn caller(arn: &str, administrator: bool) -> Caller {
    let account = AccountId::parse(arn.split(':').nth(4).unwrap()).unwrap();
    let identity = Identity::bootstrap(arn, account, administrator, None);
    Caller::new(Arc::new(identity), RequestId::from_random([7; 16]))
}

impl Cluster {
    /// Regions that hold keys, all connected. The first one makes most requests.
    pub(crate) fn new(regions: &[&str]) -> Self {
        Self::with_config(regions, |_| {})
    }

    pub(crate) fn with_config(regions: &[&str], change: impl Fn(&mut ServiceConfig)) -> Self {
        Self::build(regions, change, |region| Arc::new(Stream::new(region)))
    }

    /// Keys of the hierarchy come from a good source; `entropy` is what the services draw from afterwards.
    pub(crate) fn build(
        regions: &[&str],
        change: impl Fn(&mut ServiceConfig),
        entropy: impl Fn(&str) -> Arc<dyn Entropy>,
    ) -> Self {
        let clock = Arc::new(TestClock::new());
        let log = Arc::new(SharedLog::new(Arc::clone(&clock)));
        let mut cluster = Self {
            clock,
            log,
            workers: Arc::default(),
            nodes: BTreeMap::new(),
            callers_entropy: Stream::new("callers"),
        };
        for name in regions {
            let mut config = ServiceConfig::new(region(name));
            change(&mut config);
            cluster.add_node(config, entropy(name));
        }
        for (name, node) in &cluster.nodes {
            let sealing_public_key = node.keyring.sealing_public_key().as_bytes().to_vec();
            let body = ControlBody::RegisterRegion(RegisterRegion {
                sealing_public_key,
                role: RegionRole::Full,
                signing_public_key: Vec::new(),
            });
            assert_eq!(cluster.log.propose(name, body), Ok(ControlOutcome::Done));
        }
        cluster
    }

    fn add_node(&mut self, config: ServiceConfig, entropy: Arc<dyn Entropy>) {
        let name = config.region.clone();
        let directory = Arc::new(Directory::new(name.clone()));
        let regional = Arc::new(TestRegionalLog::new(Arc::clone(&self.clock), Arc::clone(&directory)));
        let hierarchy = Stream::new(&format!("hierarchy of {name}"));
        let kek = RegionKek::generate(KekEpoch(1), &hierarchy).unwrap();
        let keyring = Arc::new(Keyring::new(
            ("test cluster".to_owned(), name.clone()),
            BTreeMap::from([(kek.epoch(), Arc::new(kek))]),
            SealingKey::generate(&hierarchy).unwrap(),
            Arc::clone(&entropy),
            Arc::clone(&regional) as _,
            16,
        ));
        let seat = Arc::new(Seat { region: name.clone(), log: Arc::clone(&self.log) });
        let ports = Ports {
            control: Arc::clone(&seat) as _,
            regional: Arc::clone(&regional) as _,
            peers: seat,
            clock: Arc::clone(&self.clock) as _,
            entropy,
            workers: Arc::clone(&self.workers) as _,
        };
        let keys_per_account = config.quotas.keys_per_account;
        let service = Arc::new(Service::new(config, Arc::clone(&directory), Arc::clone(&keyring), ports));
        regional.set_users(&keyring, &service);
        self.log.join(directory, keys_per_account);
        self.nodes.insert(name, Node { service, regional, keyring });
    }

    /// The service of a Region.
    pub(crate) fn at(&self, name: &str) -> &Service {
        &self.nodes[&region(name)].service
    }

    /// The keyring of a Region.
    pub(crate) fn keyring(&self, name: &str) -> &Keyring {
        &self.nodes[&region(name)].keyring
    }

    /// The directory of principals as requests see it, before anything was taken in.
    pub(crate) fn identities(&self) -> Identities {
        let clock = Arc::clone(&self.clock);
        Identities::new(Arc::new(Lease::new(Duration::from_secs(3_600), clock)))
    }

    /// The regional log of a Region.
    pub(crate) fn regional(&self, name: &str) -> &TestRegionalLog {
        &self.nodes[&region(name)].regional
    }

    pub(crate) fn set_link(&self, name: &str, link: Link) {
        self.log.set_link(&region(name), link);
    }

    /// From now on the queue of the worker threads is full, or not.
    pub(crate) fn set_workers_busy(&self, busy: bool) {
        self.workers.set_busy(busy);
    }

    pub(crate) fn control_commands(&self) -> Vec<ControlCommand> {
        self.log.commands()
    }

    /// Proposes a command in a Region's name; whether it took effect.
    pub(crate) fn propose(&self, at: &str, body: ControlBody) -> bool {
        self.log.propose(&region(at), body) == Ok(ControlOutcome::Done)
    }

    /// Makes a Region see residency rules that the log never agreed to.
    pub(crate) fn publish_rules(&self, at: &str, rules: Vec<ResidencyRule>) {
        let rules =
            ResidencyRules { version: 1, put_at: self.now(), put_by: region(at), rules, accepted: BTreeSet::new() };
        self.at(at).absorb_control(&[ControlChange::PutResidencyRules(Arc::new(rules))]);
    }

    /// A Region that votes and holds no keys.
    pub(crate) fn join_witness(&self, name: &str) {
        self.log.join(Arc::new(Directory::new(region(name))), 0);
        let witness = RegisterRegion {
            sealing_public_key: Vec::new(),
            role: RegionRole::Witness,
            signing_public_key: Vec::new(),
        };
        assert_eq!(self.log.propose(&region(name), ControlBody::RegisterRegion(witness)), Ok(ControlOutcome::Done));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Randomness for the callers of a test.
    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &self.callers_entropy
    }

    pub(crate) fn advance_days(&self, days: u64) {
        self.clock.advance(Duration::from_secs(86_400 * days));
    }

    /// Lets every connected Region do its background work until nothing moves any more.
    pub(crate) async fn settle(&self) {
        for _ in 0..ROUNDS_MAX {
            let before = self.progress();
            for (name, node) in &self.nodes {
                if self.log.link(name) != Link::Up {
                    continue;
                }
                let keys: BTreeSet<KeyId> = node.service.directory().read(|regional, control| {
                    let sets = control.key_sets().map(|set| set.key_id);
                    sets.chain(regional.keys_after(None).map(|key| key.key_id)).collect()
                });
                for key_id in &keys {
                    node.service.synchronise(key_id).await.unwrap();
                }
                // Fails when the majority is away; what is due stays due.
                let _tried_again_later = node.service.do_what_is_due().await;
            }
            if self.progress() == before {
                return;
            }
        }
        unreachable!("the cluster does not come to rest");
    }

    fn progress(&self) -> (usize, usize) {
        (self.log.len(), self.nodes.values().map(|node| node.regional.len()).sum())
    }

    /// A single-Region key; answers its ID.
    pub(crate) async fn key(&self, at: &str) -> String {
        self.create(at, CreateKeyRequest::default()).await.arn.key_id.to_string()
    }

    /// A multi-Region key with this primary; answers its ID.
    pub(crate) async fn multi_region_key(&self, primary: &str) -> String {
        let request = CreateKeyRequest { multi_region: true, ..Default::default() };
        let key_id = self.create(primary, request).await.arn.key_id.to_string();
        self.settle().await;
        key_id
    }

    pub(crate) async fn create(&self, at: &str, request: CreateKeyRequest) -> KeyMetadata {
        self.at(at).create_key(admin(request)).await.unwrap().key_metadata
    }

    /// A multi-Region key with ready replicas in all the other named Regions; the first one is primary.
    pub(crate) async fn key_in(&self, regions: &[&str]) -> String {
        let key_id = self.multi_region_key(regions[0]).await;
        for replica in &regions[1..] {
            self.replicate(regions[0], &key_id, replica).await.unwrap();
        }
        self.settle().await;
        key_id
    }

    pub(crate) async fn replicate(&self, at: &str, key_id: &str, to: &str) -> Result<ReplicateKeyResponse, KmsError> {
        let request = ReplicateKeyRequest {
            key_id: key_id.to_owned(),
            replica_region: region(to),
            policy: None,
            bypass_policy_lockout_safety_check: None,
            description: None,
            tags: Vec::new(),
        };
        self.at(at).replicate_key(admin(request)).await
    }

    pub(crate) async fn describe(&self, at: &str, key_id: &str) -> Result<KeyMetadata, KmsError> {
        let request = DescribeKeyRequest { key_id: key_id.to_owned(), grant_tokens: Vec::new() };
        Ok(self.at(at).describe_key(admin(request)).await?.key_metadata)
    }

    pub(crate) async fn encrypt(&self, at: &str, key_id: &str, plaintext: &str) -> Result<Vec<u8>, KmsError> {
        let request = EncryptRequest {
            key_id: key_id.to_owned(),
            plaintext: secret(plaintext),
            encryption_context: EncryptionContext::default(),
            grant_tokens: Vec::new(),
            encryption_algorithm: None,
            dry_run: false,
        };
        Ok(self.at(at).encrypt(admin(request)).await?.ciphertext_blob)
    }

    pub(crate) async fn decrypt(&self, at: &str, blob: &[u8]) -> Result<String, KmsError> {
        self.open(at, blob)
            .await
            .map(|opened| String::from_utf8(opened.plaintext.plaintext().unwrap().0.to_vec()).unwrap())
    }

    pub(crate) async fn open(&self, at: &str, blob: &[u8]) -> Result<DecryptResponse, KmsError> {
        let request = DecryptRequest { ciphertext_blob: Some(blob.to_vec()), ..Default::default() };
        self.at(at).decrypt(admin(request)).await
    }

    pub(crate) async fn rotate(&self, at: &str, key_id: &str) -> Result<(), KmsError> {
        let request = RotateKeyOnDemandRequest { key_id: key_id.to_owned() };
        self.at(at).rotate_key_on_demand(admin(request)).await.map(|_| ())
    }
}

fn secret(text: &str) -> Secret {
    let mut secret = Secret::default();
    secret.0.extend_from_slice(text.as_bytes());
    secret
}
