//! Claims about `kms-crypto`, seen from outside: frozen formats, published vectors, refusals, and secrecy.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be made fails the test, which is what it is for")]

mod failures;
mod fixture;
mod frozen;
mod frozen_keys;
mod grant_tokens;
mod imports;
mod mutations;
mod operations;
mod post_quantum;
mod published;
mod refusals;
mod regions;
mod sealed_secret;
mod second_library;
mod secrecy;
mod session_tokens;
mod wycheproof;
