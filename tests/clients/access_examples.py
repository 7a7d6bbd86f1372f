"""The examples of the AWS KMS Developer Guide on access to keys: `python -m access_examples MERIDIAN`.

Key policies, identity policies, boundaries, conditions and multi-Region keys, each with AWS's verdict and AWS's text.
The script has a cluster of its own, whose principals have policies of their own.
"""

import functools
import json
import sys

from harness.checks import claim, eventually, holds, refused, run
from harness.cluster import Cluster
from harness.regions import ACCOUNT, ADMINISTRATOR, AP, EU, REGIONS, US, Principal, arn, client, create, replicate

OTHER_ACCOUNT = "444455556666"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def allow(actions, resource="*", **more):
    return {"Effect": "Allow", "Action": actions, "Resource": resource, **more}


def deny(actions, resource="*", **more):
    return allow(actions, resource, **more) | {"Effect": "Deny"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def to(principal, actions, **more):
    """A statement of a key policy."""
    return allow(actions, Principal={"AWS": principal}, **more)


ACCOUNT_DECIDES = to(ROOT, "kms:*", Sid="Enable IAM User Permissions")
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]

# Nothing but what key policies and grants give.
PLAIN = Principal("plain")
# "Allow a user to use KMS keys in one account", and never in the Region that is out of bounds.
USER = Principal(
    "user", policies=(policy(allow(USE, f"arn:aws:kms:*:{ACCOUNT}:key/*"), deny("kms:*", f"arn:aws:kms:{AP}:*:*")),)
)
# Bounded: may do everything as far as identity policies go, and use keys as far as the boundary goes.
BOUNDED = Principal("bounded", policies=(policy(allow("*")),), boundary=policy(allow(USE)))
# Another account's, once with the permission to use the key, once without.
FOREIGN = Principal("foreign", OTHER_ACCOUNT, policies=(policy(allow(USE)),))
FOREIGN_PLAIN = Principal("foreign-plain", OTHER_ACCOUNT)
# "Preventing creation of multi-Region keys", and "Control access based on tags".
CREATOR = Principal(
    "creator",
    policies=(
        policy(
            allow(["kms:CreateKey", "iam:CreateServiceLinkedRole"]),
            deny("kms:CreateKey", Condition={"Bool": {"kms:MultiRegion": "true"}}),
        ),
    ),
)
TEAM = Principal(
    "team",
    tags={"Project": "Alpha"},
    policies=(
        policy(allow(USE, Condition={"StringEquals": {"aws:ResourceTag/Project": "${aws:PrincipalTag/Project}"}})),
    ),
)
ALIASED = Principal(
    "aliased",
    policies=(policy(allow(USE, Condition={"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/Test*"}})),),
)
# "Controlling access to multi-Region keys": replicates to one Region only, and makes replicas and no primaries there.
REPLICATOR = Principal(
    "replicator",
    policies=(
        policy(
            allow("kms:ReplicateKey", Condition={"StringEquals": {"kms:ReplicaRegion": [EU, AP]}}),
            allow(
                "kms:CreateKey",
                Condition={"StringEquals": {"aws:RequestedRegion": EU, "kms:MultiRegionKeyType": "REPLICA"}},
            ),
        ),
    ),
)
EVERYBODY = (ADMINISTRATOR, PLAIN, USER, BOUNDED, FOREIGN, FOREIGN_PLAIN, CREATOR, TEAM, ALIASED, REPLICATOR)


@functools.cache
def kms(who, region=US):
    return client(ENDPOINT, region, who.access_key, who.secret_key)


def admin(region=US):
    return kms(ADMINISTRATOR, region)


def key(*statements, region=US, **arguments):
    """A key with these statements behind the one that lets the account decide."""
    return create(admin(region), Policy=policy(ACCOUNT_DECIDES, *statements), **arguments)


def put(region, key_id, *statements):
    admin(region).put_key_policy(KeyId=key_id, Policy=policy(ACCOUNT_DECIDES, *statements))


def encrypts(who, key_id, region=US, **arguments):
    kms(who, region).encrypt(KeyId=key_id, Plaintext=b"x", **arguments)


def denied(who, action, resource, reason, call, **arguments):
    start = f"User: {who.arn} is not authorized to perform: {action} on"
    return refused("AccessDeniedException", f"{start} {resource} {reason}", call, **arguments)


def not_encrypts(who, key_id, reason, region=US, named=None, **arguments):
    resource = f"resource: {arn(region, key_id)}"
    denied(
        who,
        "kms:Encrypt",
        resource,
        reason,
        kms(who, region).encrypt,
        KeyId=named or key_id,
        Plaintext=b"x",
        **arguments,
    )


NO_IDENTITY = "because no identity-based policy allows the kms:Encrypt action"
NO_RESOURCE = "because no resource-based policy allows the kms:Encrypt action"
HIDDEN = (
    "this resource because the resource does not exist in this Region, no resource-based policies allow access, or a "
    "resource-based policy explicitly denies access"
)


@claim
def default_key_policy_leaves_it_to_identity_policies():
    key_id = create(admin())
    encrypts(USER, key_id)
    not_encrypts(PLAIN, key_id, NO_IDENTITY)


@claim
def key_policy_that_names_a_user_needs_no_identity_policy():
    key_id = key(to(PLAIN.arn, USE, Sid="Allow use of the key"))
    encrypts(PLAIN, key_id)
    blob = kms(PLAIN).encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    holds(kms(PLAIN).decrypt(CiphertextBlob=blob)["Plaintext"] == b"x", "what was encrypted")


@claim
def without_the_account_statement_identity_policies_have_no_effect():
    key_id = create(
        admin(), Policy=policy(to(ADMINISTRATOR.arn, "kms:*"), to(PLAIN.arn, USE)), BypassPolicyLockoutSafetyCheck=True
    )
    encrypts(PLAIN, key_id)
    not_encrypts(USER, key_id, NO_RESOURCE)


@claim
def explicit_deny_of_key_policy_beats_every_allow():
    key_id = key(
        to(PLAIN.arn, USE),
        deny(
            "kms:Encrypt",
            Principal={"AWS": "*"},
            Condition={"StringNotEquals": {"aws:PrincipalArn": ADMINISTRATOR.arn}},
        ),
    )
    for who in (PLAIN, USER, BOUNDED):
        not_encrypts(who, key_id, "with an explicit deny in a resource-based policy")
    encrypts(ADMINISTRATOR, key_id)


@claim
def explicit_deny_of_identity_policy_holds_in_its_region():
    key_id = key(MultiRegion=True)
    replicate(admin(), admin(AP), key_id)
    encrypts(USER, key_id)
    not_encrypts(USER, key_id, "with an explicit deny in an identity-based policy", AP)


@claim
def permission_boundary_narrows():
    key_id = create(admin())
    encrypts(BOUNDED, key_id)
    denied(
        BOUNDED,
        "kms:DisableKey",
        f"resource: {arn(US, key_id)}",
        "because no permissions boundary allows the kms:DisableKey action",
        kms(BOUNDED).disable_key,
        KeyId=key_id,
    )


@claim
def each_related_key_has_its_own_key_policy():
    key_id = key(to(PLAIN.arn, USE), MultiRegion=True)
    replicate(admin(), admin(EU), key_id)
    encrypts(PLAIN, key_id)
    not_encrypts(PLAIN, key_id, NO_IDENTITY, EU)
    put(EU, key_id, to(PLAIN.arn, "kms:Decrypt"))
    blob = kms(PLAIN).encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    holds(kms(PLAIN, EU).decrypt(CiphertextBlob=blob)["Plaintext"] == b"x", "what was encrypted in the other Region")
    not_encrypts(PLAIN, key_id, NO_IDENTITY, EU)


@claim
def another_account_needs_both_sides():
    key_id = key(to(f"arn:aws:iam::{OTHER_ACCOUNT}:root", USE, Sid="Allow an external account to use this KMS key"))
    encrypts(FOREIGN, arn(US, key_id))
    not_encrypts(FOREIGN_PLAIN, key_id, NO_IDENTITY, named=arn(US, key_id))
    closed = create(admin())
    for hidden in (closed, "1234abcd-12ab-34cd-56ef-1234567890ab"):
        refused(
            "AccessDeniedException",
            f"User: {FOREIGN.arn} is not authorized to perform: kms:Encrypt on {HIDDEN}",
            kms(FOREIGN).encrypt,
            KeyId=arn(US, hidden),
            Plaintext=b"x",
        )


@claim
def caller_account_opens_a_key_to_everybody_of_an_account():
    condition = {"StringEquals": {"kms:CallerAccount": ACCOUNT}}
    key_id = key(to("*", USE, Condition=condition))
    encrypts(PLAIN, key_id)
    refused("AccessDeniedException", None, kms(FOREIGN).encrypt, KeyId=arn(US, key_id), Plaintext=b"x")


@claim
def via_service_is_never_true_here():
    key_id = key(to(PLAIN.arn, USE, Condition={"StringEquals": {"kms:ViaService": f"s3.{US}.amazonaws.com"}}))
    not_encrypts(PLAIN, key_id, NO_IDENTITY)


@claim
def encryption_context_decides():
    pair = {"StringEquals": {"kms:EncryptionContext:AppName": "ExampleApp"}}
    key_id = key(
        to(PLAIN.arn, USE, Condition=pair | {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["AppName"]}})
    )
    encrypts(PLAIN, key_id, EncryptionContext={"AppName": "ExampleApp"})
    for context in ({}, {"AppName": "Other"}, {"AppName": "ExampleApp", "More": "1"}):
        not_encrypts(PLAIN, key_id, NO_IDENTITY, EncryptionContext=context)


@claim
def tags_of_key_and_principal_decide():
    alpha = create(admin(), Tags=[{"TagKey": "Project", "TagValue": "Alpha"}])
    beta = create(admin(), Tags=[{"TagKey": "Project", "TagValue": "Beta"}])
    encrypts(TEAM, alpha)
    not_encrypts(TEAM, beta, NO_IDENTITY)
    admin().tag_resource(KeyId=beta, Tags=[{"TagKey": "Project", "TagValue": "Alpha"}])
    encrypts(TEAM, beta)


@claim
def aliases_of_the_key_decide():
    key_id = create(admin())
    not_encrypts(ALIASED, key_id, NO_IDENTITY)
    admin().create_alias(AliasName="alias/TestKey", TargetKeyId=key_id)
    encrypts(ALIASED, key_id)
    admin().delete_alias(AliasName="alias/TestKey")
    not_encrypts(ALIASED, key_id, NO_IDENTITY)


@claim
def alias_of_the_request_decides():
    key_id = key(to(PLAIN.arn, USE, Condition={"StringLike": {"kms:RequestAlias": "alias/Example*"}}))
    admin().create_alias(AliasName="alias/ExampleAlias", TargetKeyId=key_id)
    encrypts(PLAIN, "alias/ExampleAlias")
    encrypts(PLAIN, f"arn:aws:kms:{US}:{ACCOUNT}:alias/ExampleAlias")
    not_encrypts(PLAIN, key_id, NO_IDENTITY)


@claim
def multi_region_keys_are_forbidden_to_create():
    create(kms(CREATOR))
    denied(
        CREATOR,
        "kms:CreateKey",
        "resource: *",
        "with an explicit deny in an identity-based policy",
        kms(CREATOR).create_key,
        MultiRegion=True,
    )


@claim
def replicas_are_made_where_both_regions_allow_it():
    key_id = key(MultiRegion=True)
    refused(
        "AccessDeniedException",
        f"User: {REPLICATOR.arn} is not authorized to perform: kms:CreateKey on resource: * because no identity-based "
        "policy allows the kms:CreateKey action",
        kms(REPLICATOR).replicate_key,
        KeyId=key_id,
        ReplicaRegion=AP,
    )
    kms(REPLICATOR).replicate_key(KeyId=key_id, ReplicaRegion=EU)
    eventually("the replica is there", lambda: admin(EU).describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"])
    refused("AccessDeniedException", None, kms(REPLICATOR).create_key)
    denied(
        REPLICATOR,
        "kms:ReplicateKey",
        f"resource: {arn(US, key_id)}",
        "because no identity-based policy allows the kms:ReplicateKey action",
        kms(REPLICATOR).replicate_key,
        KeyId=key_id,
        ReplicaRegion=US,
    )


@claim
def kind_of_multi_region_key_decides():
    key_id = key(MultiRegion=True)
    replicate(admin(), admin(EU), key_id)
    for region, kind in ((US, "PRIMARY"), (EU, "REPLICA")):
        put(
            region,
            key_id,
            to(
                PLAIN.arn,
                USE,
                Condition={"StringEquals": {"kms:MultiRegionKeyType": "REPLICA"}, "Bool": {"kms:MultiRegion": "true"}},
            ),
        )
        if kind == "REPLICA":
            encrypts(PLAIN, key_id, region)
        else:
            not_encrypts(PLAIN, key_id, NO_IDENTITY, region)


@claim
def new_primary_needs_both_keys():
    update = "kms:UpdatePrimaryRegion"
    key_id = key(to(PLAIN.arn, update), MultiRegion=True)
    replicate(admin(), admin(EU), key_id)
    denied(
        PLAIN,
        update,
        f"resource: {arn(EU, key_id)}",
        f"because no identity-based policy allows the {update} action",
        kms(PLAIN).update_primary_region,
        KeyId=key_id,
        PrimaryRegion=EU,
    )
    put(
        EU,
        key_id,
        to(PLAIN.arn, update, Condition={"StringEquals": {"kms:PrimaryRegion": EU, "aws:RequestedRegion": EU}}),
    )
    kms(PLAIN).update_primary_region(KeyId=key_id, PrimaryRegion=EU)


@claim
def address_of_the_client_decides():
    key_id = key(to(PLAIN.arn, USE, Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    encrypts(PLAIN, key_id)
    key_id = key(
        to(PLAIN.arn, USE),
        deny(
            "kms:*",
            Principal="*",
            Condition={
                "Bool": {"aws:SecureTransport": "false"},
                "StringNotEquals": {"aws:PrincipalArn": ADMINISTRATOR.arn},
            },
        ),
    )
    not_encrypts(PLAIN, key_id, "with an explicit deny in a resource-based policy")


@claim
def explanation_agrees_with_the_verdict():
    key_id = key(to(PLAIN.arn, "kms:Encrypt", Sid="PlainEncrypts"))
    for action, allowed in (("kms:Encrypt", True), ("kms:Decrypt", False)):
        said = CLUSTER.run(
            "explain-access",
            "--principal",
            PLAIN.arn,
            "--action",
            action,
            "--key",
            key_id,
            "--region",
            US,
            "--output",
            "json",
        )
        said = json.loads(said)
        holds(said["allowed"] is allowed, said)
        [decision] = said["decisions"]
        statement = {"source": "key policy", "policy": "", "index": 1, "sid": "PlainEncrypts", "effect": "Allow"}
        holds(decision["statements"] == ([statement] if allowed else []), decision)
        holds(bool(decision["missing"]) is not allowed, decision)
    said = CLUSTER.run(
        "explain-access", "--principal", USER.access_key, "--action", "kms:Encrypt", "--key", key_id, "--region", US
    )
    holds("ALLOWED" in said and "identity policy policies[0], statement 0" in said, said)


if __name__ == "__main__":
    with Cluster(sys.argv[1], principals=EVERYBODY) as CLUSTER:
        ENDPOINT = CLUSTER.endpoint
        code = run(f"Access, by the examples of AWS, in {', '.join(REGIONS)}")
    sys.exit(code)
