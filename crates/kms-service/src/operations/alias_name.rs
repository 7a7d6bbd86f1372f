//! Names and targets of CreateAlias, UpdateAlias and DeleteAlias.

use crate::authorise::{Access, Resource};
use crate::resolve::Accept;
use crate::{Caller, KeyEntry, KmsError, Service};
use kms_types::{AliasArn, AliasName, KeyRef};
use std::sync::Arc;

impl Service {
    /// Reads the name of an alias that the caller wants to change, with AWS's errors in AWS's places.
    pub(crate) fn own_alias(&self, caller: &Caller, name: &str) -> Result<AliasArn, KmsError> {
        if !name.starts_with(AliasName::PREFIX) {
            return Err(KmsError::service(
                "Alias must start with the prefix \"alias/\". Please see \
                 https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
            ));
        }
        if name == AliasName::PREFIX {
            return Err(KmsError::InvalidAliasName("The alias name must not be empty."));
        }
        // The model allows a colon, which the service refuses; its other characters and its length are checked before.
        let name = AliasName::parse(name)
            .map_err(|_form| KmsError::service(format!("{name} contains invalid characters for an alias")))?;
        if name.is_reserved() {
            return Err(KmsError::ReservedAlias);
        }
        Ok(AliasArn { region: self.region().clone(), account: caller.account(), name })
    }

    /// Authorises an action on the alias itself, which identity policies alone decide on. What conditions ask of a key is
    /// not there then ("Controlling access to aliases" in the AWS KMS Developer Guide).
    pub(crate) fn authorise_on_alias(access: &Access<'_>, alias: &AliasArn) -> Result<(), KmsError> {
        access.authorise(Resource::Alias(&alias.to_string().into()))
    }

    /// The key that an alias is to point at: a key of the caller's own account, not named by an alias.
    pub(crate) fn alias_target(&self, access: &Access<'_>, key_id: &str) -> Result<Arc<KeyEntry>, KmsError> {
        match KeyRef::parse(key_id) {
            Ok(KeyRef::Alias(_) | KeyRef::AliasArn(_)) => {
                return Err(KmsError::service("Aliases must refer to keys. Not aliases"));
            }
            Ok(KeyRef::Arn(arn)) if arn.account != access.caller().account() => {
                return Err(KmsError::service("This operation cannot be called cross account"));
            }
            Ok(KeyRef::Arn(_) | KeyRef::Id(_)) | Err(_) => {}
        }
        self.resolve(access, key_id, Accept::KeyOnly)
    }
}
