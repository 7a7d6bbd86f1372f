//! Grants: what clients ask, and what must hold of them.

use super::Cluster;
use crate::cast;
use kms_core::regional::{GrantConstraints, GrantPrincipal, KeyRecord, NewGrant, RegionalBody};
use kms_types::{GrantId, GrantOperation, KeyId, RegionName, Timestamp, limits};
use std::collections::BTreeSet;

/// One grant: where, on which key and life of the replica, and its ID.
pub(super) type Granted = (RegionName, KeyId, Timestamp, GrantId);

impl Cluster {
    pub(super) fn create_grant(&mut self, node: usize, record: &KeyRecord) {
        self.number += 1;
        let grant_id = GrantId::from_bytes(*cast::material(self.number).as_bytes());
        let body = NewGrant {
            key_id: record.key_id,
            grant_id,
            name: None,
            grantee: GrantPrincipal::Arn("grantee".to_owned()),
            retiring: None,
            issuing_account: cast::account(),
            operations: BTreeSet::from([GrantOperation::Encrypt]),
            constraints: GrantConstraints::default(),
            grant_limit: limits::GRANTS_PER_KEY_MAX,
        };
        if self.acknowledged(node, RegionalBody::CreateGrant(Box::new(body))) {
            self.granted.insert((self.nodes[node].region.clone(), record.key_id, record.created_at, grant_id));
        }
    }

    pub(super) fn revoke_grant(&mut self, node: usize, record: &KeyRecord) {
        let key_id = record.key_id;
        let first = self.nodes[node].regional.grants_of(&key_id, None).next().map(|g| g.grant_id);
        let Some(grant_id) = first else { return };
        if self.acknowledged(node, RegionalBody::DeleteGrant { key_id, grant_id }) {
            self.granted.remove(&(self.nodes[node].region.clone(), key_id, record.created_at, grant_id));
        }
    }

    /// A grant lasts until it is revoked or its key goes; it never reaches another Region or another life of the key.
    pub(super) fn check_grants(&self) -> Result<(), String> {
        let mut found = BTreeSet::new();
        let mut lives = BTreeSet::new();
        for node in &self.nodes {
            for record in node.regional.keys_after(None) {
                let life = (node.region.clone(), record.key_id, record.created_at);
                let grants = node.regional.grants_of(&record.key_id, None);
                found.extend(grants.map(|g| (life.0.clone(), life.1, life.2, g.grant_id)));
                lives.insert(life);
            }
        }
        let lives_on = |g: &&Granted| lives.contains(&(g.0.clone(), g.1, g.2));
        let expected: BTreeSet<_> = self.granted.iter().filter(lives_on).cloned().collect();
        if found == expected { Ok(()) } else { Err(format!("grants are {found:?}, not {expected:?}")) }
    }
}
