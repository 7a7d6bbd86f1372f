//! From the identifier in a request to a key of this Region, with AWS's errors for everything else.

use crate::authorise::{Access, Resource};
use crate::{KeyEntry, KmsError, Service};
use kms_types::{AccountId, AliasArn, AliasName, KeyArn, KeyId, KeyRef, KeyRefError, RegionName};
use std::sync::Arc;

/// Which identifier forms an operation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Key ID and key ARN only.
    KeyOnly,
    /// Aliases too.
    Alias,
}

impl Service {
    /// Finds the key that a request names and authorises the action on it.
    ///
    /// A missing key of the caller's own account is `NotFound` only for a caller who would be allowed; a key of another
    /// account is never told from a missing one.
    pub(crate) fn resolve(&self, access: &Access<'_>, key_id: &str, accept: Accept) -> Result<Arc<KeyEntry>, KmsError> {
        let access = access.naming(key_id);
        let (account, id) = self.referenced(&access, key_id, accept)?;
        self.authorised_key(&access, account, id)
    }

    /// The account and ID of the key that a request names. Whether there is such a key is not said, nor whether the caller
    /// may do anything to it.
    pub(crate) fn referenced(
        &self,
        access: &Access<'_>,
        key_id: &str,
        accept: Accept,
    ) -> Result<(AccountId, KeyId), KmsError> {
        let caller = access.caller();
        let reference = KeyRef::parse(key_id).map_err(|fault| match fault {
            KeyRefError::KeyId => KmsError::InvalidKeyId(key_id.to_owned()),
            KeyRefError::Arn => KmsError::InvalidArn("Invalid identifier"),
            // An alias that no alias can be named does not exist; AWS's text for it is not verified.
            KeyRefError::Alias => KmsError::InvalidArn("Invalid identifier"),
        })?;
        match reference {
            KeyRef::Id(id) => Ok((caller.account(), id)),
            KeyRef::Arn(arn) => {
                self.check_region(&arn.region)?;
                Ok((arn.account, arn.key_id))
            }
            KeyRef::Alias(_) | KeyRef::AliasArn(_) if accept == Accept::KeyOnly => {
                Err(KmsError::InvalidArn("Key Aliases are not supported for this operation."))
            }
            KeyRef::Alias(name) => self.resolve_alias(access, caller.account(), name),
            KeyRef::AliasArn(arn) => {
                self.check_region(&arn.region)?;
                self.resolve_alias(access, arn.account, arn.name)
            }
        }
    }

    /// The key with this ID in this account, for a caller who may do the action.
    pub(crate) fn authorised_key(
        &self,
        access: &Access<'_>,
        account: AccountId,
        key_id: KeyId,
    ) -> Result<Arc<KeyEntry>, KmsError> {
        let found = self.directory().key(&key_id).filter(|entry| entry.arn.account == account);
        match found {
            Some(entry) => {
                access.authorise(Resource::Key(&entry))?;
                Ok(entry)
            }
            None => {
                let arn = KeyArn { region: self.region().clone(), account, key_id };
                access.authorise(Resource::Absent(&arn))?;
                Err(KmsError::KeyNotFound(arn))
            }
        }
    }

    fn resolve_alias(
        &self,
        access: &Access<'_>,
        account: AccountId,
        name: AliasName,
    ) -> Result<(AccountId, KeyId), KmsError> {
        if let Some(target) = self.directory().alias_target(account, name.clone()) {
            return Ok((account, target));
        }
        // The same refusal as for a key that exists: who may not do the action on any key learns nothing about the names
        // in use, and of those of other accounts nobody does.
        let unknown = KeyArn { region: self.region().clone(), account, key_id: KeyId::single_region([0; 16]) };
        access.authorise(Resource::Absent(&unknown))?;
        Err(KmsError::AliasNotFound(AliasArn { region: self.region().clone(), account, name }))
    }

    fn check_region(&self, region: &RegionName) -> Result<(), KmsError> {
        if region == self.region() { Ok(()) } else { Err(KmsError::ForeignRegionArn(region.clone())) }
    }
}
