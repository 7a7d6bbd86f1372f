"""Multi-Region keys: replicate, use, rotate and move them."""

import json

from harness.checks import claim, equal, eventually, holds, refused
from harness.regions import AP, EU, US, arn, create, material, primary, replicate, state

from .policies import long_policy
from .world import ap, eu, us


@claim
def a_replica_reads_what_the_primary_wrote():
    created = us.create_key(MultiRegion=True)["KeyMetadata"]
    key_id = created["KeyId"]
    holds(key_id.startswith("mrk-"), "the ID says that the key is multi-Region")
    equal(
        created["MultiRegionConfiguration"],
        {"MultiRegionKeyType": "PRIMARY", "PrimaryKey": {"Arn": arn(US, key_id), "Region": US}, "ReplicaKeys": []},
    )
    before = us.encrypt(KeyId=key_id, Plaintext=b"before")["CiphertextBlob"]
    answer = replicate(us, eu, key_id, Description="the replica", Tags=[{"TagKey": "in", "TagValue": "eu"}])
    made = answer["ReplicaKeyMetadata"]
    equal((made["KeyState"], made["Enabled"], made["Description"]), ("Creating", False, "the replica"))
    equal(made["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA")
    holds("CurrentKeyMaterialId" not in made, "a replica that is being created names no material")
    equal(answer["ReplicaTags"], [{"TagKey": "in", "TagValue": "eu"}])
    equal(material(eu, key_id), material(us, key_id))
    # Nothing but the shared properties is copied.
    bare = replicate(us, ap, key_id)
    equal((bare["ReplicaKeyMetadata"]["Description"], "ReplicaTags" in bare), ("", False))
    equal(json.loads(bare["ReplicaPolicy"])["Id"], "key-default-1")
    equal(ap.list_resource_tags(KeyId=key_id)["Tags"], [])
    equal(eu.decrypt(CiphertextBlob=before)["Plaintext"], b"before")


@claim
def replication_has_its_refusals():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    refused(
        "AlreadyExistsException",
        "You can create only one replica of each primary key in each AWS Region.",
        us.replicate_key,
        KeyId=key_id,
        ReplicaRegion=EU,
    )
    # AWS's exception type is not known; the text is.
    refused(
        "ValidationException",
        f"{US} cannot have a replica because it contains the primary.",
        us.replicate_key,
        KeyId=key_id,
        ReplicaRegion=US,
    )
    refused(
        "LimitExceededException", None, us.replicate_key, KeyId=key_id, ReplicaRegion=AP, Policy=long_policy(key_id)
    )
    not_primary = f"{arn(EU, key_id)} is not a multi-region primary key."
    refused("UnsupportedOperationException", not_primary, eu.replicate_key, KeyId=key_id, ReplicaRegion=AP)
    single = create(us)
    refused(
        "UnsupportedOperationException",
        f"{arn(US, single)} is not a multi-region key.",
        us.replicate_key,
        KeyId=single,
        ReplicaRegion=AP,
    )
    refused("NotFoundException", f"Key '{arn(AP, key_id)}' does not exist", ap.describe_key, KeyId=key_id)
    refused(
        "MalformedPolicyDocumentException", None, us.replicate_key, KeyId=key_id, ReplicaRegion=AP, Policy="nonsense"
    )
    refused(
        "TagException",
        "Duplicate tag keys",
        us.replicate_key,
        KeyId=key_id,
        ReplicaRegion=AP,
        Tags=[{"TagKey": "a", "TagValue": ""}] * 2,
    )


@claim
def the_primary_moves_and_the_new_one_rotates():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    us.update_primary_region(KeyId=key_id, PrimaryRegion=EU)
    for kms in (us, eu):
        eventually("the primary has moved", lambda kms=kms: primary(kms, key_id) == EU)
    old = material(eu, key_id)
    eu.rotate_key_on_demand(KeyId=key_id)
    eventually(
        "both Regions have the new material",
        lambda: material(eu, key_id) != old and material(us, key_id) == material(eu, key_id),
    )
    for source in (us, eu):
        blob = source.encrypt(KeyId=key_id, Plaintext=b"after")["CiphertextBlob"]
        for target in (us, eu):
            equal(target.decrypt(CiphertextBlob=blob)["Plaintext"], b"after")
    for call in (us.rotate_key_on_demand, us.enable_key_rotation, us.disable_key_rotation):
        refused("UnsupportedOperationException", None, call, KeyId=key_id)
    refused("UnsupportedOperationException", None, us.update_primary_region, KeyId=key_id, PrimaryRegion=AP)
    refused("NotFoundException", None, eu.update_primary_region, KeyId=key_id, PrimaryRegion=AP)


@claim
def a_primary_with_replicas_waits_for_them_to_be_deleted():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    scheduled = us.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    equal((scheduled["KeyState"], scheduled["PendingWindowInDays"]), ("PendingReplicaDeletion", 7))
    holds("DeletionDate" not in scheduled, "there is no date yet")
    equal(us.describe_key(KeyId=key_id)["KeyMetadata"]["PendingDeletionWindowInDays"], 7)
    refused(
        "KMSInvalidStateException", f"{arn(US, key_id)} is pending deletion.", us.encrypt, KeyId=key_id, Plaintext=b"x"
    )
    eu.encrypt(KeyId=key_id, Plaintext=b"a replica goes on")
    us.cancel_key_deletion(KeyId=key_id)
    equal(state(us, key_id), "Disabled")
    refused("DisabledException", f"{arn(US, key_id)} is disabled.", us.replicate_key, KeyId=key_id, ReplicaRegion=AP)
    refused(
        "DisabledException", f"{arn(US, key_id)} is disabled.", us.update_primary_region, KeyId=key_id, PrimaryRegion=EU
    )
