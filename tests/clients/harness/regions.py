"""Clients of the Regions of a development cluster, and the words that tests about keys use."""

import functools
import os
from dataclasses import dataclass, field

import boto3
from botocore.config import Config

from . import recording
from .checks import eventually

US, EU, AP = REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-1")
ACCOUNT = "111122223333"
ACCESS_KEY, SECRET_KEY = "meridian", "meridian-dev"


@dataclass(frozen=True)
class Principal:
    """Somebody who may call."""

    name: str
    account: str = ACCOUNT
    administrator: bool = False
    # Policy documents, and tags.
    policies: tuple = ()
    boundary: str | None = None
    tags: dict = field(default_factory=dict, hash=False)

    @property
    def access_key(self):
        return self.name

    @property
    def secret_key(self):
        return SECRET_KEY if self.name == ACCESS_KEY else f"{self.name}-secret"

    @property
    def arn(self):
        return f"arn:aws:iam::{self.account}:user/{self.name}"


ADMINISTRATOR = Principal(ACCESS_KEY, administrator=True)
# Two users of the same account who may do nothing by themselves, and the administrator of another account.
ALICE, BOB = Principal("alice"), Principal("bob")
STRANGER = Principal("stranger", "444455556666", administrator=True)
PRINCIPALS = (ADMINISTRATOR, ALICE, BOB, STRANGER)
# A key ID of the right form that no key has.
NO_KEY = "00000000-0000-4000-8000-000000000000"


@functools.cache
def session(region, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
    """A session as the development administrator, that knows nothing of this machine's own configuration.

    Kept, because a session reads the API models once, and that takes longer than anything that is tested with them.
    """
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.environ[name] = os.devnull
    return boto3.Session(aws_access_key_id=access_key, aws_secret_access_key=secret_key, region_name=region)


def client(endpoint, region, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
    """A client whose answers are recorded and whose errors are not retried, or tests of them would take long.

    Connections are kept for as many threads as a test may use.
    """
    config = Config(retries={"max_attempts": 0}, max_pool_connections=32, read_timeout=30)
    kms = session(region, access_key, secret_key).client("kms", endpoint_url=endpoint, config=config)
    recording.attach(kms)
    return kms


def clients(endpoint):
    """One client for each Region, by way of the front door."""
    return {region: client(endpoint, region) for region in REGIONS}


def arn(region, key_id):
    return f"arn:aws:kms:{region}:{ACCOUNT}:key/{key_id}"


def create(kms, **arguments):
    """A new key's ID."""
    return kms.create_key(**arguments)["KeyMetadata"]["KeyId"]


def metadata(kms, key_id):
    return kms.describe_key(KeyId=key_id)["KeyMetadata"]


def state(kms, key_id):
    return metadata(kms, key_id)["KeyState"]


def material(kms, key_id):
    """The ID of the material that the key encrypts with."""
    return metadata(kms, key_id)["CurrentKeyMaterialId"]


def primary(kms, key_id):
    """The primary Region, as this Region sees it."""
    return metadata(kms, key_id)["MultiRegionConfiguration"]["PrimaryKey"]["Region"]


def replicate(source, target, key_id, wanted="Enabled", **arguments):
    """Replicates and waits until the replica is what it will be; gives the answer of ReplicateKey."""
    answer = source.replicate_key(KeyId=key_id, ReplicaRegion=target.meta.region_name, **arguments)
    eventually(f"the replica in {target.meta.region_name} is {wanted}", lambda: state(target, key_id) == wanted)
    return answer
