"""The Amazon S3 Encryption Client for Python with keys of a cluster: `python -m s3_encryption_client ENDPOINT`.

Objects are stored in a stub in this process; keys and everything about them come from the cluster.
"""

import sys
from importlib.metadata import version

from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

from harness import recording
from harness.checks import claim, equal, eventually, fail, holds, passed, run
from harness.regions import EU, arn, clients, create, material, replicate, session
from harness.stubs import S3, serve

recording.suite("S3 Encryption Client")
ENDPOINT = sys.argv[1]
us, eu, ap = clients(ENDPOINT).values()
STORE, STORED = serve(S3)
PLAIN = b"an object that is stored in one Region and read in another " * 100


def s3(kms, key_id, **config):
    """An encryption client that uses the key in the Region of `kms`."""
    plain = session(kms.meta.region_name).client("s3", endpoint_url=STORE)
    keyring = KmsKeyring(kms_client=kms, kms_key_id=arn(kms.meta.region_name, key_id))
    return S3EncryptionClient(plain, S3EncryptionClientConfig(keyring=keyring, **config))


def everywhere():
    key_id = create(us, MultiRegion=True)
    replicate(us, eu, key_id)
    replicate(us, ap, key_id)
    return key_id


def refuses(what, call, **arguments):
    try:
        call(**arguments)
    except S3EncryptionClientError:
        return passed()
    return fail(f"{what}: this had to be refused")


@claim
def objects_are_read_in_every_region():
    key_id = everywhere()
    for source in (us, eu, ap):
        s3(source, key_id).put_object(Bucket="orders", Key="one", Body=PLAIN)
        holds(PLAIN[:32] not in STORED["/orders/one"]["body"], "the store holds no plaintext")
        for target in (us, eu, ap):
            equal(s3(target, key_id).get_object(Bucket="orders", Key="one")["Body"].read(), PLAIN)


@claim
def both_algorithm_suites_and_an_encryption_context():
    key_id = everywhere()
    suites = (
        {},
        {
            "encryption_algorithm": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF,
            "commitment_policy": CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT,
        },
    )
    context = {"tenant": "7"}
    for config in suites:
        s3(us, key_id, **config).put_object(Bucket="orders", Key="two", Body=PLAIN, EncryptionContext=context)
        reader = s3(eu, key_id, **config)
        equal(reader.get_object(Bucket="orders", Key="two", EncryptionContext=context)["Body"].read(), PLAIN)
        refuses("another context", reader.get_object, Bucket="orders", Key="two", EncryptionContext={"tenant": "8"})


@claim
def large_objects_go_up_in_parts():
    key_id = everywhere()
    large = bytes(range(256)) * (5 * 4096 + 100)
    writer = s3(us, key_id)
    upload = writer.create_multipart_upload(Bucket="orders", Key="large")["UploadId"]
    half = 5 * 1024 * 1024
    for number, part in ((1, large[:half]), (2, large[half:])):
        writer.upload_part(
            Bucket="orders", Key="large", UploadId=upload, PartNumber=number, Body=part, IsLastPart=number == 2
        )
    writer.complete_multipart_upload(
        Bucket="orders",
        Key="large",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": number, "ETag": '"tag"'} for number in (1, 2)]},
    )
    equal(s3(ap, key_id).get_object(Bucket="orders", Key="large")["Body"].read() == large, True, "the large object")


@claim
def objects_survive_rotation_and_a_new_primary():
    key_id = everywhere()
    s3(us, key_id).put_object(Bucket="orders", Key="older", Body=PLAIN)
    us.update_primary_region(KeyId=key_id, PrimaryRegion=EU)
    before = material(eu, key_id)
    eu.rotate_key_on_demand(KeyId=key_id)
    eventually("the key has new material", lambda: material(eu, key_id) != before)
    s3(eu, key_id).put_object(Bucket="orders", Key="newer", Body=PLAIN)
    for target in (us, eu, ap):
        for name in ("older", "newer"):
            equal(s3(target, key_id).get_object(Bucket="orders", Key=name)["Body"].read(), PLAIN)


@claim
def unrelated_and_disabled_keys_read_nothing():
    key_id, other = everywhere(), everywhere()
    s3(us, key_id).put_object(Bucket="orders", Key="four", Body=PLAIN)
    refuses("an unrelated key", s3(us, other).get_object, Bucket="orders", Key="four")
    eu.disable_key(KeyId=key_id)
    refuses("a disabled replica", s3(eu, key_id).get_object, Bucket="orders", Key="four")
    equal(s3(ap, key_id).get_object(Bucket="orders", Key="four")["Body"].read(), PLAIN)


if __name__ == "__main__":
    sys.exit(run(f"amazon-s3-encryption-client-python {version('amazon-s3-encryption-client-python')}, {ENDPOINT}"))
