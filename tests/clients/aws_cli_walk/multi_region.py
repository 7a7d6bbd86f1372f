"""Multi-Region keys."""

from harness.checks import claim, equal
from harness.regions import AP, EU

from .cli import becomes, create, decrypt, describe, encrypt, file, refused, text

IN_EU = ("--region", EU)


@claim
def a_multi_region_key_is_replicated_used_moved_and_rotated():
    key = create("--multi-region")
    equal(describe("MultiRegionConfiguration.MultiRegionKeyType", "--key-id", key), "PRIMARY")
    blob = encrypt("five", "--key-id", key, "--plaintext", file("plain", "everywhere"))
    equal(
        text("replicate-key", "--key-id", key, "--replica-region", EU, "--query", "ReplicaKeyMetadata.KeyState"),
        "Creating",
    )
    becomes(
        "the replica is enabled", "Enabled", "describe-key", "--key-id", key, *IN_EU, "--query", "KeyMetadata.KeyState"
    )
    equal(decrypt(blob, *IN_EU), b"everywhere")
    refused("AlreadyExistsException", "", "replicate-key", "--key-id", key, "--replica-region", EU)
    refused(
        "UnsupportedOperationException",
        "is not a multi-region primary key.",
        "replicate-key",
        "--key-id",
        key,
        "--replica-region",
        AP,
        *IN_EU,
    )
    text("update-primary-region", "--key-id", key, "--primary-region", EU)
    becomes(
        "the primary has moved",
        EU,
        "describe-key",
        "--key-id",
        key,
        "--query",
        "KeyMetadata.MultiRegionConfiguration.PrimaryKey.Region",
    )
    text("rotate-key-on-demand", "--key-id", key, *IN_EU)
    refused("UnsupportedOperationException", "", "rotate-key-on-demand", "--key-id", key)


@claim
def a_primary_with_a_replica_waits_with_its_deletion():
    key = create("--multi-region")
    text("replicate-key", "--key-id", key, "--replica-region", EU)
    becomes(
        "the replica is enabled", "Enabled", "describe-key", "--key-id", key, *IN_EU, "--query", "KeyMetadata.KeyState"
    )
    equal(text("schedule-key-deletion", "--key-id", key, "--query", "KeyState"), "PendingReplicaDeletion")
    text("cancel-key-deletion", "--key-id", key)
    equal(describe("KeyState", "--key-id", key), "Disabled")
