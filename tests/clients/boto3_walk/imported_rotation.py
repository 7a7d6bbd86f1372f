"""Several imported materials of one key: pending, rotated to, expired one by one; in one Region and in several."""

from harness.checks import about, claim, equal, eventually, holds, refused
from harness.importing import import_material, new_material
from harness.regions import EU, US, arn, create, material, metadata, replicate, state
from harness.specs import KINDS
from harness.uses import check, make, public_key_of

from .world import ap, eu, us

SYMMETRIC = "SYMMETRIC_DEFAULT"


def new_import(kms, key_id, secret, **arguments):
    return import_material(kms, key_id, SYMMETRIC, secret, **arguments)["KeyMaterialId"]


def rotations(kms, key_id):
    """(material ID, state, import state, type, description) of every material."""
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")
    return {entry["KeyMaterialId"]: entry for page in pages for entry in page["Rotations"]}


def states(kms, key_id):
    return {name: (entry["KeyMaterialState"], entry["ImportState"]) for name, entry in rotations(kms, key_id).items()}


@claim
def a_key_rotates_to_the_material_that_was_imported_next():
    key_id, first_bytes, second_bytes = create(us, Origin="EXTERNAL"), new_material(SYMMETRIC), new_material(SYMMETRIC)
    refused("KMSInvalidStateException", f"{arn(US, key_id)} is pending import.", us.rotate_key_on_demand, KeyId=key_id)
    first = new_import(us, key_id, first_bytes, KeyMaterialDescription="the first one")
    blob = us.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    refused(
        "KMSInvalidStateException",
        f"No available key material pending rotation for the key: {arn(US, key_id)}.",
        us.rotate_key_on_demand,
        KeyId=key_id,
    )
    second = new_import(us, key_id, second_bytes, ImportType="NEW_KEY_MATERIAL")
    equal(states(us, key_id), {first: ("CURRENT", "IMPORTED"), second: ("PENDING_ROTATION", "IMPORTED")})
    equal(rotations(us, key_id)[first]["KeyMaterialDescription"], "the first one")
    equal(material(us, key_id), first)
    third_bytes = new_material(SYMMETRIC)
    error = refused(
        "KMSInvalidStateException",
        None,
        import_material,
        kms=us,
        key_id=key_id,
        spec=SYMMETRIC,
        material=third_bytes,
        ImportType="NEW_KEY_MATERIAL",
    )
    text = error["Error"]["Message"]
    holds(
        text.startswith("New key material (id: ")
        and text.endswith(
            f") cannot be imported into KMS key {arn(US, key_id)}, because another key material (id: {second}) "
            "is pending rotation."
        ),
        text,
    )
    equal(us.rotate_key_on_demand(KeyId=key_id)["KeyId"], arn(US, key_id))
    eventually("the key has the second material", lambda: material(us, key_id) == second)
    equal(states(us, key_id), {first: ("NON_CURRENT", "IMPORTED"), second: ("CURRENT", "IMPORTED")})
    equal(rotations(us, key_id)[second]["RotationType"], "ON_DEMAND")
    equal(us.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
    # Every material that belongs to the key must be there.
    us.delete_imported_key_material(KeyId=key_id, KeyMaterialId=first)
    equal((state(us, key_id), states(us, key_id)[first]), ("PendingImport", ("NON_CURRENT", "PENDING_IMPORT")))
    new_import(us, key_id, first_bytes, ImportType="EXISTING_KEY_MATERIAL", KeyMaterialId=first)
    equal((state(us, key_id), us.decrypt(CiphertextBlob=blob)["KeyMaterialId"]), ("Enabled", first))


@claim
def pending_material_may_be_taken_back():
    key_id = create(us, Origin="EXTERNAL")
    first = new_import(us, key_id, new_material(SYMMETRIC))
    pending = new_import(us, key_id, new_material(SYMMETRIC), ImportType="NEW_KEY_MATERIAL")
    us.delete_imported_key_material(KeyId=key_id, KeyMaterialId=pending)
    equal((state(us, key_id), list(states(us, key_id))), ("Enabled", [first]))
    other = new_import(us, key_id, new_material(SYMMETRIC), ImportType="NEW_KEY_MATERIAL")
    us.rotate_key_on_demand(KeyId=key_id)
    eventually("the key has the other material", lambda: material(us, key_id) == other)


@claim
def imported_keys_do_not_rotate_by_themselves():
    key_id = create(us, Origin="EXTERNAL")
    text = f"{arn(US, key_id)} origin is EXTERNAL which is not valid for this operation."
    for pending in (True, False):
        for call in (us.enable_key_rotation, us.disable_key_rotation, us.get_key_rotation_status):
            refused("UnsupportedOperationException", text, call, KeyId=key_id)
        if pending:
            new_import(us, key_id, new_material(SYMMETRIC))


@claim
def replicas_import_the_same_bytes():
    key_id, secret = create(us, Origin="EXTERNAL", MultiRegion=True), new_material(SYMMETRIC)
    refused(
        "KMSInvalidStateException",
        f"{arn(US, key_id)} is pending import.",
        us.replicate_key,
        KeyId=key_id,
        ReplicaRegion=EU,
    )
    first = new_import(us, key_id, secret)
    replicate(us, eu, key_id, wanted="PendingImport")
    refused(
        "IncorrectKeyMaterialException",
        None,
        import_material,
        kms=eu,
        key_id=key_id,
        spec=SYMMETRIC,
        material=new_material(SYMMETRIC),
        ImportType="EXISTING_KEY_MATERIAL",
    )
    equal(new_import(eu, key_id, secret, ImportType="EXISTING_KEY_MATERIAL"), first)
    equal((state(eu, key_id), material(eu, key_id)), ("Enabled", first))
    blob = us.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    equal(eu.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")
    equal(metadata(eu, key_id)["ExpirationModel"], "KEY_MATERIAL_DOES_NOT_EXPIRE")
    # One Region's material is its own: the other goes on.
    eu.delete_imported_key_material(KeyId=key_id)
    equal((state(eu, key_id), state(us, key_id)), ("PendingImport", "Enabled"))
    new_import(eu, key_id, secret)
    equal(eu.decrypt(CiphertextBlob=blob)["Plaintext"], b"x")


@claim
def every_kind_of_imported_key_is_one_key_in_all_regions():
    for kind in KINDS:
        if kind.importable:
            with about(kind):
                key_id = create(us, Origin="EXTERNAL", MultiRegion=True, **kind.arguments())
                secret = new_material(kind.spec)
                import_material(us, key_id, kind.spec, secret)
                for kms in (eu, ap):
                    replicate(us, kms, key_id, wanted="PendingImport")
                    import_material(kms, key_id, kind.spec, secret)
                    equal(state(kms, key_id), "Enabled")
                public = public_key_of(kind, us, key_id)
                equal({public_key_of(kind, kms, key_id) for kms in (eu, ap)}, {public})
                for source in (us, eu, ap):
                    for artifact in make(kind, source, key_id, public):
                        for target in (us, eu, ap):
                            check(kind, target, key_id, artifact)


@claim
def a_set_rotates_when_every_region_has_the_new_material():
    key_id, first_bytes, second_bytes = (
        create(us, Origin="EXTERNAL", MultiRegion=True),
        new_material(SYMMETRIC),
        new_material(SYMMETRIC),
    )
    first = new_import(us, key_id, first_bytes)
    replicate(us, eu, key_id, wanted="PendingImport")
    new_import(eu, key_id, first_bytes)
    second = new_import(us, key_id, second_bytes, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="the second")
    equal(states(us, key_id)[second], ("PENDING_MULTI_REGION_IMPORT_AND_ROTATION", "IMPORTED"))
    eventually("the replica expects it", lambda: second in rotations(eu, key_id))
    equal(rotations(eu, key_id)[second]["KeyMaterialDescription"], "the second", "descriptions are shared")
    equal(state(eu, key_id), "Enabled", "pending material is not missed")
    refused("KMSInvalidStateException", None, us.rotate_key_on_demand, KeyId=key_id)
    refused("UnsupportedOperationException", None, eu.rotate_key_on_demand, KeyId=key_id)
    new_import(eu, key_id, second_bytes, ImportType="EXISTING_KEY_MATERIAL")
    eventually("every Region has it", lambda: states(us, key_id)[second] == ("PENDING_ROTATION", "IMPORTED"))
    us.rotate_key_on_demand(KeyId=key_id)
    for kms in (us, eu):
        eventually("the second material is current", lambda kms=kms: material(kms, key_id) == second)
    blob = eu.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    answer = us.decrypt(CiphertextBlob=blob)
    equal((answer["Plaintext"], answer["KeyMaterialId"]), (b"x", second))
    holds(first != second, "two materials")


@claim
def withdrawn_material_is_withdrawn_everywhere():
    key_id, first_bytes, second_bytes = (
        create(us, Origin="EXTERNAL", MultiRegion=True),
        new_material(SYMMETRIC),
        new_material(SYMMETRIC),
    )
    first = new_import(us, key_id, first_bytes)
    replicate(us, eu, key_id, wanted="PendingImport")
    new_import(eu, key_id, first_bytes)
    second = new_import(us, key_id, second_bytes, ImportType="NEW_KEY_MATERIAL")
    eventually("the replica expects it", lambda: second in rotations(eu, key_id))
    new_import(eu, key_id, second_bytes, ImportType="EXISTING_KEY_MATERIAL")
    us.delete_imported_key_material(KeyId=key_id, KeyMaterialId=second)
    for kms in (us, eu):
        eventually("it is gone", lambda kms=kms: set(rotations(kms, key_id)) == {first})
        equal(state(kms, key_id), "Enabled")
