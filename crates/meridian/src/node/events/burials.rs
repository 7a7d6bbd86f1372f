//! What is left of a key that this Region has destroyed, until the audit log has its record: a row that the regional log
//! puts into the batch that destroys the key. Without it a key that came and went between two looks would leave no word.
//!
//! ```text
//! key    0x03 ‖ key ID ‖ when it was destroyed, in milliseconds, 8 bytes big endian
//! value  0 version, 1    1..13 account
//! ```

use kms_store::{Keyspace, Store, scan_prefix};
use kms_types::{AccountId, KeyId, Timestamp};

/// Prefix of the rows: after the sequence number (0x01) and the start of last uses (0x02), below every row kind of the regional codec.
const PREFIX: u8 = 0x03;
const VERSION: u8 = 1;
const TIME_BYTES: usize = 8;

/// A key that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Burial {
    pub(crate) key_id: KeyId,
    pub(crate) account: AccountId,
    pub(crate) at: Timestamp,
}

impl Burial {
    /// Key and value of the row.
    pub(crate) fn row(&self) -> (Vec<u8>, Vec<u8>) {
        let key = [[PREFIX].as_slice(), self.key_id.as_bytes(), &self.at.millis().to_be_bytes()].concat();
        (key, [[VERSION].as_slice(), self.account.as_str().as_bytes()].concat())
    }

    fn parse(key: &[u8], value: &[u8]) -> Option<Self> {
        let (id, at) = key.strip_prefix(&[PREFIX])?.split_last_chunk::<TIME_BYTES>()?;
        let burial = Self {
            key_id: KeyId::parse(str::from_utf8(id).ok()?).ok()?,
            account: AccountId::parse(str::from_utf8(value.strip_prefix(&[VERSION])?).ok()?).ok()?,
            at: Timestamp::from_millis(u64::from_be_bytes(*at)),
        };
        Some(burial).filter(|burial| burial.row() == (key.to_vec(), value.to_vec()))
    }
}

/// The keys that are gone without a record, or that one of them; the earliest of a key first.
///
/// # Errors
/// Fails when the store does, and for rows that [`Burial::row`] does not write.
pub(crate) fn burials(store: &dyn Store, of: Option<&KeyId>) -> anyhow::Result<Vec<Burial>> {
    let prefix = [[PREFIX].as_slice(), of.map_or(&[], |key_id| key_id.as_bytes())].concat();
    let rows = scan_prefix(store, Keyspace::Regional, &prefix);
    rows.map(|row| {
        let (key, value) = row?;
        Burial::parse(&key, &value).ok_or_else(|| anyhow::anyhow!("the note of a destroyed key is damaged"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kms_store::{MemoryStore, WriteBatch};

    fn burial(byte: u8, at: u64) -> Burial {
        Burial {
            key_id: KeyId::single_region([byte; 16]),
            account: AccountId::parse("111122223333").unwrap(),
            at: Timestamp::from_millis(at),
        }
    }

    /// Frozen: these bytes are in databases in the field.
    #[test]
    fn the_row_never_changes() {
        let (key, value) = burial(7, 258).row();
        let id = hex::encode(burial(7, 258).key_id.to_string());
        assert_eq!(
            (hex::encode(&key), hex::encode(&value)),
            (format!("03{id}0000000000000102"), format!("01{}", hex::encode("111122223333")))
        );
        assert_eq!(Burial::parse(&key, &value), Some(burial(7, 258)));
        for (key, value) in [(&key[1..], &value[..]), (&key[..9], &value[..]), (&key[..], &value[1..]), (&key[..], &[])]
        {
            assert_eq!(Burial::parse(key, value), None);
        }
    }

    #[test]
    fn each_death_of_a_key_has_a_row_of_its_own() {
        let store = MemoryStore::default();
        let mut batch = WriteBatch::new();
        for one in [burial(1, 5), burial(2, 3), burial(1, 4)] {
            let (key, value) = one.row();
            batch.put(key, value);
        }
        store.write(Keyspace::Regional, batch).unwrap();
        assert_eq!(burials(&store, Some(&burial(1, 0).key_id)).unwrap(), [burial(1, 4), burial(1, 5)]);
        assert_eq!(burials(&store, None).unwrap().len(), 3);
    }
}
