"""The life of every kind of key in three Regions: `python -m key_spec_matrix MERIDIAN`, with the binary under test.

For every key spec × usage: create as a multi-Region key, replicate to both other Regions, compare, use in each Region
what each Region made, rotate where allowed. Then the primaries' Region is killed, all keys are promoted and used again;
the Region comes back as a replica; all replicas and primaries are deleted to the end. A day lasts a second here.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3

from harness import recording
from harness.checks import about, claim, equal, eventually, holds, refused, run
from harness.cluster import Cluster
from harness.regions import AP, EU, REGIONS, US, arn, clients, material, metadata, primary, replicate
from harness.specs import ALGORITHMS_MEMBER, KINDS
from harness.uses import check, make, public_key_of

# Keys that are worked on at once: their RSA keys are generated at the same time.
WORKERS = 4
# The shortest waiting period: seven days, of a second each.
WAITING_DAYS = 7


class Life:
    """One key of a kind, and all that it has made so far."""

    def __init__(self, kind):
        self.kind = kind
        self.key_id = None
        self.public = None
        self.artifacts = []
        self.waiting_material = None

    def create(self):
        made = kms[US].create_key(MultiRegion=True, **self.kind.arguments())["KeyMetadata"]
        self.key_id = made["KeyId"]
        equal((made["KeyState"], made["KeySpec"], made["KeyUsage"]), ("Enabled", self.kind.spec, self.kind.usage))
        equal(made["MultiRegionConfiguration"]["MultiRegionKeyType"], "PRIMARY")

    def replicate(self):
        for region in (EU, AP):
            replicate(kms[US], kms[region], self.key_id)
        # A replica that is usable is known everywhere a moment later: each Region applies the control log by itself.
        for region in REGIONS:
            eventually(
                f"{region} knows both replicas", lambda region=region: self._replicas(region) == sorted((EU, AP))
            )
        shared = [self._shared(region) for region in REGIONS]
        equal(shared[1:], shared[:1] * 2, "shared properties")
        self.public = public_key_of(self.kind, kms[US], self.key_id)
        for region in (EU, AP):
            equal(public_key_of(self.kind, kms[region], self.key_id), self.public, f"the public key in {region}")

    def _shared(self, region):
        found = metadata(kms[region], self.key_id)
        equal(found["Arn"], arn(region, self.key_id))
        equal(sorted(found[ALGORITHMS_MEMBER[self.kind.usage]]), sorted(self.kind.algorithms))
        equal(
            [member for member in ALGORITHMS_MEMBER.values() if member in found], [ALGORITHMS_MEMBER[self.kind.usage]]
        )
        equal("CurrentKeyMaterialId" in found, self.kind.spec == "SYMMETRIC_DEFAULT")
        configuration = found["MultiRegionConfiguration"]
        equal(configuration["MultiRegionKeyType"], "PRIMARY" if region == US else "REPLICA")
        names = (
            "KeyId",
            "KeySpec",
            "KeyUsage",
            "Origin",
            "KeyManager",
            "CurrentKeyMaterialId",
            "CustomerMasterKeySpec",
        )
        return [found.get(name) for name in names] + [configuration["PrimaryKey"]]

    def _replicas(self, region):
        configuration = metadata(kms[region], self.key_id)["MultiRegionConfiguration"]
        return sorted(replica["Region"] for replica in configuration["ReplicaKeys"])

    def use(self, regions):
        """Every Region uses what every Region makes now, and what was made earlier."""
        made = [artifact for source in regions for artifact in make(self.kind, kms[source], self.key_id, self.public)]
        for target in regions:
            for artifact in self.artifacts + made:
                with about(f"{target} {artifact.algorithm} {artifact.message_type}"):
                    check(self.kind, kms[target], self.key_id, artifact)
        # Of keys that do not rotate the first are enough: all are made with the same material.
        if not self.artifacts or self.kind.spec == "SYMMETRIC_DEFAULT":
            self.artifacts += made

    def rotate(self, region=US):
        """In the primary's Region; where it is not allowed, it is refused."""
        if self.kind.spec != "SYMMETRIC_DEFAULT":
            refused("UnsupportedOperationException", "", kms[region].rotate_key_on_demand, KeyId=self.key_id)
            refused("UnsupportedOperationException", None, kms[region].enable_key_rotation, KeyId=self.key_id)
            equal(kms[region].get_key_rotation_status(KeyId=self.key_id)["KeyRotationEnabled"], False)
            return
        before = material(kms[region], self.key_id)
        kms[region].rotate_key_on_demand(KeyId=self.key_id)
        eventually(
            "every Region has the new material", lambda: before not in self._materials() and len(self._materials()) == 1
        )

    def _materials(self):
        return {material(kms[region], self.key_id) for region in REGIONS}

    def promote(self):
        cluster.run("promote", self.key_id, "--to", EU, "--yes")
        for region in (EU, AP):
            eventually(f"{region} knows the new primary", lambda region=region: primary(kms[region], self.key_id) == EU)

    def start_rotation(self):
        """With a holding Region dead, the new material waits, and the status says so."""
        if self.kind.spec != "SYMMETRIC_DEFAULT":
            return
        before = material(kms[EU], self.key_id)
        kms[EU].rotate_key_on_demand(KeyId=self.key_id)
        holds(
            "OnDemandRotationStartDate" in kms[EU].get_key_rotation_status(KeyId=self.key_id), "the rotation has begun"
        )
        refused("ConflictException", None, kms[EU].rotate_key_on_demand, KeyId=self.key_id)
        equal(material(kms[EU], self.key_id), before, "the old material stays current")
        self.waiting_material = before

    def finish_rotation(self):
        if self.kind.spec != "SYMMETRIC_DEFAULT":
            return
        eventually(
            "every Region has the new material",
            lambda: self.waiting_material not in self._materials() and len(self._materials()) == 1,
        )
        equal("OnDemandRotationStartDate" in kms[EU].get_key_rotation_status(KeyId=self.key_id), False)

    def come_back(self):
        eventually("the old primary's Region knows the new primary", lambda: primary(kms[US], self.key_id) == EU)
        equal(metadata(kms[US], self.key_id)["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA")
        equal(public_key_of(self.kind, kms[US], self.key_id), self.public)

    def schedule_deletion(self):
        answer = kms[EU].schedule_key_deletion(KeyId=self.key_id, PendingWindowInDays=WAITING_DAYS)
        equal((answer["KeyState"], "DeletionDate" in answer), ("PendingReplicaDeletion", False))
        for region in (US, AP):
            answer = kms[region].schedule_key_deletion(KeyId=self.key_id, PendingWindowInDays=WAITING_DAYS)
            equal((answer["KeyState"], "DeletionDate" in answer), ("PendingDeletion", True))

    def be_deleted(self):
        for region in (US, AP, EU):
            eventually(f"the key is gone from {region}", lambda region=region: self._is_gone(region))
            refused(
                "NotFoundException",
                f"Key '{arn(region, self.key_id)}' does not exist",
                kms[region].describe_key,
                KeyId=self.key_id,
            )

    def _is_gone(self, region):
        pages = kms[region].get_paginator("list_keys").paginate()
        return all(key["KeyId"] != self.key_id for page in pages for key in page["Keys"])


lives = [Life(kind) for kind in KINDS]
# Set by `main`, before any claim runs.
cluster, kms = None, {}


def each(step):
    """The step for every life, several at once; fails with the first that did."""

    def one(life):
        with about(life.kind):
            step(life)

    with ThreadPoolExecutor(WORKERS) as workers:
        for future in [workers.submit(one, life) for life in lives]:
            future.result()


@claim
def every_kind_of_key_is_created_as_a_multi_region_key():
    each(Life.create)


@claim
def every_kind_of_key_is_replicated_with_the_same_public_key():
    each(Life.replicate)


@claim
def what_one_region_made_every_region_uses():
    each(lambda life: life.use(REGIONS))


@claim
def symmetric_keys_rotate_and_no_others():
    each(Life.rotate)
    each(lambda life: life.use(REGIONS))


@claim
def keys_are_promoted_after_the_death_of_their_primary_region():
    cluster.run("chaos", "kill", US)
    each(lambda life: life.use((EU, AP)))
    each(Life.promote)
    each(lambda life: life.use((EU, AP)))


@claim
def a_rotation_waits_for_the_dead_region():
    each(Life.start_rotation)
    each(lambda life: life.use((EU, AP)))


@claim
def the_old_primary_region_comes_back_as_a_replica():
    cluster.run("chaos", "restart", US)
    each(Life.come_back)
    each(Life.finish_rotation)
    each(lambda life: life.use(REGIONS))
    each(lambda life: life.rotate(EU))
    each(lambda life: life.use(REGIONS))


@claim
def replicas_and_primaries_are_deleted_to_the_end():
    each(Life.schedule_deletion)
    each(Life.be_deleted)


def main():
    global cluster
    recording.suite("key-spec matrix")
    with Cluster(sys.argv[1], "--day-length", "1s") as cluster:
        kms.update(clients(cluster.endpoint))
        return run(f"{len(KINDS)} kinds of keys, boto3 {boto3.__version__}, {sys.argv[1]}")


if __name__ == "__main__":
    sys.exit(main())
