//! `ListAliases`: the caller's aliases in this Region, by name; those of one key if the request names one.

use super::page::{Limits, Pages};
use crate::authorise::{Access, Resource};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::regional::AliasRecord;
use kms_policy::Action;
use kms_types::{AliasArn, AliasName, KeyArn, KeyId, Timestamp};
use std::sync::Arc;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListAliasesRequest {
    pub key_id: Option<String>,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListAliasesResponse {
    pub aliases: Vec<AliasListEntry>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

/// One alias of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct AliasListEntry {
    /// Gives the entry's `AliasName` and `AliasArn`.
    pub arn: AliasArn,
    pub target_key_id: KeyId,
    pub creation_date: Timestamp,
    pub last_updated_date: Timestamp,
}

impl Service {
    /// `ListAliases`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_aliases(
        &self,
        request: Authenticated<ListAliasesRequest>,
    ) -> Result<ListAliasesResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let access = self.access(&caller, Action::ListAliases);
        access.authorise(Resource::Account)?;
        let size = Limits::ALIASES.size(request.limit)?;
        let of_key = match &request.key_id {
            Some(key_id) => Some(self.own_key(&access, key_id)?),
            None => None,
        };
        let account = caller.account();
        let scope = format!("{account}/{}", of_key.as_ref().map_or("-", KeyId::as_str));
        let pages = Pages { operation: "ListAliases", scope: &scope };
        let after = pages.after(request.marker.as_deref())?;
        let after =
            after.map(|name| AliasName::parse(&name)).transpose().map_err(|_foreign| KmsError::InvalidMarker)?;
        let name = |alias: &Arc<AliasRecord>| alias.name.as_str().to_owned();
        let (aliases, next_marker) = self.directory().read(|regional, _| match of_key {
            Some(key_id) => {
                let names = regional.aliases_of(&key_id).filter(|name| after.as_ref().is_none_or(|a| *name > a));
                let aliases = names.filter_map(|name| regional.alias(&account, name).cloned());
                pages.take(size, aliases, name)
            }
            None => pages.take(size, regional.aliases_after(account, after.as_ref()).cloned(), name),
        });
        let aliases = aliases.iter().map(|alias| self.alias_entry(alias)).collect();
        Ok(ListAliasesResponse { aliases, next_marker })
    }

    /// The key that the request names. The list is the account's own, so no key policy has a say; a key of another account
    /// has no alias in it, whether it is there or not.
    fn own_key(&self, access: &Access<'_>, key_id: &str) -> Result<KeyId, KmsError> {
        let (account, key_id) = self.referenced(access, key_id, Accept::KeyOnly)?;
        match self.directory().key(&key_id) {
            Some(entry) if entry.arn.account == account && account == access.caller().account() => Ok(key_id),
            Some(_) | None => Err(KmsError::KeyNotFound(KeyArn { region: self.region().clone(), account, key_id })),
        }
    }

    fn alias_entry(&self, alias: &AliasRecord) -> AliasListEntry {
        AliasListEntry {
            arn: AliasArn { region: self.region().clone(), account: alias.account, name: alias.name.clone() },
            target_key_id: alias.target,
            creation_date: alias.created_at,
            last_updated_date: alias.updated_at,
        }
    }
}
