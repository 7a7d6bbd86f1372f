//! Durable key-value storage on sled behind a real barrier, and its in-memory twin.
