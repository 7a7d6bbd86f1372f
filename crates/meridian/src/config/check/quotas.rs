//! Checking `[quotas]`.

use super::Checker;
use crate::config::quotas::{ALIASES_PER_KEY, GRANTS_PER_KEY, KEYS_PER_ACCOUNT, ON_DEMAND_ROTATIONS_PER_KEY, Quota};
use crate::config::raw::RawQuotas;
use kms_service::Quotas;

impl Checker {
    pub(super) fn quotas(&mut self, raw: &RawQuotas) -> Quotas {
        let default = Quotas::default();
        Quotas {
            keys_per_account: self.quota(&KEYS_PER_ACCOUNT, raw.keys_per_account, default.keys_per_account),
            aliases_per_key: self.quota(&ALIASES_PER_KEY, raw.aliases_per_key, default.aliases_per_key),
            grants_per_key: self.quota(&GRANTS_PER_KEY, raw.grants_per_key, default.grants_per_key),
            on_demand_rotations_per_key: self.quota(
                &ON_DEMAND_ROTATIONS_PER_KEY,
                raw.on_demand_rotations_per_key,
                default.on_demand_rotations_per_key,
            ),
        }
    }

    fn quota<T: TryFrom<u64>>(&mut self, quota: &Quota, value: Option<u64>, default: T) -> T {
        let Some(value) = value else { return default };
        let value = self.number(&format!("quotas.{}", quota.name), Some(value), value, quota.range.clone());
        // What is in range fits; what is not has been noted, and nothing starts with it.
        T::try_from(value).unwrap_or(default)
    }
}
