//! The answer for an enclave as the AWS Nitro Enclaves SDK for C reads it (`aws_cms_parse_enveloped_data`): CMS
//! EnvelopedData (RFC 5652 §6) in BER whose outer parts have indefinite lengths. It takes nothing else, so neither does this.

/// The parts of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `subjectKeyIdentifier` of the recipient.
    pub key_identifier: Vec<u8>,
    /// The content key under RSAES-OAEP.
    pub encrypted_key: Vec<u8>,
    /// Of AES-256-CBC.
    pub iv: [u8; 16],
    /// The ciphertext, its parts put together.
    pub content: Vec<u8>,
}

const ENVELOPED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];

/// Takes an answer apart.
#[must_use]
pub fn parse_envelope(answer: &[u8]) -> Envelope {
    let mut all = Reader(answer);
    all.open(0x30);
    assert_eq!(all.element(0x06), ENVELOPED_DATA, "content type");
    all.open(0xa0);
    all.open(0x30);
    assert_eq!(all.element(0x02), [2], "version of EnvelopedData");
    let mut recipients = Reader(all.element(0x31));
    let mut recipient = Reader(recipients.element(0x30));
    assert!(recipients.0.is_empty(), "one recipient");
    assert_eq!(recipient.element(0x02), [2], "version of KeyTransRecipientInfo");
    let key_identifier = recipient.element(0x80).to_vec();
    let _oaep = recipient.element(0x30);
    let encrypted_key = recipient.element(0x04).to_vec();
    assert!(recipient.0.is_empty(), "nothing follows the key");
    all.open(0x30);
    assert_eq!(all.element(0x06), DATA, "type of the content");
    let mut algorithm = Reader(all.element(0x30));
    assert_eq!(algorithm.element(0x06), AES_256_CBC, "algorithm of the content");
    let iv = algorithm.element(0x04).try_into().unwrap();
    all.open(0xa0);
    let mut content = Vec::new();
    while all.0.first() == Some(&0x04) {
        content.extend_from_slice(all.element(0x04));
    }
    assert_eq!(all.0, [0; 10], "five ends of contents");
    Envelope { key_identifier, encrypted_key, iv, content }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    /// The beginning of an element of indefinite length.
    fn open(&mut self, tag: u8) {
        assert_eq!(self.take(2), [tag, 0x80], "beginning of an element");
    }

    /// The content of an element of definite length.
    fn element(&mut self, tag: u8) -> &'a [u8] {
        let [found, length] = *self.take(2) else { panic!("an element is cut off") };
        assert_eq!(found, tag, "tag");
        let length = match length {
            short @ ..0x80 => usize::from(short),
            long => self.take(usize::from(long & 0x7f)).iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        };
        self.take(length)
    }
}
