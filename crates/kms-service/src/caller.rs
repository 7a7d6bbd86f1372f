//! Who calls, from where, and what is noted about the request on its way. Only authentication makes a [`Caller`].

use crate::{Committed, RequestId};
use kms_attestation::Attestation;
use kms_core::control::{ControlOutcome, Refusal};
use kms_policy::{Decision, DocumentKind, NamedPolicy, PolicyDocument, Principal, PrincipalKind};
use kms_types::{AccountId, PARTITION, Timestamp};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// An authenticated principal and the request that it makes.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The principal, shared by all its requests.
    pub identity: Arc<Identity>,
    /// The request that it makes.
    pub request_id: RequestId,
    /// Where the request came from.
    pub origin: Origin,
    /// What is noted about the request for its audit record. Clones of a caller share it.
    pub trail: Arc<Trail>,
}

/// A principal with everything that decisions and audit records need to know of it. Built once when the principal changes,
/// not for each request; policies are compiled already.
#[derive(Clone, Debug)]
pub struct Identity {
    /// ARN of the user, of the role session, or of the account's root user.
    pub arn: Arc<str>,
    /// The principal's account.
    pub account: AccountId,
    /// What kind of principal it is.
    pub kind: IdentityKind,
    /// The unique ID (`AIDA…`; of a session the role's `AROA…`, a colon and the session's name).
    pub principal_id: Arc<str>,
    /// The access key that signs; `None` for mutual TLS. A name, not a secret.
    pub access_key_id: Option<Arc<str>>,
    /// Identity policies.
    pub policies: Vec<NamedPolicy>,
    /// The permission boundary, if one is set.
    pub boundary: Option<NamedPolicy>,
    /// The policy that a role session was started with, if any.
    pub session_policy: Option<NamedPolicy>,
    /// Tags of the user, or of the role and its session.
    pub tags: BTreeMap<String, String>,
}

/// The kinds of principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentityKind {
    /// The account's root user.
    Root,
    /// A user.
    User,
    /// A session of a role.
    Session {
        /// ARN of the role, path included.
        role_arn: Arc<str>,
        /// When the session began.
        issued_at: Timestamp,
    },
}

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The peer's address; `None` within the process.
    pub source_ip: Option<IpAddr>,
    /// Whether the request came over TLS.
    pub secure_transport: bool,
    /// The TLS connection, as far as its protocol tells; shared by the requests of the connection.
    pub tls: Option<Arc<TlsConnection>>,
    /// `User-Agent`, or what the protocol has in its place.
    pub user_agent: Option<Arc<str>>,
}

/// What a TLS connection was negotiated to, in the names of IANA's registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConnection {
    /// Such as `TLSv1.3`.
    pub version: &'static str,
    /// Such as `TLS_AES_256_GCM_SHA384`.
    pub cipher_suite: Box<str>,
}

/// What is noted about one request on its way, for the audit record alone. Only the request itself writes, so nobody ever
/// waits for the lock.
#[derive(Debug, Default)]
pub struct Trail(Mutex<Notes>);

/// The notes of a [`Trail`].
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// The decision that counts: the denial, or else the last one.
    pub decision: Option<Decision>,
    /// Keys and aliases that decisions were about, each once, with the account that owns it.
    pub resources: Vec<(Arc<str>, AccountId)>,
    /// Index in the control log of the last change that the request made.
    pub control_log_index: Option<u64>,
    /// What the attestation document of the request says, once it is verified.
    pub attestation: Option<Arc<Attestation>>,
}

impl Caller {
    /// A request of a principal of which nothing else is known.
    #[must_use]
    pub fn new(identity: Arc<Identity>, request_id: RequestId) -> Self {
        Self { identity, request_id, origin: Origin::default(), trail: Arc::default() }
    }

    /// The principal's ARN.
    #[must_use]
    pub fn arn(&self) -> &Arc<str> {
        &self.identity.arn
    }

    /// The principal's account.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.identity.account
    }
}

impl Identity {
    /// A principal of the principals file. An administrator has one identity policy, which allows everything; nobody else
    /// has one.
    #[must_use]
    pub fn bootstrap(arn: &str, account: AccountId, administrator: bool, access_key_id: Option<&str>) -> Self {
        let session = arn.strip_prefix(&format!("arn:{PARTITION}:sts::{account}:assumed-role/"));
        let role = session.and_then(|session| session.split_once('/'));
        let kind = match role {
            // The ARN of a session does not tell the path of its role, nor the file when it began.
            Some((role, _)) => IdentityKind::Session {
                role_arn: format!("arn:{PARTITION}:iam::{account}:role/{role}").into(),
                issued_at: Timestamp::from_millis(0),
            },
            None if *arn == *Principal::account_arn(&account) => IdentityKind::Root,
            None => IdentityKind::User,
        };
        Self {
            arn: arn.into(),
            account,
            kind,
            // The file names no unique IDs.
            principal_id: arn.into(),
            access_key_id: access_key_id.map(Into::into),
            policies: if administrator { vec![administrator_access()] } else { Vec::new() },
            boundary: None,
            session_policy: None,
            tags: BTreeMap::new(),
        }
    }

    /// The principal as policies see it.
    #[must_use]
    pub fn principal(&self) -> Principal<'_> {
        let kind = match &self.kind {
            IdentityKind::Root => PrincipalKind::Root,
            IdentityKind::User => PrincipalKind::User,
            IdentityKind::Session { role_arn, .. } => PrincipalKind::Session { role_arn },
        };
        Principal { arn: &self.arn, account: self.account, kind }
    }
}

/// Name of the identity policy that administrators of the principals file have.
const ADMINISTRATOR_ACCESS: &str = "AdministratorAccess";

/// The identity policy of administrators, named and worded like AWS's.
fn administrator_access() -> NamedPolicy {
    const TEXT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    // A text that could not be parsed would deny everything.
    let document = PolicyDocument::parse(TEXT, DocumentKind::Identity).unwrap_or_else(|_| PolicyDocument::unreadable());
    NamedPolicy { name: ADMINISTRATOR_ACCESS.into(), document: Arc::new(document) }
}

impl Trail {
    /// Notes a decision.
    pub fn decided(&self, decision: &Decision) {
        let mut notes = self.0.lock();
        if !matches!(notes.decision, Some(Decision::Denied(_))) {
            notes.decision = Some(decision.clone());
        }
    }

    /// Notes a key or an alias that a decision was about.
    pub fn touched(&self, arn: &Arc<str>, owner: AccountId) {
        let mut notes = self.0.lock();
        if !notes.resources.iter().any(|(noted, _)| noted == arn) {
            notes.resources.push((Arc::clone(arn), owner));
        }
    }

    /// Notes the index of a change in the control log.
    pub fn committed_at(&self, index: u64) {
        self.0.lock().control_log_index = Some(index);
    }

    /// Notes what a verified attestation document says.
    pub(crate) fn attested(&self, attestation: Attestation) {
        self.0.lock().attestation = Some(Arc::new(attestation));
    }

    /// Notes where a proposal took effect, and tells a refusal from success.
    pub(crate) fn settled(&self, committed: Committed) -> Result<(), Refusal> {
        match (committed.outcome, committed.index) {
            (ControlOutcome::Refused(refusal), _) => Err(refusal),
            (ControlOutcome::Done, index) => {
                index.into_iter().for_each(|index| self.committed_at(index));
                Ok(())
            }
        }
    }

    /// The notes so far.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.0.lock().clone()
    }
}
