"""`python -m every_operation ENDPOINT`: the matrix of key state × operation, and refusals that operations share.

The exit code is 1 at the first that answers otherwise than the tables say.
"""

import sys

from harness.checks import run

from . import refusals, states
from .table import STATES, TABLE
from .world import ENDPOINT

sys.exit(run(f"{len(TABLE)} operations × {len(STATES)} states, {ENDPOINT}"))
