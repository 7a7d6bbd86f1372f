"""Imported key material: every way of wrapping it, for every kind of key that takes it, and what tokens are for."""

import datetime
import os

from harness.checks import about, claim, equal, eventually, holds, refused
from harness.importing import import_material, new_material, parameters, wrapped
from harness.regions import US, arn, create, material, metadata, state
from harness.specs import ENCRYPT, KINDS, RSA, SIGN
from harness.uses import check, make, public_key_of

from .world import us

WRAPPING_SPECS = RSA
ALGORITHMS = ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256")
SYMMETRIC = "SYMMETRIC_DEFAULT"


def external(**arguments):
    return create(us, Origin="EXTERNAL", **arguments)


@claim
def every_wrapping_algorithm_with_every_wrapping_key():
    key_id, same = external(), new_material(SYMMETRIC)
    for spec in WRAPPING_SPECS:
        for algorithm in ALGORITHMS:
            with about(f"{spec} {algorithm}"):
                answer = import_material(us, key_id, SYMMETRIC, same, algorithm, spec)
                equal((answer["KeyId"], answer["KeyMaterialId"]), (arn(US, key_id), material(us, key_id)))
                blob = us.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
                equal(us.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
                us.delete_imported_key_material(KeyId=key_id)
                equal(state(us, key_id), "PendingImport")


@claim
def every_kind_of_key_that_takes_imports():
    for kind in KINDS:
        if kind.importable:
            with about(kind):
                key_id = external(**kind.arguments())
                answer = import_material(us, key_id, kind.spec, new_material(kind.spec))
                equal("KeyMaterialId" in answer, kind.spec == SYMMETRIC)
                found = metadata(us, key_id)
                equal((found["KeyState"], found["ExpirationModel"]), ("Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE"))
                for artifact in make(kind, us, key_id, public_key_of(kind, us, key_id)):
                    check(kind, us, key_id, artifact)


@claim
def short_private_keys_may_be_wrapped_without_aes():
    for kind in KINDS:
        if kind.usage == SIGN and kind.spec.startswith("ECC_") and kind.importable:
            with about(kind):
                # A P-521 key is too long for the OAEP of the shortest wrapping key.
                wrapping_spec = "RSA_4096" if kind.spec == "ECC_NIST_P521" else "RSA_2048"
                key_id = external(**kind.arguments())
                import_material(us, key_id, kind.spec, new_material(kind.spec), "RSAES_OAEP_SHA_256", wrapping_spec)
                equal(state(us, key_id), "Enabled")


@claim
def wrapping_that_cannot_work_is_refused():
    key_id, ours = external(), create(us)
    refused(
        "UnsupportedOperationException",
        f"{arn(US, ours)} origin is AWS_KMS which is not valid for this operation.",
        us.get_parameters_for_import,
        KeyId=ours,
        WrappingAlgorithm=ALGORITHMS[1],
        WrappingKeySpec="RSA_2048",
    )
    # No longer accepted since October 2023, and of China Regions; AWS's texts are not known.
    for algorithm, spec in (("RSAES_PKCS1_V1_5", "RSA_2048"), ("SM2PKE", "SM2"), ("RSAES_OAEP_SHA_256", "SM2")):
        refused(
            "UnsupportedOperationException",
            None,
            us.get_parameters_for_import,
            KeyId=key_id,
            WrappingAlgorithm=algorithm,
            WrappingKeySpec=spec,
        )


@claim
def a_token_is_good_for_its_key_and_its_wrapping():
    key_id, other, secret = external(), external(), new_material(SYMMETRIC)
    algorithm = "RSAES_OAEP_SHA_256"
    given = parameters(us, key_id, algorithm)
    left = given["ParametersValidTo"] - datetime.datetime.now(datetime.UTC)
    holds(
        datetime.timedelta(hours=23, minutes=55) < left <= datetime.timedelta(hours=24, seconds=5), f"24 hours: {left}"
    )
    equal(given["KeyId"], arn(US, key_id))
    token, good = given["ImportToken"], wrapped(algorithm, given["PublicKey"], secret)
    arguments = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
    refused(
        "InvalidImportTokenException",
        None,
        us.import_key_material,
        KeyId=other,
        ImportToken=token,
        EncryptedKeyMaterial=good,
        **arguments,
    )
    for wrong in (
        token[:-1],
        token + b"x",
        bytes([token[0] ^ 1]) + token[1:],
        token[:-1] + bytes([token[-1] ^ 1]),
        b"x",
    ):
        refused(
            "InvalidImportTokenException",
            None,
            us.import_key_material,
            KeyId=key_id,
            ImportToken=wrong,
            EncryptedKeyMaterial=good,
            **arguments,
        )
    for wrong in (
        good[:-1],
        bytes([good[0] ^ 1]) + good[1:],
        os.urandom(len(good)),
        wrapped("RSAES_OAEP_SHA_1", given["PublicKey"], secret),
    ):
        refused(
            "InvalidCiphertextException",
            None,
            us.import_key_material,
            KeyId=key_id,
            ImportToken=token,
            EncryptedKeyMaterial=wrong,
            **arguments,
        )
    for wrong in (secret[:-1], secret + b"x"):
        refused(
            "IncorrectKeyMaterialException",
            None,
            us.import_key_material,
            KeyId=key_id,
            ImportToken=token,
            EncryptedKeyMaterial=wrapped(algorithm, given["PublicKey"], wrong),
            **arguments,
        )
    equal(state(us, key_id), "PendingImport")
    us.import_key_material(KeyId=key_id, ImportToken=token, EncryptedKeyMaterial=good, **arguments)


@claim
def material_of_asymmetric_and_hmac_keys_never_changes():
    for spec, usage in (("RSA_2048", ENCRYPT), ("ECC_NIST_P256", SIGN), ("HMAC_256", "GENERATE_VERIFY_MAC")):
        with about(spec):
            key_id, first = external(KeySpec=spec, KeyUsage=usage), new_material(spec)
            import_material(us, key_id, spec, first)
            other = new_material(spec)
            refused(
                "IncorrectKeyMaterialException", None, import_material, kms=us, key_id=key_id, spec=spec, material=other
            )
            us.delete_imported_key_material(KeyId=key_id)
            refused(
                "IncorrectKeyMaterialException", None, import_material, kms=us, key_id=key_id, spec=spec, material=other
            )
            import_material(us, key_id, spec, first)
            equal(state(us, key_id), "Enabled")


@claim
def material_expires_and_comes_back():
    key_id, secret = external(), new_material(SYMMETRIC)
    now = datetime.datetime.now(datetime.UTC)
    refused(
        "ValidationException",
        "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES",
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=secret,
        ExpirationModel="KEY_MATERIAL_EXPIRES",
    )
    for wrong in (now - datetime.timedelta(minutes=1), now + datetime.timedelta(days=366)):
        refused(
            "ValidationException",
            None,
            import_material,
            kms=us,
            key_id=key_id,
            spec=SYMMETRIC,
            material=secret,
            ExpirationModel="KEY_MATERIAL_EXPIRES",
            ValidTo=wrong,
        )
    refused(
        "ValidationException",
        None,
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=secret,
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
        ValidTo=now + datetime.timedelta(days=1),
    )
    soon = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=4)
    import_material(us, key_id, SYMMETRIC, secret, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=soon)
    found = metadata(us, key_id)
    equal((found["KeyState"], found["ExpirationModel"], found["ValidTo"]), ("Enabled", "KEY_MATERIAL_EXPIRES", soon))
    (entry,) = us.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal((entry["ExpirationModel"], entry["ValidTo"]), ("KEY_MATERIAL_EXPIRES", soon))
    blob = us.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    eventually("the material has expired", lambda: state(us, key_id) == "PendingImport")
    holds(not {"ExpirationModel", "ValidTo"} & set(metadata(us, key_id)), "nothing is said about material that is gone")
    refused("KMSInvalidStateException", f"{arn(US, key_id)} is pending import.", us.decrypt, CiphertextBlob=blob)
    import_material(us, key_id, SYMMETRIC, secret)
    equal(us.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")


@claim
def deleted_material_is_remembered_by_its_id():
    key_id, secret = external(), new_material(SYMMETRIC)
    equal(us.delete_imported_key_material(KeyId=key_id)["KeyId"], arn(US, key_id), "deleting nothing succeeds")
    import_material(us, key_id, SYMMETRIC, secret)
    before = material(us, key_id)
    answer = us.delete_imported_key_material(KeyId=key_id)
    equal((answer["KeyId"], answer["KeyMaterialId"]), (arn(US, key_id), before))
    found = metadata(us, key_id)
    equal(
        (found["KeyState"], found["CurrentKeyMaterialId"], "ExpirationModel" in found), ("PendingImport", before, False)
    )
    refused(
        "IncorrectKeyMaterialException",
        None,
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=new_material(SYMMETRIC),
        ImportType="EXISTING_KEY_MATERIAL",
    )
    refused(
        "IncorrectKeyMaterialException",
        None,
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=secret,
        ImportType="NEW_KEY_MATERIAL",
    )
    refused(
        "IncorrectKeyMaterialException",
        None,
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=secret,
        KeyMaterialId="0" * 64,
    )
    import_material(us, key_id, SYMMETRIC, secret, KeyMaterialId=before)
    equal(state(us, key_id), "Enabled")
    ours = create(us)
    text = f"{arn(US, ours)} origin is AWS_KMS which is not valid for this operation."
    refused("UnsupportedOperationException", text, us.delete_imported_key_material, KeyId=ours)
