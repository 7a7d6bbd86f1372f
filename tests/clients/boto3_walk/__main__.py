"""`python -m boto3_walk ENDPOINT`: runs every claim of the walk; the exit code is 1 at the first that fails."""

import sys

import boto3
import botocore

from harness.checks import run

from . import (
    access,
    aliases,
    asymmetric,
    create_key,
    custom_key_stores,
    grants,
    imported_rotation,
    imports,
    keys,
    last_usage,
    multi_region,
    policies,
    rotation,
    symmetric,
    tags,
)

sys.exit(run(f"boto3 {boto3.__version__}, botocore {botocore.__version__}, {sys.argv[1]}"))
