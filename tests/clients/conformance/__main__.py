"""`python -m conformance board ENDPOINT`: asks a running server about everything in the model.
`python -m conformance page FILE RECORDINGS`: judges the recorded answers and compares or writes the page.
"""

import argparse
import difflib
import json
import sys
import time
from pathlib import Path

from harness import recording
from harness.regions import US
from harness.signed import Connection

from . import selftest
from .board import Board
from .exceptions import Exceptions
from .model import Model
from .page import Page
from .responses import Responses


def board(arguments):
    recording.suite("conformance board")
    started = time.monotonic()
    model, connection = Model.newest(arguments.model), Connection(arguments.endpoint, US)
    shown, *unnoticed = selftest.failures(model, connection)
    for line in unnoticed:
        print(f"BLIND   {line}")
    asked = Board(model, Exceptions.read(), connection)
    asked.walk()
    for difference in asked.differences:
        print(f"DIFFERS {difference}")
    for operation in asked.missing:
        print(f"MISSING {operation}")
    stale = list(asked.exceptions.stale(["probe"]))
    for line in stale:
        print(f"STALE   {line}")
    if arguments.result:
        arguments.result.write_text(json.dumps(asked.result()))
    probes = sum(asked.counts.values())
    print(
        f"{len(asked.counts)} of {len(asked.model.operations)} operations, {len(asked.missing)} missing; "
        f"{probes} requests, {len(asked.differences)} differences, {time.monotonic() - started:.1f} s"
    )
    failed = unnoticed or asked.differences or stale or asked.missing
    print(f"{shown - len(unnoticed) + probes - len(asked.differences)} checks passed")
    return 1 if failed else 0


def page(arguments):
    model, exceptions = Model.newest(arguments.model), Exceptions.read()
    responses = Responses(model, exceptions)
    responses.read(arguments.recordings)
    written = Page(model, exceptions, json.loads(next(arguments.recordings.rglob("board.json")).read_text()), responses)
    stale = list(exceptions.stale(["error", "output", "undeclared", "value"]))
    for line in [*sorted(responses.differences), *written.unexcused, *stale]:
        print(f"DIFFERS {line}")
    text = written.text()
    if arguments.write:
        arguments.file.write_text(text)
    committed = arguments.file.read_text() if arguments.file.exists() else ""
    changes = list(difflib.unified_diff(committed.splitlines(), text.splitlines(), "committed", "found", lineterm=""))
    print("\n".join(changes))
    failed = bool(responses.differences or written.unexcused or stale or changes)
    print(
        f"{responses.count} answers, {len(responses.differences)} differences, {len(written.unexcused)} things that no "
        f"test sees, {len(stale)} stale exceptions; the page {'differs' if changes else 'is up to date'}"
    )
    print(f"{responses.count - len(responses.differences)} checks passed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--model", help="directory with botocore; default: the one that this Python imports")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("board")
    command.add_argument("endpoint")
    command.add_argument("--result", type=Path, help="file for what the page says about it")
    command.set_defaults(run=board)
    command = commands.add_parser("page")
    command.add_argument("file", type=Path)
    command.add_argument("recordings", type=Path, help="directory of recordings, with the board's result among them")
    command.add_argument("--write", action="store_true", help="write the page instead of comparing it")
    command.set_defaults(run=page)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
