//! Commands about grants.

use super::Step;
use crate::KeyOperation;
use crate::regional::{GrantRecord, NewGrant, RegionalChange, RegionalOutcome, RegionalRefusal, RegionalState};
use kms_types::{GrantId, KeyId, Timestamp};
use std::sync::Arc;

impl RegionalState {
    /// A request with a name is repeatable: the grant that it made is found again, also when there is no room for another.
    pub(super) fn create_grant(
        &self,
        at: Timestamp,
        body: &NewGrant,
    ) -> Result<(RegionalOutcome, Vec<RegionalChange>), RegionalRefusal> {
        let key = self.record_for(&body.key_id, KeyOperation::CreateGrant)?;
        let grant = GrantRecord {
            key_id: body.key_id,
            account: key.account,
            grant_id: body.grant_id,
            name: body.name.clone(),
            created_at: at,
            grantee: body.grantee.clone(),
            retiring: body.retiring.clone(),
            issuing_account: body.issuing_account,
            operations: body.operations.clone(),
            constraints: body.constraints.clone(),
        };
        if let Some(existing) = self.grant_like(&grant) {
            return Ok((RegionalOutcome::GrantExists(existing.grant_id), Vec::new()));
        }
        if self.grant(&body.key_id, &body.grant_id).is_some() {
            return Err(RegionalRefusal::GrantIdTaken);
        }
        if self.grant_count_of(&body.key_id) >= body.grant_limit {
            return Err(RegionalRefusal::TooManyGrants);
        }
        Ok((RegionalOutcome::Done, vec![RegionalChange::PutGrant(Arc::new(grant))]))
    }

    pub(super) fn delete_grant(&self, key_id: &KeyId, grant_id: &GrantId) -> Step {
        self.key(key_id).ok_or(RegionalRefusal::KeyNotFound)?;
        self.grant(key_id, grant_id).ok_or(RegionalRefusal::GrantNotFound)?;
        Ok(vec![RegionalChange::DeleteGrant(*key_id, *grant_id)])
    }
}
