"""Rotation of symmetric keys."""

import datetime

from harness.checks import claim, equal, eventually, holds, refused
from harness.regions import NO_KEY, US, arn, create, material

from .world import us


@claim
def rotation_is_switched_on_and_off():
    key_id = create(us)
    off = us.get_key_rotation_status(KeyId=key_id)
    off.pop("ResponseMetadata")
    equal(off, {"KeyId": arn(US, key_id), "KeyRotationEnabled": False})
    us.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    status = us.get_key_rotation_status(KeyId=key_id)
    equal((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    holds(isinstance(status["NextRotationDate"], datetime.datetime), "the next rotation has a date")
    us.disable_key_rotation(KeyId=key_id)
    equal(us.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"], False)


@claim
def rotation_on_demand_keeps_old_ciphertext_readable():
    key_id = create(us)
    blob = us.encrypt(KeyId=key_id, Plaintext=b"before")["CiphertextBlob"]
    before = material(us, key_id)
    us.enable_key_rotation(KeyId=key_id)
    scheduled = us.get_key_rotation_status(KeyId=key_id)["NextRotationDate"]
    equal(us.rotate_key_on_demand(KeyId=key_id)["KeyId"], arn(US, key_id))
    eventually("the key has new material", lambda: material(us, key_id) != before)
    equal(us.get_key_rotation_status(KeyId=key_id)["NextRotationDate"], scheduled, "the schedule stays")
    equal(us.decrypt(CiphertextBlob=blob)["Plaintext"], b"before")
    rotations = us.list_key_rotations(KeyId=key_id)["Rotations"]
    equal(
        [(entry["RotationType"], entry["KeyMaterialId"]) for entry in rotations], [("ON_DEMAND", material(us, key_id))]
    )
    every = us.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal(sorted(entry["KeyMaterialState"] for entry in every), ["CURRENT", "NON_CURRENT"])
    refused("NotFoundException", f"Key '{arn(US, NO_KEY)}' does not exist", us.rotate_key_on_demand, KeyId=NO_KEY)
    refused("InvalidMarkerException", None, us.list_key_rotations, KeyId=key_id, Marker="nonsense")


@claim
def rotations_on_demand_are_counted():
    key_id = create(us)
    for _ in range(25):
        before = material(us, key_id)
        us.rotate_key_on_demand(KeyId=key_id)
        eventually("the key has new material", lambda before=before: material(us, key_id) != before)
    pages = list(us.get_paginator("list_key_rotations").paginate(KeyId=key_id, PaginationConfig={"PageSize": 10}))
    equal([len(page["Rotations"]) for page in pages], [10, 10, 5])
    refused(
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. "
        f"No more on-demand rotations can be performed for this key: {arn(US, key_id)}",
        us.rotate_key_on_demand,
        KeyId=key_id,
    )
