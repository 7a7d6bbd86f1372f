//! The modules that `build.rs` generates from `proto/`.
#![expect(
    missing_docs,
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "generated code; the documentation is in the .proto files"
)]

/// Data plane and Promote.
pub mod kms {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("meridian.kms.v1");
    }
}

/// The operator's view.
pub mod cluster {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("meridian.cluster.v1");
    }
}

/// Between Regions.
pub mod peer {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("meridian.peer.v1");
    }
}

/// Persisted formats.
pub mod state {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("meridian.state.v1");
    }
}
