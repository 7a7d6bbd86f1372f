"""Aliases."""

from harness.checks import claim, equal, holds, refused
from harness.regions import ACCOUNT, NO_KEY, US, create

from .world import us

PREFIX = (
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
)


@claim
def aliases_name_keys():
    first, second = create(us), create(us)
    name = f"alias/boto3-{first}"
    us.create_alias(AliasName=name, TargetKeyId=first)
    alias_arn = f"arn:aws:kms:{US}:{ACCOUNT}:{name}"
    refused(
        "AlreadyExistsException",
        f"An alias with the name {alias_arn} already exists",
        us.create_alias,
        AliasName=name,
        TargetKeyId=second,
    )
    us.update_alias(AliasName=name, TargetKeyId=second)
    listed = us.list_aliases(KeyId=second)["Aliases"]
    equal(
        [(alias["AliasName"], alias["AliasArn"], alias["TargetKeyId"]) for alias in listed], [(name, alias_arn, second)]
    )
    pages = us.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 1})
    holds(name in [alias["AliasName"] for page in pages for alias in page["Aliases"]], "listed on some page")
    equal(us.describe_key(KeyId=name)["KeyMetadata"]["KeyId"], second)
    equal(us.describe_key(KeyId=alias_arn)["KeyMetadata"]["KeyId"], second)
    us.delete_alias(AliasName=name)
    not_found = f"Alias {alias_arn} is not found."
    refused("NotFoundException", not_found, us.describe_key, KeyId=name)
    refused("NotFoundException", not_found, us.delete_alias, AliasName=name)
    refused("NotFoundException", not_found, us.update_alias, AliasName=name, TargetKeyId=first)


@claim
def names_and_targets_of_aliases_are_checked():
    key_id = create(us)
    refused("NotAuthorizedException", None, us.create_alias, AliasName="alias/aws/mine", TargetKeyId=key_id)
    refused("ValidationException", PREFIX, us.create_alias, AliasName="mine", TargetKeyId=key_id)
    refused("InvalidAliasNameException", None, us.create_alias, AliasName="alias/", TargetKeyId=key_id)
    refused(
        "ValidationException",
        "Aliases must refer to keys. Not aliases",
        us.create_alias,
        AliasName="alias/x",
        TargetKeyId="alias/y",
    )
    refused("NotFoundException", None, us.create_alias, AliasName="alias/x", TargetKeyId=NO_KEY)
    refused(
        "ValidationException",
        "alias/a:b contains invalid characters for an alias",
        us.create_alias,
        AliasName="alias/a:b",
        TargetKeyId=key_id,
    )
    refused("InvalidMarkerException", None, us.list_aliases, Marker="nonsense")


@claim
def a_key_has_at_most_fifty_aliases():
    key_id = create(us)
    for number in range(50):
        us.create_alias(AliasName=f"alias/{key_id}/{number}", TargetKeyId=key_id)
    refused(
        "LimitExceededException",
        "Aliases per key quota for this account in this region is 50, current usage is 50.",
        us.create_alias,
        AliasName=f"alias/{key_id}/50",
        TargetKeyId=key_id,
    )
    pages = list(us.get_paginator("list_aliases").paginate(KeyId=key_id, PaginationConfig={"PageSize": 7}))
    equal(len({alias["AliasName"] for page in pages for alias in page["Aliases"]}), 50)
    equal([page["Truncated"] for page in pages], [True] * 7 + [False])
    other = create(us)
    us.create_alias(AliasName=f"alias/{other}", TargetKeyId=other)
    refused("LimitExceededException", None, us.update_alias, AliasName=f"alias/{other}", TargetKeyId=key_id)


@claim
def an_alias_moves_only_to_a_key_of_its_kind():
    name = f"alias/kind-{create(us)}"
    us.create_alias(AliasName=name, TargetKeyId=create(us))
    for spec, usage in (
        ("ECC_NIST_P256", "SIGN_VERIFY"),
        ("HMAC_256", "GENERATE_VERIFY_MAC"),
        ("RSA_2048", "ENCRYPT_DECRYPT"),
    ):
        other = create(us, KeySpec=spec, KeyUsage=usage)
        refused("ValidationException", None, us.update_alias, AliasName=name, TargetKeyId=other)
