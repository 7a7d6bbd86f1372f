//! What an operator asks of the directory of principals. Every change goes through the control log and is in force here when
//! it is answered.

mod reseal;
mod roles;
mod session_keys;

pub use roles::NewRole;

use crate::{KmsError, Service, Trail};
use kms_core::control::identity::{AccessKeyEntry, CreatePrincipal, IdentityBody, PrincipalChange, PrincipalEntry};
use kms_core::control::{ControlBody, ControlState, Refusal, RegionEntry, RegionRole};
use kms_crypto::AccessSecret;
use kms_policy::{DocumentKind, PolicyDocument, PolicyError};
use kms_types::{AccessKeyId, IamPath, PrincipalId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of unique IDs and access key IDs: base32 of RFC 4648, as AWS's.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// How often a new access key is sealed again because the Region directory changed meanwhile.
const SEAL_ATTEMPTS: usize = 3;

/// Why the directory of principals was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The name, the certificate or the ID is taken.
    #[error("{0} exists already")]
    Exists(String),
    /// No such user, role, access key or policy.
    #[error("{0} does not exist")]
    NotFound(String),
    /// A limit is reached.
    #[error("{0}")]
    Limit(String),
    /// A document that is no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A value that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// No majority of Regions is within reach.
    #[error("no majority of Regions is within reach; nothing was changed, or it is not known whether it was")]
    NoMajority,
    /// Something failed inside.
    #[error("an internal failure; see the log")]
    Internal,
}

/// A new user.
#[derive(Clone, Debug)]
pub struct NewPrincipal {
    /// Account and name.
    pub id: PrincipalId,
    /// The path.
    pub path: IamPath,
    /// SPIFFE URI of the certificate that stands for the user.
    pub certificate: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

impl Service {
    /// Creates a user.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn create_principal(&self, new: NewPrincipal) -> Result<Arc<PrincipalEntry>, IdentityError> {
        let unique_id = self.draw_id("AIDA", 17)?;
        let NewPrincipal { id, path, certificate, tags } = new;
        let body = CreatePrincipal { id: id.clone(), unique_id, path, certificate, tags };
        let what = match &body.certificate {
            None => id.to_string(),
            Some(_) => format!("{id}, or another user with its certificate,"),
        };
        self.change(&what, IdentityBody::CreatePrincipal(Box::new(body))).await?;
        self.principal(&id)
    }

    /// A user.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`].
    pub fn principal(&self, id: &PrincipalId) -> Result<Arc<PrincipalEntry>, IdentityError> {
        let found = self.directory().read(|_, control| control.identities().principal(id).cloned());
        found.ok_or_else(|| IdentityError::NotFound(format!("the {id}")))
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn change_principal(&self, id: PrincipalId, change: PrincipalChange) -> Result<(), IdentityError> {
        check_documents(&change)?;
        self.change(&id.clone(), IdentityBody::ChangePrincipal { id, change }).await
    }

    /// Deletes a user with its access keys.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn delete_principal(&self, id: PrincipalId) -> Result<(), IdentityError> {
        self.change(&id.clone(), IdentityBody::DeletePrincipal { id }).await
    }

    /// Creates an access key of a user. The secret is in the answer and can be had nowhere else.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn create_access_key(
        &self,
        user: PrincipalId,
        is_taken: impl Fn(&AccessKeyId) -> bool + Send,
    ) -> Result<(Arc<AccessKeyEntry>, AccessSecret), IdentityError> {
        let internal = |_| IdentityError::Internal;
        for _ in 0..SEAL_ATTEMPTS {
            let id = AccessKeyId::parse(&self.draw_id("AKIA", 16)?).map_err(|_invalid| IdentityError::Internal)?;
            if is_taken(&id) {
                continue;
            }
            let secret = self.keyring().new_access_secret().map_err(internal)?;
            let regions = self.directory().read(|_, control| serving(control));
            let boxes = self.keyring().seal_access_secret(&id, &secret, regions.iter().map(AsRef::as_ref));
            let boxes = boxes.map_err(internal)?;
            let body = IdentityBody::CreateAccessKey { id: id.clone(), user: user.clone(), boxes };
            match self.propose_identity(body).await? {
                Ok(()) => {
                    let entry = self.directory().read(|_, control| control.identities().access_key(&id).cloned());
                    return Ok((entry.ok_or(IdentityError::Internal)?, secret));
                }
                // A Region registered meanwhile, or the draw met an ID that is in use.
                Err(Refusal::BoxesMismatch | Refusal::AccessKeyExists) => {}
                Err(refusal) => return Err(refused(&user.to_string(), &refusal)),
            }
        }
        Err(IdentityError::Internal)
    }

    /// Disables an access key, or enables it again.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn enable_access_key(&self, id: AccessKeyId, enabled: bool) -> Result<(), IdentityError> {
        self.change(&id.clone(), IdentityBody::EnableAccessKey { id, enabled }).await
    }

    /// Deletes an access key.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub async fn delete_access_key(&self, id: AccessKeyId) -> Result<(), IdentityError> {
        self.change(&id.clone(), IdentityBody::DeleteAccessKey { id }).await
    }

    async fn change(&self, what: &impl ToString, body: IdentityBody) -> Result<(), IdentityError> {
        self.propose_identity(body).await?.map_err(|refusal| refused(&what.to_string(), &refusal))
    }

    async fn propose_identity(&self, body: IdentityBody) -> Result<Result<(), Refusal>, IdentityError> {
        // The operator's request has a record of its own, and the change another one, which names its place in the log.
        self.propose(&Trail::default(), ControlBody::Identity(body)).await.map_err(|error| match error {
            KmsError::DependencyTimeout => IdentityError::NoMajority,
            _ => IdentityError::Internal,
        })
    }

    fn draw_id(&self, prefix: &str, length: usize) -> Result<String, IdentityError> {
        let mut random = vec![0; length];
        self.entropy().fill(&mut random).map_err(|_unavailable| IdentityError::Internal)?;
        let characters = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
        Ok(prefix.chars().chain(characters).collect())
    }
}

fn check_documents(change: &PrincipalChange) -> Result<(), PolicyError> {
    if let PrincipalChange::PutPolicy(_, text) | PrincipalChange::Boundary(Some(text)) = change {
        PolicyDocument::parse(text, DocumentKind::Identity)?;
    }
    Ok(())
}

/// The Regions that serve requests.
fn serving(control: &ControlState) -> Vec<Arc<RegionEntry>> {
    control.regions().filter(|entry| entry.role == RegionRole::Full).cloned().collect()
}

fn refused(what: &str, refusal: &Refusal) -> IdentityError {
    match refusal {
        Refusal::PrincipalExists | Refusal::AccessKeyExists => IdentityError::Exists(format!("the {what}")),
        Refusal::PrincipalNotFound => IdentityError::NotFound(format!("the {what}")),
        Refusal::AccessKeyNotFound => IdentityError::NotFound(format!("the access key {what}")),
        Refusal::PolicyNotFound => IdentityError::NotFound(format!("that policy of the {what}")),
        Refusal::IdentityLimit => IdentityError::Limit(format!("{what}: {refusal}")),
        // The directory of Regions is not complete yet.
        Refusal::RegionUnknown => IdentityError::NoMajority,
        _ => IdentityError::Internal,
    }
}
