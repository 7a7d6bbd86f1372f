//! What the writers write: the content of batch `n` of writer `w` follows from the two numbers, so that a reader can
//! tell from the head alone what every row must be.

use std::collections::BTreeMap;

use kms_store::Keyspace;

/// Threads that write at once.
pub(crate) const WRITERS: u32 = 6;
/// Rows of a writer. They are written over and over, so that sled moves pages and reuses segments.
/// As many batches write every one of them.
pub(crate) const SLOTS: u64 = 400;

/// The keyspace of a writer; two share one.
pub(crate) const fn keyspace(writer: u32) -> Keyspace {
    match writer % 3 {
        0 => Keyspace::RaftLog,
        1 => Keyspace::Control,
        _ => Keyspace::Regional,
    }
}

/// The row that holds the number of the writer's last batch.
pub(crate) fn head_key(writer: u32) -> Vec<u8> {
    [&writer.to_be_bytes(), b"/head".as_slice()].concat()
}

/// The changes of one batch: three rows put, one removed, and the head.
pub(crate) fn changes(writer: u32, number: u64) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
    let mut changes = BTreeMap::new();
    changes.insert(slot_key(writer, number * 3 + 200), None);
    for slot in number * 3..number * 3 + 3 {
        changes.insert(slot_key(writer, slot), Some(value(writer, number, slot)));
    }
    changes.insert(head_key(writer), Some(number.to_be_bytes().to_vec()));
    changes
}

fn slot_key(writer: u32, slot: u64) -> Vec<u8> {
    [&writer.to_be_bytes(), b"/slot/".as_slice(), &(slot % SLOTS).to_be_bytes()].concat()
}

/// Mostly some hundred bytes; now and then longer than fits in one row of sled.
fn value(writer: u32, number: u64, slot: u64) -> Vec<u8> {
    let mixed = (u64::from(writer) << 56 ^ number << 20 ^ slot).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    let length = if mixed.is_multiple_of(64) { 20_000 + mixed % 5000 } else { 50 + mixed % 600 };
    let length = usize::try_from(length).expect("small");
    mixed.to_be_bytes().into_iter().cycle().take(length).collect()
}
