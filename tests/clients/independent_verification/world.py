"""The clients."""

import sys

from harness import recording
from harness.regions import clients

recording.suite("independent verification")
ENDPOINT = sys.argv[1]
us, eu, ap = clients(ENDPOINT).values()
MESSAGE = b"what one library signs another verifies " * 5
