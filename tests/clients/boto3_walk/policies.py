"""Key policies."""

import json

from harness.checks import claim, equal, refused
from harness.regions import ACCOUNT, create

from .world import us


@claim
def policies_are_read_and_replaced():
    key_id = create(us)
    equal(us.list_key_policies(KeyId=key_id)["PolicyNames"], ["default"])
    policy = json.loads(us.get_key_policy(KeyId=key_id)["Policy"])
    equal(
        policy,
        {
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        },
        "the default policy",
    )
    policy["Statement"][0]["Sid"] = "changed"
    us.put_key_policy(KeyId=key_id, Policy=json.dumps(policy))
    changed = json.loads(us.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
    equal(changed["Statement"][0]["Sid"], "changed")
    refused("NotFoundException", "No such policy exists", us.get_key_policy, KeyId=key_id, PolicyName="other")


@claim
def wrong_policies_are_refused():
    key_id = create(us)
    refused("MalformedPolicyDocumentException", None, us.put_key_policy, KeyId=key_id, Policy="nonsense")
    refused(
        "ValidationException",
        "The AWS_RAM policy can only be managed by the RAM service.",
        us.put_key_policy,
        KeyId=key_id,
        Policy="{}",
        PolicyName="AWS_RAM",
    )
    refused("LimitExceededException", None, us.put_key_policy, KeyId=key_id, Policy=long_policy(key_id))
    refused("LimitExceededException", None, us.create_key, Policy=long_policy(key_id))


def long_policy(key_id):
    """A right policy that is longer than 32 KiB."""
    policy = json.loads(us.get_key_policy(KeyId=key_id)["Policy"])
    policy["Id"] = "x" * 32_768
    return json.dumps(policy)
