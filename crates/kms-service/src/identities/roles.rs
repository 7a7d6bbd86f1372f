//! Roles as requests see them.

use super::{BOUNDARY_NAME, compiled, parsed};
use crate::{Identity, IdentityKind};
use kms_core::control::identity::{IdentityState, RoleEntry};
use kms_policy::{DocumentKind, NamedPolicy, PolicyDocument};
use kms_types::{PARTITION, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role that is enabled, with its documents compiled. A text that does not parse denies everything.
#[derive(Debug)]
pub struct KnownRole {
    /// The role as the control log has it.
    pub entry: Arc<RoleEntry>,
    /// Its ARN, path included.
    pub arn: Arc<str>,
    /// Who may assume it.
    pub trust: Arc<PolicyDocument>,
    /// Identity policies.
    pub policies: Vec<NamedPolicy>,
    /// The permission boundary, if one is set.
    pub boundary: Option<NamedPolicy>,
}

impl KnownRole {
    /// A session of the role as requests see it; without an access key, and without a session policy.
    #[must_use]
    pub fn session(&self, name: &str, issued_at: Timestamp) -> Identity {
        let RoleEntry { id, unique_id, tags, .. } = self.entry.as_ref();
        Identity {
            arn: format!("arn:{PARTITION}:sts::{}:assumed-role/{}/{name}", id.account, id.name).into(),
            account: id.account,
            kind: IdentityKind::Session { role_arn: Arc::clone(&self.arn), issued_at },
            principal_id: format!("{unique_id}:{name}").into(),
            access_key_id: None,
            policies: self.policies.clone(),
            boundary: self.boundary.clone(),
            session_policy: None,
            tags: tags.clone(),
        }
    }

    fn of(entry: &Arc<RoleEntry>, arn: &str) -> Self {
        Self {
            entry: Arc::clone(entry),
            arn: arn.into(),
            trust: parsed(&entry.trust, DocumentKind::Trust),
            policies: entry.policies.iter().map(|(name, text)| compiled(name.as_str(), text)).collect(),
            boundary: entry.boundary.as_ref().map(|text| compiled(BOUNDARY_NAME, text)),
        }
    }
}

/// The roles that are enabled.
#[derive(Debug, Default)]
pub(super) struct KnownRoles {
    by_arn: BTreeMap<String, Arc<KnownRole>>,
    by_unique_id: BTreeMap<String, Arc<KnownRole>>,
}

impl KnownRoles {
    /// The roles of the directory; those that did not change are taken over with their compiled documents.
    pub(super) fn of(old: &Self, state: &IdentityState) -> Self {
        let mut known = Self::default();
        for entry in state.roles().filter(|role| role.enabled) {
            let arn = entry.id.arn(&entry.path);
            let role = match old.by_arn.get(&arn) {
                Some(same) if Arc::ptr_eq(&same.entry, entry) => Arc::clone(same),
                _ => Arc::new(KnownRole::of(entry, &arn)),
            };
            known.by_unique_id.insert(entry.unique_id.clone(), Arc::clone(&role));
            known.by_arn.insert(arn, role);
        }
        known
    }

    pub(super) fn by_arn(&self, arn: &str) -> Option<Arc<KnownRole>> {
        self.by_arn.get(arn).cloned()
    }

    /// The role of a session with this ARN, which tells the role's name but not its path, and the session's name.
    pub(super) fn of_session<'a>(&self, arn: &'a str) -> Option<(Arc<KnownRole>, &'a str)> {
        let (account, rest) =
            arn.strip_prefix("arn:")?.strip_prefix(PARTITION)?.strip_prefix(":sts::")?.split_once(':')?;
        let (name, session) = rest.strip_prefix("assumed-role/")?.split_once('/')?;
        let is_meant =
            |role: &&Arc<KnownRole>| role.entry.id.account.as_str() == account && role.entry.id.name.as_str() == name;
        Some((self.by_arn.values().find(is_meant).cloned()?, session))
    }

    pub(super) fn by_unique_id(&self, unique_id: &str) -> Option<Arc<KnownRole>> {
        self.by_unique_id.get(unique_id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_core::LogPosition;
    use kms_core::control::identity::{CreateRole, IdentityBody, PrincipalChange, RoleChange};
    use kms_core::control::{ControlBody, ControlCommand, ControlState, ProposalId, RegionRole, RegisterRegion};
    use kms_types::{AccountId, IamName, IamPath, RegionName, RoleId};

    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"AWS":"arn:aws:iam::111122223333:root"}}]}"#;

    struct Log(ControlState, u64);

    impl Log {
        fn new() -> Self {
            let mut log = Self(ControlState::default(), 0);
            let (sealing_public_key, signing_public_key) = (vec![1], Vec::new());
            let role = RegionRole::Full;
            log.does(ControlBody::RegisterRegion(RegisterRegion { sealing_public_key, role, signing_public_key }));
            log
        }

        fn does(&mut self, body: ControlBody) {
            self.1 += 1;
            let region = RegionName::parse("us-east-1").unwrap();
            let (proposal_id, at) = (ProposalId(u128::from(self.1).to_be_bytes()), Timestamp::from_millis(self.1));
            let applied = self.0.apply(LogPosition::default(), &ControlCommand { proposal_id, region, at, body });
            assert_eq!(applied.outcome, kms_core::control::ControlOutcome::Done);
        }

        fn create(&mut self, name: &str, trust: &str) {
            self.does(ControlBody::Identity(IdentityBody::CreateRole(Box::new(CreateRole {
                id: id(name),
                unique_id: format!("AROA{name}"),
                path: IamPath::parse("/team/").unwrap(),
                trust: trust.to_owned(),
                max_session_seconds: 3_600,
                tags: BTreeMap::new(),
            }))));
        }

        fn change(&mut self, name: &str, change: PrincipalChange) {
            let (id, change) = (id(name), RoleChange::Principal(change));
            self.does(ControlBody::Identity(IdentityBody::ChangeRole { id, change }));
        }

        fn known(&self, old: &KnownRoles) -> KnownRoles {
            KnownRoles::of(old, self.0.identities())
        }
    }

    fn id(name: &str) -> RoleId {
        RoleId { account: AccountId::parse("111122223333").unwrap(), name: IamName::parse(name).unwrap() }
    }

    const OPS: &str = "arn:aws:iam::111122223333:role/team/ops";

    #[test]
    fn a_role_is_found_by_arn_by_unique_id_and_by_its_sessions() {
        let mut log = Log::new();
        log.create("ops", TRUST);
        let known = log.known(&KnownRoles::default());
        let role = known.by_arn(OPS).unwrap();
        assert!(Arc::ptr_eq(&role, &known.by_unique_id("AROAops").unwrap()));
        assert!(known.by_arn("arn:aws:iam::111122223333:role/ops").is_none(), "the path is part of the ARN");
        let session = role.session("alice", Timestamp::from_millis(7));
        assert_eq!(&*session.arn, "arn:aws:sts::111122223333:assumed-role/ops/alice");
        assert_eq!(&*session.principal_id, "AROAops:alice");
        let (found, name) = known.of_session(&session.arn).unwrap();
        assert!(Arc::ptr_eq(&role, &found) && name == "alice");
        for other in
            ["arn:aws:sts::111122223333:assumed-role/dev/alice", "arn:aws:sts::999999999999:assumed-role/ops/a", OPS]
        {
            assert!(known.of_session(other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_disabled_role_is_unknown_and_an_unchanged_one_is_taken_over() {
        let mut log = Log::new();
        log.create("ops", TRUST);
        log.create("dev", TRUST);
        let before = log.known(&KnownRoles::default());
        log.change("dev", PrincipalChange::Enabled(false));
        let after = log.known(&before);
        assert!(after.by_unique_id("AROAdev").is_none());
        assert!(after.by_arn("arn:aws:iam::111122223333:role/team/dev").is_none());
        assert!(Arc::ptr_eq(&before.by_arn(OPS).unwrap(), &after.by_arn(OPS).unwrap()));
        log.change("ops", PrincipalChange::PutPolicy(IamName::parse("p").unwrap(), "{}".to_owned()));
        assert_eq!(log.known(&after).by_arn(OPS).unwrap().policies.len(), 1);
    }

    #[test]
    fn a_role_made_again_under_an_old_name_is_another_one() {
        let mut log = Log::new();
        log.create("ops", TRUST);
        let before = log.known(&KnownRoles::default());
        log.does(ControlBody::Identity(IdentityBody::DeleteRole { id: id("ops") }));
        log.does(ControlBody::Identity(IdentityBody::CreateRole(Box::new(CreateRole {
            id: id("ops"),
            unique_id: "AROAagain".to_owned(),
            path: IamPath::parse("/team/").unwrap(),
            trust: TRUST.to_owned(),
            max_session_seconds: 3_600,
            tags: BTreeMap::new(),
        }))));
        let after = log.known(&before);
        assert!(after.by_unique_id("AROAops").is_none());
        assert_eq!(after.by_arn(OPS).unwrap().entry.unique_id, "AROAagain");
    }

    #[test]
    fn a_trust_policy_that_cannot_be_read_denies() {
        let mut log = Log::new();
        log.create("ops", "{}");
        let role = log.known(&KnownRoles::default()).by_arn(OPS).unwrap();
        assert_eq!(format!("{:?}", role.trust), format!("{:?}", PolicyDocument::unreadable()));
    }
}
