"""Imports of key material: parameters, wrapping by another library, import."""

import os

from . import independent
from .specs import MAC_BYTES

WRAPPING_SPEC = "RSA_2048"


def new_material(spec):
    """Key material of a spec, as bytes that may be wrapped."""
    if spec == "SYMMETRIC_DEFAULT":
        return os.urandom(32)
    if spec in MAC_BYTES:
        return os.urandom(MAC_BYTES[spec])
    return independent.pkcs8(independent.new_private_key(spec))


def wrapping_algorithm(spec):
    """One that fits: RSA private keys are too long for OAEP alone."""
    return "RSA_AES_KEY_WRAP_SHA_256" if spec.startswith(("RSA_", "ECC_")) else "RSAES_OAEP_SHA_256"


def parameters(kms, key_id, algorithm, wrapping_spec=WRAPPING_SPEC):
    """An import token and the public key that goes with it."""
    return kms.get_parameters_for_import(KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec)


def wrapped(algorithm, public_key, material):
    """The material as it is sent."""
    return independent.wrap(algorithm, public_key, material, os.urandom(32))


def import_material(kms, key_id, spec, material, algorithm=None, wrapping_spec=WRAPPING_SPEC, **arguments):
    """Imports the material for ever, unless the arguments say otherwise; gives the answer."""
    algorithm = algorithm or wrapping_algorithm(spec)
    given = parameters(kms, key_id, algorithm, wrapping_spec)
    arguments = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", **arguments}
    return kms.import_key_material(
        KeyId=key_id,
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=wrapped(algorithm, given["PublicKey"], material),
        **arguments,
    )
