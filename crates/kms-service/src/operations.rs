//! The KMS operations, one file each.

pub mod create_key;
pub mod decrypt;
pub mod encrypt;
pub mod key_metadata;
pub mod rotate_key_on_demand;

mod policy;
mod tags;
