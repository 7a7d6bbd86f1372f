"""Roles as the AWS documents use them: `python -m assumed_role MERIDIAN`.

STS on the endpoint of KMS, by boto3 and by the AWS CLI: who calls, temporary credentials, and what they may do. The
script has a cluster of its own.
"""

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import urllib3
from botocore.config import Config

from harness.checks import claim, equal, eventually, fail, holds, run
from harness.cluster import Cluster
from harness.regions import ACCESS_KEY, ACCOUNT, PRINCIPALS, REGIONS, SECRET_KEY, STRANGER, US, create, session

ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/Builder"
STATEMENT = {"Effect": "Allow", "Action": ["kms:*"], "Resource": "*"}


def document(name, *statements):
    """The path of a policy document."""
    path = Path(CLUSTER.work.name) / name
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return str(path)


def trust(principal, **more):
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", **more}


def identity(*arguments):
    return CLUSTER.run("identity", *arguments)


def sts(region=US, access_key=ACCESS_KEY, secret_key=SECRET_KEY):
    config = Config(retries={"max_attempts": 0})
    return session(region, access_key, secret_key).client("sts", endpoint_url=CLUSTER.endpoint, config=config)


def assume(region=US, caller=None, **more):
    """Temporary credentials, as soon as the Region knows the role."""
    call = functools.partial((caller or sts(region)).assume_role, RoleArn=ROLE, RoleSessionName="docs", **more)
    return eventually("the role can be assumed", call)


def of_session(service, region, credentials):
    """A client with temporary credentials."""
    made = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )
    return made.client(service, endpoint_url=CLUSTER.endpoint, config=Config(retries={"max_attempts": 0}))


def refused(call, status, code, message):
    """The call fails with this status and code, and a message of this form."""
    try:
        answer = call()
    except call.func.__self__.exceptions.ClientError as error:
        found = error.response
        equal((found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Code"]), (status, code))
        holds(re.fullmatch(message, found["Error"]["Message"]), found["Error"]["Message"])
        return
    fail(f"this had to be refused: {answer}")


def aws(*arguments, credentials=None):
    """What the AWS CLI prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": CLUSTER.endpoint,
        "AWS_ACCESS_KEY_ID": (credentials or {}).get("AccessKeyId", ACCESS_KEY),
        "AWS_SECRET_ACCESS_KEY": (credentials or {}).get("SecretAccessKey", SECRET_KEY),
        "AWS_DEFAULT_REGION": US,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if credentials:
        environment["AWS_SESSION_TOKEN"] = credentials["SessionToken"]
    command = [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    holds(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


@claim
def boto3_and_the_aws_cli_are_told_who_calls():
    expected = {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/meridian"}
    for region in REGIONS:
        answer = sts(region).get_caller_identity()
        holds(expected.items() <= answer.items(), answer)
        holds(answer["ResponseMetadata"]["RequestId"], answer)
    holds(expected.items() <= aws("sts", "get-caller-identity").items(), "the AWS CLI was told something else")


@claim
def a_presigned_get_caller_identity_works_for_whoever_has_the_url():
    url = sts().generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    answer = urllib3.request("GET", url, timeout=30)
    equal(answer.status, 200)
    holds(f"<Account>{ACCOUNT}</Account>".encode() in answer.data, answer.data)


@claim
def a_wrong_secret_and_an_unknown_key_are_told_apart():
    wrong = sts(secret_key="wrong")
    refused(functools.partial(wrong.get_caller_identity), 403, "SignatureDoesNotMatch", "The request signature we .*")
    unknown = sts(access_key="AKIAIOSFODNN7EXAMPLE")
    text = "The security token included in the request is invalid."
    refused(functools.partial(unknown.get_caller_identity), 403, "InvalidClientTokenId", re.escape(text))


@claim
def a_role_is_assumed_in_one_region_and_uses_keys_in_all():
    identity(
        "role",
        "create",
        "Builder",
        "--path",
        "/team/",
        "--trust",
        document("trust", trust(f"arn:aws:iam::{ACCOUNT}:root")),
    )
    slr = {"Effect": "Allow", "Action": "iam:CreateServiceLinkedRole", "Resource": "*"}
    identity("policy", "put", "Builder", "use-keys", "--role", "--document", document("policy", STATEMENT, slr))
    answer = assume()
    credentials, user = answer["Credentials"], answer["AssumedRoleUser"]
    equal(user["Arn"], f"arn:aws:sts::{ACCOUNT}:assumed-role/Builder/docs")
    holds(re.fullmatch(r"AROA[A-Z2-7]{17}:docs", user["AssumedRoleId"]), user)
    holds(re.fullmatch(r"ASIA[A-Z2-7]{16}", credentials["AccessKeyId"]), credentials["AccessKeyId"])
    keys = {region: of_session("kms", region, credentials) for region in REGIONS}
    for kms in keys.values():
        eventually("the session is honoured", lambda kms=kms: kms.list_keys()["ResponseMetadata"])
    key_id = create(keys[US], MultiRegion=True)
    for region in REGIONS[1:]:
        keys[US].replicate_key(KeyId=key_id, ReplicaRegion=region)
    sealed = keys[US].encrypt(KeyId=key_id, Plaintext=b"of a session")["CiphertextBlob"]
    for kms in keys.values():
        opened = eventually("the replica decrypts", lambda kms=kms: kms.decrypt(CiphertextBlob=sealed)["Plaintext"])
        equal(opened, b"of a session")
    who = of_session("sts", REGIONS[2], credentials).get_caller_identity()
    equal((who["Arn"], who["UserId"]), (user["Arn"], user["AssumedRoleId"]))


@claim
def the_aws_cli_assumes_a_role_and_works_with_it():
    answer = aws("sts", "assume-role", "--role-arn", ROLE, "--role-session-name", "cli", "--duration-seconds", "900")
    credentials = answer["Credentials"]
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Builder/cli"
    equal(aws("sts", "get-caller-identity", credentials=credentials)["Arn"], arn)
    holds("Keys" in aws("kms", "list-keys", credentials=credentials), "the session lists no keys")


@claim
def a_presigned_request_carries_its_token_in_the_query():
    """With STS: boto3 presigns no request that has a JSON body."""
    presigning = of_session("sts", US, assume()["Credentials"])
    url = presigning.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    holds("X-Amz-Security-Token=" in url, url)
    answer = urllib3.request("GET", url, timeout=30)
    holds(b":assumed-role/Builder/docs</Arn>" in answer.data, answer.data)
    without = re.sub("&X-Amz-Security-Token=[^&]*", "", url)
    holds(b"<Code>InvalidClientTokenId</Code>" in urllib3.request("GET", without, timeout=30).data, "told apart")


@claim
def a_session_policy_narrows_and_a_garbled_token_is_not_recognised():
    narrow = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT | {"Action": "kms:ListKeys"}]})
    answer = assume(Policy=narrow)
    holds(0 < answer["PackedPolicySize"] <= 100, answer["PackedPolicySize"])
    kms = of_session("kms", US, answer["Credentials"])
    holds("Keys" in kms.list_keys(), "the session policy allows it")
    text = r"User: .*:assumed-role/Builder/docs is not .* because no session policy allows the kms:ListAliases action"
    refused(functools.partial(kms.list_aliases), 400, "AccessDeniedException", text)
    garbled = of_session("kms", US, answer["Credentials"] | {"SessionToken": "FwoGZXIvYXdzEXAMPLE"})
    text = re.escape("The security token included in the request is invalid.")
    refused(functools.partial(garbled.list_keys), 400, "UnrecognizedClientException", text)


@claim
def a_third_party_needs_the_external_id():
    """IAM User Guide, "How to use an external ID when granting access to your AWS resources to a third party"."""
    condition = {"StringEquals": {"sts:ExternalId": "12345"}}
    there = trust(f"arn:aws:iam::{STRANGER.account}:root", Condition=condition)
    identity("role", "trust", "Builder", "--document", document("third-party", there))
    stranger = sts(US, STRANGER.access_key, STRANGER.secret_key)
    assume(caller=stranger, ExternalId="12345")
    text = re.escape(f"User: {STRANGER.arn} is not authorized to perform: sts:AssumeRole on resource: {ROLE}")
    for more in ({}, {"ExternalId": "54321"}):
        call = functools.partial(stranger.assume_role, RoleArn=ROLE, RoleSessionName="docs", **more)
        refused(call, 403, "AccessDenied", text)


@claim
def what_a_role_may_not_be_asked_for_is_a_validation_error():
    call = functools.partial(sts().assume_role, RoleArn="arn:aws:iam::1:role/x", RoleSessionName="docs")
    refused(call, 400, "ValidationError", r"arn:aws:iam::1:role/x is invalid")
    call = functools.partial(sts().assume_role, RoleArn=ROLE, RoleSessionName="d o c s")
    refused(
        call, 400, "ValidationError", r"1 validation error detected: Value 'd o c s' at 'roleSessionName' failed .*"
    )


if __name__ == "__main__":
    with Cluster(sys.argv[1], principals=PRINCIPALS) as CLUSTER:
        sys.exit(run("Roles and temporary credentials"))
