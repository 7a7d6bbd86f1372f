//! The PKI that signs attestation documents: a root, authorities below it, and the certificate of one hypervisor.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use ciborium::Value;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P384_SHA384,
};
use time::OffsetDateTime;

/// 2010-01-01 and 2049-01-01, in seconds since the Unix epoch.
const LONG: (i64, i64) = (1_262_304_000, 2_493_072_000);

/// How a chain differs from a good one. The default is good, and valid for decades.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ChainPlan {
    /// First and last second.
    pub root_valid: (i64, i64),
    /// First and last second.
    pub leaf_valid: (i64, i64),
    pub root_path_length: Option<u8>,
    pub authorities: usize,
    pub authorities_may_sign_certificates: bool,
    pub leaf_may_sign: bool,
    pub leaf_is_authority: bool,
}

impl Default for ChainPlan {
    fn default() -> Self {
        Self {
            root_valid: LONG,
            leaf_valid: LONG,
            root_path_length: None,
            authorities: 3,
            authorities_may_sign_certificates: true,
            leaf_may_sign: true,
            leaf_is_authority: false,
        }
    }
}

/// The PKI with the key of its last certificate.
#[derive(Debug)]
pub struct NitroSystem {
    root_pem: String,
    /// DER, the root first.
    bundle: Vec<Vec<u8>>,
    leaf: Vec<u8>,
    leaf_pem: String,
    key: EcdsaKeyPair,
}

impl NitroSystem {
    /// A new PKI with a good chain.
    #[must_use]
    pub fn new() -> Self {
        Self::with(&ChainPlan::default())
    }

    /// A new PKI.
    #[must_use]
    pub fn with(plan: &ChainPlan) -> Self {
        let mut issuer = key();
        let mut params = authority("enclave-sim.root", plan.root_valid, true);
        if let Some(length) = plan.root_path_length {
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(length));
        }
        let root = params.self_signed(&issuer).unwrap();
        let mut bundle = vec![root.der().to_vec()];
        for number in 0..plan.authorities {
            let own = key();
            let below = authority(&format!("enclave-sim.{number}"), LONG, plan.authorities_may_sign_certificates);
            bundle.push(below.signed_by(&own, &Issuer::from_params(&params, &issuer)).unwrap().der().to_vec());
            (params, issuer) = (below, own);
        }
        let mut leaf = named("i-0123456789abcdef0.enclave-sim", plan.leaf_valid);
        leaf.is_ca =
            if plan.leaf_is_authority { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
        let usage = if plan.leaf_may_sign { KeyUsagePurpose::DigitalSignature } else { KeyUsagePurpose::KeyAgreement };
        leaf.key_usages = vec![usage];
        let own = key();
        let leaf = leaf.signed_by(&own, &Issuer::from_params(&params, &issuer)).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &own.serialize_der()).unwrap();
        Self { root_pem: root.pem(), bundle, leaf_pem: leaf.pem(), leaf: leaf.der().to_vec(), key }
    }

    /// The root, for whoever is to trust it.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The certificate that signs documents.
    #[must_use]
    pub fn signing_certificate_pem(&self) -> &str {
        &self.leaf_pem
    }

    /// The DER certificate that signs documents, for the field `certificate`.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.leaf
    }

    /// DER certificates from the root down, for the field `cabundle`.
    #[must_use]
    pub fn bundle(&self) -> &[Vec<u8>] {
        &self.bundle
    }

    /// A payload in its envelope, with the tag of `COSE_Sign1`.
    #[must_use]
    pub fn sign(&self, payload: &[u8]) -> Vec<u8> {
        encode(&Value::Tag(18, Box::new(self.sign1(&[0xa1, 0x01, 0x38, 0x22], payload))))
    }

    /// `COSE_Sign1` without a tag, with a protected header of the caller's.
    #[must_use]
    pub fn sign1(&self, protected: &[u8], payload: &[u8]) -> Value {
        let signed = Value::Array(vec![
            Value::Text("Signature1".to_owned()),
            Value::Bytes(protected.to_vec()),
            Value::Bytes(Vec::new()),
            Value::Bytes(payload.to_vec()),
        ]);
        let signature = self.key.sign(&SystemRandom::new(), &encode(&signed)).unwrap();
        Value::Array(vec![
            Value::Bytes(protected.to_vec()),
            Value::Map(Vec::new()),
            Value::Bytes(payload.to_vec()),
            Value::Bytes(signature.as_ref().to_vec()),
        ])
    }
}

impl Default for NitroSystem {
    fn default() -> Self {
        Self::new()
    }
}

/// CBOR bytes of a value.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()
}

fn named(name: &str, (from, to): (i64, i64)) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = OffsetDateTime::from_unix_timestamp(from).unwrap();
    params.not_after = OffsetDateTime::from_unix_timestamp(to).unwrap();
    params
}

fn authority(name: &str, valid: (i64, i64), may_sign_certificates: bool) -> CertificateParams {
    let mut params = named(name, valid);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let usage = if may_sign_certificates { KeyUsagePurpose::KeyCertSign } else { KeyUsagePurpose::CrlSign };
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, usage];
    params
}
