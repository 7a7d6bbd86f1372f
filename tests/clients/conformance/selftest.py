"""Shows the board what it is there to find: models and answers that are changed in one thing each.

A board that finds nothing to say about them could not find anything at all.
"""

import copy

from .board import Board
from .exceptions import Exceptions
from .model import Model
from .responses import Responses


def _operation(facts):
    facts["operations"]["NoSuchOperation"] = {"name": "NoSuchOperation"}


def _member(facts):
    facts["shapes"]["DescribeKeyRequest"]["members"]["NoSuchName"] = {"shape": "KeyIdType"}


def _nested_member(facts):
    facts["shapes"]["Tag"]["members"]["NoSuchName"] = {"shape": "TagValueType"}


def _required(facts):
    facts["shapes"]["CreateKeyRequest"]["required"] = ["Description"]


def _value(facts):
    facts["shapes"]["DataKeySpec"]["enum"].append("AES_512")


def _length(facts):
    facts["shapes"]["TagValueType"]["max"] = 255


def _pattern(facts):
    facts["shapes"]["AliasNameType"]["pattern"] = "^[a-zA-Z0-9:/_.-]+$"


def _range(facts):
    facts["shapes"]["NumberOfBytesType"]["max"] = 1025


# What is changed, where the difference must show, and what it must be about.
REQUESTS = (
    (_operation, "NoSuchOperation", ""),
    (_member, "DescribeKey", "noSuchName"),
    (_nested_member, "TagResource", "noSuchName"),
    (_required, "CreateKey", "description"),
    (_value, "GenerateDataKey", "AES_512"),
    (_length, "TagResource", "tagValue"),
    (_pattern, "CreateAlias", "aliasName"),
    (_range, "GenerateRandom", "numberOfBytes"),
)

# Recorded answers, each wrong in one thing.
ANSWERS = (
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","NoSuchName":1}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","KeyState":"Sleeping"}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","Enabled":"true"}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","DeletionDate":"2026-01-01"}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","CurrentKeyMaterialId":"xyz"}}'),
    ("DescribeKey", 200, '{"KeyMetadata":{"KeyId":"a","ValidTo":null}}'),
    ("Encrypt", 200, '{"CiphertextBlob":"not base64"}'),
    ("EnableKey", 200, "{}"),
    ("Encrypt", 400, '{"__type":"AlreadyExistsException","message":"x"}'),
    ("Encrypt", 404, '{"__type":"NotFoundException","message":"x"}'),
    ("Encrypt", 400, '{"__type":"NotFoundException","error":"x"}'),
    ("Encrypt", 400, '{"message":"x"}'),
)


def failures(model, connection):
    """What went unnoticed; the number of things that were shown first."""
    yield len(REQUESTS) + len(ANSWERS)
    for change, operation, subject in REQUESTS:
        facts = copy.deepcopy(model.facts)
        change(facts)
        facts["operations"] = {operation: facts["operations"][operation]}
        board = Board(Model(facts), Exceptions.read(), connection)
        board.walk()
        noticed = board.missing if not subject else [text for text in board.differences if subject in text]
        if not noticed:
            yield f"a changed model went unnoticed: {change.__name__}"
    for operation, status, body in ANSWERS:
        responses = Responses(model, Exceptions.read())
        responses.judge({"suite": "self-test", "operation": operation, "status": status, "body": body})
        if not responses.differences:
            yield f"a wrong answer went unnoticed: {operation} {status} {body}"
