//! Claims about the service, seen from its callers: one Region, several Regions, and Regions that are away.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test, which is what it is for")]

mod aliases;
mod authorisation;
mod cryptography;
mod custom_key_stores;
mod data_key_pairs;
mod data_keys;
mod deletion;
mod faults;
mod grant_decisions;
mod grants;
mod identifiers;
mod imports;
mod key_kinds;
mod key_states;
mod key_uses;
mod last_usage;
mod listing;
mod macs;
mod policies;
mod policy_decisions;
mod promotion;
mod recipient;
mod replication;
mod residency;
mod rotation;
mod rsa_encryption;
mod session_keys;
mod set_deletion;
mod set_imports;
mod set_rotation;
mod shared_secrets;
mod signatures;
mod state_matrix;
mod support;
mod tags;
mod update_primary;
