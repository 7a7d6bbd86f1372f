//! `ListGrants`: the grants on a key, by grant ID; those of one grantee, or one grant, if the request asks for it.

use super::grants::{GrantListEntry, parse_grant_id, principal_of};
use super::page::{Limits, Pages};
use crate::resolve::Accept;
use crate::{Authenticated, KmsError, Service};
use kms_core::regional::GrantPrincipal;
use kms_policy::Action;
use kms_types::GrantId;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListGrantsRequest {
    pub key_id: String,
    pub grant_id: Option<String>,
    pub grantee_principal: Option<String>,
    pub grantee_service_principal: Option<String>,
    pub limit: Option<u32>,
    pub marker: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct ListGrantsResponse {
    pub grants: Vec<GrantListEntry>,
    /// Present exactly when the list is truncated.
    pub next_marker: Option<String>,
}

impl Service {
    /// `ListGrants`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn list_grants(&self, request: Authenticated<ListGrantsRequest>) -> Result<ListGrantsResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let entry = self.resolve(&self.access(&caller, Action::ListGrants), &request.key_id, Accept::KeyOnly)?;
        let size = Limits::GRANTS.size(request.limit)?;
        let grantee = principal_of(
            ("GranteePrincipal", request.grantee_principal.as_ref()),
            ("GranteeServicePrincipal", request.grantee_service_principal.as_ref()),
        )?;
        if matches!(grantee, Some(GrantPrincipal::Service(_))) {
            return Err(only_for_services("GranteeServicePrincipal"));
        }
        let only = request.grant_id.as_deref().map(parse_grant_id).transpose()?;
        let key_id = entry.arn.key_id;
        let who = request.grantee_principal.as_deref().unwrap_or("-");
        let scope = format!("{key_id}/{who}/{}", request.grant_id.as_deref().unwrap_or("-"));
        let pages = Pages { operation: "ListGrants", scope: &scope };
        let after = pages.after(request.marker.as_deref())?;
        let after = after.map(|id| GrantId::parse(&id)).transpose().map_err(|_foreign| KmsError::InvalidMarker)?;
        let name = |grant: &GrantListEntry| grant.grant_id.to_string();
        let (grants, next_marker) = self.directory().read(|regional, _| match (&only, &grantee) {
            (Some(grant_id), _) => {
                let found =
                    regional.grant(&key_id, grant_id).filter(|g| grantee.as_ref().is_none_or(|w| *w == g.grantee));
                (found.map(|grant| self.grant_entry(grant)).into_iter().collect(), None)
            }
            (None, Some(grantee)) => {
                let grants = regional.grants_of_grantee(&key_id, grantee, after);
                pages.take(size, grants.map(|grant| self.grant_entry(grant)), name)
            }
            (None, None) => {
                let grants = regional.grants_of(&key_id, after);
                pages.take(size, grants.map(|grant| self.grant_entry(grant)), name)
            }
        });
        Ok(ListGrantsResponse { grants, next_marker })
    }
}

/// A filter that only services may use; there are none here. AWS's code and text are not verified.
pub(crate) fn only_for_services(member: &str) -> KmsError {
    KmsError::AccessDenied(format!("The {member} filter can be used only by callers in a service principal."))
}
