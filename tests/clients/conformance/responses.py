"""Judges recorded answers by the model: every member known, of its type, within its bounds; every error declared.

And knows what no recording shows: output members and declared errors that were never seen.
"""

import base64
import binascii
import json
from collections import defaultdict
from pathlib import Path

from .model import COMMON_ERRORS
from .texts import matches

TYPES = {"string": str, "blob": str, "boolean": bool, "list": list, "structure": dict, "map": dict}
# The status of each error that is the server's fault, where the model gives one; every other error is 400,
# as recordings of AWS show.
SERVER_FAULTS = {
    "KMSInternalException": 500,
    "KeyUnavailableException": 500,
    "InternalFailure": 500,
    "DependencyTimeoutException": 503,
    "ServiceUnavailableException": 503,
    "RequestEntityTooLargeException": 413,
    "RequestTimeoutException": 408,
}


def faults(model, shape, value, path=""):
    """What is wrong with an output value, as sentences."""
    kind = shape["type"]
    if kind in ("integer", "long"):
        wrong = not isinstance(value, int) or isinstance(value, bool)
    elif kind == "timestamp":
        wrong = not isinstance(value, (int, float)) or isinstance(value, bool)
    else:
        wrong = not isinstance(value, TYPES[kind])
    if wrong:
        yield f"{path or 'body'}: {value!r} is no {kind}"
    elif kind == "structure":
        yield from _structure(model, shape, value, path)
    elif kind == "list":
        yield from _bounds(shape, len(value), path)
        for inner in value:
            yield from faults(model, model.shape(shape["member"]), inner, f"{path}[]")
    elif kind == "map":
        for key, inner in value.items():
            yield from faults(model, model.shape(shape["key"]), key, f"{path}{{}}")
            yield from faults(model, model.shape(shape["value"]), inner, f"{path}{{}}")
    else:
        yield from _scalar(shape, value, path)


def _structure(model, shape, value, path):
    for name in shape.get("required", ()):
        if name not in value:
            yield f"{path}.{name}: required, but absent"
    for name, inner in value.items():
        if name in shape["members"]:
            yield from faults(model, model.shape(shape["members"][name]), inner, f"{path}.{name}".lstrip("."))
        else:
            yield f"{path}.{name}: not in the model"


def _scalar(shape, value, path):
    if shape["type"] == "blob":
        try:
            yield from _bounds(shape, len(base64.b64decode(value, validate=True)), path)
        except binascii.Error:
            yield f"{path}: not base64"
    elif shape["type"] == "string":
        yield from _bounds(shape, len(value.encode("utf-16-le")) // 2, path)
        if "enum" in shape and value not in shape["enum"]:
            yield f"{path}: {value!r} is not in {shape['enum']}"
        # An empty value of a type that admits it has nothing that a pattern could be about.
        if "pattern" in shape and (value or shape.get("min", 0) > 0) and not matches(shape["pattern"], value):
            yield f"{path}: {value!r} does not match {shape['pattern']}"
    elif shape["type"] in ("integer", "long"):
        yield from _bounds(shape, value, path)


def _bounds(shape, measure, path):
    if not shape.get("min", measure) <= measure <= shape.get("max", measure):
        yield f"{path}: {measure} is not within {shape.get('min', '')}..{shape.get('max', '')}"


class Responses:
    """Everything that recordings show about the operations."""

    def __init__(self, model, exceptions):
        self.model = model
        self.exceptions = exceptions
        self.count = 0
        self.differences = set()
        self.outputs = defaultdict(set)
        self.errors = defaultdict(set)
        self.suites = defaultdict(set)

    def read(self, directory):
        """Takes in every recording below a directory."""
        for file in sorted(Path(directory).rglob("*.jsonl")):
            with open(file, encoding="utf-8") as lines:
                for line in lines:
                    self.judge(json.loads(line))

    def judge(self, answer):
        """Judges one answer."""
        operation, status, body = answer["operation"], answer["status"], answer["body"]
        if operation not in self.model.operations:
            return
        self.count += 1
        self.suites[operation].add(answer["suite"])
        found = self._success(operation, body) if status == 200 else self._error(operation, status, body)
        self.differences.update(f"{operation} ({answer['suite']}): {fault}" for fault in found)

    def unseen_outputs(self, operation):
        """Output members that no answer had."""
        output = self.model.output(operation)
        places = (
            [] if output is None else [path for path, _ in self.model.walk(output) if path and path[-1][0] not in "[{"]
        )
        return [".".join(path) for path in places if path not in self.outputs[operation]]

    def unseen_errors(self, operation):
        """Declared errors that no answer was."""
        return [error for error in self.model.errors(operation) if error not in self.errors[operation]]

    def _success(self, operation, body):
        output = self.model.output(operation)
        if output is None:
            if body:
                yield f"there is no output, but a body: {body!r}"
            return
        value = _parsed(body)
        if value is None:
            yield f"the body is not JSON: {body!r}"
            return
        self._see(operation, output, value, ())
        for fault in faults(self.model, output, value):
            if self.exceptions.find("value", operation, fault) is None:
                yield fault

    def _see(self, operation, shape, value, path):
        if shape["type"] == "structure" and isinstance(value, dict):
            for name, inner in value.items():
                if name in shape["members"]:
                    self.outputs[operation].add((*path, name))
                    self._see(operation, self.model.shape(shape["members"][name]), inner, (*path, name))
        elif shape["type"] == "list" and isinstance(value, list):
            for inner in value:
                self._see(operation, self.model.shape(shape["member"]), inner, (*path, "[]"))

    def _error(self, operation, status, body):
        value = _parsed(body)
        if not isinstance(value, dict) or not isinstance(value.get("__type"), str):
            yield f"an error without a type: {status} {body!r}"
            return
        code = value["__type"].rsplit("#", 1)[-1]
        self.errors[operation].add(code)
        members = set(value) - {"__type"}
        if members not in (set(), {"message"}, {"Message"}) or not all(isinstance(value[m], str) for m in members):
            yield f"{code}: members {sorted(members)}"
        if status != SERVER_FAULTS.get(code, 400):
            yield f"{code}: status {status}"
        known = code in self.model.errors(operation) or code in COMMON_ERRORS
        if not known and self.exceptions.find("undeclared", operation, code) is None:
            yield f"{code} is not declared: {value}"


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return None
