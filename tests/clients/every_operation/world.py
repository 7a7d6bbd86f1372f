"""The clients, and a key for re-encryption that stays Enabled."""

import sys

from botocore.exceptions import ClientError

from harness import recording
from harness.regions import clients, create

recording.suite("every operation")
ENDPOINT = sys.argv[1]
us, eu, _ = clients(ENDPOINT).values()
DESTINATION = "alias/every-operation"


def make_destination():
    key_id = create(us)
    try:
        us.create_alias(AliasName=DESTINATION, TargetKeyId=key_id)
    except ClientError:
        us.update_alias(AliasName=DESTINATION, TargetKeyId=key_id)


make_destination()
