"""Runs every script of the real clients against one development cluster: `python -m every_client MERIDIAN [SCRIPT...]`.

Ends at the first script that fails. `MERIDIAN_RECORDINGS` names a directory for all that they are answered.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from harness.cluster import Cluster
from harness.regions import PRINCIPALS

# Longest time until the development cluster says that it is ready, by its own word.
READY_MILLISECONDS_MAX = 3_000

# Each with its arguments, of which ENDPOINT and MERIDIAN are replaced.
SCRIPTS = {
    "conformance": ["board", "ENDPOINT"],
    "boto3_walk": ["ENDPOINT"],
    "every_operation": ["ENDPOINT"],
    "independent_verification": ["ENDPOINT"],
    "aws_cli_walk": ["ENDPOINT"],
    "encryption_sdk": ["ENDPOINT"],
    "s3_encryption_client": ["ENDPOINT"],
    "dynamodb_encryption_client": ["ENDPOINT"],
    # Clusters of their own, with days that last a second.
    "limits": ["MERIDIAN"],
    # One of its own, with principals of its own.
    "access_examples": ["MERIDIAN"],
    "key_spec_matrix": ["MERIDIAN"],
    # One that knows the authority of make-believe enclaves.
    "attested_calls": ["MERIDIAN"],
    # Dashboard and alert rules of deploy/, with promtool.
    "operations_files": ["MERIDIAN"],
}


def arguments(script, cluster):
    known = {"ENDPOINT": cluster.endpoint, "MERIDIAN": cluster.binary}
    given = [known.get(argument, argument) for argument in SCRIPTS[script]]
    if script == "conformance":
        # Where the newest model is, and where to keep what the page says about the board.
        given = ["--model", os.environ["MERIDIAN_MODEL"], *given] if "MERIDIAN_MODEL" in os.environ else given
        recordings = os.environ.get("MERIDIAN_RECORDINGS")
        given += ["--result", str(Path(recordings) / "board.json")] if recordings else []
    return given


def main():
    binary, *chosen = sys.argv[1:]
    with Cluster(binary, principals=PRINCIPALS) as cluster:
        print(f"ready in {cluster.ready_milliseconds} ms")
        if cluster.ready_milliseconds > READY_MILLISECONDS_MAX:
            print("that is too slow")
            return 1
        for script in chosen or SCRIPTS:
            print(f"\n-- {script}", flush=True)
            started = time.monotonic()
            code = subprocess.run([sys.executable, "-m", script, *arguments(script, cluster)]).returncode
            print(f"-- {script}: {time.monotonic() - started:.0f} s", flush=True)
            if code != 0:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
