"""The AWS CLI, run as often as the walk needs it: each command in a process of its own, forked from one that is ready.

Starting Python, importing the CLI and reading its API model takes fifty times as long as a command, so that is done
once. From its `main` on it is the CLI as anybody runs it; `installed` runs the program itself.
"""

import base64
import contextlib
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import awscli.clidriver

from harness import recording
from harness.checks import eventually, fail, passed
from harness.regions import ACCESS_KEY, SECRET_KEY, US

recording.suite("AWS CLI")
ENDPOINT = sys.argv[1]
WORK = tempfile.TemporaryDirectory(prefix="aws-cli-walk-")
os.environ.update(
    {
        "AWS_ENDPOINT_URL": ENDPOINT,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": US,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
)
for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION"):
    os.environ.pop(name, None)


def _new():
    """A CLI as it is when it starts."""
    driver = awscli.clidriver.create_clidriver()
    recording.attach_session(driver.session)
    return driver


def _ready():
    """A CLI that has run a command, and so has all that a command needs."""
    driver = _new()
    with contextlib.redirect_stdout(io.StringIO()):
        driver.main(["kms", "list-keys"])
    return driver


READY = _ready()


class Answer:
    """How a command ended."""

    def __init__(self, arguments, code, output, errors):
        self.arguments, self.code, self.output, self.errors = arguments, code, output, errors

    def __repr__(self):
        return f"aws kms {' '.join(self.arguments)}: exit code {self.code}\n{self.output}{self.errors}"


def aws(*arguments, **environment):
    """Runs `aws kms ARGUMENTS`; gives how it ended."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            _become(arguments, environment, output, errors)
        _, status = os.waitpid(child, 0)
        return Answer(arguments, os.waitstatus_to_exitcode(status), _read(output), _read(errors))


def _become(arguments, environment, output, errors):
    """In the child: runs the command and ends."""
    code = 70
    try:
        os.dup2(output.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        os.environ.update(environment)
        # A session keeps its credentials, so others need a new one.
        driver = _new() if environment else READY
        code = driver.main(["kms", *arguments])
        sys.stdout.flush()
    finally:
        os._exit(code)


def _read(file):
    file.seek(0)
    return file.read().decode()


def installed(*arguments):
    """What the installed program `aws` prints."""
    program = Path(sys.executable).with_name("aws")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout.strip()


def text(*arguments):
    """The output of a command that must succeed, as text."""
    answer = aws(*arguments, "--output", "text")
    if answer.code != 0:
        fail(f"this had to succeed: {answer!r}")
    passed()
    return answer.output.strip()


def refused(code, message, *arguments, **environment):
    """The command must be refused with this code, and with the text in its message."""
    answer = aws(*arguments, **environment)
    if answer.code == 0 or f"({code})" not in answer.errors or message not in answer.errors:
        fail(f"\n  expected ({code}) {message}\n  came     {answer!r}")
    passed()


def becomes(what, expected, *arguments):
    """The command's output becomes this."""

    def same():
        answer = aws(*arguments, "--output", "text")
        return answer.code == 0 and answer.output.strip() == expected

    eventually(what, same)


def file(name, content):
    """A file with these bytes, as an argument of the CLI."""
    path = Path(WORK.name) / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return f"fileb://{path}"


def create(*arguments):
    return text("create-key", "--query", "KeyMetadata.KeyId", *arguments)


def describe(field, *arguments):
    return text("describe-key", "--query", f"KeyMetadata.{field}", *arguments)


def encrypt(name, *arguments):
    """Encrypts into a file of that name; gives it as an argument."""
    return file(name, base64.b64decode(text("encrypt", "--query", "CiphertextBlob", *arguments)))


def decrypt(blob, *arguments):
    """The plaintext of a file."""
    return base64.b64decode(text("decrypt", "--query", "Plaintext", "--ciphertext-blob", blob, *arguments))
