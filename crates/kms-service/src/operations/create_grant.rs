//! `CreateGrant`: lets a principal use a key, until the grant is retired or revoked or the key is gone.

use super::grants::{GrantConstraints, principal_of};
use super::refused::regional_refused;
use crate::authorise::constraints_of;
use crate::resolve::Accept;
use crate::{Authenticated, Caller, KeyEntry, KmsError, Service};
use kms_core::KeyOperation;
use kms_core::regional::{GrantPrincipal, NewGrant, RegionalBody, RegionalOutcome, RegionalRefusal};
use kms_policy::{Action, GrantTerms};
use kms_types::{GrantId, GrantOperation, KeySpec, KeyUsage};
use std::collections::BTreeSet;

/// Most pairs of an encryption context in one constraint ("Grants in AWS KMS", grant constraints).
const CONTEXT_PAIRS_MAX: usize = 8;
/// Longest value of such a pair, in characters (the same page).
const CONTEXT_VALUE_MAX: usize = 384;

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateGrantRequest {
    pub key_id: String,
    pub grantee_principal: Option<String>,
    pub grantee_service_principal: Option<String>,
    pub retiring_principal: Option<String>,
    pub retiring_service_principal: Option<String>,
    pub operations: BTreeSet<GrantOperation>,
    pub constraints: GrantConstraints,
    pub grant_tokens: Vec<String>,
    pub name: Option<String>,
    pub dry_run: bool,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateGrantResponse {
    pub grant_token: String,
    pub grant_id: GrantId,
}

impl Service {
    /// `CreateGrant`. The grant is in force at once in this Region, and in no other. A request with a name may be
    /// repeated: it finds its grant again, and only the token is new.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn create_grant(
        &self,
        request: Authenticated<CreateGrantRequest>,
    ) -> Result<CreateGrantResponse, KmsError> {
        let Authenticated { caller, request } = request;
        self.check_grant_tokens(&request.grant_tokens)?;
        let terms = terms_of(&request);
        let access = self
            .access(&caller, Action::CreateGrant)
            .with(|r| r.new_grant(&terms))
            .with(|r| request.retiring_principal.as_deref().map_or(r, |arn| r.retiring_principal(arn)))
            .with(|r| {
                request.retiring_service_principal.as_deref().map_or(r, |name| r.retiring_service_principal(name))
            });
        let entry = self.resolve(&access, &request.key_id, Accept::KeyOnly)?;
        entry.check_state(KeyOperation::CreateGrant)?;
        let dry_run = request.dry_run;
        let grant = self.new_grant(&caller, &entry, request)?;
        if dry_run {
            self.check_room_for_grant(&entry)?;
            return Err(KmsError::DryRun);
        }
        let grant_id = match self.submit_for(RegionalBody::CreateGrant(Box::new(grant.clone()))).await? {
            RegionalOutcome::Done => grant.grant_id,
            RegionalOutcome::GrantExists(grant_id) => grant_id,
            RegionalOutcome::Refused(refusal) => return Err(self.grant_refused(&entry, &refusal)),
        };
        Ok(CreateGrantResponse { grant_token: self.keyring().grant_token(&entry.arn.key_id, &grant_id)?, grant_id })
    }

    fn new_grant(&self, caller: &Caller, entry: &KeyEntry, request: CreateGrantRequest) -> Result<NewGrant, KmsError> {
        let (grantee, retiring) = check_principals(&request)?;
        check_operations(entry, &request.operations)?;
        check_constraints(entry, &request.constraints)?;
        let mut grant_id = [0; 32];
        self.entropy().fill(&mut grant_id).map_err(|_opaque| KmsError::Internal)?;
        Ok(NewGrant {
            key_id: entry.arn.key_id,
            grant_id: GrantId::from_bytes(grant_id),
            name: request.name,
            grantee,
            retiring,
            issuing_account: caller.account(),
            operations: request.operations,
            constraints: request.constraints,
            grant_limit: self.config().quotas.grants_per_key,
        })
    }

    /// For a dry run, which must fail as the real one would.
    fn check_room_for_grant(&self, entry: &KeyEntry) -> Result<(), KmsError> {
        let count = self.directory().read(|regional, _| regional.grant_count_of(&entry.arn.key_id));
        let full = count >= self.config().quotas.grants_per_key;
        if full { Err(self.grant_refused(entry, &RegionalRefusal::TooManyGrants)) } else { Ok(()) }
    }

    /// AWS's text for the quota of grants is not verified; it is that of the quota of aliases with the other word.
    fn grant_refused(&self, entry: &KeyEntry, refusal: &RegionalRefusal) -> KmsError {
        if *refusal != RegionalRefusal::TooManyGrants {
            return regional_refused(&entry.arn, refusal);
        }
        let limit = self.config().quotas.grants_per_key;
        KmsError::LimitExceeded(format!(
            "Grants per key quota for this account in this region is {limit}, current usage is {limit}."
        ))
    }
}

/// The grant as decisions see it. One for nobody is refused once the caller is known to be allowed.
fn terms_of(request: &CreateGrantRequest) -> GrantTerms<'_> {
    let grantee = request.grantee_principal.as_deref().or(request.grantee_service_principal.as_deref());
    GrantTerms {
        grantee: grantee.unwrap_or_default(),
        operations: &request.operations,
        constraints: constraints_of(&request.constraints),
    }
}

/// Grantee and retiring principal. AWS's texts are not verified but for ARNs of nobody.
fn check_principals(request: &CreateGrantRequest) -> Result<(GrantPrincipal, Option<GrantPrincipal>), KmsError> {
    let grantee = principal_of(
        ("GranteePrincipal", request.grantee_principal.as_ref()),
        ("GranteeServicePrincipal", request.grantee_service_principal.as_ref()),
    )?;
    let retiring = principal_of(
        ("RetiringPrincipal", request.retiring_principal.as_ref()),
        ("RetiringServicePrincipal", request.retiring_service_principal.as_ref()),
    )?;
    let grantee = grantee
        .ok_or_else(|| KmsError::service("You must specify either GranteePrincipal or GranteeServicePrincipal."))?;
    if matches!(grantee, GrantPrincipal::Service(_)) {
        if request.constraints.source_arn.is_none() {
            return Err(KmsError::service("You must specify a SourceArn constraint with GranteeServicePrincipal."));
        }
        if retiring.is_none() {
            return Err(KmsError::service(
                "You must specify either RetiringPrincipal or RetiringServicePrincipal with GranteeServicePrincipal.",
            ));
        }
    }
    Ok((grantee, retiring))
}

/// The operations must be such as the key can do. AWS's text is not verified, but for a grant that could only be passed
/// on (a recording of the service in Ansible's pull request 31960).
fn check_operations(entry: &KeyEntry, operations: &BTreeSet<GrantOperation>) -> Result<(), KmsError> {
    let (spec, usage) = (entry.record.spec, entry.record.usage);
    if let Some(unfit) = operations.iter().find(|operation| !fits(**operation, spec, usage)) {
        return Err(KmsError::service(format!(
            "Operation {unfit} is not supported by a grant on a key with KeySpec {spec} and KeyUsage {usage}."
        )));
    }
    match operations.first() {
        None => Err(KmsError::service("Grants must contain at least one operation.")),
        Some(GrantOperation::CreateGrant) if operations.len() == 1 => {
            Err(KmsError::service("Grants must not contain only the CreateGrant operation."))
        }
        Some(_) => Ok(()),
    }
}

/// The table "Grant operations" of the AWS KMS Developer Guide.
const fn fits(operation: GrantOperation, spec: KeySpec, usage: KeyUsage) -> bool {
    use GrantOperation as O;
    let symmetric = matches!(spec, KeySpec::SymmetricDefault);
    match operation {
        O::CreateGrant | O::RetireGrant | O::DescribeKey => true,
        O::GetPublicKey => spec.is_asymmetric(),
        O::GenerateDataKey
        | O::GenerateDataKeyWithoutPlaintext
        | O::GenerateDataKeyPair
        | O::GenerateDataKeyPairWithoutPlaintext => symmetric,
        O::Encrypt | O::Decrypt | O::ReEncryptFrom | O::ReEncryptTo => matches!(usage, KeyUsage::EncryptDecrypt),
        O::Sign | O::Verify => matches!(usage, KeyUsage::SignVerify),
        O::GenerateMac | O::VerifyMac => matches!(usage, KeyUsage::GenerateVerifyMac),
        O::DeriveSharedSecret => matches!(usage, KeyUsage::KeyAgreement),
        O::Encapsulate | O::Decapsulate => matches!(usage, KeyUsage::EncapsulateDecapsulate),
    }
}

/// Only requests for symmetric keys have an encryption context. AWS's texts are not verified.
fn check_constraints(entry: &KeyEntry, constraints: &GrantConstraints) -> Result<(), KmsError> {
    let equals = constraints.encryption_context_equals.as_ref();
    for context in equals.iter().chain(&constraints.encryption_context_subset.as_ref()) {
        if entry.record.spec != KeySpec::SymmetricDefault {
            return Err(KmsError::service(
                "Encryption context grant constraints are supported only on symmetric encryption keys.",
            ));
        }
        if context.len() > CONTEXT_PAIRS_MAX {
            return Err(KmsError::service(format!(
                "A grant constraint can contain at most {CONTEXT_PAIRS_MAX} encryption context pairs."
            )));
        }
        if context.values().any(|value| value.chars().count() > CONTEXT_VALUE_MAX) {
            return Err(KmsError::service(format!(
                "An encryption context value in a grant constraint can have at most {CONTEXT_VALUE_MAX} characters."
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operations per kind of key, beside those that fit every key.
    #[test]
    fn operations_fit_the_kinds_of_keys_that_have_them() {
        use GrantOperation as O;
        let cases: [(KeySpec, KeyUsage, &[O]); 7] = [
            (
                KeySpec::SymmetricDefault,
                KeyUsage::EncryptDecrypt,
                &[
                    O::Decrypt,
                    O::Encrypt,
                    O::GenerateDataKey,
                    O::GenerateDataKeyWithoutPlaintext,
                    O::ReEncryptFrom,
                    O::ReEncryptTo,
                    O::GenerateDataKeyPair,
                    O::GenerateDataKeyPairWithoutPlaintext,
                ],
            ),
            (
                KeySpec::Rsa2048,
                KeyUsage::EncryptDecrypt,
                &[O::Decrypt, O::Encrypt, O::ReEncryptFrom, O::ReEncryptTo, O::GetPublicKey],
            ),
            (KeySpec::Rsa4096, KeyUsage::SignVerify, &[O::Sign, O::Verify, O::GetPublicKey]),
            (KeySpec::MlDsa44, KeyUsage::SignVerify, &[O::Sign, O::Verify, O::GetPublicKey]),
            (KeySpec::Hmac384, KeyUsage::GenerateVerifyMac, &[O::GenerateMac, O::VerifyMac]),
            (KeySpec::EccNistP256, KeyUsage::KeyAgreement, &[O::GetPublicKey, O::DeriveSharedSecret]),
            (KeySpec::MlKem768, KeyUsage::EncapsulateDecapsulate, &[O::GetPublicKey, O::Encapsulate, O::Decapsulate]),
        ];
        for (spec, usage, own) in cases {
            for operation in O::ALL {
                let expected =
                    own.contains(&operation) || matches!(operation, O::CreateGrant | O::RetireGrant | O::DescribeKey);
                assert_eq!(fits(operation, spec, usage), expected, "{operation} {spec} {usage}");
            }
        }
    }
}
