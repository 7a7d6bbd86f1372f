"""`python -m conformance board ENDPOINT`: asks a running server about everything in the model."""

import argparse
import sys
import time

from harness import recording
from harness.regions import US
from harness.signed import Connection

from . import selftest
from .board import Board
from .exceptions import Exceptions
from .model import Model


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
    stale = list(asked.exceptions.stale(["probe"])) if not asked.missing else []
    for line in stale:
        print(f"STALE   {line}")
    probes = sum(asked.counts.values())
    print(f"{len(asked.counts)} of {len(asked.model.operations)} operations, {len(asked.missing)} missing; "
          f"{probes} requests, {len(asked.differences)} differences, {time.monotonic() - started:.1f} s")
    failed = unnoticed or asked.differences or stale or (asked.missing and not arguments.missing_allowed)
    print(f"{shown - len(unnoticed) + probes - len(asked.differences)} checks passed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("--model", help="directory with botocore; default: the one that this Python imports")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("board")
    command.add_argument("endpoint")
    command.add_argument("--missing-allowed", action="store_true", help="missing operations are told, not failed")
    command.set_defaults(run=board)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
