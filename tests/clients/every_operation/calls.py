"""How each operation of the table is called: on what kind of key, with what from the time when the key was Enabled."""

import json
import os

from cryptography.hazmat.primitives.asymmetric import ec

from harness import independent
from harness.importing import WRAPPING_SPEC
from harness.regions import ACCOUNT, AP, EU
from harness.specs import AGREE, ENCAPSULATE, ENCRYPT, MAC, SIGN

from .world import DESTINATION

SYMMETRIC = ("SYMMETRIC_DEFAULT", ENCRYPT)
SIGNING = ("ECC_NIST_P256", SIGN)
AGREEING = ("ECC_NIST_P256", AGREE)
MACKING = ("HMAC_256", MAC)
ENCAPSULATING = ("ML_KEM_768", ENCAPSULATE)

# The kind of key that the operation is called on; every other is called on a symmetric one.
KINDS = {
    "Decapsulate": ENCAPSULATING,
    "Encapsulate": ENCAPSULATING,
    "DeriveSharedSecret": AGREEING,
    "GenerateMac": MACKING,
    "VerifyMac": MACKING,
    "GetPublicKey": SIGNING,
    "Sign": SIGNING,
    "Verify": SIGNING,
}
# Of these an imported key has other answers: its material is here, or was.
IMPORTING = ("DeleteImportedKeyMaterial", "GetParametersForImport", "ImportKeyMaterial")

GRANTEE = f"arn:aws:iam::{ACCOUNT}:user/grantee"
DIGEST = bytes(32)


def prepare(kms, operation, key_id):
    """What the call needs that can only be had while the key is Enabled."""
    if operation in ("Decrypt", "ReEncryptFrom"):
        return kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    if operation == "Decapsulate":
        answer = kms.encapsulate(KeyId=key_id, EncapsulationAlgorithm="ML_KEM")
        return answer["SharedSecretCiphertextBlob"]
    if operation == "Verify":
        return kms.sign(KeyId=key_id, Message=DIGEST, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")[
            "Signature"
        ]
    if operation == "VerifyMac":
        return kms.generate_mac(KeyId=key_id, Message=b"x", MacAlgorithm="HMAC_SHA_256")["Mac"]
    if operation in ("RetireGrant", "RevokeGrant"):
        return kms.create_grant(KeyId=key_id, GranteePrincipal=GRANTEE, Operations=["Encrypt"])
    if operation == "DeleteAlias":
        name = f"alias/matrix-{key_id}"
        kms.create_alias(AliasName=name, TargetKeyId=key_id)
        return name
    if operation == "UpdateAlias":
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        name = f"alias/matrix-{other}"
        kms.create_alias(AliasName=name, TargetKeyId=other)
        return name
    if operation == "ReEncryptTo":
        other = kms.create_key()["KeyMetadata"]["KeyId"]
        return kms.encrypt(KeyId=other, Plaintext=b"x")["CiphertextBlob"]
    return None


def call(kms, operation, key_id, prepared, **more):
    """Calls the operation on the key, with more members."""
    arguments = {**_arguments(operation, key_id, prepared), **more}
    arguments = {name: value for name, value in arguments.items() if value is not None}
    method = {"ReEncryptFrom": kms.re_encrypt, "ReEncryptTo": kms.re_encrypt}.get(operation)
    return (method or getattr(kms, snake(operation)))(**arguments)


def snake(operation):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")


def _arguments(operation, key_id, prepared):
    key = {"KeyId": key_id}
    signing = {"Message": DIGEST, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    if operation in ("CreateAlias", "UpdateAlias"):
        return {"AliasName": prepared or f"alias/matrix-{key_id}", "TargetKeyId": key_id}
    if operation == "DeleteAlias":
        return {"AliasName": prepared}
    if operation == "ReEncryptTo":
        return {"CiphertextBlob": prepared, "DestinationKeyId": key_id}
    if operation == "ReEncryptFrom":
        # Its destination is a key that stays Enabled; see `world`.
        return {"CiphertextBlob": prepared, "SourceKeyId": key_id, "DestinationKeyId": DESTINATION}
    more = {
        "CreateGrant": {"GranteePrincipal": GRANTEE, "Operations": ["Encrypt"]},
        "Decapsulate": {"SharedSecretCiphertextBlob": prepared, "EncapsulationAlgorithm": "ML_KEM"},
        "Decrypt": {"CiphertextBlob": prepared},
        "DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": _peer()},
        "Encapsulate": {"EncapsulationAlgorithm": "ML_KEM"},
        "Encrypt": {"Plaintext": b"x"},
        "GenerateDataKey": {"KeySpec": "AES_256"},
        "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
        "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
        "GenerateMac": {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
        "GetParametersForImport": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": WRAPPING_SPEC},
        "ImportKeyMaterial": {
            "ImportToken": os.urandom(64),
            "EncryptedKeyMaterial": os.urandom(256),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        },
        "PutKeyPolicy": {"Policy": POLICY},
        "ReplicateKey": {"ReplicaRegion": AP},
        "RetireGrant": {"GrantId": (prepared or {}).get("GrantId")} if operation == "RetireGrant" else {},
        "RevokeGrant": {"GrantId": (prepared or {}).get("GrantId")} if operation == "RevokeGrant" else {},
        "ScheduleKeyDeletion": {"PendingWindowInDays": 7},
        "Sign": signing,
        "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
        "UntagResource": {"TagKeys": ["a"]},
        "UpdateKeyDescription": {"Description": "another"},
        "UpdatePrimaryRegion": {"PrimaryRegion": EU},
        "Verify": {**signing, "Signature": prepared},
        "VerifyMac": {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256", "Mac": prepared},
    }
    return {**key, **more.get(operation, {})}


def _peer():
    return independent.spki(ec.generate_private_key(ec.SECP256R1()).public_key())


_OWNER = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_OWNER]})
