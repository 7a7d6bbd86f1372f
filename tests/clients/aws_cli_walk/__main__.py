"""`python -m aws_cli_walk ENDPOINT`: runs every claim of the walk; the exit code is 1 at the first that fails."""

import sys

from harness.checks import run

from . import asymmetric, keys, multi_region, properties, sharing, symmetric
from .cli import ENDPOINT, installed

sys.exit(run(f"{installed('--version')}, {ENDPOINT}"))
