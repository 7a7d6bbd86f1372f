"""Keys whose private part both sides have, because it was imported: each does what the other undoes."""

import os

from cryptography.hazmat.primitives.asymmetric import ec

from harness import independent
from harness.checks import about, claim, equal, passed, refused
from harness.importing import import_material, new_material
from harness.regions import create
from harness.specs import AGREE, ENCRYPT, KINDS, MAC, SIGN, bits_of, message_types
from harness.uses import as_message, public_key_of

from .world import MESSAGE, us


def for_imported(usage):
    """Claims the function for a new key of each importable kind with this usage: (kind, key ID, material)."""

    def add(function):
        def all_of_them():
            for kind in KINDS:
                if kind.usage == usage and kind.importable and kind.spec != "SYMMETRIC_DEFAULT":
                    with about(kind):
                        function(kind, *new_imported_key(kind))

        all_of_them.__name__ = function.__name__
        return claim(all_of_them)

    return add


def new_imported_key(kind):
    key_id = create(us, Origin="EXTERNAL", **kind.arguments())
    material = new_material(kind.spec)
    import_material(us, key_id, kind.spec, material)
    public = public_key_of(kind, us, key_id)
    if public is not None:
        equal(public, independent.spki(independent.private_key(material).public_key()))
    return key_id, material


@for_imported(SIGN)
def what_the_library_signs_the_server_verifies(kind, key_id, material):
    private = independent.private_key(material)
    for algorithm in kind.algorithms:
        signature = independent.sign(algorithm, private, MESSAGE)
        for message_type in message_types(algorithm):
            message = as_message(algorithm, message_type, None, MESSAGE)
            arguments = {"KeyId": key_id, "MessageType": message_type, "SigningAlgorithm": algorithm}
            equal(us.verify(Message=message, Signature=signature, **arguments)["SignatureValid"], True)
            changed = signature[:-1] + bytes([signature[-1] ^ 1])
            refused("KMSInvalidSignatureException", "", us.verify, Message=message, Signature=changed, **arguments)
        made = us.sign(KeyId=key_id, Message=MESSAGE, SigningAlgorithm=algorithm)["Signature"]
        independent.verify(algorithm, private.public_key(), MESSAGE, made)
        passed()


@for_imported(ENCRYPT)
def what_the_server_encrypts_the_library_decrypts(kind, key_id, material):
    private = independent.private_key(material)
    for algorithm in kind.algorithms:
        plain = os.urandom(100)
        ciphertext = us.encrypt(KeyId=key_id, Plaintext=plain, EncryptionAlgorithm=algorithm)["CiphertextBlob"]
        equal(private.decrypt(ciphertext, independent.oaep(algorithm)), plain)


@for_imported(MAC)
def macs_are_equal(kind, key_id, material):
    (algorithm,) = kind.algorithms
    for message in (b"x", MESSAGE, bytes(4096)):
        expected = independent.mac(algorithm, material, message)
        equal(us.generate_mac(KeyId=key_id, Message=message, MacAlgorithm=algorithm)["Mac"], expected)
        answer = us.verify_mac(KeyId=key_id, Message=message, MacAlgorithm=algorithm, Mac=expected)
        equal(answer["MacValid"], True)
    equal(bits_of(algorithm) // 8, len(expected))
    refused(
        "KMSInvalidMacException", "", us.verify_mac, KeyId=key_id, Message=b"x", MacAlgorithm=algorithm, Mac=expected
    )


@for_imported(AGREE)
def agreements_are_equal(kind, key_id, material):
    peer = ec.generate_private_key(independent.CURVES[kind.spec]())
    answer = us.derive_shared_secret(
        KeyId=key_id, KeyAgreementAlgorithm="ECDH", PublicKey=independent.spki(peer.public_key())
    )
    equal(
        (answer["SharedSecret"], answer["KeyOrigin"]),
        (independent.agree(independent.private_key(material), peer.public_key()), "EXTERNAL"),
    )
