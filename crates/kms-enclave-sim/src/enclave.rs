//! An enclave: its measurements, its RSA key, the documents that it asks for and the answers that it opens.

use crate::NitroSystem;
use crate::envelope::parse_envelope;
use crate::nitro_system::encode;
use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use ciborium::Value;

/// See the module.
#[derive(Debug)]
pub struct Enclave {
    /// `module_id` of its documents.
    pub module_id: String,
    /// Registers by number.
    pub registers: Vec<(u8, Vec<u8>)>,
    /// Whether it is an instance with NitroTPM instead.
    pub is_tpm: bool,
    key: PrivateDecryptingKey,
}

/// The fields of a document before it is signed, to be changed by tests.
#[derive(Clone, Debug)]
pub struct Draft(pub Vec<(Value, Value)>);

impl Enclave {
    /// An enclave with an RSA-2048 key whose registers 0 to 4 and 8 hold 48 times their number plus `image`.
    #[must_use]
    pub fn new(image: u8) -> Self {
        let registers = [0, 1, 2, 3, 4, 8].map(|number: u8| (number, vec![number.wrapping_add(image); 48])).to_vec();
        let module_id = "i-0123456789abcdef0-enc0123456789abcdef".to_owned();
        Self { module_id, registers, is_tpm: false, key: PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap() }
    }

    /// An instance with NitroTPM.
    #[must_use]
    pub fn tpm(image: u8) -> Self {
        let registers = [4, 7, 8, 9, 16, 23].map(|number: u8| (number, vec![number.wrapping_add(image); 48])).to_vec();
        let module_id = "i-0123456789abcdef0-tpm0000000000000000".to_owned();
        Self { module_id, registers, is_tpm: true, ..Self::new(image) }
    }

    /// The key that answers are to be encrypted under: DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public_key(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    /// A register as conditions have it.
    #[must_use]
    pub fn register(&self, number: u8) -> String {
        let content = self.registers.iter().find(|(found, _)| *found == number).map(|(_, content)| content);
        content.unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A good document of a moment in milliseconds since the Unix epoch.
    #[must_use]
    pub fn document(&self, system: &NitroSystem, millis: u64) -> Vec<u8> {
        system.sign(&self.draft(system, millis).payload())
    }

    /// The fields of a good document. What the enclave leaves out is null, as in AWS's documents.
    #[must_use]
    pub fn draft(&self, system: &NitroSystem, millis: u64) -> Draft {
        let registers = self.registers.iter().map(|(number, content)| ((*number).into(), content.clone().into()));
        let bundle = system.bundle().iter().map(|der| Value::Bytes(der.clone())).collect();
        let pcrs = if self.is_tpm { "nitrotpm_pcrs" } else { "pcrs" };
        let fields = [
            ("module_id", Value::Text(self.module_id.clone())),
            ("digest", Value::Text("SHA384".to_owned())),
            ("timestamp", Value::Integer(millis.into())),
            (pcrs, Value::Map(registers.collect())),
            ("certificate", Value::Bytes(system.certificate().to_vec())),
            ("cabundle", Value::Array(bundle)),
            ("public_key", Value::Bytes(self.public_key())),
            ("user_data", Value::Null),
            ("nonce", Value::Null),
        ];
        Draft(fields.map(|(name, value)| (Value::Text(name.to_owned()), value)).to_vec())
    }

    /// Opens an answer that was encrypted for this enclave.
    #[must_use]
    pub fn open(&self, answer: &[u8]) -> Vec<u8> {
        let envelope = parse_envelope(answer);
        let decryptor = OaepPrivateDecryptingKey::new(self.key.clone()).unwrap();
        let mut key = vec![0; decryptor.min_output_size()];
        let key = decryptor.decrypt(&OAEP_SHA256_MGF1SHA256, &envelope.encrypted_key, &mut key, None).unwrap();
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap()).unwrap();
        let mut content = envelope.content;
        let iv = DecryptionContext::Iv128(FixedLength::from(envelope.iv));
        key.decrypt(&mut content, iv).unwrap().to_vec()
    }
}

impl Draft {
    /// With another value of a field, or a field more.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        match self.0.iter_mut().find(|(found, _)| found.as_text() == Some(name)) {
            Some(field) => field.1 = value,
            None => self.0.push((Value::Text(name.to_owned()), value)),
        }
        self
    }

    /// Without a field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(found, _)| found.as_text() != Some(name));
        self
    }

    /// CBOR bytes, to be signed.
    #[must_use]
    pub fn payload(self) -> Vec<u8> {
        encode(&Value::Map(self.0))
    }
}
