"""Every kind of key, with what it does by which algorithms, and sizes."""

from dataclasses import dataclass

RSA = ("RSA_2048", "RSA_3072", "RSA_4096")
NIST = ("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521")
HMAC = ("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512")
ML_DSA = ("ML_DSA_44", "ML_DSA_65", "ML_DSA_87")
ML_KEM = ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024")
RSA_SIGNING = tuple(f"RSASSA_{scheme}_SHA_{bits}" for scheme in ("PKCS1_V1_5", "PSS") for bits in (256, 384, 512))
ECDSA = {"ECC_NIST_P256": 256, "ECC_SECG_P256K1": 256, "ECC_NIST_P384": 384, "ECC_NIST_P521": 512}
ED25519 = "ECC_NIST_EDWARDS25519"

ENCRYPT, SIGN, MAC, AGREE, ENCAPSULATE = (
    "ENCRYPT_DECRYPT",
    "SIGN_VERIFY",
    "GENERATE_VERIFY_MAC",
    "KEY_AGREEMENT",
    "ENCAPSULATE_DECAPSULATE",
)
# The member of KeyMetadata and of GetPublicKey that lists the algorithms of a usage.
ALGORITHMS_MEMBER = {
    ENCRYPT: "EncryptionAlgorithms",
    SIGN: "SigningAlgorithms",
    MAC: "MacAlgorithms",
    AGREE: "KeyAgreementAlgorithms",
    ENCAPSULATE: "EncapsulationAlgorithms",
}

# Lengths in bytes.
MAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}
ML_DSA_SIGNATURE_BYTES = {"ML_DSA_44": 2420, "ML_DSA_65": 3309, "ML_DSA_87": 4627}
ML_KEM_CIPHERTEXT_BYTES = {"ML_KEM_512": 768, "ML_KEM_768": 1088, "ML_KEM_1024": 1568}
SHARED_SECRET_BYTES = {"ECC_NIST_P256": 32, "ECC_NIST_P384": 48, "ECC_NIST_P521": 66}
DIGEST_BYTES = {256: 32, 384: 48, 512: 64}
OAEP_MAX = {
    ("RSA_2048", 1): 214,
    ("RSA_2048", 256): 190,
    ("RSA_3072", 1): 342,
    ("RSA_3072", 256): 318,
    ("RSA_4096", 1): 470,
    ("RSA_4096", 256): 446,
}

DATA_KEY_PAIRS = (*RSA, *NIST, "ECC_SECG_P256K1", ED25519, *ML_KEM)


@dataclass(frozen=True)
class Kind:
    """A key spec with a usage."""

    spec: str
    usage: str
    algorithms: tuple

    def __str__(self):
        return f"{self.spec} {self.usage}"

    @property
    def asymmetric(self):
        return not self.spec.startswith(("SYMMETRIC", "HMAC"))

    @property
    def importable(self):
        """Whether `Origin EXTERNAL` is tested: ML-DSA does not have it, for Ed25519 and ML-KEM nobody knows."""
        return not self.spec.startswith(("ML_", ED25519))

    def arguments(self):
        """For CreateKey."""
        return {"KeySpec": self.spec, "KeyUsage": self.usage}


KINDS = (
    Kind("SYMMETRIC_DEFAULT", ENCRYPT, ("SYMMETRIC_DEFAULT",)),
    *(Kind(spec, MAC, (spec.replace("_", "_SHA_"),)) for spec in HMAC),
    *(Kind(spec, ENCRYPT, ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256")) for spec in RSA),
    *(Kind(spec, SIGN, RSA_SIGNING) for spec in RSA),
    *(Kind(spec, SIGN, (f"ECDSA_SHA_{bits}",)) for spec, bits in ECDSA.items()),
    *(Kind(spec, AGREE, ("ECDH",)) for spec in NIST),
    Kind(ED25519, SIGN, ("ED25519_SHA_512", "ED25519_PH_SHA_512")),
    *(Kind(spec, SIGN, ("ML_DSA_SHAKE_256",)) for spec in ML_DSA),
    *(Kind(spec, ENCAPSULATE, ("ML_KEM",)) for spec in ML_KEM),
)


def bits_of(algorithm):
    """The bits of the algorithm's hash: the number behind its last underscore."""
    return int(algorithm.rsplit("_", 1)[1])


def message_types(algorithm):
    """The types of message that the algorithm takes."""
    if algorithm == "ED25519_SHA_512":
        return ("RAW",)
    if algorithm == "ED25519_PH_SHA_512":
        return ("DIGEST",)
    return ("RAW", "EXTERNAL_MU") if algorithm == "ML_DSA_SHAKE_256" else ("RAW", "DIGEST")
