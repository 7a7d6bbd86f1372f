"""The same cryptography by other hands: `cryptography` (OpenSSL), and what that lacks by pycryptodome and kyber-py.

Nothing of it is the server's code. OpenSSL's command line is not used: the OpenSSL inside `cryptography` is newer than
any installed one, and knows ML-DSA and ML-KEM.
"""

import hashlib
import hmac as stdlib_hmac

from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from kyber_py.ml_kem import ML_KEM_512

from .specs import ED25519, bits_of

CURVES = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
HASHES = {1: hashes.SHA1, 224: hashes.SHA224, 256: hashes.SHA256, 384: hashes.SHA384, 512: hashes.SHA512}
# The last arcs of the algorithm identifiers of ML-KEM-512 in its SubjectPublicKeyInfo (NIST, kems 1), in DER.
ML_KEM_512_OID = bytes.fromhex("0609608648016503040401")
ML_KEM_512_PUBLIC_BYTES, ML_KEM_SEED_BYTES = 800, 64


class Mismatch(Exception):
    """The other library does not accept it."""


def public_key(der):
    """The public key in a SubjectPublicKeyInfo; raw bytes for ML-KEM-512."""
    if ML_KEM_512_OID in der[:20]:
        return der[-ML_KEM_512_PUBLIC_BYTES:]
    return serialization.load_der_public_key(der)


def private_key(der):
    """The private key in a PKCS #8 document; (public, private) for ML-KEM-512, from its seed."""
    if ML_KEM_512_OID in der[:32]:
        return ML_KEM_512.key_derive(der[-ML_KEM_SEED_BYTES:])
    return serialization.load_der_private_key(der, None)


def spki(key):
    """The SubjectPublicKeyInfo of a public key."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pkcs8(key):
    """The PKCS #8 document of a private key."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def describes(der, spec):
    """Whether the SubjectPublicKeyInfo is one of a key of this spec."""
    key = public_key(der)
    if spec.startswith("RSA_"):
        return isinstance(key, rsa.RSAPublicKey) and key.key_size == int(spec[4:]) and key.public_numbers().e == 65537
    if spec in CURVES:
        return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, CURVES[spec])
    if spec == ED25519:
        return isinstance(key, ed25519.Ed25519PublicKey)
    if spec == "ML_KEM_512":
        return isinstance(key, bytes)
    return type(key).__name__.lower() == spec.replace("_", "").lower() + "publickey"


def digest(algorithm, message):
    """The message as `MessageType DIGEST` takes it."""
    return hashlib.new(f"sha{bits_of(algorithm)}", message).digest()


def external_mu(public, message):
    """The message as `MessageType EXTERNAL_MU` takes it: FIPS 204, algorithm 7, line 6, with an empty context."""
    hashed = hashlib.shake_256(public.public_bytes_raw()).digest(64)
    return hashlib.shake_256(hashed + b"\x00\x00" + message).digest(64)


def verify(algorithm, public, message, signature):
    """Raises `Mismatch` unless the signature is one of this raw message.

    For ED25519_PH_SHA_512 the message is what was given as DIGEST, since it is hashed once more.
    """
    try:
        if algorithm == "ED25519_PH_SHA_512":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            eddsa.new(eddsa.import_public_key(raw), "rfc8032").verify(SHA512.new(message), signature)
        elif algorithm == "ED25519_SHA_512" or isinstance(public, _ML_DSA):
            public.verify(signature, message)
        elif algorithm.startswith("ECDSA"):
            public.verify(signature, message, ec.ECDSA(HASHES[bits_of(algorithm)]()))
        else:
            public.verify(signature, message, rsa_padding(algorithm), HASHES[bits_of(algorithm)]())
    except (InvalidSignature, ValueError) as error:
        raise Mismatch(f"{algorithm}: {error!r}") from error


_ML_DSA = (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


def sign(algorithm, private, message):
    """A signature of the raw message (of what is given as DIGEST for ED25519_PH_SHA_512)."""
    if algorithm == "ED25519_PH_SHA_512":
        raw = private.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        )
        return eddsa.new(ECC.construct(curve="Ed25519", seed=raw), "rfc8032").sign(SHA512.new(message))
    if algorithm == "ED25519_SHA_512":
        return private.sign(message)
    if algorithm.startswith("ECDSA"):
        return private.sign(message, ec.ECDSA(HASHES[bits_of(algorithm)]()))
    return private.sign(message, rsa_padding(algorithm), HASHES[bits_of(algorithm)]())


def rsa_padding(algorithm):
    """The padding of an RSA signature; PSS has a salt as long as the hash."""
    if "PKCS1" in algorithm:
        return padding.PKCS1v15()
    bits = bits_of(algorithm)
    return padding.PSS(mgf=padding.MGF1(HASHES[bits]()), salt_length=bits // 8)


def oaep(algorithm):
    """OAEP with one hash for everything and an empty label."""
    hashed = HASHES[bits_of(algorithm)]
    return padding.OAEP(mgf=padding.MGF1(hashed()), algorithm=hashed(), label=None)


def mac(algorithm, key, message):
    """The HMAC of a message."""
    return stdlib_hmac.digest(key, message, f"sha{bits_of(algorithm)}")


def agree(private, public):
    """The x coordinate that both sides get."""
    return private.exchange(ec.ECDH(), public)


def encapsulate(public):
    """(shared secret, ciphertext) for an ML-KEM public key."""
    return ML_KEM_512.encaps(public) if isinstance(public, bytes) else public.encapsulate()


def decapsulate(private, ciphertext):
    """The shared secret in a ciphertext."""
    if isinstance(private, tuple):
        return ML_KEM_512.decaps(private[1], ciphertext)
    return private.decapsulate(ciphertext)


def new_private_key(spec):
    """A private key of a spec that can be imported."""
    if spec.startswith("RSA_"):
        return rsa.generate_private_key(65537, int(spec[4:]))
    return ec.generate_private_key(CURVES[spec]())


def wrap(algorithm, public_der, material, aes_key):
    """Key material as ImportKeyMaterial takes it."""
    public = public_key(public_der)
    hashed = 256 if algorithm.endswith("256") else 1
    if algorithm.startswith("RSAES_OAEP"):
        return public.encrypt(material, oaep(f"_{hashed}"))
    assert algorithm.startswith("RSA_AES_KEY_WRAP"), algorithm
    return public.encrypt(aes_key, oaep(f"_{hashed}")) + keywrap.aes_key_wrap_with_padding(aes_key, material)
