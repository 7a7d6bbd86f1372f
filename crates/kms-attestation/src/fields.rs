//! The fields of a document's map, each taken once.

use crate::AttestationError;
use ciborium::Value;

/// The names that a document may have.
const NAMES: [&str; 10] = [
    "module_id",
    "digest",
    "timestamp",
    "pcrs",
    "nitrotpm_pcrs",
    "certificate",
    "cabundle",
    "public_key",
    "user_data",
    "nonce",
];

/// The map of a document.
pub(crate) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// Checks the names: known ones, each once. A null value means that the field is not there: documents write so what the
    /// enclave left out.
    pub(crate) fn of(value: Value) -> Result<Self, AttestationError> {
        let Value::Map(entries) = value else { return Err(AttestationError::Structure) };
        let mut fields: Vec<(&'static str, Value)> = Vec::with_capacity(NAMES.len());
        for (name, value) in entries {
            let known = name.as_text().and_then(|name| NAMES.into_iter().find(|known| *known == name));
            let name = known.ok_or(AttestationError::UnknownField)?;
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(AttestationError::Field(name));
            }
            fields.push((name, value));
        }
        fields.retain(|(_, value)| !value.is_null());
        Ok(Self(fields))
    }

    /// Takes a field out, if it is there.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        let at = self.0.iter().position(|(other, _)| *other == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Takes a text that is not empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, AttestationError> {
        let text = self.take(name).and_then(|value| value.into_text().ok());
        text.filter(|text| !text.is_empty()).ok_or(AttestationError::Field(name))
    }

    /// Takes a number above zero.
    pub(crate) fn positive(&mut self, name: &'static str) -> Result<u64, AttestationError> {
        let number = self.take(name).and_then(|value| value.into_integer().ok());
        let number = number.and_then(|number| u64::try_from(number).ok());
        number.filter(|number| *number > 0).ok_or(AttestationError::Field(name))
    }

    /// Takes bytes that may be left out.
    pub(crate) fn optional_bytes(
        &mut self,
        name: &'static str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<Vec<u8>>, AttestationError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let bytes = value.into_bytes().ok().filter(|bytes| length.contains(&bytes.len()));
        bytes.map(Some).ok_or(AttestationError::Field(name))
    }

    /// Takes bytes.
    pub(crate) fn bytes(
        &mut self,
        name: &'static str,
        length: std::ops::RangeInclusive<usize>,
    ) -> Result<Vec<u8>, AttestationError> {
        self.optional_bytes(name, length)?.ok_or(AttestationError::Field(name))
    }
}
