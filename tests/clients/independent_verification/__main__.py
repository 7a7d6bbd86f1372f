"""`python -m independent_verification ENDPOINT`: the exit code is 1 at the first difference."""

import sys
from importlib.metadata import version

from cryptography.hazmat.backends.openssl.backend import backend

from harness.checks import run

from . import data_key_pairs, imported_keys, server_keys
from .world import ENDPOINT

libraries = ", ".join(f"{name} {version(name)}" for name in ("cryptography", "pycryptodome", "kyber-py"))
sys.exit(run(f"{libraries} ({backend.openssl_version_text()}), {ENDPOINT}"))
