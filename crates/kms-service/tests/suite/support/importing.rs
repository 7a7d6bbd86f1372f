//! Keys with imported material, and the caller's half of an import.

use super::cluster::{Cluster, admin};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use kms_service::KmsError;
use kms_service::operations::create_key::CreateKeyRequest;
use kms_service::operations::delete_imported_key_material::DeleteImportedKeyMaterialRequest;
use kms_service::operations::get_parameters_for_import::{
    GetParametersForImportRequest, GetParametersForImportResponse,
};
use kms_service::operations::import_key_material::ImportKeyMaterialRequest;
use kms_service::operations::list_key_rotations::{IncludeKeyMaterial, ListKeyRotationsRequest, RotationsListEntry};
use kms_types::{ExpirationModel, ImportType, KeyMaterialId, KeySpec, Origin, WrappingAlgorithm, WrappingKeySpec};

/// Wraps material as a caller does.
pub(crate) fn wrap(algorithm: WrappingAlgorithm, public_key: &[u8], material: &[u8]) -> Vec<u8> {
    use WrappingAlgorithm as A;
    let oaep = match algorithm {
        A::RsaesOaepSha1 | A::RsaAesKeyWrapSha1 => &OAEP_SHA1_MGF1SHA1,
        _ => &OAEP_SHA256_MGF1SHA256,
    };
    let key = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public_key).unwrap()).unwrap();
    let encrypt = |bytes: &[u8]| {
        let mut room = vec![0; key.ciphertext_size()];
        key.encrypt(oaep, bytes, &mut room, None).unwrap().to_vec()
    };
    match algorithm {
        A::RsaAesKeyWrapSha1 | A::RsaAesKeyWrapSha256 => {
            let mut room = vec![0; material.len() + 16];
            let kek = AesKek::new(&AES_256, &[0x5a; 32]).unwrap();
            let wrapped = kek.wrap_with_padding(material, &mut room).unwrap().to_vec();
            [encrypt(&[0x5a; 32]), wrapped].concat()
        }
        _ => encrypt(material),
    }
}

/// A wrapping key in use, for any number of imports into one key of one Region.
pub(crate) struct Door<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) at: &'a str,
    pub(crate) key_id: String,
    pub(crate) algorithm: WrappingAlgorithm,
    pub(crate) parameters: GetParametersForImportResponse,
}

impl Door<'_> {
    /// A request for material that does not expire.
    pub(crate) fn request(&self, material: &[u8]) -> ImportKeyMaterialRequest {
        ImportKeyMaterialRequest {
            key_id: self.key_id.clone(),
            import_token: self.parameters.import_token.clone(),
            encrypted_key_material: wrap(self.algorithm, &self.parameters.public_key, material),
            expiration_model: Some(ExpirationModel::KeyMaterialDoesNotExpire),
            ..ImportKeyMaterialRequest::default()
        }
    }

    pub(crate) async fn send(&self, request: ImportKeyMaterialRequest) -> Result<Option<KeyMaterialId>, KmsError> {
        let imported = self.cluster.at(self.at).import_key_material(admin(request)).await;
        imported.map(|response| response.key_material_id)
    }

    pub(crate) async fn import(&self, material: &[u8]) -> Result<Option<KeyMaterialId>, KmsError> {
        self.send(self.request(material)).await
    }

    pub(crate) async fn import_as(
        &self,
        import_type: ImportType,
        material: &[u8],
    ) -> Result<Option<KeyMaterialId>, KmsError> {
        self.send(ImportKeyMaterialRequest { import_type: Some(import_type), ..self.request(material) }).await
    }
}

fn external(spec: KeySpec) -> CreateKeyRequest {
    CreateKeyRequest {
        key_spec: Some(spec),
        key_usage: Some(spec.usages()[0]),
        origin: Some(Origin::External),
        ..CreateKeyRequest::default()
    }
}

impl Cluster {
    /// A single-Region key that waits for its material; answers its ID.
    pub(crate) async fn external_key(&self, at: &str, spec: KeySpec) -> String {
        self.create(at, external(spec)).await.arn.key_id.to_string()
    }

    /// A multi-Region key that waits for its material; answers its ID.
    pub(crate) async fn external_key_set(&self, primary: &str, spec: KeySpec) -> String {
        let request = CreateKeyRequest { multi_region: true, ..external(spec) };
        let key_id = self.create(primary, request).await.arn.key_id.to_string();
        self.settle().await;
        key_id
    }

    pub(crate) async fn import_parameters(
        &self,
        at: &str,
        key_id: &str,
        wrapping_algorithm: WrappingAlgorithm,
        wrapping_key_spec: WrappingKeySpec,
    ) -> Result<GetParametersForImportResponse, KmsError> {
        let key_id = key_id.to_owned();
        let request = GetParametersForImportRequest { key_id, wrapping_algorithm, wrapping_key_spec };
        self.at(at).get_parameters_for_import(admin(request)).await
    }

    pub(crate) async fn door<'a>(&'a self, at: &'a str, key_id: &str) -> Door<'a> {
        let algorithm = WrappingAlgorithm::RsaAesKeyWrapSha256;
        let parameters = self.import_parameters(at, key_id, algorithm, WrappingKeySpec::Rsa2048).await.unwrap();
        Door { cluster: self, at, key_id: key_id.to_owned(), algorithm, parameters }
    }

    pub(crate) async fn delete_import(
        &self,
        at: &str,
        key_id: &str,
        key_material_id: Option<KeyMaterialId>,
    ) -> Result<Option<String>, KmsError> {
        let request = DeleteImportedKeyMaterialRequest { key_id: key_id.to_owned(), key_material_id };
        self.at(at).delete_imported_key_material(admin(request)).await.map(|response| response.key_material_id)
    }

    /// Every material version of a key, as a Region lists it.
    pub(crate) async fn versions(&self, at: &str, key_id: &str) -> Vec<RotationsListEntry> {
        let request = ListKeyRotationsRequest {
            key_id: key_id.to_owned(),
            include_key_material: IncludeKeyMaterial::AllKeyMaterial,
            limit: None,
            marker: None,
        };
        self.at(at).list_key_rotations(admin(request)).await.unwrap().rotations
    }
}
