"""Symmetric encryption keys, and random bytes."""

import base64

from harness.checks import claim, equal

from .cli import create, decrypt, encrypt, file, refused, text

CONTEXT = ("--encryption-context", "tenant=7")


@claim
def ciphertext_is_read_with_its_key_and_context_alone():
    key, other = create(), create()
    blob = encrypt("one", "--key-id", key, "--plaintext", file("plain", "secret words"), *CONTEXT)
    equal(decrypt(blob, *CONTEXT), b"secret words")
    refused("InvalidCiphertextException", "", "decrypt", "--ciphertext-blob", blob)
    refused("InvalidCiphertextException", "", "decrypt", "--ciphertext-blob", file("nonsense", "nonsense"))
    refused(
        "IncorrectKeyException",
        "does not identify a CMK",
        "decrypt",
        "--ciphertext-blob",
        blob,
        *CONTEXT,
        "--key-id",
        other,
    )
    moved = text(
        "re-encrypt",
        "--ciphertext-blob",
        blob,
        "--source-encryption-context",
        "tenant=7",
        "--destination-key-id",
        other,
        "--query",
        "CiphertextBlob",
    )
    equal(decrypt(file("two", base64.b64decode(moved)), "--key-id", other), b"secret words")
    text("rotate-key-on-demand", "--key-id", key)
    equal(decrypt(blob, *CONTEXT), b"secret words", "after a rotation")
    refused(
        "DryRunOperationException",
        "The request would have succeeded",
        "encrypt",
        "--key-id",
        key,
        "--plaintext",
        file("plain", "x"),
        "--dry-run",
    )


@claim
def data_keys_and_random_bytes():
    key = create()
    blob, plain = text(
        "generate-data-key", "--key-id", key, "--key-spec", "AES_256", "--query", "[CiphertextBlob,Plaintext]"
    ).split("\t")
    equal(decrypt(file("three", base64.b64decode(blob))), base64.b64decode(plain))
    blob = text(
        "generate-data-key-without-plaintext", "--key-id", key, "--number-of-bytes", "64", "--query", "CiphertextBlob"
    )
    equal(len(decrypt(file("four", base64.b64decode(blob)))), 64)
    refused(
        "ValidationException",
        "Please specify either number of bytes or key spec.",
        "generate-data-key",
        "--key-id",
        key,
    )
    drawn = text("generate-random", "--number-of-bytes", "33", "--query", "Plaintext")
    equal(len(base64.b64decode(drawn)), 33)
    refused("ValidationException", "Value '1025' at 'numberOfBytes'", "generate-random", "--number-of-bytes", "1025")
