"""Records every answer that a client gets: operation, status and raw body, one JSON object a line.

The conformance board checks them against the API model. A script records when the environment names a directory in
`MERIDIAN_RECORDINGS`; each script writes a file of its own there.
"""

import json
import os
import threading
from pathlib import Path

_lock = threading.Lock()
_file = None
_suite = None


def suite(name):
    """Names the script in its recordings; called once, before anything is recorded or another process is forked."""
    global _suite, _file
    _suite = name
    directory = os.environ.get("MERIDIAN_RECORDINGS")
    if directory is not None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        # Open until the script ends.
        _file = open(Path(directory) / f"python-{os.getpid()}.jsonl", "a", encoding="utf-8")  # noqa: SIM115


def attach(kms):
    """Records what this client gets from now on."""
    if _file is not None:
        kms.meta.events.register("response-received.kms", _received, unique_id="recording")


def attach_session(session):
    """Records what the clients of a botocore session get that are made from now on."""
    if _file is not None:
        session.register("response-received.kms", _received, unique_id="recording")


def record(operation, status, body):
    """Records one answer; `body` as it came."""
    if _file is None:
        return
    line = {"suite": _suite, "operation": operation, "status": status, "body": body.decode()}
    with _lock:
        _file.write(json.dumps(line) + "\n")
        _file.flush()


def _received(response_dict, event_name, **_):
    # A connection that broke has no answer.
    if response_dict is not None:
        record(event_name.rsplit(".", 1)[1], response_dict["status_code"], response_dict["body"])
