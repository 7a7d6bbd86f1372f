//! One file per KMS operation: resolve, authorise, check state, do.
