"""Opens every frozen value with none of our code: a second implementation of crates/kms-crypto/OVERVIEW.md.

Needs Python 3.11 and `cryptography` 48 or newer, for ML-KEM and ML-DSA. Run it after adding vectors: `python3 verify.py`.
"""

import base64
import hashlib
import hmac
import struct
from pathlib import Path

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, mlkem, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

unhex = bytes.fromhex


def load(name):
    lines = (Path(__file__).parent / name).read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if line and not line.startswith("#"))


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def fields(*parts):
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def derive(label, secret, *context):
    return mac(mac(label, secret), fields(*context), b"\x01")


def xaes_open(key, aad, sealed):
    """https://c2sp.org/XAES-256-GCM, "Detailed key derivation algorithm"."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    doubled = int.from_bytes(block.update(bytes(16)), "big") << 1
    k1 = doubled ^ (0x87 | 1 << 128) if doubled >> 128 else doubled
    half = lambda i: (int.from_bytes(bytes([0, i, 0x58, 0]) + sealed[:12], "big") ^ k1).to_bytes(16, "big")
    subkey = block.update(half(1)) + block.update(half(2))
    return AESGCM(subkey).decrypt(sealed[12:24], sealed[24:], aad)


def row_open(key, label, row, *bound, place=b"row"):
    return xaes_open(key, fields(b"meridian/v1/" + place + b"/" + label, row[:8], *bound), row[8:])


def material_id(spec, material, key_id):
    seed = derive(b"meridian/v1/key-material/id-seed", material, struct.pack(">H", spec))
    return derive(b"meridian/v1/key-material/id", seed, key_id.encode()).hex()


def root_key():
    v = load("root-key-v1.txt")
    check = derive(b"meridian/v1/root-key/check", unhex(v["root_key"]), v["check_scope"].encode())
    assert check[:16].hex() == v["check_value"]
    argon = Argon2id(
        salt=unhex(v["salt"]), length=32, iterations=int(v["passes"]), lanes=int(v["lanes"]),
        memory_cost=int(v["memory_kib"]),
    )
    assert argon.derive(v["passphrase"].encode()).hex() == v["passphrase_root_key"]


def material_ids():
    v = load("material-id-v1.txt")
    material = unhex(v["material"])
    assert material_id(1, material[:32], v["key_id"]) == v["symmetric_default"]
    assert material_id(1, material[:32], v["other_key_id"]) == v["symmetric_default_other_key"]
    assert material_id(3, material[:32], v["key_id"]) == v["hmac_256"]
    assert material_id(5, material, v["key_id"]) == v["hmac_512"]


def kek_of(v, region):
    wrapping = derive(b"meridian/v1/root-key/wrap", unhex(v["root_key"]))
    return row_open(wrapping, b"region-kek", unhex(v["wrapped_kek"]), region)


def rows():
    v = load("rows-v1.txt")
    region = v["region"].encode()
    kek = kek_of(v, region)
    for prefix in ("", "mac_"):
        bound = (region, v[prefix + "key_id"].encode(), unhex(v[prefix + "material_id"]))
        opened = row_open(kek, b"key-material", unhex(v[f"wrapped_{prefix}material"]), *bound)
        assert opened.hex() == v[prefix + "material"]
    seed = row_open(kek, b"sealing-key", unhex(v["wrapped_sealing_key"]), region)
    assert x_wing_keys(seed)[2].hex() == v["sealing_public_key"][8:]


def x_wing_keys(seed):
    expanded = hashlib.shake_256(seed).digest(96)
    kem, dh = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
    return kem, dh, kem.public_key().public_bytes_raw() + dh.public_key().public_bytes_raw()


def sealed_box():
    v = load("sealed-box-v1.txt")
    destination = v["destination"].encode()
    seed = row_open(kek_of(v, destination), b"sealing-key", unhex(v["wrapped_sealing_key"]), destination)
    assert (b"\x01P\x64\x7a" + x_wing_keys(seed)[2]).hex() == v["sealing_public_key"]
    opened = box_open(seed, v, unhex(v["sealed_box"]), 1, v["material_id"], destination)
    assert opened.hex() == v["material"]


def sealed_secret():
    assert secret_open(load("sealed-secret-v1.txt"), "sealed_secret") == load("sealed-secret-v1.txt")["secret"].encode()
    v = load("sealed-session-key-v1.txt")
    assert secret_open(v, "sealed_session_key").hex() == v["session_key"]


def secret_open(v, member):
    destination = v["destination"].encode()
    seed = row_open(kek_of(v, destination), b"sealing-key", unhex(v["wrapped_sealing_key"]), destination)
    sealed = unhex(v[member])
    assert sealed[:2] == b"\x01S"
    info = fields(
        b"meridian/v1/sealed-secret", v["cluster_id"].encode(), v["name"].encode(), v["source"].encode(), destination
    )
    return hpke_open(seed, sealed, info)


def box_open(seed, v, sealed, spec, material_id, destination):
    info = fields(
        b"meridian/v1/sealed-box", v["cluster_id"].encode(), v["key_id"].encode(), unhex(material_id),
        v["source"].encode(), destination, struct.pack(">H", spec),
    )
    return hpke_open(seed, sealed, info)


def hpke_open(seed, sealed, info):
    kem, dh, public = x_wing_keys(seed)
    ephemeral = sealed[1096:1128]
    secrets = kem.decapsulate(sealed[8:1096]) + dh.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    shared = hashlib.sha3_256(secrets + ephemeral + public[1184:] + b"\\.//^\\").digest()
    # RFC 9180 §5.1, base mode. Every output is one block of HKDF.
    suite = b"HPKE-v1HPKE" + sealed[2:8]
    extract = lambda salt, label, ikm: mac(salt, suite, label, ikm)
    schedule = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    expand = lambda label, size: mac(secret, struct.pack(">H", size), suite, label, schedule, b"\x01")[:size]
    return AESGCM(expand(b"key", 32)).decrypt(expand(b"base_nonce", 12), sealed[1128:], sealed[:8])


def blobs():
    v = load("blob-v1.txt")
    key = derive(b"meridian/v1/key-material/message", unhex(v["material"]))
    pairs = sorted(pair.split(":") for pair in v["context"].split(","))
    context = struct.pack(">I", len(pairs)) + fields(*(text.encode() for pair in pairs for text in pair))
    blob, empty = unhex(v["blob"]), unhex(v["empty_blob"])
    assert xaes_open(key, blob[:53] + context, blob[53:]).hex() == v["plaintext"]
    assert xaes_open(key, empty[:53] + bytes(4), empty[53:]) == b""


# The numbers of the key specs in stored formats.
SPECS = {
    "symmetric_default": 1, "hmac_224": 2, "hmac_256": 3, "hmac_384": 4, "hmac_512": 5,
    "rsa_2048": 6, "rsa_3072": 7, "rsa_4096": 8,
    "ecc_nist_p256": 9, "ecc_nist_p384": 10, "ecc_nist_p521": 11, "ecc_secg_p256k1": 12, "ecc_nist_edwards25519": 13,
    "ml_dsa_44": 15, "ml_dsa_65": 16, "ml_dsa_87": 17, "ml_kem_512": 18, "ml_kem_768": 19, "ml_kem_1024": 20,
}
CURVES = {
    "ecc_nist_p256": (ec.SECP256R1(), hashes.SHA256()), "ecc_nist_p384": (ec.SECP384R1(), hashes.SHA384()),
    "ecc_nist_p521": (ec.SECP521R1(), hashes.SHA512()), "ecc_secg_p256k1": (ec.SECP256K1(), hashes.SHA256()),
}
SEEDS = {
    "ml_dsa_44": mldsa.MLDSA44PrivateKey, "ml_dsa_65": mldsa.MLDSA65PrivateKey, "ml_dsa_87": mldsa.MLDSA87PrivateKey,
    # `cryptography` has no ML-KEM-512.
    "ml_kem_768": mlkem.MLKEM768PrivateKey, "ml_kem_1024": mlkem.MLKEM1024PrivateKey,
}
HASHES = {
    "1": hashes.SHA1(), "224": hashes.SHA224(), "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512(),
}


def rsa_key(primes):
    half = len(primes) // 2
    p, q = int.from_bytes(primes[:half], "big"), int.from_bytes(primes[half:], "big")
    assert p > q
    d = rsa.rsa_recover_private_exponent(65537, p, q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(65537, p * q)
    )
    return numbers.private_key()


def private_key(spec, material):
    if spec.startswith("rsa"):
        return rsa_key(material)
    if spec in CURVES:
        return ec.derive_private_key(int.from_bytes(material, "big"), CURVES[spec][0])
    if spec == "ecc_nist_edwards25519":
        return Ed25519PrivateKey.from_private_bytes(material)
    return SEEDS[spec].from_seed_bytes(material) if spec in SEEDS else None


def spki(key):
    return key.public_key().public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo).hex()


def keys():
    v = load("keys-v1.txt")
    region = v["region"].encode()
    kek = kek_of(v, region)
    for spec, number in SPECS.items():
        row, identity = unhex(v[spec + "_row"]), v[spec + "_material_id"]
        assert row[6:8] == struct.pack(">H", number)
        material = row_open(kek, b"key-material", row, region, v["key_id"].encode(), unhex(identity))
        assert material.hex() == v[spec + "_material"]
        assert material_id(number, material, v["key_id"]) == identity
        if key := private_key(spec, material):
            assert spki(key) == v[spec + "_public_key"]


def boxes():
    v, k = load("sealed-box-specs-v1.txt"), load("keys-v1.txt")
    destination = v["region"].encode()
    seed = row_open(kek_of(v, destination), b"sealing-key", unhex(v["wrapped_sealing_key"]), destination)
    for name in (name for name in v if name.endswith("_box")):
        spec = name.removesuffix("_box")
        opened = box_open(seed, v, unhex(v[name]), SPECS[spec], v[spec + "_material_id"], destination)
        assert opened.hex() == k[spec + "_material"]


def token_open(v, kind, token):
    region = v["region"].encode()
    key = derive(b"meridian/v1/region-kek/" + kind + b"-token", kek_of(v, region))
    return row_open(key, kind, token, region, place=b"token")


def tokens():
    v = load("tokens-v1.txt")
    algorithms = "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"
    for i in range(4):
        name = f"import_{i}_"
        token, encrypted = unhex(v[name + "token"]), unhex(v[name + "encrypted"])
        opened = token_open(v, b"import", token)
        assert opened[:36].decode() == v["key_id"]
        assert int.from_bytes(opened[36:44], "big") == int(v[name + "expires_at"])
        assert token[:2] == b"\x01I" and algorithms[token[6] - 1] == v[name + "algorithm"]
        key = rsa_key(opened[44:])
        assert spki(key) == v[name + "public_key"] and token[7] == {2048: 1, 3072: 2, 4096: 3}[key.key_size]
        digest = HASHES[v[name + "algorithm"].rsplit("_", 1)[1]]
        size = key.key_size // 8
        inner = key.decrypt(encrypted[:size], padding.OAEP(padding.MGF1(digest), digest, None))
        if "KEY_WRAP" in v[name + "algorithm"]:
            inner = keywrap.aes_key_unwrap_with_padding(inner, encrypted[size:])
        assert inner.hex() == v[name + "material"]
    token = base64.urlsafe_b64decode(v["grant_token"] + "=")
    assert token[:2] == b"\x01G" and token[6:8] == bytes(2)
    opened = token_open(v, b"grant", token)
    assert opened[:36].decode() == v["key_id"] and opened[36:].hex() == v["grant_id"]


def operations():
    v, k = load("operations-v1.txt"), load("keys-v1.txt")
    message = unhex(v["message"])
    checked = set()
    for spec in SPECS:
        key, material = private_key(spec, unhex(k[spec + "_material"])), unhex(k[spec + "_material"])
        of = lambda what: checked.add(f"{spec}_{what}") or unhex(v[f"{spec}_{what}"])
        for name in [n.removeprefix(spec + "_") for n in v if n.startswith(spec + "_")]:
            digest = HASHES.get(name.rsplit("_", 1)[-1])
            if name == "mac":
                assert of(name) == hmac.new(material, message, "sha" + spec.split("_")[1]).digest()
            elif name.startswith("rsassa_pss"):
                pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
                key.public_key().verify(of(name), message, pss, digest)
            elif name.startswith("rsassa_pkcs1"):
                key.public_key().verify(of(name), message, padding.PKCS1v15(), digest)
            elif name.startswith("rsaes_oaep"):
                assert key.decrypt(of(name), padding.OAEP(padding.MGF1(digest), digest, None)) == message
            elif name.startswith("ecdsa"):
                key.public_key().verify(of(name), message, ec.ECDSA(CURVES[spec][1]))
            elif name in ("ed25519_sha_512", "ml_dsa_shake_256"):
                key.public_key().verify(of(name), message)
            elif name == "shared_secret":
                assert of(name) == key.exchange(ec.ECDH(), forms.load_der_public_key(of("peer")))
            elif name == "encapsulated_secret" and key:
                assert of(name) == key.decapsulate(of("encapsulation"))
            elif name == "pair_private" and spec != "ml_kem_512":
                assert spki(forms.load_der_private_key(of(name), None)) == of("pair_public").hex()
    print("   not checked:", ", ".join(sorted(set(v) - checked)))


for check in (root_key, material_ids, rows, sealed_box, sealed_secret, blobs, keys, boxes, tokens, operations):
    check()
    print("ok", check.__name__)
