"""Checks that count themselves, and the end of a script at the first difference.

A script decorates its claims with `@claim` and ends with `sys.exit(run(TITLE))`. A claim is a function without
arguments whose name says what holds.
"""

import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

_claims = []
_passed = 0
_lock = threading.Lock()
_SCRIPTS = str(Path(__file__).parent.parent)

# Longest wait of `eventually`: far more than anything takes on a machine that is busy with other tests.
DEADLINE_SECONDS = 60
# Between two looks.
PAUSE_SECONDS = 0.03


class Difference(AssertionError):
    """What came is not what was expected."""


def claim(function):
    """Adds the function to what `run` runs, in the order of the file."""
    _claims.append(function)
    return function


@contextmanager
def about(subject):
    """Names the subject of the checks inside, for the report of one that fails."""
    try:
        yield
    except Exception as error:
        error.add_note(f"about {subject}")
        raise


def fail(message):
    """Ends the script with this message."""
    raise Difference(message)


def passed():
    """Counts one check that held."""
    global _passed
    with _lock:
        _passed += 1


def holds(condition, message):
    """The condition must be true."""
    if not condition:
        fail(message)
    passed()


def equal(found, expected, what=""):
    """Both must be equal."""
    if found != expected:
        fail(f"{what}\n  expected {expected!r}\n  came     {found!r}")
    passed()


def refused(code, message, call, **arguments):
    """The call must be refused with this code, status 400, and this text unless `message` is None; gives the error.

    An empty text stands for an error without a message.
    """
    try:
        answer = call(**arguments)
    except ClientError as error:
        found = error.response["Error"]
        wanted = (400, code, found.get("Message", "") if message is None else message)
        came = (error.response["ResponseMetadata"]["HTTPStatusCode"], found["Code"], found.get("Message", ""))
        equal(came, wanted, getattr(call, "__name__", ""))
        return error.response
    answer.pop("ResponseMetadata", None)
    return fail(f"{call.__name__}\n  expected {code}: {message}\n  came     {answer!r}")


def eventually(what, condition, seconds=DEADLINE_SECONDS):
    """The condition's first true value. Refusals of the service count as not yet."""
    end = time.monotonic() + seconds
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
        except ClientError as error:
            last = error
        else:
            if last:
                passed()
                return last
        time.sleep(PAUSE_SECONDS)
    return fail(f"not within {seconds} s: {what}; last seen: {last!r}")


def run(title):
    """Runs the claims; prints what was seen; gives the exit code."""
    print(title)
    for function in _claims:
        name = function.__name__.replace("_", " ")
        before, started = _passed, time.monotonic()
        try:
            function()
        except Exception as error:
            what = str(error) if isinstance(error, Difference) else repr(error)
            print(f"FAILED  {name}", *getattr(error, "__notes__", ()), what, _where(error), sep="\n")
            return 1
        print(f"ok      {name} ({_passed - before} checks, {time.monotonic() - started:.1f} s)", flush=True)
    print(f"{_passed} checks passed")
    return 0


def _where(error):
    """The lines of the scripts that led to the error, without this file's own and without those of libraries."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(_SCRIPTS) and frame.filename != __file__]
    return "".join(traceback.format_list(own or frames))
