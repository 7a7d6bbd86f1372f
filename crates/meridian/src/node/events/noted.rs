//! What has been recorded of a key, as its row says it.
//!
//! ```text
//! 0 version, 1    1..13 account    13 whether there is current material    14..46 its ID, or zeros
//! 46.. material that expires: ID, 32 bytes, and the time in milliseconds, 8 bytes big endian; ascending
//! ```

use kms_service::KeyEntry;
use kms_types::{AccountId, KeyMaterialId, Timestamp};

const VERSION: u8 = 1;
const ACCOUNT_BYTES: usize = 12;
const ID_BYTES: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) account: AccountId,
    pub(super) current: Option<KeyMaterialId>,
    pub(super) expiring: Vec<(KeyMaterialId, Timestamp)>,
}

impl Noted {
    pub(super) fn of(entry: &KeyEntry) -> Self {
        let present = entry.record.materials.iter().filter(|material| material.is_present());
        let mut expiring: Vec<(KeyMaterialId, Timestamp)> =
            present.filter_map(|material| Some((material.material_id, material.expires_at()?))).collect();
        expiring.sort_unstable();
        Self { account: entry.record.account, current: entry.current, expiring }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(self.account.as_str().as_bytes());
        out.push(u8::from(self.current.is_some()));
        out.extend_from_slice(self.current.map_or([0; ID_BYTES], |id| *id.as_bytes()).as_slice());
        for (material, expires_at) in &self.expiring {
            out.extend_from_slice(material.as_bytes());
            out.extend_from_slice(&expires_at.millis().to_be_bytes());
        }
        out
    }

    /// # Errors
    /// Fails for bytes that [`Noted::to_bytes`] does not write.
    pub(super) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        Self::read(bytes)
            .filter(|read| read.to_bytes() == bytes)
            .ok_or_else(|| anyhow::anyhow!("the note of what the audit log has of a key is damaged"))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (_version, rest) = bytes.split_first()?;
        let (account, rest) = rest.split_at_checked(ACCOUNT_BYTES)?;
        let (has_current, rest) = rest.split_first()?;
        let (current, mut rest) = rest.split_first_chunk::<ID_BYTES>()?;
        let mut expiring = Vec::new();
        while !rest.is_empty() {
            let (id, after) = rest.split_first_chunk::<ID_BYTES>()?;
            let (time, after) = after.split_first_chunk::<8>()?;
            expiring.push((KeyMaterialId::from_bytes(*id), Timestamp::from_millis(u64::from_be_bytes(*time))));
            rest = after;
        }
        Some(Self {
            account: AccountId::parse(str::from_utf8(account).ok()?).ok()?,
            current: (*has_current == 1).then(|| KeyMaterialId::from_bytes(*current)),
            expiring,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frozen: these bytes are in databases in the field.
    #[test]
    fn the_row_never_changes() {
        let noted = Noted {
            account: AccountId::parse("111122223333").unwrap(),
            current: Some(KeyMaterialId::from_bytes([5; 32])),
            expiring: vec![(KeyMaterialId::from_bytes([6; 32]), Timestamp::from_millis(258))],
        };
        let expected =
            format!("01{}01{}{}0000000000000102", hex::encode("111122223333"), "05".repeat(32), "06".repeat(32));
        assert_eq!(hex::encode(noted.to_bytes()), expected);
        assert_eq!(Noted::parse(&noted.to_bytes()).unwrap(), noted);
        let empty = Noted { current: None, expiring: Vec::new(), ..noted };
        assert_eq!(Noted::parse(&empty.to_bytes()).unwrap(), empty);
    }

    #[test]
    fn other_bytes_are_damage() {
        let noted = Noted { account: AccountId::parse("111122223333").unwrap(), current: None, expiring: Vec::new() }
            .to_bytes();
        for at in [0, 13, 14] {
            let mut altered = noted.clone();
            altered[at] ^= 2;
            Noted::parse(&altered).unwrap_err();
        }
        Noted::parse(&noted[..20]).unwrap_err();
        Noted::parse(&[noted.as_slice(), &[0; 7]].concat()).unwrap_err();
    }
}
