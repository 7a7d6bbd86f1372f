"""The clients of the walk, one for each Region."""

import sys

from harness import recording
from harness.regions import clients

recording.suite("boto3 walk")
ENDPOINT = sys.argv[1]
us, eu, ap = clients(ENDPOINT).values()
