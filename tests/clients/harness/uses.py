"""What a key is for, as pairs: something made in one Region, and the check of it in another.

`make` gives artifacts, one for each algorithm (and type of message) of the kind; `check` tells whether a Region accepts
one.
"""

import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from . import independent
from .checks import equal, holds
from .regions import arn
from .specs import (
    AGREE,
    ENCAPSULATE,
    ENCRYPT,
    MAC,
    MAC_BYTES,
    ML_KEM_CIPHERTEXT_BYTES,
    SHARED_SECRET_BYTES,
    SIGN,
    message_types,
)

# Longer than any hash, so that it is hashed where hashing is due.
MESSAGE = b"what is agreed in one Region holds in all of them " * 4
CONTEXT = {"tenant": "7"}


@dataclass(frozen=True)
class Artifact:
    """Something that a key made: of `plain`, by an algorithm; `made` is what it made."""

    algorithm: str
    made: bytes
    plain: bytes
    message_type: str = "RAW"


def make(kind, kms, key_id, public=None):
    """One artifact for each way of the kind; `public` is the public key's DER, for those that need it."""
    return [
        artifact
        for algorithm in kind.algorithms
        for artifact in _MAKE[kind.usage](kind, kms, key_id, algorithm, public)
    ]


def check(kind, kms, key_id, artifact):
    """The Region accepts the artifact, and says that it did so with its own key."""
    answer = _CHECK[kind.usage](kind, kms, key_id, artifact)
    equal(answer["KeyId"], arn(kms.meta.region_name, key_id), "the answer names the Region's own key")


def _encrypt(kind, kms, key_id, algorithm, _public):
    plain = os.urandom(32)
    arguments = {"EncryptionContext": CONTEXT} if not kind.asymmetric else {}
    answer = kms.encrypt(KeyId=key_id, Plaintext=plain, EncryptionAlgorithm=algorithm, **arguments)
    equal(answer["EncryptionAlgorithm"], algorithm)
    return [Artifact(algorithm, answer["CiphertextBlob"], plain)]


def _decrypt(kind, kms, key_id, artifact):
    if kind.asymmetric:
        answer = kms.decrypt(KeyId=key_id, CiphertextBlob=artifact.made, EncryptionAlgorithm=artifact.algorithm)
    else:
        # The blob itself names its key.
        answer = kms.decrypt(CiphertextBlob=artifact.made, EncryptionContext=CONTEXT)
    equal((answer["Plaintext"], answer["EncryptionAlgorithm"]), (artifact.plain, artifact.algorithm))
    equal("KeyMaterialId" in answer, not kind.asymmetric)
    return answer


def as_message(algorithm, message_type, public, message):
    """The message as this type of message gives it."""
    if message_type == "EXTERNAL_MU":
        return independent.external_mu(independent.public_key(public), message)
    return independent.digest(algorithm, message) if message_type == "DIGEST" else message


def _sign(kind, kms, key_id, algorithm, public):
    for message_type in message_types(algorithm):
        message = as_message(algorithm, message_type, public, MESSAGE)
        answer = kms.sign(KeyId=key_id, Message=message, MessageType=message_type, SigningAlgorithm=algorithm)
        equal(answer["SigningAlgorithm"], algorithm)
        yield Artifact(algorithm, answer["Signature"], message, message_type)


def _verify(_kind, kms, key_id, artifact):
    answer = kms.verify(
        KeyId=key_id,
        Message=artifact.plain,
        MessageType=artifact.message_type,
        Signature=artifact.made,
        SigningAlgorithm=artifact.algorithm,
    )
    equal((answer["SignatureValid"], answer["SigningAlgorithm"]), (True, artifact.algorithm))
    return answer


def _generate_mac(kind, kms, key_id, algorithm, _public):
    answer = kms.generate_mac(KeyId=key_id, Message=MESSAGE, MacAlgorithm=algorithm)
    equal((answer["MacAlgorithm"], len(answer["Mac"])), (algorithm, MAC_BYTES[kind.spec]))
    return [Artifact(algorithm, answer["Mac"], MESSAGE)]


def _verify_mac(_kind, kms, key_id, artifact):
    answer = kms.verify_mac(KeyId=key_id, Message=artifact.plain, Mac=artifact.made, MacAlgorithm=artifact.algorithm)
    equal((answer["MacValid"], answer["MacAlgorithm"]), (True, artifact.algorithm))
    # A MAC is the same wherever it is made.
    again = kms.generate_mac(KeyId=key_id, Message=artifact.plain, MacAlgorithm=artifact.algorithm)
    equal(again["Mac"], artifact.made)
    return answer


def _derive(kind, kms, key_id, algorithm, public):
    """Here `made` is the peer's public key, and `plain` what the peer gets."""
    peer = ec.generate_private_key(independent.CURVES[kind.spec]())
    secret = independent.agree(peer, independent.public_key(public))
    artifact = Artifact(algorithm, independent.spki(peer.public_key()), secret)
    _derive_again(kind, kms, key_id, artifact)
    return [artifact]


def _derive_again(kind, kms, key_id, artifact):
    answer = kms.derive_shared_secret(KeyId=key_id, KeyAgreementAlgorithm=artifact.algorithm, PublicKey=artifact.made)
    equal((answer["SharedSecret"], answer["KeyAgreementAlgorithm"]), (artifact.plain, artifact.algorithm))
    equal(len(answer["SharedSecret"]), SHARED_SECRET_BYTES[kind.spec])
    return answer


def _encapsulate(kind, kms, key_id, algorithm, _public):
    answer = kms.encapsulate(KeyId=key_id, EncapsulationAlgorithm=algorithm)
    made = answer["SharedSecretCiphertextBlob"]
    equal((len(answer["SharedSecret"]), len(made)), (32, ML_KEM_CIPHERTEXT_BYTES[kind.spec]))
    equal(answer["EncapsulationAlgorithm"], algorithm)
    return [Artifact(algorithm, made, answer["SharedSecret"])]


def _decapsulate(_kind, kms, key_id, artifact):
    answer = kms.decapsulate(
        KeyId=key_id, SharedSecretCiphertextBlob=artifact.made, EncapsulationAlgorithm=artifact.algorithm
    )
    equal((answer["SharedSecret"], answer["EncapsulationAlgorithm"]), (artifact.plain, artifact.algorithm))
    return answer


_MAKE = {ENCRYPT: _encrypt, SIGN: _sign, MAC: _generate_mac, AGREE: _derive, ENCAPSULATE: _encapsulate}
_CHECK = {ENCRYPT: _decrypt, SIGN: _verify, MAC: _verify_mac, AGREE: _derive_again, ENCAPSULATE: _decapsulate}


def public_key_of(kind, kms, key_id):
    """The public key's DER after all of GetPublicKey's answer has been compared; `None` where there is none."""
    if not kind.asymmetric:
        return None
    answer = kms.get_public_key(KeyId=key_id)
    equal(
        (answer["KeyId"], answer["KeySpec"], answer["KeyUsage"]),
        (arn(kms.meta.region_name, key_id), kind.spec, kind.usage),
    )
    holds(independent.describes(answer["PublicKey"], kind.spec), f"the public key is one of {kind.spec}")
    return answer["PublicKey"]
