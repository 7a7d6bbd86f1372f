//! Base ports for development clusters that run beside each other and beside whatever else runs here.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports of one cluster: the base, and up to 39 above it.
const SPAN: u16 = 40;
/// Below the range from which systems take the ports of outgoing connections.
const FIRST: u16 = 10_000;
const SLOTS: u16 = 500;

/// A base of which every port is free now. Never gives the same one twice in a process; two processes begin at
/// different places.
pub fn free_base() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let offset = u16::try_from(std::process::id() * 7 % u32::from(SLOTS)).expect("below SLOTS");
    for _ in 0..SLOTS {
        let slot = (offset + NEXT.fetch_add(1, Ordering::Relaxed)) % SLOTS;
        let base = FIRST + slot * SPAN;
        if all_free(base) {
            return base;
        }
    }
    panic!("no free block of {SPAN} ports");
}

/// Whether nobody listens on any port of a cluster at this base.
pub fn all_free(base: u16) -> bool {
    let mut offsets = [0_u16].into_iter().chain(11..=19).chain(21..=29).chain(31..=39);
    offsets.all(|offset| TcpListener::bind((Ipv4Addr::LOCALHOST, base + offset)).is_ok())
}
