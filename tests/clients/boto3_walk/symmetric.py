"""Symmetric encryption keys: encrypt, decrypt, re-encrypt, data keys; and random bytes."""

from harness.checks import claim, equal, holds, refused
from harness.regions import US, arn, create, material

from .world import us


@claim
def encrypt_and_decrypt():
    key_id = create(us)
    context = {"tenant": "7", "purpose": "Bestellungen für März"}
    encrypted = us.encrypt(KeyId=key_id, Plaintext=b"x" * 4096, EncryptionContext=context)
    equal((encrypted["KeyId"], encrypted["EncryptionAlgorithm"]), (arn(US, key_id), "SYMMETRIC_DEFAULT"))
    holds("KeyMaterialId" not in encrypted, "Encrypt never names the material")
    blob = encrypted["CiphertextBlob"]
    decrypted = us.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    equal((decrypted["Plaintext"], decrypted["KeyId"]), (b"x" * 4096, arn(US, key_id)))
    equal(decrypted["KeyMaterialId"], material(us, key_id))
    refused("InvalidCiphertextException", "", us.decrypt, CiphertextBlob=blob)
    refused("InvalidCiphertextException", "", us.decrypt, CiphertextBlob=b"nonsense")
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    refused("InvalidCiphertextException", "", us.decrypt, CiphertextBlob=changed, EncryptionContext=context)
    refused(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
        us.decrypt,
        CiphertextBlob=blob,
        EncryptionContext=context,
        KeyId=create(us),
    )
    refused(
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096",
        us.encrypt,
        KeyId=key_id,
        Plaintext=b"x" * 4097,
    )
    refused(
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
        us.encrypt,
        KeyId=key_id,
        Plaintext=b"x",
        DryRun=True,
    )


@claim
def re_encrypt():
    source, destination = create(us), create(us)
    blob = us.encrypt(KeyId=source, Plaintext=b"moved", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = us.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=destination,
        DestinationEncryptionContext={"b": "2"},
    )
    equal((moved["SourceKeyId"], moved["KeyId"]), (arn(US, source), arn(US, destination)))
    equal(
        (moved["SourceKeyMaterialId"], moved["DestinationKeyMaterialId"]),
        (material(us, source), material(us, destination)),
    )
    equal(us.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})["Plaintext"], b"moved")
    refused("InvalidCiphertextException", "", us.re_encrypt, CiphertextBlob=blob, DestinationKeyId=destination)
    refused(
        "IncorrectKeyException",
        "The key ID in the request does not identify a CMK that can perform this operation.",
        us.re_encrypt,
        CiphertextBlob=blob,
        SourceEncryptionContext={"a": "1"},
        SourceKeyId=destination,
        DestinationKeyId=destination,
    )


@claim
def data_keys_and_random_bytes():
    key_id = create(us)
    made = us.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext={"a": "1"})
    equal((len(made["Plaintext"]), made["KeyMaterialId"]), (32, material(us, key_id)))
    opened = us.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})["Plaintext"]
    equal(opened, made["Plaintext"])
    made = us.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=100)
    holds("Plaintext" not in made, "there is no plaintext")
    equal(len(us.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]), 100)
    one_of_two = "Please specify either number of bytes or key spec."
    for call in (us.generate_data_key, us.generate_data_key_without_plaintext):
        refused("ValidationException", one_of_two, call, KeyId=key_id)
        refused("ValidationException", one_of_two, call, KeyId=key_id, NumberOfBytes=1, KeySpec="AES_128")
    equal(len(us.generate_random(NumberOfBytes=1024)["Plaintext"]), 1024)
    refused("ValidationException", "NumberOfBytes is required.", us.generate_random)


@claim
def a_dry_run_may_leave_the_ciphertext_out():
    key_id = create(us)
    arguments = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
    would = "The request would have succeeded, but the DryRun option is set."
    refused("DryRunOperationException", would, us.decrypt, KeyId=key_id, **arguments)
    refused("DryRunOperationException", would, us.re_encrypt, SourceKeyId=key_id, DestinationKeyId=key_id, **arguments)
