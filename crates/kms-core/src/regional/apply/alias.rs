//! Commands about aliases.

use super::Step;
use crate::KeyOperation;
use crate::regional::{AliasRecord, KeyRecord, RegionalChange, RegionalRefusal, RegionalState, SetAlias};
use kms_types::{AccountId, AliasName, Timestamp};
use std::sync::Arc;

impl RegionalState {
    pub(super) fn create_alias(&self, at: Timestamp, body: &SetAlias) -> Step {
        if self.alias(&body.account, &body.name).is_some() {
            return Err(RegionalRefusal::AliasExists);
        }
        let target = self.record_for(&body.target, KeyOperation::CreateAlias)?;
        self.check_room_for_alias(&target, body)?;
        Ok(vec![RegionalChange::PutAlias(Arc::new(AliasRecord {
            account: body.account,
            name: body.name.clone(),
            target: body.target,
            created_at: at,
            updated_at: at,
        }))])
    }

    pub(super) fn update_alias(&self, at: Timestamp, body: &SetAlias) -> Step {
        let old = self.alias(&body.account, &body.name).ok_or(RegionalRefusal::AliasNotFound)?;
        let target = self.record_for(&body.target, KeyOperation::UpdateAlias)?;
        if self.key(&old.target).is_some_and(|from| !same_kind(from, &target)) {
            return Err(RegionalRefusal::KindMismatch);
        }
        if old.target != body.target {
            self.check_room_for_alias(&target, body)?;
        }
        let alias = AliasRecord { target: body.target, updated_at: at, ..AliasRecord::clone(old) };
        Ok(vec![RegionalChange::PutAlias(Arc::new(alias))])
    }

    pub(super) fn delete_alias(&self, account: AccountId, name: &AliasName) -> Step {
        self.alias(&account, name).ok_or(RegionalRefusal::AliasNotFound)?;
        Ok(vec![RegionalChange::DeleteAlias(account, name.clone())])
    }

    fn check_room_for_alias(&self, target: &KeyRecord, body: &SetAlias) -> Result<(), RegionalRefusal> {
        if target.account != body.account {
            return Err(RegionalRefusal::KeyNotFound);
        }
        if self.alias_count_of(&target.key_id) >= body.alias_limit {
            return Err(RegionalRefusal::TooManyAliases);
        }
        Ok(())
    }
}

/// UpdateAlias may swap keys of the same usage and the same kind (symmetric, asymmetric, HMAC). Usage tells HMAC and
/// asymmetric signing apart; only encryption keys come in two kinds.
fn same_kind(from: &KeyRecord, to: &KeyRecord) -> bool {
    use kms_types::KeySpec::SymmetricDefault;
    from.usage == to.usage && (from.spec == SymmetricDefault) == (to.spec == SymmetricDefault)
}
