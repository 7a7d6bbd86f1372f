//! The adjustable quotas: their names, defaults and ranges, in `node.toml` and on the command line.

use std::ops::RangeInclusive;

/// One quota. Its default is AWS's.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    /// The key in `[quotas]`.
    pub(super) name: &'static str,
    /// The values that make sense.
    pub(super) range: RangeInclusive<u64>,
}

pub(super) const KEYS_PER_ACCOUNT: Quota = Quota { name: "keys_per_account", range: 1..=10_000_000 };
pub(super) const ALIASES_PER_KEY: Quota = Quota { name: "aliases_per_key", range: 1..=10_000 };
pub(super) const GRANTS_PER_KEY: Quota = Quota { name: "grants_per_key", range: 1..=1_000_000 };
pub(super) const ON_DEMAND_ROTATIONS_PER_KEY: Quota = Quota { name: "on_demand_rotations_per_key", range: 1..=1_000 };

/// Reads `NAME=NUMBER`, as in `keys_per_account=5`.
///
/// # Errors
/// A sentence that says what is possible.
pub(crate) fn parse_quota(text: &str) -> Result<(&'static str, u64), String> {
    let all = [KEYS_PER_ACCOUNT, ALIASES_PER_KEY, GRANTS_PER_KEY, ON_DEMAND_ROTATIONS_PER_KEY];
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let Some(quota) = all.iter().find(|quota| quota.name == name) else {
        let names: Vec<_> = all.iter().map(|quota| quota.name).collect();
        return Err(format!("the quotas are {}", names.join(", ")));
    };
    match value.parse() {
        Ok(value) if quota.range.contains(&value) => Ok((quota.name, value)),
        Ok(_) | Err(_) => Err(format!("must be {name}={} to {name}={}", quota.range.start(), quota.range.end())),
    }
}
