//! End to end: real processes on free ports, the AWS SDK as the client, the command line as the operator.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is its result")]

mod attestation;
mod audit;
mod audit_online;
mod bad_input;
mod cut_off;
mod data_plane;
mod deletion;
mod development_cluster;
mod earlier_data;
mod every_pair;
mod explain_access;
mod fail_open;
mod identity;
mod identity_audit;
mod installed;
mod long_absence;
mod metrics;
mod operator_view;
mod promotion;
mod region_kek;
mod residency;
mod residency_rules;
mod restart;
mod roles;
mod scheduled_rotation;
mod secrets;
mod small_disk;
mod staged_rotation;
mod store_trouble;
mod traces;
mod walk;
