"""The walk of every operation by boto3, against a development cluster.

Usage: boto3_walk.py ENDPOINT_URL

Prints what it checked, and ends with a line `N passed, M failed`; the exit code is 1 when something failed.
"""

import datetime
import json
import sys
import time
import traceback

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
US, EU, AP = "us-east-1", "eu-west-1", "ap-southeast-1"
ACCOUNT = "111122223333"
NO_KEY = "00000000-0000-4000-8000-000000000000"


def client(region):
    """A client as anybody would make it; errors must not be retried, or tests of them take long."""
    return boto3.client(
        "kms",
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id="meridian",
        aws_secret_access_key="meridian-dev",
        config=Config(retries={"max_attempts": 0}),
    )


us, eu, ap = client(US), client(EU), client(AP)
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def arn(region, key_id):
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"


def create(kms, **arguments):
    return kms.create_key(**arguments)["KeyMetadata"]["KeyId"]


def state(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]


def material(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]["CurrentKeyMaterialId"]


def equal(found, expected):
    assert found == expected, f"found {found!r}, expected {expected!r}"


def eventually(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
        except ClientError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def refused(code, message, call, **arguments):
    """The call must be refused with this code, and with this text unless `message` is None."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        found = error.response["Error"]
        equal(found["Code"], code)
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        if message is not None:
            equal(found.get("Message", ""), message)
        return
    raise AssertionError(f"this had to be refused with {code}: {answer}")


def replicate(key_id):
    us.replicate_key(KeyId=key_id, ReplicaRegion=EU)
    eventually("the replica is enabled", lambda: state(eu, key_id) == "Enabled")


@check
def create_describe_and_list_keys():
    created = us.create_key(Description="orders", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    key_id = created["KeyId"]
    equal(created["Arn"], arn(US, key_id))
    equal((created["KeyState"], created["Enabled"], created["MultiRegion"]), ("Enabled", True, False))
    equal((created["KeySpec"], created["CustomerMasterKeySpec"]), ("SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"))
    equal((created["KeyUsage"], created["Origin"], created["KeyManager"]), ("ENCRYPT_DECRYPT", "AWS_KMS", "CUSTOMER"))
    equal(created["EncryptionAlgorithms"], ["SYMMETRIC_DEFAULT"])
    assert isinstance(created["CreationDate"], datetime.datetime)
    assert "MultiRegionConfiguration" not in created and "DeletionDate" not in created
    equal(us.describe_key(KeyId=created["Arn"])["KeyMetadata"], created)
    listed = [key["KeyId"] for page in us.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
              for key in page["Keys"]]
    assert key_id in listed and len(listed) == len(set(listed))
    unknown = f"Key '{arn(US, NO_KEY)}' does not exist"
    refused("NotFoundException", unknown, us.describe_key, KeyId=NO_KEY)
    refused("NotFoundException", "Invalid keyId 'nonsense'", us.describe_key, KeyId="nonsense")
    refused("NotFoundException", f"Invalid arn {US}", eu.describe_key, KeyId=created["Arn"])
    refused("InvalidMarkerException", None, us.list_keys, Marker="nonsense")
    refused("MalformedPolicyDocumentException", None, us.create_key, Policy="{")


@check
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


@check
def schedule_and_cancel_deletion():
    key_id = create(us)
    refused("ValidationException", "PendingWindowInDays must be between 7 and 30",
            us.schedule_key_deletion, KeyId=key_id, PendingWindowInDays=6)
    scheduled = us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    equal((scheduled["KeyId"], scheduled["KeyState"]), (arn(US, key_id), "PendingDeletion"))
    left = scheduled["DeletionDate"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=6, hours=23) < left <= datetime.timedelta(days=7), left
    refused("KMSInvalidStateException", f"{arn(US, key_id)} is pending deletion.",
            us.encrypt, KeyId=key_id, Plaintext=b"x")
    equal(us.cancel_key_deletion(KeyId=key_id)["KeyId"], arn(US, key_id))
    equal(state(us, key_id), "Disabled")
    refused("KMSInvalidStateException", f"{arn(US, key_id)} is not pending deletion.",
            us.cancel_key_deletion, KeyId=key_id)


@check
def encrypt_and_decrypt():
    key_id = create(us)
    context = {"tenant": "7", "purpose": "Bestellungen für März"}
    encrypted = us.encrypt(KeyId=key_id, Plaintext=b"x" * 4096, EncryptionContext=context)
    equal((encrypted["KeyId"], encrypted["EncryptionAlgorithm"]), (arn(US, key_id), "SYMMETRIC_DEFAULT"))
    blob = encrypted["CiphertextBlob"]
    decrypted = us.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    equal((decrypted["Plaintext"], decrypted["KeyId"]), (b"x" * 4096, arn(US, key_id)))
    equal(decrypted["KeyMaterialId"], material(us, key_id))
    refused("InvalidCiphertextException", None, us.decrypt, CiphertextBlob=blob)
    refused("InvalidCiphertextException", None, us.decrypt, CiphertextBlob=b"nonsense")
    changed = blob[:-1] + bytes([blob[-1] ^ 1])
    refused("InvalidCiphertextException", None, us.decrypt, CiphertextBlob=changed, EncryptionContext=context)
    refused("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.",
            us.decrypt, CiphertextBlob=blob, EncryptionContext=context, KeyId=create(us))
    refused("ValidationException",
            "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
            "Member must have length less than or equal to 4096",
            us.encrypt, KeyId=key_id, Plaintext=b"x" * 4097)
    refused("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.",
            us.encrypt, KeyId=key_id, Plaintext=b"x", DryRun=True)


@check
def re_encrypt():
    source, destination = create(us), create(us)
    blob = us.encrypt(KeyId=source, Plaintext=b"moved", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = us.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, DestinationKeyId=destination,
                          DestinationEncryptionContext={"b": "2"})
    equal((moved["SourceKeyId"], moved["KeyId"]), (arn(US, source), arn(US, destination)))
    equal(us.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})["Plaintext"], b"moved")
    refused("InvalidCiphertextException", None, us.re_encrypt, CiphertextBlob=blob, DestinationKeyId=destination)


@check
def data_keys_and_random_bytes():
    key_id = create(us)
    made = us.generate_data_key(KeyId=key_id, KeySpec="AES_256", EncryptionContext={"a": "1"})
    equal(len(made["Plaintext"]), 32)
    opened = us.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})["Plaintext"]
    equal(opened, made["Plaintext"])
    made = us.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=100)
    assert "Plaintext" not in made
    equal(len(us.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]), 100)
    one_of_two = "Please specify either number of bytes or key spec."
    refused("ValidationException", one_of_two, us.generate_data_key, KeyId=key_id)
    refused("ValidationException", one_of_two, us.generate_data_key, KeyId=key_id, NumberOfBytes=1, KeySpec="AES_128")
    equal(len(us.generate_random(NumberOfBytes=1024)["Plaintext"]), 1024)
    refused("ValidationException", "NumberOfBytes is required.", us.generate_random)


@check
def aliases():
    first, second = create(us), create(us)
    name = f"alias/boto3-{first}"
    us.create_alias(AliasName=name, TargetKeyId=first)
    alias_arn = f"arn:aws:kms:{US}:{ACCOUNT}:{name}"
    refused("AlreadyExistsException", f"An alias with the name {alias_arn} already exists",
            us.create_alias, AliasName=name, TargetKeyId=second)
    us.update_alias(AliasName=name, TargetKeyId=second)
    listed = us.list_aliases(KeyId=second)["Aliases"]
    equal([(alias["AliasName"], alias["AliasArn"], alias["TargetKeyId"]) for alias in listed],
          [(name, alias_arn, second)])
    pages = us.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 1})
    assert name in [alias["AliasName"] for page in pages for alias in page["Aliases"]]
    equal(us.describe_key(KeyId=name)["KeyMetadata"]["KeyId"], second)
    us.delete_alias(AliasName=name)
    refused("NotFoundException", f"Alias {alias_arn} is not found.", us.describe_key, KeyId=name)
    refused("NotAuthorizedException", None, us.create_alias, AliasName="alias/aws/mine", TargetKeyId=first)


@check
def tags():
    key_id = create(us)
    us.tag_resource(KeyId=key_id, Tags=[{"TagKey": f"k{n}", "TagValue": str(n)} for n in range(5)])
    us.untag_resource(KeyId=key_id, TagKeys=["k0", "never-there"])
    pages = us.get_paginator("list_resource_tags").paginate(KeyId=key_id, PaginationConfig={"PageSize": 2})
    found = {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}
    equal(found, {f"k{n}": str(n) for n in range(1, 5)})
    refused("TagException", None, us.tag_resource, KeyId=key_id, Tags=[{"TagKey": "aws:x", "TagValue": "y"}])


@check
def key_policies():
    key_id = create(us)
    equal(us.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])
    policy = json.loads(us.get_key_policy(KeyId=key_id)["Policy"])
    policy["Statement"][0]["Sid"] = "changed"
    us.put_key_policy(KeyId=key_id, Policy=json.dumps(policy))
    changed = json.loads(us.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
    equal(changed["Statement"][0]["Sid"], "changed")
    refused("NotFoundException", "No such policy exists", us.get_key_policy, KeyId=key_id, PolicyName="other")
    refused("MalformedPolicyDocumentException", None, us.put_key_policy, KeyId=key_id, Policy="nonsense")


@check
def rotation():
    key_id = create(us)
    equal(us.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"], False)
    us.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    status = us.get_key_rotation_status(KeyId=key_id)
    equal((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    assert isinstance(status["NextRotationDate"], datetime.datetime)
    us.disable_key_rotation(KeyId=key_id)
    blob = us.encrypt(KeyId=key_id, Plaintext=b"before")["CiphertextBlob"]
    before = material(us, key_id)
    equal(us.rotate_key_on_demand(KeyId=key_id)["KeyId"], arn(US, key_id))
    eventually("the key has new material", lambda: material(us, key_id) != before)
    equal(us.decrypt(CiphertextBlob=blob)["Plaintext"], b"before")
    rotations = us.list_key_rotations(KeyId=key_id)["Rotations"]
    equal([entry["RotationType"] for entry in rotations], ["ON_DEMAND"])
    every = us.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal(sorted(entry["KeyMaterialState"] for entry in every), ["CURRENT", "NON_CURRENT"])
    refused("NotFoundException", None, us.rotate_key_on_demand, KeyId=NO_KEY)


@check
def multi_region_keys():
    created = us.create_key(MultiRegion=True)["KeyMetadata"]
    key_id = created["KeyId"]
    assert key_id.startswith("mrk-")
    equal(created["MultiRegionConfiguration"],
          {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": arn(US, key_id), "Region": US}, "ReplicaKeys": []})
    before = us.encrypt(KeyId=key_id, Plaintext=b"before")["CiphertextBlob"]
    answer = us.replicate_key(KeyId=key_id, ReplicaRegion=EU, Description="the replica",
                              Tags=[{"TagKey": "in", "TagValue": "eu"}])
    equal((answer["ReplicaKeyMetadata"]["KeyState"], answer["ReplicaTags"]),
          ("Creating", [{"TagKey": "in", "TagValue": "eu"}]))
    eventually("the replica is enabled", lambda: state(eu, key_id) == "Enabled")
    equal(eu.decrypt(CiphertextBlob=before)["Plaintext"], b"before")
    refused("AlreadyExistsException", None, us.replicate_key, KeyId=key_id, ReplicaRegion=EU)
    refused("UnsupportedOperationException", f"{arn(EU, key_id)} is not a multi-region primary key.",
            eu.replicate_key, KeyId=key_id, ReplicaRegion=AP)
    refused("NotFoundException", f"Key '{arn(AP, key_id)}' does not exist", ap.describe_key, KeyId=key_id)

    us.update_primary_region(KeyId=key_id, PrimaryRegion=EU)
    for kms in (us, eu):
        eventually("the primary has moved", lambda kms=kms: kms.describe_key(KeyId=key_id)["KeyMetadata"][
            "MultiRegionConfiguration"]["PrimaryKey"]["Region"] == EU)
    old = material(eu, key_id)
    eu.rotate_key_on_demand(KeyId=key_id)
    eventually("both Regions have the new material",
               lambda: material(eu, key_id) != old and material(us, key_id) == material(eu, key_id))
    for source in (us, eu):
        blob = source.encrypt(KeyId=key_id, Plaintext=b"after")["CiphertextBlob"]
        for target in (us, eu):
            equal(target.decrypt(CiphertextBlob=blob)["Plaintext"], b"after")
    refused("UnsupportedOperationException", None, us.update_primary_region, KeyId=key_id, PrimaryRegion=AP)
    scheduled = eu.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    equal(scheduled["KeyState"], "PendingReplicaDeletion")
    assert "DeletionDate" not in scheduled
    eu.cancel_key_deletion(KeyId=key_id)


@check
def credentials():
    wrong = boto3.client("kms", endpoint_url=ENDPOINT, region_name=US, aws_access_key_id="meridian",
                         aws_secret_access_key="wrong-secret", config=Config(retries={"max_attempts": 0}))
    refused("InvalidSignatureException", None, wrong.list_keys)
    unknown = boto3.client("kms", endpoint_url=ENDPOINT, region_name=US, aws_access_key_id="nobody",
                           aws_secret_access_key="meridian-dev", config=Config(retries={"max_attempts": 0}))
    refused("UnrecognizedClientException", "The security token included in the request is invalid.", unknown.list_keys)


# AWS's own model says which operations exist; these are not there yet and must say so.
@check
def operations_that_are_not_there_yet():
    key_id = create(us)
    for call, arguments in [
        (us.get_key_last_usage if hasattr(us, "get_key_last_usage") else None, {"KeyId": key_id}),
        (us.create_grant, {"KeyId": key_id, "GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:user/x",
                           "Operations": ["Decrypt"]}),
        (us.list_grants, {"KeyId": key_id}),
    ]:
        if call is None:
            continue
        try:
            call(**arguments)
        except ClientError as error:
            assert error.response["Error"]["Code"] in ("UnknownOperationException", "UnknownOperation"), error
        # An operation that has come since is no failure of this walk.


def main():
    print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}, {ENDPOINT}")
    failed = 0
    for function in CHECKS:
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok      {name}")
        except Exception:
            failed += 1
            print(f"FAILED  {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
