//! `CreateKey`: a new key, single-Region or the primary of a new multi-Region set.

use super::initial_properties::ForNewKey;
use super::key_metadata::KeyMetadata;
use crate::authorise::{Access, Resource};
use crate::residency::residency_denied;
use crate::{Authenticated, Caller, KmsError, Service, Trail};
use kms_core::control::{ControlBody, CreateKeySet, InitialProperties, Refusal};
use kms_core::regional::{CreateKey, RegionalBody};
use kms_crypto::KeyMaterial;
use kms_policy::{Action, KeyFacts, MultiRegionKeyType, Pairs, RequestContext};
use kms_types::{KeyArn, KeyId, KeySpec, KeyUsage, Origin, PARTITION};
use std::time::Duration;

/// How long a new primary may take to appear in its own Region after the commit; local work of a millisecond or two.
const INSTALL_DEADLINE: Duration = Duration::from_secs(5);

/// The request.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateKeyRequest {
    pub policy: Option<String>,
    pub description: Option<String>,
    pub key_usage: Option<KeyUsage>,
    pub key_spec: Option<KeySpec>,
    /// The deprecated name of `key_spec`.
    pub customer_master_key_spec: Option<KeySpec>,
    pub origin: Option<Origin>,
    pub custom_key_store_id: Option<String>,
    /// Conditions tell its absence from `false`.
    pub bypass_policy_lockout_safety_check: Option<bool>,
    pub tags: Vec<(String, String)>,
    pub multi_region: bool,
    pub xks_key_id: Option<String>,
}

/// The response.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the members are the API's own")]
pub struct CreateKeyResponse {
    pub key_metadata: KeyMetadata,
}

impl Service {
    /// `CreateKey`.
    ///
    /// # Errors
    /// [`KmsError`] with AWS's code and text.
    pub async fn create_key(&self, request: Authenticated<CreateKeyRequest>) -> Result<CreateKeyResponse, KmsError> {
        let Authenticated { caller, request } = request;
        let random = self.random_id()?;
        let key_id = if request.multi_region { KeyId::multi_region(random) } else { KeyId::single_region(random) };
        let arn = KeyArn { region: self.region().clone(), account: caller.account(), key_id };
        let about_key = self.authorise_creation(&caller, &request, &arn.to_string())?;
        let kind = check_kind(&request)?;
        let initial = ForNewKey {
            policy: request.policy.as_deref(),
            bypass_lockout_check: request.bypass_policy_lockout_safety_check.unwrap_or_default(),
            description: request.description.as_deref(),
            tags: &request.tags,
        };
        let initial = initial.check(&about_key, &arn)?;
        self.check_new_key(&caller.account(), &initial.tags)?;
        self.check_key_quota(&caller.account())?;
        if request.multi_region {
            self.create_key_set(&caller.trail, &arn, kind, initial).await?;
        } else {
            self.create_single_region_key(&arn, kind, initial).await?;
        }
        let entry = self.directory().key(&key_id).ok_or(KmsError::Internal)?;
        caller.trail.touched(&entry.arn_text, entry.arn.account);
        Ok(CreateKeyResponse { key_metadata: KeyMetadata::of(&entry) })
    }

    /// The key, the role by which AWS KMS keeps the members of a multi-Region key alike, and the tags are authorised each by
    /// identity policies. Answers the access for the key that is to be.
    fn authorise_creation<'a>(
        &'a self,
        caller: &'a Caller,
        request: &'a CreateKeyRequest,
        arn: &str,
    ) -> Result<Access<'a>, KmsError> {
        let to = |action| {
            self.access(caller, action)
                .with(|r| r.key(facts_of(caller, request)).request_tags(Pairs::of(&request.tags)))
                .with(|r| bypass(r, request.bypass_policy_lockout_safety_check))
        };
        let create = to(Action::CreateKey);
        create.authorise(Resource::Account)?;
        if request.multi_region {
            let role = format!("arn:{PARTITION}:iam::{}:role/{SYNCHRONISING_ROLE}", caller.account());
            self.access(caller, Action::CreateServiceLinkedRole).authorise(Resource::Principal(&role))?;
        }
        if !request.tags.is_empty() {
            to(Action::TagResource).authorise(Resource::New(arn))?;
        }
        Ok(create)
    }

    async fn create_single_region_key(
        &self,
        &KeyArn { account, key_id, .. }: &KeyArn,
        kind: Kind,
        initial: InitialProperties,
    ) -> Result<(), KmsError> {
        let material = match self.first_material(kind).await? {
            Some(material) => Some(self.keyring().wrap(&key_id, &material)?),
            None => None,
        };
        let body = CreateKey {
            key_id,
            account,
            spec: kind.spec,
            usage: kind.usage,
            origin: kind.origin,
            description: initial.description,
            policy: initial.policy,
            tags: initial.tags,
            material,
        };
        // A refusal would mean that a drawn UUID exists already.
        self.submit(RegionalBody::CreateKey(Box::new(body))).await?.map_err(|_opaque| KmsError::Internal)
    }

    /// Commits a new key set whose material is sealed to this Region, and waits until the Region has taken it in.
    async fn create_key_set(
        &self,
        trail: &Trail,
        &KeyArn { account, key_id, .. }: &KeyArn,
        kind: Kind,
        initial: InitialProperties,
    ) -> Result<(), KmsError> {
        let first = match self.first_material(kind).await? {
            Some(material) => {
                let public = self.keyring().sealing_public_key();
                let sealed = self.keyring().seal(&key_id, &material, self.region(), public.as_bytes())?;
                Some((material.material_id(&key_id), sealed))
            }
            None => None,
        };
        let material_id = first.as_ref().map(|(material_id, _)| *material_id);
        let Kind { spec, usage, origin } = kind;
        let body = CreateKeySet { key_id, account, spec, usage, origin, first, initial };
        match self.propose(trail, ControlBody::CreateKeySet(body)).await? {
            Ok(()) => {}
            Err(Refusal::ResidencyForbidden { rule }) => {
                return Err(residency_denied(&"A key with these properties", self.region(), &rule));
            }
            Err(Refusal::RegionUnknown) => return Err(KmsError::DependencyTimeout),
            Err(_) => return Err(KmsError::Internal),
        }
        let taken_in = match &material_id {
            Some(material_id) => self.regional().await_material(&key_id, material_id, INSTALL_DEADLINE).await,
            None => self.regional().await_key(&key_id, INSTALL_DEADLINE).await,
        };
        if taken_in { Ok(()) } else { Err(KmsError::DependencyTimeout) }
    }

    /// The material that a new key has at once; none if it is to be imported.
    async fn first_material(&self, kind: Kind) -> Result<Option<KeyMaterial>, KmsError> {
        match kind.origin {
            Origin::External => Ok(None),
            Origin::AwsKms | Origin::AwsCloudHsm | Origin::ExternalKeyStore => {
                self.new_material(kind.spec).await.map(Some)
            }
        }
    }
}

/// The role that AWS needs for multi-Region keys ("Authorizing AWS KMS to synchronize multi-Region keys" in the AWS KMS
/// Developer Guide). Here nothing is done by it; whoever creates such a key needs the permission all the same, so that
/// policies mean what they mean there.
const SYNCHRONISING_ROLE: &str =
    "aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys";

/// What conditions can ask of the key that is to be; what does not fit together is refused once the caller is known to be
/// allowed.
fn facts_of(caller: &Caller, request: &CreateKeyRequest) -> KeyFacts {
    KeyFacts {
        account: caller.account(),
        spec: request.key_spec.or(request.customer_master_key_spec).unwrap_or(KeySpec::SymmetricDefault),
        usage: request.key_usage.unwrap_or(KeyUsage::EncryptDecrypt),
        origin: request.origin.unwrap_or(Origin::AwsKms),
        multi_region: request.multi_region.then_some(MultiRegionKeyType::Primary),
    }
}

/// Tells of the parameter only if the request names it.
pub(crate) fn bypass(request: RequestContext<'_>, named: Option<bool>) -> RequestContext<'_> {
    named.map_or(request, |bypass| request.bypass_policy_lockout_safety_check(bypass))
}

/// What a key is for ever.
#[derive(Clone, Copy)]
struct Kind {
    spec: KeySpec,
    usage: KeyUsage,
    origin: Origin,
}

/// Checks spec, usage and origin against each other, in the order in which AWS is seen to.
fn check_kind(request: &CreateKeyRequest) -> Result<Kind, KmsError> {
    if request.key_spec.is_some() && request.customer_master_key_spec.is_some() {
        return Err(KmsError::service(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is \
             deprecated.",
        ));
    }
    let spec = request.key_spec.or(request.customer_master_key_spec).unwrap_or(KeySpec::SymmetricDefault);
    if spec == KeySpec::Sm2 {
        return Err(KmsError::service("KeySpec SM2 is not supported in this Region"));
    }
    let usage = match request.key_usage {
        Some(usage) => usage,
        None if spec == KeySpec::SymmetricDefault => KeyUsage::EncryptDecrypt,
        None => {
            return Err(KmsError::service(
                "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
            ));
        }
    };
    if !spec.usages().contains(&usage) {
        return Err(KmsError::service(format!("KeyUsage {usage} is not compatible with KeySpec {spec}")));
    }
    let origin = request.origin.unwrap_or(Origin::AwsKms);
    if let Some(named) = &request.custom_key_store_id {
        return Err(KmsError::CustomKeyStoreNotFound(named.clone()));
    }
    if request.xks_key_id.is_some() || matches!(origin, Origin::AwsCloudHsm | Origin::ExternalKeyStore) {
        return Err(no_custom_key_stores());
    }
    if !spec.allows_origin(origin) {
        return Err(KmsError::service(format!("KeySpec {spec} is not supported for Origin {origin}")));
    }
    Ok(Kind { spec, usage, origin })
}

/// There are no custom key stores here.
pub(crate) fn no_custom_key_stores() -> KmsError {
    KmsError::UnsupportedOperation(Some("Custom key stores are not supported in this Region.".to_owned()))
}
