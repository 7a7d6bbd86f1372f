//! A snapshot as a stream of bytes: a mark, then rows as key length, value length (32 bits, big endian), key, value.

use crate::ControlError;
use kms_store::Row;

/// What version 1 starts with.
const MARK: &[u8; 8] = b"MRDNSNP1";
/// Longest key and value; what is longer cannot come from a store and would only fill the memory.
const KEY_BYTES_MAX: usize = 1024;
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The first bytes of a snapshot.
pub(crate) const fn preamble() -> &'static [u8] {
    MARK
}

/// Appends one row.
///
/// # Errors
/// [`ControlError::DamagedSnapshot`] when key or value is longer than a store takes.
pub(crate) fn encode_row(key: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<(), ControlError> {
    let too_long = || ControlError::DamagedSnapshot("a row is too long");
    if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return Err(too_long());
    }
    for part in [key, value] {
        let length = u32::try_from(part.len()).map_err(|_over| too_long())?;
        out.extend_from_slice(&length.to_be_bytes());
    }
    out.extend_from_slice(key);
    out.extend_from_slice(value);
    Ok(())
}

/// Cuts rows out of a stream that comes in pieces.
#[derive(Debug, Default)]
pub(crate) struct RowReader {
    buffer: Vec<u8>,
    taken: usize,
    started: bool,
}

impl RowReader {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing but whole rows has come so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.started && self.taken == self.buffer.len()
    }

    /// The next row, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`ControlError::DamagedSnapshot`] when the bytes are no snapshot of this version.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, ControlError> {
        if !self.started {
            let Some(mark) = self.peek(0, MARK.len()) else { return Ok(None) };
            if mark != MARK {
                return Err(ControlError::DamagedSnapshot("it does not start with the mark of its format"));
            }
            self.taken += MARK.len();
            self.started = true;
        }
        let (Some(key_length), Some(value_length)) = (self.length(0), self.length(4)) else { return Ok(None) };
        if key_length > KEY_BYTES_MAX || value_length > VALUE_BYTES_MAX {
            return Err(ControlError::DamagedSnapshot("a row is too long"));
        }
        let (Some(key), Some(value)) = (self.peek(8, key_length), self.peek(8 + key_length, value_length)) else {
            return Ok(None);
        };
        let row = (key.to_vec(), value.to_vec());
        self.taken += 8 + key_length + value_length;
        Ok(Some(row))
    }

    fn length(&self, at: usize) -> Option<usize> {
        let bytes: [u8; 4] = self.peek(at, 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    }

    fn peek(&self, at: usize, length: usize) -> Option<&[u8]> {
        let start = self.taken + at;
        self.buffer.get(start..start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_out_as_they_went_in_however_the_bytes_are_cut() {
        let rows = [(b"a".to_vec(), b"1".to_vec()), (b"key".to_vec(), vec![7; 300]), (vec![0; 1024], Vec::new())];
        let mut bytes = preamble().to_vec();
        for (key, value) in &rows {
            encode_row(key, value, &mut bytes).unwrap();
        }
        for cut in [1, 3, 8, 64, bytes.len()] {
            let mut reader = RowReader::new();
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                reader.push(piece);
                while let Some(row) = reader.next_row().unwrap() {
                    found.push(row);
                }
            }
            assert!(reader.is_empty());
            assert_eq!(found, rows, "cut every {cut} bytes");
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let mut reader = RowReader::new();
        reader.push(b"MRDNSNP2");
        assert!(matches!(reader.next_row(), Err(ControlError::DamagedSnapshot(_))));
        let mut long = preamble().to_vec();
        long.extend_from_slice(&[0xff; 8]);
        let mut reader = RowReader::new();
        reader.push(&long);
        assert!(matches!(reader.next_row(), Err(ControlError::DamagedSnapshot(_))));
    }

    #[test]
    fn a_cut_stream_is_not_complete() {
        let mut bytes = preamble().to_vec();
        encode_row(b"key", b"value", &mut bytes).unwrap();
        bytes.pop();
        let mut reader = RowReader::new();
        reader.push(&bytes);
        assert_eq!(reader.next_row().unwrap(), None);
        assert!(!reader.is_empty());
    }
}
