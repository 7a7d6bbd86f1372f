"""Opens every frozen value with none of our code: a second implementation of crates/kms-crypto/OVERVIEW.md.

Needs Python 3.11 and `cryptography` 47 or newer, for ML-KEM. Run it after adding vectors: `python3 verify.py`.
"""

import hashlib
import hmac
import struct
from pathlib import Path

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


def row_open(key, label, row, *bound):
    return xaes_open(key, fields(b"meridian/v1/row/" + label, row[:8], *bound), row[8:])


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
    destination, sealed = v["destination"].encode(), unhex(v["sealed_box"])
    seed = row_open(kek_of(v, destination), b"sealing-key", unhex(v["wrapped_sealing_key"]), destination)
    kem, dh, public = x_wing_keys(seed)
    assert (b"\x01P\x64\x7a" + public).hex() == v["sealing_public_key"]
    ephemeral = sealed[1096:1128]
    secrets = kem.decapsulate(sealed[8:1096]) + dh.exchange(X25519PublicKey.from_public_bytes(ephemeral))
    shared = hashlib.sha3_256(secrets + ephemeral + public[1184:] + b"\\.//^\\").digest()
    # RFC 9180 §5.1, base mode. Every output is one block of HKDF.
    suite = b"HPKE-v1HPKE" + sealed[2:8]
    extract = lambda salt, label, ikm: mac(salt, suite, label, ikm)
    info = fields(
        b"meridian/v1/sealed-box", v["cluster_id"].encode(), v["key_id"].encode(), unhex(v["material_id"]),
        v["source"].encode(), destination, struct.pack(">H", 1),
    )
    schedule = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    expand = lambda label, size: mac(secret, struct.pack(">H", size), suite, label, schedule, b"\x01")[:size]
    opened = AESGCM(expand(b"key", 32)).decrypt(expand(b"base_nonce", 12), sealed[1128:], sealed[:8])
    assert opened.hex() == v["material"]


def blobs():
    v = load("blob-v1.txt")
    key = derive(b"meridian/v1/key-material/message", unhex(v["material"]))
    pairs = sorted(pair.split(":") for pair in v["context"].split(","))
    context = struct.pack(">I", len(pairs)) + fields(*(text.encode() for pair in pairs for text in pair))
    blob, empty = unhex(v["blob"]), unhex(v["empty_blob"])
    assert xaes_open(key, blob[:53] + context, blob[53:]).hex() == v["plaintext"]
    assert xaes_open(key, empty[:53] + bytes(4), empty[53:]) == b""


for check in (root_key, material_ids, rows, sealed_box, blobs):
    check()
    print("ok", check.__name__)
