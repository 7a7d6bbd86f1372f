//! How a row lies in a sled tree, so that no page ever grows beyond what sled keeps inside its log.
//!
//! sled writes an item larger than a quarter of a segment into a file of its own under `blobs/`, which it never
//! syncs, and which it may unlink before the replacement is durable. A page holds up to some 28 items, so an item of
//! at most [`CHUNK_BYTES`] in segments of [`SEGMENT_BYTES`] never gets there. Longer values are cut into chunks that
//! are written and removed in the batch of their row.
//!
//! ```text
//! 0x01 key                       -> 0x00 value                           a row with its value
//! 0x01 key                       -> 0x01 generation u64, length u64      a row whose value lies in chunks
//! 0x02 generation u64, index u32 -> bytes                                a chunk
//! ```

use crate::{Corruption, StoreError};

/// Longest key in bytes. Index pages of sled hold some 270 keys.
pub(crate) const KEY_BYTES_MAX: usize = 1024;
/// Longest value in bytes; bounds what one batch can hold in memory several times over.
pub(crate) const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest value that lies in its row.
pub(crate) const CHUNK_BYTES: usize = 8 * 1024;
/// sled's segment size. Fixed at creation and part of the format.
pub(crate) const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

const ITEMS_PER_LEAF_MAX: usize = 32;
const ITEMS_PER_INDEX_MAX: usize = 288;
const _: () = assert!(ITEMS_PER_LEAF_MAX * (CHUNK_BYTES + KEY_BYTES_MAX + 64) < SEGMENT_BYTES / 4);
const _: () = assert!(ITEMS_PER_INDEX_MAX * (KEY_BYTES_MAX + 64) < SEGMENT_BYTES / 4);

const ROW: u8 = 1;
const CHUNK: u8 = 2;
const INLINE: u8 = 0;
const CHUNKED: u8 = 1;

/// The first key after all rows, where the chunks begin.
pub(crate) const ROWS_END: &[u8] = &[CHUNK];
/// The first key after all chunks.
pub(crate) const CHUNKS_END: &[u8] = &[CHUNK + 1];

/// A row's value as it lies in the tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stored<'a> {
    Inline(&'a [u8]),
    Chunked { generation: u64, length: u64 },
}

/// The tree's key of a row.
pub(crate) fn row_key(key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(key.len() + 1);
    stored.push(ROW);
    stored.extend_from_slice(key);
    stored
}

/// The caller's key of a row; fails on the key of a chunk.
pub(crate) fn caller_key(stored: &[u8]) -> Result<&[u8], StoreError> {
    match stored.split_first() {
        Some((&ROW, key)) => Ok(key),
        Some(_) | None => Err(StoreError::corrupt(Corruption::Row)),
    }
}

/// The tree's key of a chunk.
pub(crate) fn chunk_key(generation: u64, index: u32) -> Vec<u8> {
    let mut stored = Vec::with_capacity(13);
    stored.push(CHUNK);
    stored.extend_from_slice(&generation.to_be_bytes());
    stored.extend_from_slice(&index.to_be_bytes());
    stored
}

/// The generation in the key of a chunk.
pub(crate) fn chunk_generation(stored: &[u8]) -> Result<u64, StoreError> {
    match stored {
        [CHUNK, a, b, c, d, e, f, g, h, _, _, _, _] => Ok(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])),
        _ => Err(StoreError::corrupt(Corruption::Row)),
    }
}

/// How many chunks a value of `length` bytes has.
pub(crate) fn chunk_count(length: u64) -> Result<u32, StoreError> {
    u32::try_from(length.div_ceil(CHUNK_BYTES as u64)).or(Err(StoreError::corrupt(Corruption::Row)))
}

/// The stored form of a value that fits into its row.
pub(crate) fn inline(value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(value.len() + 1);
    stored.push(INLINE);
    stored.extend_from_slice(value);
    stored
}

/// The stored form of a value that lies in chunks.
pub(crate) fn chunked(generation: u64, length: u64) -> Vec<u8> {
    let mut stored = Vec::with_capacity(17);
    stored.push(CHUNKED);
    stored.extend_from_slice(&generation.to_be_bytes());
    stored.extend_from_slice(&length.to_be_bytes());
    stored
}

/// Reads the stored form of a value.
pub(crate) fn parse(stored: &[u8]) -> Result<Stored<'_>, StoreError> {
    match stored.split_first() {
        Some((&INLINE, value)) => Ok(Stored::Inline(value)),
        Some((&CHUNKED, rest)) => match rest.split_first_chunk::<8>() {
            Some((generation, length)) => {
                let length = length.try_into().or(Err(StoreError::corrupt(Corruption::Row)))?;
                Ok(Stored::Chunked { generation: u64::from_be_bytes(*generation), length: u64::from_be_bytes(length) })
            }
            None => Err(StoreError::corrupt(Corruption::Row)),
        },
        Some(_) | None => Err(StoreError::corrupt(Corruption::Row)),
    }
}

/// Refuses keys and values that are too long.
pub(crate) fn check_lengths(key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
    if key.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong { length: key.len(), limit: KEY_BYTES_MAX });
    }
    match value {
        Some(value) if value.len() > VALUE_BYTES_MAX => {
            Err(StoreError::ValueTooLong { length: value.len(), limit: VALUE_BYTES_MAX })
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: these bytes are in databases in the field.
    #[test]
    fn stored_forms_never_change() {
        assert_eq!(row_key(b"k"), [1, b'k']);
        assert_eq!(inline(b"v"), [0, b'v']);
        assert_eq!(chunk_key(0x0102, 3), [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 3]);
        assert_eq!(chunked(5, 0x1_0000), [1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!((CHUNK_BYTES, SEGMENT_BYTES), (8192, 2_097_152));
    }

    #[test]
    fn stored_forms_read_back() {
        assert_eq!(parse(&inline(b"")).unwrap(), Stored::Inline(b""));
        assert_eq!(parse(&chunked(7, 9000)).unwrap(), Stored::Chunked { generation: 7, length: 9000 });
        assert_eq!(chunk_generation(&chunk_key(9, 1)).unwrap(), 9);
        assert_eq!(caller_key(&row_key(b"key")).unwrap(), b"key");
        assert_eq!(chunk_count(8192).unwrap(), 1);
        assert_eq!(chunk_count(8193).unwrap(), 2);
    }

    #[test]
    fn a_row_without_a_known_mark_is_damage() {
        for stored in [&[][..], &[9], &[1, 2, 3], &[1; 18]] {
            assert!(matches!(parse(stored), Err(StoreError::Corrupt { damage: Corruption::Row })), "{stored:?}");
        }
        assert!(matches!(chunk_generation(b"\x02short"), Err(StoreError::Corrupt { .. })));
        assert!(matches!(caller_key(b"\x02"), Err(StoreError::Corrupt { .. })));
    }
}
