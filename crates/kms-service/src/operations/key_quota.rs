//! The quota of customer managed keys: of each account in each Region. Every key counts, in every state, each member of a
//! multi-Region set in its own Region.

use crate::{KeyRoom, KmsError, Service};
use kms_types::{AccountId, KeyId, RegionName};

impl Service {
    /// Checks that there is room for one more key of the account in this Region.
    pub(crate) fn check_key_quota(&self, account: &AccountId) -> Result<(), KmsError> {
        let count = self.directory().read(|regional, _| regional.key_count_of(account));
        check(count, self.config().quotas.keys_per_account)
    }

    /// Checks that there is room for a replica where it is to be. Only that Region knows; one that does not answer, or
    /// does not say, holds the replica up in no other way either, so it does not here.
    pub(crate) async fn check_replica_quota(&self, replica: &RegionName, key_id: &KeyId) -> Result<(), KmsError> {
        let report = self.peers().replica_report(replica, key_id, self.config().peer_deadline).await;
        match report.ok().and_then(|report| report.room) {
            Some(KeyRoom { count, quota }) => check(count, quota),
            None => Ok(()),
        }
    }
}

fn check<N: PartialOrd + std::fmt::Display>(count: N, limit: N) -> Result<(), KmsError> {
    if count < limit {
        return Ok(());
    }
    Err(KmsError::LimitExceeded(format!(
        "Key quota for this account in this region is {limit} but the current usage is {count}."
    )))
}
