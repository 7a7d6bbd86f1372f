//! Twins of the service's ports: a control log that several Regions of one process share, a regional log per Region, a
//! clock that only moves when told. They apply the real state machines; nothing of the service itself is replaced.

mod cluster;
mod control_log;
mod importing;
pub(crate) mod management;
pub(crate) mod principals;
mod regional_log;
mod sources;
pub(crate) mod uses;

pub(crate) use cluster::{ACCOUNT, Cluster, OTHER_ACCOUNT, admin, admin_of, nobody, region, user};
pub(crate) use control_log::Link;
pub(crate) use importing::wrap;
pub(crate) use sources::Dry;
