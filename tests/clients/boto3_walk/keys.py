"""Keys: create, describe, list, enable, disable, schedule and cancel deletion."""

import datetime

from harness.checks import claim, equal, holds, refused
from harness.regions import NO_KEY, US, arn, create, state

from .world import eu, us


@claim
def create_describe_and_list_keys():
    created = us.create_key(Description="orders", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    key_id = created["KeyId"]
    equal(created["Arn"], arn(US, key_id))
    equal((created["KeyState"], created["Enabled"], created["MultiRegion"]), ("Enabled", True, False))
    equal((created["KeySpec"], created["CustomerMasterKeySpec"]), ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"))
    equal((created["KeyUsage"], created["Origin"], created["KeyManager"]), ("ENCRYPT_DECRYPT", "AWS_KMS", "CUSTOMER"))
    equal(created["EncryptionAlgorithms"], ["SYMMETRIC_DEFAULT"])
    holds(isinstance(created["CreationDate"], datetime.datetime), "CreationDate is a time")
    holds("MultiRegionConfiguration" not in created and "DeletionDate" not in created, "absent members are absent")
    equal(us.describe_key(KeyId=created["Arn"])["KeyMetadata"], created)
    pages = us.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    listed = [key["KeyId"] for page in pages for key in page["Keys"]]
    holds(key_id in listed and len(listed) == len(set(listed)), "every key is listed once")


@claim
def keys_that_are_not_there_are_not_found():
    created = us.describe_key(KeyId=create(us))["KeyMetadata"]
    refused("NotFoundException", f"Key '{arn(US, NO_KEY)}' does not exist", us.describe_key, KeyId=NO_KEY)
    refused(
        "NotFoundException",
        f"Key '{arn(US, 'mrk-' + '0' * 32)}' does not exist",
        us.describe_key,
        KeyId="mrk-" + "0" * 32,
    )
    refused("NotFoundException", "Invalid keyId 'nonsense'", us.describe_key, KeyId="nonsense")
    without_hyphens = NO_KEY.replace("-", "")
    refused("NotFoundException", f"Invalid keyId '{without_hyphens}'", us.describe_key, KeyId=without_hyphens)
    refused("NotFoundException", f"Invalid arn {US}", eu.describe_key, KeyId=created["Arn"])
    refused("InvalidArnException", None, us.describe_key, KeyId="arn:nonsense")
    refused("InvalidMarkerException", None, us.list_keys, Marker="nonsense")
    refused("MalformedPolicyDocumentException", None, us.create_key, Policy="{")


@claim
def enable_disable_and_describe_anew():
    key_id = create(us)
    us.disable_key(KeyId=key_id)
    equal(state(us, key_id), "Disabled")
    refused("DisabledException", f"{arn(US, key_id)} is disabled.", us.encrypt, KeyId=key_id, Plaintext=b"x")
    us.enable_key(KeyId=key_id)
    us.encrypt(KeyId=key_id, Plaintext=b"x")
    us.update_key_description(KeyId=key_id, Description="second")
    equal(us.describe_key(KeyId=key_id)["KeyMetadata"]["Description"], "second")
    refused("InvalidArnException", "Key Aliases are not supported for this operation.", us.enable_key, KeyId="alias/x")


@claim
def schedule_and_cancel_deletion():
    key_id = create(us)
    for days in (6, 31):
        refused(
            "ValidationException",
            "PendingWindowInDays must be between 7 and 30",
            us.schedule_key_deletion,
            KeyId=key_id,
            PendingWindowInDays=days,
        )
    scheduled = us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    equal(
        (scheduled["KeyId"], scheduled["KeyState"], scheduled["PendingWindowInDays"]),
        (arn(US, key_id), "PendingDeletion", 7),
    )
    left = scheduled["DeletionDate"] - datetime.datetime.now(datetime.UTC)
    holds(datetime.timedelta(days=6, hours=23) < left <= datetime.timedelta(days=7), f"a week is left: {left}")
    equal(us.describe_key(KeyId=key_id)["KeyMetadata"]["DeletionDate"], scheduled["DeletionDate"])
    refused(
        "KMSInvalidStateException", f"{arn(US, key_id)} is pending deletion.", us.encrypt, KeyId=key_id, Plaintext=b"x"
    )
    equal(us.cancel_key_deletion(KeyId=key_id)["KeyId"], arn(US, key_id))
    equal(state(us, key_id), "Disabled")
    refused(
        "KMSInvalidStateException", f"{arn(US, key_id)} is not pending deletion.", us.cancel_key_deletion, KeyId=key_id
    )
