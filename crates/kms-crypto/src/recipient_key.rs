//! Answers for an attested recipient: CMS EnvelopedData (RFC 5652 §6) for the RSA key of an attestation document, as AWS
//! KMS answers in `CiphertextForRecipient`.
//!
//! The outer parts are BER of indefinite length and the rest is DER, since the parser of the AWS Nitro Enclaves SDK for C
//! (`aws_cms_parse_enveloped_data`) reads nothing else; libraries for CMS write DER alone. The layout is that of the answer
//! in that SDK's test.

use crate::secret::Secret;
use crate::{CryptoError, Entropy};
use aws_lc_rs::cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use std::fmt;
use zeroize::Zeroizing;

const LIBRARY: CryptoError = CryptoError::Library("CMS");
const NOT_A_KEY: CryptoError = CryptoError::Malformed("RSA public key");

/// Bytes of an AES block, and of an initialisation vector of CBC.
const BLOCK_BYTES: usize = 16;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
/// `[0]`, constructed.
const EXPLICIT_0: u8 = 0xa0;
/// `[0] IMPLICIT SubjectKeyIdentifier` of a `RecipientIdentifier`.
const SUBJECT_KEY_IDENTIFIER: u8 = 0x80;
/// What follows the tag of an element whose end is marked (X.690 §8.1.3.6), and the mark.
const INDEFINITE: u8 = 0x80;
const END_OF_CONTENTS: [u8; 2] = [0, 0];

/// `id-envelopedData`, 1.2.840.113549.1.7.3.
const ENVELOPED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
/// `id-data`, 1.2.840.113549.1.7.1.
const DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
/// `aes256-CBC`, 2.16.840.1.101.3.4.1.42.
const AES_256_CBC: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
/// `id-RSAES-OAEP` with SHA-256, MGF1 with SHA-256 and an empty label (RFC 4055 §4.1), a whole `AlgorithmIdentifier`.
const RSAES_OAEP_SHA_256: &[u8] = &[
    0x30, 0x3c, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2f, 0xa0, 0x0f, 0x30, 0x0d,
    0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09,
    0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
    0x04, 0x02, 0x01, 0x05, 0x00,
];
/// Version 2 of `EnvelopedData` and of `KeyTransRecipientInfo`: the recipient is named by a key identifier.
const VERSION_2: &[u8] = &[INTEGER, 1, 2];

/// The RSA public key of a recipient.
pub struct RecipientKey {
    identifier: [u8; 32],
    encryptor: OaepPublicEncryptingKey,
}

impl RecipientKey {
    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280) of an RSA key of 2,048 to 8,192 bits.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when it is none.
    pub fn from_der(spki: &[u8]) -> Result<Self, CryptoError> {
        let key = PublicEncryptingKey::from_der(spki).map_err(|_rejected| NOT_A_KEY)?;
        let encryptor = OaepPublicEncryptingKey::new(key).map_err(|_failed| NOT_A_KEY)?;
        // AWS's identifiers have 32 bytes; that they are the SHA-256 of just these bytes is not verified. Readers with one
        // key do not look at it.
        let identifier = digest(&SHA256, spki).as_ref().try_into().map_err(|_length| LIBRARY)?;
        Ok(Self { identifier, encryptor })
    }

    /// Encrypts an answer for this recipient alone: under a new AES-256 key in CBC, which goes along under RSAES-OAEP.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when no random bytes are to be had.
    pub fn seal(&self, plaintext: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, CryptoError> {
        let key = Secret::draw(entropy)?;
        let mut iv = [0; BLOCK_BYTES];
        entropy.fill(&mut iv)?;
        let content = encrypt_content(key.expose(), iv, plaintext)?;
        let mut encrypted_key = vec![0; self.encryptor.ciphertext_size()];
        let oaep = &OAEP_SHA256_MGF1SHA256;
        let used =
            self.encryptor.encrypt(oaep, key.expose(), &mut encrypted_key, None).map_err(|_failed| LIBRARY)?.len();
        encrypted_key.truncate(used);
        Ok(self.enveloped_data(&encrypted_key, iv, &content))
    }

    /// A `ContentInfo` with `EnvelopedData` for one `KeyTransRecipientInfo`.
    fn enveloped_data(&self, encrypted_key: &[u8], iv: [u8; BLOCK_BYTES], content: &[u8]) -> Vec<u8> {
        let identifier = element(SUBJECT_KEY_IDENTIFIER, &self.identifier);
        let encrypted_key = element(OCTET_STRING, encrypted_key);
        let recipient = [VERSION_2, &identifier, RSAES_OAEP_SHA_256, &encrypted_key].concat();
        let recipients = element(SET, &element(SEQUENCE, &recipient));
        let algorithm = element(SEQUENCE, &[AES_256_CBC, &element(OCTET_STRING, &iv)].concat());
        let content = indefinite(EXPLICIT_0, &[&element(OCTET_STRING, content)]);
        let content_info = indefinite(SEQUENCE, &[DATA, &algorithm, &content]);
        let enveloped = indefinite(SEQUENCE, &[VERSION_2, &recipients, &content_info]);
        indefinite(SEQUENCE, &[ENVELOPED_DATA, &indefinite(EXPLICIT_0, &[&enveloped])])
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecipientKey({} bits)", self.encryptor.key_size_bits())
    }
}

/// AES-256-CBC with the padding of PKCS #7 (RFC 5652 §6.3).
fn encrypt_content(key: &[u8], iv: [u8; BLOCK_BYTES], plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = UnboundCipherKey::new(&AES_256, key).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
    let key = key.map_err(|_failed| LIBRARY)?;
    // Grown once, so that no copy of the plaintext is left behind when the padding is appended.
    let mut content = Zeroizing::new(Vec::with_capacity(plaintext.len().saturating_add(BLOCK_BYTES)));
    content.extend_from_slice(plaintext);
    let iv = EncryptionContext::Iv128(FixedLength::from(iv));
    key.less_safe_encrypt(&mut *content, iv).map_err(|_failed| LIBRARY)?;
    Ok(content.to_vec())
}

/// An element of definite length (X.690 §8.1.3).
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let length = length.get(zeros..).unwrap_or_default();
    let mut bytes = vec![tag];
    match *length {
        [] => bytes.push(0),
        [short @ ..INDEFINITE] => bytes.push(short),
        _ => {
            // At most eight bytes of length.
            bytes.push(INDEFINITE | u8::try_from(length.len()).unwrap_or_default());
            bytes.extend_from_slice(length);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

/// An element whose end is marked.
fn indefinite(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[tag, INDEFINITE], parts.concat().as_slice(), &END_OF_CONTENTS].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EntropyError;
    use kms_enclave_sim::{Enclave, parse_envelope};

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, dest: &mut [u8]) -> Result<(), EntropyError> {
            dest.iter_mut().zip(1_u8..).for_each(|(byte, next)| *byte = next);
            Ok(())
        }
    }

    struct Dry;

    impl Entropy for Dry {
        fn fill(&self, _dest: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }

    #[test]
    fn the_recipient_opens_what_was_sealed_for_it() {
        let enclave = Enclave::new(1);
        let key = RecipientKey::from_der(&enclave.public_key()).unwrap();
        // One byte short of a block, whole blocks, longer than any answer.
        for length in [0, 1, 15, 16, 17, 32, 1024, 4096, 70_000] {
            let plaintext: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let sealed = key.seal(&plaintext, &Counting).unwrap();
            assert_eq!(enclave.open(&sealed), plaintext, "{length} bytes");
            let envelope = parse_envelope(&sealed);
            assert_eq!(envelope.key_identifier, digest(&SHA256, &enclave.public_key()).as_ref());
            assert_eq!(envelope.content.len(), (length / 16 + 1) * 16);
        }
    }

    #[test]
    fn an_answer_has_the_layout_of_those_of_aws() {
        let enclave = Enclave::new(1);
        let sealed = RecipientKey::from_der(&enclave.public_key()).unwrap().seal(&[7; 32], &Counting).unwrap();
        // All but identifier, encrypted key, vector and content of the answer to an RSA-2048 key with 48 bytes of content
        // that stands in the test of the AWS Nitro Enclaves SDK for C.
        let head = "308006092a864886f70d010703a080308002010231 82016b3082016702010280 20";
        let oaep = "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06\
                    09608648016503040201050004820100";
        let content = "308006092a864886f70d010701301d060960864801650304012a0410";
        let bytes = |text: &str| hex::decode(text.replace(' ', "")).unwrap();
        let mut rest = sealed.as_slice();
        for (fixed, free) in [(bytes(head), 32), (bytes(oaep), 256), (bytes(content), 16), (bytes("a0800430"), 48)] {
            assert_eq!(rest.get(..fixed.len()), Some(fixed.as_slice()));
            rest = rest.get(fixed.len() + free..).unwrap();
        }
        assert_eq!(rest, [0; 10]);
    }

    #[test]
    fn no_two_answers_share_a_key() {
        let enclave = Enclave::new(1);
        let key = RecipientKey::from_der(&enclave.public_key()).unwrap();
        let sealed = [0, 1].map(|_| key.seal(b"secret", &Counting).unwrap());
        // The same key and vector by the make-believe source, and still another wrapping of it.
        assert_ne!(sealed[0], sealed[1]);
        assert_eq!(parse_envelope(&sealed[0]).content, parse_envelope(&sealed[1]).content);
        assert!(matches!(key.seal(b"secret", &Dry), Err(CryptoError::Entropy(_))));
    }

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        let mut cut_off = Enclave::new(1).public_key();
        cut_off.pop();
        for bytes in [b"".to_vec(), b"key".to_vec(), cut_off] {
            assert_eq!(RecipientKey::from_der(&bytes).err(), Some(NOT_A_KEY));
        }
    }

    #[test]
    fn lengths_are_written_as_short_as_they_can_be() {
        for (length, head) in
            [(0, &[4, 0][..]), (0x7f, &[4, 0x7f]), (0x80, &[4, 0x81, 0x80]), (0x100, &[4, 0x82, 1, 0])]
        {
            let written = element(OCTET_STRING, &vec![9; length]);
            assert_eq!(written, [head, &vec![9; length]].concat());
        }
    }
}
