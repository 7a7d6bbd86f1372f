"""Quotas that are used up, and what ends with time: `python -m limits MERIDIAN`, with the binary under test.

The cluster has small quotas, and a day lasts a second.
"""

import sys

import boto3
from botocore.exceptions import ClientError

from harness import recording
from harness.checks import claim, equal, eventually, holds, refused, run
from harness.cluster import Cluster
from harness.importing import new_material, parameters, wrapped
from harness.regions import ALICE, EU, US, arn, clients, create, material

QUOTAS = {"keys_per_account": 12, "aliases_per_key": 2, "grants_per_key": 3, "on_demand_rotations_per_key": 2}

# Set by `main`, before any claim runs.
kms = {}


@claim
def grants_per_key():
    us, key_id = kms[US], create(kms[US])
    arguments = {"KeyId": key_id, "GranteePrincipal": ALICE.arn, "Operations": ["Encrypt"]}
    made = [us.create_grant(**arguments)["GrantId"] for _ in range(QUOTAS["grants_per_key"])]
    refused("LimitExceededException", None, us.create_grant, **arguments)
    us.revoke_grant(KeyId=key_id, GrantId=made[0])
    us.create_grant(**arguments)


@claim
def aliases_per_key():
    us, key_id, limit = kms[US], create(kms[US]), QUOTAS["aliases_per_key"]
    for number in range(limit):
        us.create_alias(AliasName=f"alias/limit-{number}", TargetKeyId=key_id)
    refused(
        "LimitExceededException",
        f"Aliases per key quota for this account in this region is {limit}, current usage is {limit}.",
        us.create_alias,
        AliasName="alias/limit",
        TargetKeyId=key_id,
    )


@claim
def on_demand_rotations_per_key():
    us = kms[US]
    for multi_region in (False, True):
        key_id = create(us, MultiRegion=multi_region)
        for _ in range(QUOTAS["on_demand_rotations_per_key"]):
            before = material(us, key_id)
            us.rotate_key_on_demand(KeyId=key_id)
            eventually("the key has new material", lambda key_id=key_id, before=before: material(us, key_id) != before)
        refused(
            "LimitExceededException",
            "The on-demand rotations limit has been reached for the given keyId. "
            f"No more on-demand rotations can be performed for this key: {arn(US, key_id)}",
            us.rotate_key_on_demand,
            KeyId=key_id,
        )


@claim
def an_import_token_ends_after_its_day():
    us, key_id, algorithm = kms[US], create(kms[US], Origin="EXTERNAL"), "RSAES_OAEP_SHA_256"
    given = parameters(us, key_id, algorithm)
    secret = wrapped(algorithm, given["PublicKey"], new_material("SYMMETRIC_DEFAULT"))

    def is_refused():
        try:
            us.import_key_material(
                KeyId=key_id,
                ImportToken=given["ImportToken"],
                EncryptedKeyMaterial=secret,
                ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
            )
        except ClientError as error:
            equal(error.response["Error"]["Code"], "ExpiredImportTokenException")
            return True
        return False

    eventually("the token has expired", is_refused)


@claim
def a_deleted_key_takes_its_aliases_and_grants_with_it():
    us, key_id = kms[US], create(kms[US])
    us.create_alias(AliasName="alias/of-a-deleted-key", TargetKeyId=key_id)
    us.create_grant(KeyId=key_id, GranteePrincipal=ALICE.arn, RetiringPrincipal=ALICE.arn, Operations=["Encrypt"])
    blob = us.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    eventually("the key is gone", lambda: all(key["KeyId"] != key_id for key in us.list_keys()["Keys"]))
    refused("NotFoundException", f"Key '{arn(US, key_id)}' does not exist", us.describe_key, KeyId=key_id)
    refused("NotFoundException", None, us.describe_key, KeyId="alias/of-a-deleted-key")
    # Whoever has no key by that name is told no more than a stranger.
    refused(
        "AccessDeniedException",
        "The ciphertext refers to a customer master key that does not exist, does not exist in "
        "this region, or you are not allowed to access.",
        us.decrypt,
        CiphertextBlob=blob,
    )
    listed = us.list_retirable_grants(RetiringPrincipal=ALICE.arn)["Grants"]
    holds(all(grant["KeyId"] != arn(US, key_id) for grant in listed), "its grants are gone")


@claim
def keys_per_account():
    us, eu, limit = kms[US], kms[EU], QUOTAS["keys_per_account"]
    for region in (us, eu):
        for _ in range(limit - len(region.list_keys()["Keys"])):
            create(region)
        refused(
            "LimitExceededException",
            f"Key quota for this account in this region is {limit} but the current usage is {limit}.",
            region.create_key,
        )
        refused("LimitExceededException", None, region.create_key, MultiRegion=True)


def main():
    recording.suite("limits")
    quotas = [argument for name, number in QUOTAS.items() for argument in ("--quota", f"{name}={number}")]
    with Cluster(sys.argv[1], "--day-length", "1s", *quotas) as cluster:
        kms.update(clients(cluster.endpoint))
        return run(f"boto3 {boto3.__version__}, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
