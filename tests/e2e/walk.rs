//! The walk of every operation by the AWS SDK: what it answers, what it refuses and how, state by state.

mod access;
mod aliases;
mod cryptography;
mod key_states;
mod keys;
mod multi_region;
mod policies;
mod rotation;
mod tags;

use meridian_tests::{Cluster, Shared};
use std::sync::OnceLock;

/// One cluster for the whole walk: the tests use keys of their own and do not disturb each other.
pub(crate) fn cluster() -> Shared {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    Shared(CLUSTER.get_or_init(Cluster::start))
}

/// The ARN of a key of the development account.
pub(crate) fn arn(region: &str, key_id: &str) -> String {
    format!("arn:aws:kms:{region}:111122223333:key/{key_id}")
}

/// The ARN of an alias of the development account.
pub(crate) fn alias_arn(region: &str, name: &str) -> String {
    format!("arn:aws:kms:{region}:111122223333:{name}")
}

/// A key ID of the right form that no key has.
pub(crate) const NO_KEY: &str = "00000000-0000-4000-8000-000000000000";
