"""Tags."""

from harness.checks import claim, equal, refused
from harness.regions import create

from .world import us


def tag(key, value=""):
    return {"TagKey": key, "TagValue": value}


def sentence(value, path, limit):
    return (
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}"
    )


@claim
def tags_are_added_replaced_and_removed():
    key_id = create(us)
    us.tag_resource(KeyId=key_id, Tags=[tag(f"k{n}", str(n)) for n in range(5)])
    us.tag_resource(KeyId=key_id, Tags=[tag("k1", "one")])
    us.untag_resource(KeyId=key_id, TagKeys=["k0", "never-there"])
    pages = us.get_paginator("list_resource_tags").paginate(KeyId=key_id, PaginationConfig={"PageSize": 2})
    found = {entry["TagKey"]: entry["TagValue"] for page in pages for entry in page["Tags"]}
    equal(found, {"k1": "one", "k2": "2", "k3": "3", "k4": "4"})
    refused("InvalidMarkerException", None, us.list_resource_tags, KeyId=key_id, Marker="nonsense")


@claim
def wrong_tags_are_refused_as_aws_does():
    key_id = create(us)
    fifty = [tag(f"k{n}") for n in range(50)]
    for call, arguments in ((us.tag_resource, {"KeyId": key_id}), (us.create_key, {})):
        refused("TagException", "Too many tags", call, Tags=[*fifty, tag("k50")], **arguments)
        refused("TagException", "Duplicate tag keys", call, Tags=[tag("a"), tag("a")], **arguments)
        for prefix in ("aws:", "AWS:", "aWs:"):
            refused(
                "TagException", "Tags beginning with aws: are reserved", call, Tags=[tag(f"{prefix}x")], **arguments
            )
        refused(
            "ValidationException",
            sentence("k" * 129, "tags.1.member.tagKey", 128),
            call,
            Tags=[tag("k" * 129)],
            **arguments,
        )
        refused(
            "ValidationException",
            sentence("v" * 257, "tags.1.member.tagValue", 256),
            call,
            Tags=[tag("k", "v" * 257)],
            **arguments,
        )
    us.tag_resource(KeyId=key_id, Tags=fifty)
    refused("TagException", "Too many tags", us.tag_resource, KeyId=key_id, Tags=[tag("k50")])
