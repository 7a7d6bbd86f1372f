//! `ListRetirableGrants`: the grants that a principal of the caller's account may retire, on keys of any account.

use super::grants::{GrantListEntry, principal_of};
use super::list_grants::only_for_services;
use super::page::{Limits, Pages};
use crate::authorise::Resource;
use crate::{Authenticated, KmsError, Service};
use kms_core::regional::GrantPrincipal;
use kms_policy::Action;
use kms_types::{GrantId, KeyId};

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListRetirableGrantsRequest {
    pub retiring_principal: Option<String>,
    pub retiring_service_principal: Option<String>,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListRetirableGrantsResponse {
    pub grants: Vec<GrantListEntry>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

impl Service {
    /// `ListRetirableGrants`. Asks nothing of the keys: who may retire a grant may know it.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_retirable_grants(
        &self,
        request: Authenticated<ListRetirableGrantsRequest>,
    ) -> Result<ListRetirableGrantsResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let named = request.retiring_principal.as_deref().unwrap_or("*");
        let principal = principal_of(
            ("RetiringPrincipal", request.retiring_principal.as_ref()),
            ("RetiringServicePrincipal", request.retiring_service_principal.as_ref()),
        )?;
        let resource = request.retiring_principal.as_deref().map_or(Resource::Account, Resource::Principal);
        self.access(&caller, Action::ListRetirableGrants).authorise(resource)?;
        let size = Limits::GRANTS.size(request.limit)?;
        let principal = match principal {
            Some(principal @ GrantPrincipal::Arn(_)) => principal,
            Some(GrantPrincipal::Service(_)) => return Err(only_for_services("RetiringServicePrincipal")),
            // AWS's text is not verified.
            None => {
                return Err(KmsError::service(
                    "You must specify either RetiringPrincipal or RetiringServicePrincipal.",
                ));
            }
        };
        let pages = Pages { operation: "ListRetirableGrants", scope: named };
        let after = match pages.after(request.marker.as_deref())? {
            Some(place) => Some(parse_place(&place).ok_or(KmsError::InvalidMarker)?),
            None => None,
        };
        let (grants, next_marker) = self.directory().read(|regional, _| {
            let grants = regional.grants_retirable_by(&principal, after);
            let place = |grant: &GrantListEntry| format!("{}/{}", grant.key.key_id, grant.grant_id);
            pages.take(size, grants.map(|grant| self.grant_entry(grant)), place)
        });
        Ok(ListRetirableGrantsResponse { grants, next_marker })
    }
}

fn parse_place(place: &str) -> Option<(KeyId, GrantId)> {
    let (key_id, grant_id) = place.split_once('/')?;
    Some((KeyId::parse(key_id).ok()?, GrantId::parse(grant_id).ok()?))
}
