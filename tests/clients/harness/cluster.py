"""A development cluster of a script's own, that never outlives the script."""

import ctypes
import random
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from .checks import fail

READY_SECONDS = 60
COMMAND_SECONDS = 120
# Beside the front door: API, gRPC and operations of three Regions.
OFFSETS = (0, 11, 12, 13, 21, 22, 23, 31, 32, 33)


class Cluster:
    """Three Regions, started with more arguments for `meridian dev`."""

    def __init__(self, binary, *arguments, principals=None):
        self.binary = binary
        self.ready_milliseconds = None
        self.base = _free_base()
        self.endpoint = f"http://127.0.0.1:{self.base}"
        self.work = tempfile.TemporaryDirectory(prefix="meridian-clients-", ignore_cleanup_errors=True)
        self.log = Path(self.work.name) / "log"
        if principals is not None:
            arguments = [*arguments, "--principals", self._principals_file(principals)]
        command = [binary, "dev", "--port", str(self.base), "--data-dir", f"{self.work.name}/data", *arguments]
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=_die_with_parent)

    def __enter__(self):
        end = time.monotonic() + READY_SECONDS
        while (ready := re.search(r"^Ready in (\d+) ms", self.log.read_text(), re.MULTILINE)) is None:
            if self.process.poll() is not None or time.monotonic() > end:
                fail(f"the cluster did not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        self.ready_milliseconds = int(ready[1])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def _principals_file(self, principals):
        """A principals file; it holds secrets, so nobody else may read it."""
        file = Path(self.work.name) / "principals.toml"
        file.touch(mode=0o600)
        file.write_text("\n".join(_section(principal) for principal in principals))
        return str(file)

    def run(self, *arguments):
        """The output of a `meridian` command that must succeed."""
        command = [self.binary, *arguments, "--port", str(self.base)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS)
        if done.returncode != 0:
            fail(f"meridian {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def _section(principal):
    """A principal as its section of the principals file."""
    lines = [
        "[[principal]]",
        f'access_key = "{principal.access_key}"',
        f'secret_key = "{principal.secret_key}"',
        f'arn = "{principal.arn}"',
        f'account = "{principal.account}"',
        f"administrator = {str(principal.administrator).lower()}",
    ]
    if principal.policies:
        lines += ["policies = [", *(f"    '''{policy}'''," for policy in principal.policies), "]"]
    if principal.boundary is not None:
        lines.append(f"boundary = '''{principal.boundary}'''")
    if principal.tags:
        lines += ["[principal.tags]", *(f'{key} = "{value}"' for key, value in principal.tags.items())]
    return "\n".join(lines) + "\n"


def _die_with_parent():
    # PR_SET_PDEATHSIG: the system ends the cluster when this script is gone, however it went.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _free_base():
    bases = list(range(10_000, 30_000, 40))
    random.shuffle(bases)
    return next(base for base in bases if all(_is_free(base + offset) for offset in OFFSETS))


def _is_free(port):
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
