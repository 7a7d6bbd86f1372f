"""Asymmetric and HMAC keys, and data key pairs. This AWS CLI has no commands for ML-KEM's encapsulation yet."""

import base64

from harness.checks import claim, equal, holds

from .cli import create, file, refused, text


@claim
def signatures_are_made_and_verified():
    key = create("--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY")
    message = ("--key-id", key, "--message", file("message", "to be signed"), "--signing-algorithm", "ECDSA_SHA_256")
    signature = file("signature", base64.b64decode(text("sign", *message, "--query", "Signature")))
    equal(text("verify", *message, "--signature", signature, "--query", "SignatureValid"), "True")
    refused("KMSInvalidSignatureException", "", "verify", *message, "--signature", file("wrong", "nonsense"))
    listed = text("get-public-key", "--key-id", key, "--query", "[KeySpec,KeyUsage,SigningAlgorithms[0]]")
    equal(listed, "ECC_NIST_P256\tSIGN_VERIFY\tECDSA_SHA_256")
    refused(
        "InvalidKeyUsageException",
        "key usage is SIGN_VERIFY which is not valid for Encrypt.",
        "encrypt",
        "--key-id",
        key,
        "--plaintext",
        file("plain", "x"),
    )
    refused("ValidationException", "You must specify a KeyUsage value", "create-key", "--key-spec", "ECC_NIST_P256")


@claim
def rsa_keys_encrypt_and_decrypt():
    key = create("--key-spec", "RSA_2048", "--key-usage", "ENCRYPT_DECRYPT")
    algorithm = ("--key-id", key, "--encryption-algorithm", "RSAES_OAEP_SHA_256")
    blob = text("encrypt", *algorithm, "--plaintext", file("plain", "secret words"), "--query", "CiphertextBlob")
    opened = text(
        "decrypt", *algorithm, "--ciphertext-blob", file("rsa", base64.b64decode(blob)), "--query", "Plaintext"
    )
    equal(base64.b64decode(opened), b"secret words")


@claim
def macs_are_made_and_verified():
    key = create("--key-spec", "HMAC_256", "--key-usage", "GENERATE_VERIFY_MAC")
    message = ("--key-id", key, "--message", file("message", "to be authenticated"), "--mac-algorithm", "HMAC_SHA_256")
    mac = file("mac", base64.b64decode(text("generate-mac", *message, "--query", "Mac")))
    equal(text("verify-mac", *message, "--mac", mac, "--query", "MacValid"), "True")
    refused("KMSInvalidMacException", "", "verify-mac", *message, "--mac", file("wrong", "nonsense"))


@claim
def two_keys_agree_on_a_secret():
    arguments = ("--key-spec", "ECC_NIST_P256", "--key-usage", "KEY_AGREEMENT")
    keys = [create(*arguments), create(*arguments)]
    public = [base64.b64decode(text("get-public-key", "--key-id", key, "--query", "PublicKey")) for key in keys]
    secrets = {
        text(
            "derive-shared-secret",
            "--key-id",
            key,
            "--key-agreement-algorithm",
            "ECDH",
            "--public-key",
            file("peer", peer),
            "--query",
            "SharedSecret",
        )
        for key, peer in zip(keys, reversed(public), strict=True)
    }
    equal(len(secrets), 1)


@claim
def data_key_pairs_come_with_and_without_their_private_key():
    key = create()
    arguments = ("--key-id", key, "--key-pair-spec", "ECC_NIST_EDWARDS25519")
    blob, plain = text(
        "generate-data-key-pair", *arguments, "--query", "[PrivateKeyCiphertextBlob,PrivateKeyPlaintext]"
    ).split("\t")
    opened = text("decrypt", "--ciphertext-blob", file("pair", base64.b64decode(blob)), "--query", "Plaintext")
    equal(opened, plain)
    made = text("generate-data-key-pair-without-plaintext", *arguments, "--query", "keys(@)")
    holds("PrivateKeyPlaintext" not in made and "PrivateKeyCiphertextBlob" in made, made)
