//! The Meridian binary.
fn main() {}
