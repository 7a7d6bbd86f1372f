"""Aliases, tags and key policies."""

import json

from harness.checks import claim, equal
from harness.regions import ACCOUNT, US

from .cli import create, describe, file, refused, text


@claim
def aliases_name_keys():
    key, other = create(), create()
    alias = f"alias/cli-{key}"
    text("create-alias", "--alias-name", alias, "--target-key-id", key)
    refused(
        "AlreadyExistsException",
        f"An alias with the name arn:aws:kms:{US}:{ACCOUNT}:{alias} already exists",
        "create-alias",
        "--alias-name",
        alias,
        "--target-key-id",
        key,
    )
    text("update-alias", "--alias-name", alias, "--target-key-id", other)
    equal(text("list-aliases", "--key-id", other, "--query", "Aliases[].AliasName"), alias)
    equal(describe("KeyId", "--key-id", alias), other)
    text("delete-alias", "--alias-name", alias)
    refused("NotFoundException", "is not found.", "describe-key", "--key-id", alias)
    refused("NotAuthorizedException", "", "create-alias", "--alias-name", "alias/aws/mine", "--target-key-id", key)


@claim
def tags_are_added_and_removed():
    key = create("--tags", "TagKey=a,TagValue=b")
    text("tag-resource", "--key-id", key, "--tags", "TagKey=c,TagValue=d", "TagKey=e,TagValue=f")
    text("untag-resource", "--key-id", key, "--tag-keys", "a", "e")
    equal(text("list-resource-tags", "--key-id", key, "--query", "Tags[].[TagKey,TagValue]"), "c\td")
    refused(
        "TagException",
        "Tags beginning with aws: are reserved",
        "tag-resource",
        "--key-id",
        key,
        "--tags",
        "TagKey=aws:x,TagValue=y",
    )


@claim
def policies_are_read_and_replaced():
    key = create()
    equal(text("list-key-policies", "--key-id", key, "--query", "PolicyNames"), "default")
    policy = json.loads(text("get-key-policy", "--key-id", key, "--policy-name", "default", "--query", "Policy"))
    policy["Statement"][0]["Sid"] = "changed"
    path = file("policy", json.dumps(policy)).replace("fileb://", "file://")
    text("put-key-policy", "--key-id", key, "--policy-name", "default", "--policy", path)
    changed = json.loads(text("get-key-policy", "--key-id", key, "--query", "Policy"))
    equal(changed["Statement"][0]["Sid"], "changed")
    refused("NotFoundException", "No such policy exists", "get-key-policy", "--key-id", key, "--policy-name", "other")
