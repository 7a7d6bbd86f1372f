//! Generated RPC code, every persisted and peer format, and their conversions.
