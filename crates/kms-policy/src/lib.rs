//! Key policy documents and the decision who may do what; pure.
