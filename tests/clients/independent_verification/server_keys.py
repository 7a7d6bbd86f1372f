"""Keys whose private part only the server has: the other library has the public key."""

import os

from cryptography.hazmat.primitives.asymmetric import ec

from harness import independent
from harness.checks import about, claim, equal, fail, holds, passed, refused
from harness.regions import create
from harness.specs import (
    AGREE,
    ENCAPSULATE,
    ENCRYPT,
    KINDS,
    ML_DSA_SIGNATURE_BYTES,
    OAEP_MAX,
    SIGN,
    bits_of,
    message_types,
)
from harness.uses import as_message, public_key_of

from .world import MESSAGE, us


def for_keys(usage):
    """Claims the function for a new key of each asymmetric kind with this usage: (kind, key ID, public key in DER)."""

    def add(function):
        def all_of_them():
            for kind in KINDS:
                if kind.usage == usage and kind.asymmetric:
                    with about(kind):
                        key_id = create(us, **kind.arguments())
                        function(kind, key_id, public_key_of(kind, us, key_id))

        all_of_them.__name__ = function.__name__
        return claim(all_of_them)

    return add


def mismatches(algorithm, public, message, signature):
    """The other library must refuse the signature."""
    try:
        independent.verify(algorithm, public, message, signature)
    except independent.Mismatch:
        return passed()
    return fail(f"{algorithm}: a wrong signature was accepted")


@for_keys(SIGN)
def signatures_of_every_kind_verify(kind, key_id, der):
    public = independent.public_key(der)
    for algorithm in kind.algorithms:
        for message_type in message_types(algorithm):
            message = as_message(algorithm, message_type, der, MESSAGE)
            signature = us.sign(KeyId=key_id, Message=message, MessageType=message_type, SigningAlgorithm=algorithm)[
                "Signature"
            ]
            # What is given as a digest is hashed once more for pre-hashed Ed25519.
            signed = message if algorithm == "ED25519_PH_SHA_512" else MESSAGE
            independent.verify(algorithm, public, signed, signature)
            mismatches(algorithm, public, signed + b"x", signature)
            passed()
            lengths(kind, public, signature)


def lengths(kind, public, signature):
    """RSA signatures are as long as the modulus, ML-DSA's are fixed, Ed25519's have 64 bytes."""
    if kind.spec.startswith("RSA_"):
        equal(len(signature), public.key_size // 8)
    elif kind.spec in ML_DSA_SIGNATURE_BYTES:
        equal(len(signature), ML_DSA_SIGNATURE_BYTES[kind.spec])
    elif "25519" in kind.spec:
        equal(len(signature), 64)


@for_keys(ENCRYPT)
def what_is_encrypted_with_the_public_key_is_decrypted(kind, key_id, der):
    public = independent.public_key(der)
    for algorithm in kind.algorithms:
        for length in (1, OAEP_MAX[kind.spec, bits_of(algorithm)]):
            plain = os.urandom(length)
            ciphertext = public.encrypt(plain, independent.oaep(algorithm))
            answer = us.decrypt(KeyId=key_id, CiphertextBlob=ciphertext, EncryptionAlgorithm=algorithm)
            equal(answer["Plaintext"], plain)
            changed = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
            refused(
                "InvalidCiphertextException",
                "",
                us.decrypt,
                KeyId=key_id,
                CiphertextBlob=changed,
                EncryptionAlgorithm=algorithm,
            )


@for_keys(AGREE)
def both_sides_of_an_agreement_get_one_secret(kind, key_id, der):
    peer = ec.generate_private_key(independent.CURVES[kind.spec]())
    answer = us.derive_shared_secret(
        KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=independent.spki(peer.public_key())
    )
    equal(answer["SharedSecret"], independent.agree(peer, independent.public_key(der)))


@for_keys(ENCAPSULATE)
def what_is_encapsulated_to_the_public_key_is_decapsulated(kind, key_id, der):
    secret, ciphertext = independent.encapsulate(independent.public_key(der))
    answer = us.decapsulate(KeyId=key_id, SharedSecretCiphertextBlob=ciphertext, EncapsulationAlgorithm="ML_KEM")
    equal(answer["SharedSecret"], secret)
    # A changed ciphertext of the right length gives another secret, and no error.
    changed = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    answer = us.decapsulate(KeyId=key_id, SharedSecretCiphertextBlob=changed, EncapsulationAlgorithm="ML_KEM")
    holds(answer["SharedSecret"] != secret and len(answer["SharedSecret"]) == 32, "implicit rejection")
    refused(
        "InvalidCiphertextException",
        "",
        us.decapsulate,
        KeyId=key_id,
        SharedSecretCiphertextBlob=ciphertext[:-1],
        EncapsulationAlgorithm="ML_KEM",
    )
