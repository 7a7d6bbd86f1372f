"""A make-believe Nitro enclave, by other hands than the server's: its PKI, its attestation documents, its answers.

Documents are written with cbor2 and `cryptography`, from AWS's description of them. Answers are read with pyasn1 and
opened with `cryptography`.
"""

import datetime
import time

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from pyasn1.codec.ber import decoder
from pyasn1.type import namedtype, tag, univ
from pyasn1_modules import rfc5652

from .independent import oaep, spki

OAEP = "RSAES_OAEP_SHA_256"
# COSE: the algorithm parameter of a header, and its value for ES384; the tag of COSE_Sign1.
ALGORITHM, ES384, SIGN1 = 1, -35, 18
P384_BYTES = 48
OID_AES_256_CBC, OID_RSAES_OAEP = "2.16.840.1.101.3.4.1.42", "1.2.840.113549.1.1.7"
ENVELOPED_DATA, DATA = "1.2.840.113549.1.7.3", "1.2.840.113549.1.7.1"
AES_BLOCK_BITS = 128


class ContentInfo(univ.Sequence):
    """The outermost part of an answer. That of `rfc5652` takes any content, and loses ends of indefinite lengths."""

    componentType = namedtype.NamedTypes(
        namedtype.NamedType("contentType", univ.ObjectIdentifier()),
        namedtype.NamedType(
            "content",
            rfc5652.EnvelopedData().subtype(explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0)),
        ),
    )


def _key():
    return ec.generate_private_key(ec.SECP384R1())


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _usage(certificates):
    names = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign")
    others = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(digital_signature=True, key_cert_sign=certificates, **others)


class NitroSystem:
    """A root, an authority below it, and the key that signs documents."""

    def __init__(self, leaf_ends_in=datetime.timedelta(hours=3)):
        self.now = datetime.datetime.now(datetime.UTC)
        root_key, middle_key, self.key = _key(), _key(), _key()
        years = datetime.timedelta(days=3650)
        root = self._certificate("root", root_key.public_key(), ("root", root_key), years, authority=True)
        middle = self._certificate("middle", middle_key.public_key(), ("root", root_key), years, authority=True)
        leaf = self._certificate("leaf", self.key.public_key(), ("middle", middle_key), leaf_ends_in, authority=False)
        self.root_pem = root.public_bytes(serialization.Encoding.PEM)
        self.bundle = [certificate.public_bytes(serialization.Encoding.DER) for certificate in (root, middle)]
        self.certificate = leaf.public_bytes(serialization.Encoding.DER)

    def _certificate(self, subject, key, issuer, lasts, authority):
        issuer_name, issuer_key = issuer
        made = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer_name)).public_key(key)
        made = made.serial_number(x509.random_serial_number())
        made = made.not_valid_before(self.now - datetime.timedelta(days=1)).not_valid_after(self.now + lasts)
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        return made.add_extension(_usage(authority), critical=True).sign(issuer_key, hashes.SHA384())

    def sign(self, document):
        """The document in its COSE_Sign1 envelope."""
        protected, payload = cbor2.dumps({ALGORITHM: ES384}), cbor2.dumps(document)
        signed = cbor2.dumps(["Signature1", protected, b"", payload])
        numbers = utils.decode_dss_signature(self.key.sign(signed, ec.ECDSA(hashes.SHA384())))
        signature = b"".join(number.to_bytes(P384_BYTES, "big") for number in numbers)
        return cbor2.dumps(cbor2.CBORTag(SIGN1, [protected, {}, payload, signature]))


class Enclave:
    """What runs in it (`image`), and the key that answers are encrypted under."""

    def __init__(self, image, key_bits=2048):
        self.key = rsa.generate_private_key(65537, key_bits)
        self.registers = {number: bytes([image + number]) * P384_BYTES for number in (0, 1, 2, 3, 4, 8)}

    def document(self, system, age_seconds=0, **changed):
        """A signed document, made some seconds ago."""
        fields = {
            "module_id": "i-0123456789abcdef0-enc0123456789abcdef",
            "digest": "SHA384",
            "timestamp": int((time.time() - age_seconds) * 1000),
            "pcrs": self.registers,
            "certificate": system.certificate,
            "cabundle": system.bundle,
            "public_key": spki(self.key.public_key()),
            "user_data": None,
            "nonce": b"once",
        }
        return system.sign(fields | changed)

    def recipient(self, system, **changed):
        """The parameter `Recipient` of a request."""
        return recipient(self.document(system, **changed))

    def open(self, answer):
        """What `CiphertextForRecipient` holds."""
        info, rest = decoder.decode(answer, asn1Spec=ContentInfo())
        _same((bytes(rest), str(info["contentType"])), (b"", ENVELOPED_DATA))
        enveloped = info["content"]
        _same((int(enveloped["version"]), len(enveloped["recipientInfos"])), (2, 1))
        recipient_info = enveloped["recipientInfos"][0]["ktri"]
        algorithm = recipient_info["keyEncryptionAlgorithm"]["algorithm"]
        _same((int(recipient_info["version"]), str(algorithm)), (2, OID_RSAES_OAEP))
        holder = hashes.Hash(hashes.SHA256())
        holder.update(spki(self.key.public_key()))
        _same(bytes(recipient_info["rid"]["subjectKeyIdentifier"]), holder.finalize())
        content_key = self.key.decrypt(bytes(recipient_info["encryptedKey"]), oaep(OAEP))
        content = enveloped["encryptedContentInfo"]
        algorithm = content["contentEncryptionAlgorithm"]
        _same((str(content["contentType"]), str(algorithm["algorithm"])), (DATA, OID_AES_256_CBC))
        iv, _ = decoder.decode(bytes(algorithm["parameters"]))
        cipher = Cipher(algorithms.AES256(content_key), modes.CBC(bytes(iv))).decryptor()
        padded = cipher.update(bytes(content["encryptedContent"])) + cipher.finalize()
        unpadder = PKCS7(AES_BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()


def recipient(document):
    """The parameter `Recipient` with a document."""
    return {"KeyEncryptionAlgorithm": OAEP, "AttestationDocument": document}


def _same(found, expected):
    if found != expected:
        raise AssertionError(f"in the envelope: expected {expected!r}, came {found!r}")
