"""Data key pairs: both halves belong together, and work in the other library and with keys of the server."""

from cryptography.hazmat.primitives.asymmetric import ec

from harness import independent
from harness.checks import about, claim, equal, holds, passed, refused
from harness.importing import import_material
from harness.regions import US, arn, create, material
from harness.specs import DATA_KEY_PAIRS, NIST

from .world import MESSAGE, us

CONTEXT = {"purpose": "pairs"}
ALGORITHMS = {
    "RSA": "RSASSA_PSS_SHA_256",
    "ECC_NIST_P256": "ECDSA_SHA_256",
    "ECC_SECG_P256K1": "ECDSA_SHA_256",
    "ECC_NIST_P384": "ECDSA_SHA_384",
    "ECC_NIST_P521": "ECDSA_SHA_512",
    "ECC_NIST_EDWARDS25519": "ED25519_SHA_512",
}


def judge(spec, public_der, private_der):
    """What one half makes the other accepts."""
    holds(independent.describes(public_der, spec), "the public key is of the spec")
    public, private = independent.public_key(public_der), independent.private_key(private_der)
    if spec.startswith("ML_KEM"):
        secret, ciphertext = independent.encapsulate(public)
        equal(independent.decapsulate(private, ciphertext), secret)
        return
    algorithm = ALGORITHMS["RSA" if spec.startswith("RSA_") else spec]
    independent.verify(algorithm, public, MESSAGE, independent.sign(algorithm, private, MESSAGE))
    passed()


@claim
def pairs_of_every_spec_belong_together():
    key_id = create(us)
    for spec in DATA_KEY_PAIRS:
        with about(spec):
            made = us.generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec, EncryptionContext=CONTEXT)
            equal(
                (made["KeyId"], made["KeyPairSpec"], made["KeyMaterialId"]),
                (arn(US, key_id), spec, material(us, key_id)),
            )
            judge(spec, made["PublicKey"], made["PrivateKeyPlaintext"])
            opened = us.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=CONTEXT)
            equal(opened["Plaintext"], made["PrivateKeyPlaintext"])
            refused("InvalidCiphertextException", "", us.decrypt, CiphertextBlob=made["PrivateKeyCiphertextBlob"])


@claim
def pairs_without_plaintext_belong_together():
    key_id = create(us)
    for spec in DATA_KEY_PAIRS:
        with about(spec):
            made = us.generate_data_key_pair_without_plaintext(
                KeyId=key_id, KeyPairSpec=spec, EncryptionContext=CONTEXT
            )
            holds("PrivateKeyPlaintext" not in made, "there is no plaintext")
            equal(
                (made["KeyId"], made["KeyPairSpec"], made["KeyMaterialId"]),
                (arn(US, key_id), spec, material(us, key_id)),
            )
            opened = us.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=CONTEXT)
            judge(spec, made["PublicKey"], opened["Plaintext"])


@claim
def ml_kem_private_keys_are_seeds():
    """PKCS #8 with the 64-byte seed, so that the length is the same for all three."""
    key_id = create(us)
    lengths = {
        len(us.generate_data_key_pair(KeyId=key_id, KeyPairSpec=spec)["PrivateKeyPlaintext"])
        for spec in DATA_KEY_PAIRS
        if spec.startswith("ML_KEM")
    }
    equal(lengths, {86})


@claim
def what_a_pair_signs_the_server_verifies_once_it_is_imported():
    symmetric = create(us)
    for spec in ("RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"):
        with about(spec):
            pair = us.generate_data_key_pair(KeyId=symmetric, KeyPairSpec=spec)
            key_id = create(us, KeySpec=spec, KeyUsage="SIGN_VERIFY", Origin="EXTERNAL")
            import_material(us, key_id, spec, pair["PrivateKeyPlaintext"])
            equal(us.get_public_key(KeyId=key_id)["PublicKey"], pair["PublicKey"])
            algorithm = ALGORITHMS["RSA" if spec.startswith("RSA_") else spec]
            signature = independent.sign(algorithm, independent.private_key(pair["PrivateKeyPlaintext"]), MESSAGE)
            answer = us.verify(KeyId=key_id, Message=MESSAGE, Signature=signature, SigningAlgorithm=algorithm)
            equal(answer["SignatureValid"], True)


@claim
def a_pair_agrees_with_a_key_of_the_server():
    symmetric = create(us)
    for spec in NIST:
        key_id = create(us, KeySpec=spec, KeyUsage="KEY_AGREEMENT")
        pair = us.generate_data_key_pair(KeyId=symmetric, KeyPairSpec=spec)
        ours = us.derive_shared_secret(KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=pair["PublicKey"])
        public = independent.public_key(us.get_public_key(KeyId=key_id)["PublicKey"])
        equal(ours["SharedSecret"], independent.agree(independent.private_key(pair["PrivateKeyPlaintext"]), public))
    foreign = independent.spki(ec.generate_private_key(ec.SECP256K1()).public_key())
    # AWS sends no message with this one.
    refused(
        "ValidationException",
        "",
        us.derive_shared_secret,
        KeyId=key_id,
        KeyAgreementAlgorithm="ECDH",
        PublicKey=foreign,
    )
    refused(
        "ValidationException",
        "",
        us.derive_shared_secret,
        KeyId=key_id,
        KeyAgreementAlgorithm="ECDH",
        PublicKey=b"nonsense",
    )
