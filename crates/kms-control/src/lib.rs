//! The control log: openraft over tonic and kms-store; propose and read barrier.
