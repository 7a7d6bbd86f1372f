//! A Region in memory with a directory of principals: roles, session token keys, and a clock that can be set.

use super::region::{MemoryAudit, region};
use super::{Answer, Api, Draft, send};
use crate::session_cache::SessionCache;
use crate::sigv4::tests::{NOW, principals};
use crate::{Principal, Principals, SecretKey};
use kms_core::LogPosition;
use kms_core::control::identity::{CreateRole, IdentityBody, PrincipalChange, RoleChange};
use kms_core::control::{
    ControlBody, ControlCommand, ControlOutcome, ControlState, ProposalId, RegionRole, RegisterRegion,
};
use kms_service::{Clock, Identities, Identity, Keyring, Lease, Sessions};
use kms_types::{AccountId, IamName, IamPath, RegionName, RoleId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow",
    "Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}"#;
const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A clock that stands still until it is set.
#[derive(Debug)]
struct Wound(AtomicU64);

impl Clock for Wound {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// The API of a Region with a directory, and the hand that changes the directory.
pub(super) struct Stage {
    pub(super) api: Api,
    pub(super) audit: Arc<MemoryAudit>,
    principals: Arc<Principals>,
    identities: Arc<Identities>,
    keyring: Arc<Keyring>,
    clock: Arc<Wound>,
    control: ControlState,
    commands: u64,
}

/// Temporary credentials.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    pub(super) access_key: String,
    pub(super) secret: String,
    pub(super) token: String,
}

impl Credentials {
    /// A request to KMS.
    pub(super) fn kms(&self, operation: &str, body: &[u8]) -> Draft {
        Draft::new(&format!("TrentService.{operation}"), body).of_session(&self.access_key, &self.secret, &self.token)
    }

    /// A request to STS.
    pub(super) fn sts(&self, body: &str) -> Draft {
        Draft::form(body).of_session(&self.access_key, &self.secret, &self.token)
    }
}

/// The role that tests assume.
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/team/Builder";

impl Stage {
    /// With the role [`ROLE`], which may do everything and which everybody of the account may assume.
    pub(super) fn new() -> Self {
        let mut stage = Self::empty();
        stage.create_role("AROABUILDER", TRUST);
        stage.session_key(1, false);
        stage
    }

    fn empty() -> Self {
        let (service, keyring) = region();
        let clock = Arc::new(Wound(AtomicU64::new(NOW)));
        let lease = Lease::new(Duration::from_hours(1), Arc::clone(&clock) as Arc<dyn Clock>);
        let identities = Arc::new(Identities::new(Arc::new(lease)));
        identities.lease().confirm(identities.lease().moment());
        let sessions = Arc::new(Sessions::new(Arc::clone(&identities), Arc::clone(&keyring)));
        let known = principals();
        known.replace(file()).unwrap();
        let principals = Arc::new(known.with_directory(sessions));
        let audit = Arc::<MemoryAudit>::default();
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let sink = Arc::<MemoryAudit>::clone(&audit);
        let api = Api::new(Arc::new(service), Arc::clone(&principals), time, Arc::new(|| [7; 16]), sink);
        let sealing_public_key = keyring.sealing_public_key().as_bytes().to_vec();
        let control = ControlState::default();
        let mut stage = Self { api, audit, principals, identities, keyring, clock, control, commands: 0 };
        let (role, signing_public_key) = (RegionRole::Full, Vec::new());
        stage.does(ControlBody::RegisterRegion(RegisterRegion { sealing_public_key, role, signing_public_key }));
        stage
    }

    fn does(&mut self, body: ControlBody) {
        self.commands += 1;
        let region = RegionName::parse("us-east-1").unwrap();
        let proposal_id = ProposalId(u128::from(self.commands).to_be_bytes());
        let command = ControlCommand { proposal_id, region, at: Timestamp::from_millis(NOW), body };
        assert_eq!(self.control.apply(LogPosition::default(), &command).outcome, ControlOutcome::Done);
        self.identities.rebuild(self.control.identities(), &self.keyring);
        self.principals.take_in(&self.identities);
    }

    /// Makes [`ROLE`].
    pub(super) fn create_role(&mut self, unique_id: &str, trust: &str) {
        self.does(ControlBody::Identity(IdentityBody::CreateRole(Box::new(CreateRole {
            id: role(),
            unique_id: unique_id.to_owned(),
            path: IamPath::parse("/team/").unwrap(),
            trust: trust.to_owned(),
            max_session_seconds: 7_200,
            tags: BTreeMap::from([("project".to_owned(), "apollo".to_owned())]),
        }))));
        self.policy(EVERYTHING);
    }

    /// Changes [`ROLE`].
    pub(super) fn change(&mut self, change: RoleChange) {
        self.does(ControlBody::Identity(IdentityBody::ChangeRole { id: role(), change }));
    }

    /// Sets what [`ROLE`] may do.
    pub(super) fn policy(&mut self, text: &str) {
        let name = IamName::parse("all").unwrap();
        self.change(RoleChange::Principal(PrincipalChange::PutPolicy(name, text.to_owned())));
    }

    /// Deletes [`ROLE`].
    pub(super) fn delete_role(&mut self) {
        self.does(ControlBody::Identity(IdentityBody::DeleteRole { id: role() }));
    }

    /// The session token key of an epoch.
    pub(super) fn session_key(&mut self, epoch: u64, end_sessions: bool) {
        let key = self.keyring.new_session_key().unwrap();
        let regions: Vec<_> = self.control.regions().cloned().collect();
        let boxes = self.keyring.seal_session_key(epoch, &key, regions.iter().map(AsRef::as_ref)).unwrap();
        self.does(ControlBody::Identity(IdentityBody::CreateSessionKey { epoch, boxes, end_sessions }));
    }

    /// Sets the clock to some seconds after [`NOW`], and confirms the directory then unless it is to run out.
    pub(super) fn later(&self, seconds: u64, confirmed: bool) {
        self.clock.0.store(NOW + seconds * 1_000, Ordering::Relaxed);
        if confirmed {
            self.identities.lease().confirm(self.identities.lease().moment());
        }
    }

    /// A cache of at most this many sessions.
    pub(super) fn cache(&self, max: usize) -> SessionCache {
        let sessions = Sessions::new(Arc::clone(&self.identities), Arc::clone(&self.keyring));
        SessionCache::new(Arc::new(sessions)).with_max(max)
    }

    /// Lets go of what was derived for sessions, as after a start.
    pub(super) fn principals_forget(&self) {
        self.principals.forget_sessions();
    }

    /// AssumeRole by the administrator of the principals file.
    pub(super) async fn assume(&self, more: &str) -> Answer {
        send(&self.api, Draft::form(&assume_role(more)).sign()).await
    }

    /// The credentials of a session.
    pub(super) async fn session(&self, more: &str) -> Credentials {
        credentials(&self.assume(more).await)
    }

    /// The records so far.
    pub(super) fn records(&self) -> Vec<String> {
        self.audit.lines.lock().unwrap().clone()
    }
}

/// Alice, who may do everything, the root user, and Eve of another account.
fn file() -> Vec<Principal> {
    let principal = |access_key: &str, arn: &str, account: &str, administrator| Principal {
        access_key: access_key.to_owned(),
        secret: SecretKey::new(crate::sigv4::tests::SECRET.to_owned()),
        identity: Arc::new(Identity::bootstrap(
            arn,
            AccountId::parse(account).unwrap(),
            administrator,
            Some(access_key),
        )),
    };
    vec![
        principal("AKIDEXAMPLE", "arn:aws:iam::111122223333:user/alice", ACCOUNT, true),
        principal("AKIDROOT", "arn:aws:iam::111122223333:root", ACCOUNT, true),
        principal("AKIDPLAIN", "arn:aws:iam::111122223333:user/plain", ACCOUNT, false),
        principal("AKIDEVE", "arn:aws:iam::444455556666:user/eve", "444455556666", true),
    ]
}

fn role() -> RoleId {
    RoleId { account: AccountId::parse(ACCOUNT).unwrap(), name: IamName::parse("Builder").unwrap() }
}

/// A form that assumes [`ROLE`].
pub(super) fn assume_role(more: &str) -> String {
    format!("Action=AssumeRole&Version=2011-06-15&RoleArn={ROLE}&RoleSessionName=ci{more}")
}

/// The text of an element of an answer.
pub(super) fn element(answer: &Answer, name: &str) -> String {
    let body = str::from_utf8(&answer.body).unwrap();
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {body}"));
    rest.split_once("</").unwrap().0.to_owned()
}

/// The credentials that AssumeRole answered.
pub(super) fn credentials(answer: &Answer) -> Credentials {
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let text = |name: &str| element(answer, name);
    Credentials { access_key: text("AccessKeyId"), secret: text("SecretAccessKey"), token: text("SessionToken") }
}
