"""The sentences of `ValidationException`: what the model makes them say, and how they read back.

A sentence is (path, shown value, constraint). The shown value is `None` where the value is left out.
"""

import base64
import re

from .texts import matches

HEAD = re.compile(r"(\d+) validation errors? detected: ")
SENTENCE = re.compile(
    r"Value(?P<shown> null| '.*?')? at '(?P<path>[A-Za-z0-9.]+)' failed to satisfy constraint: (?P<constraint>.*?)"
    r"(?=; Value|$)",
    re.DOTALL,
)
ENUM = "Member must satisfy enum value set: "


def path_of(names):
    """The path as messages write it: lower camel case, list elements counted from one."""
    return ".".join("1.member" if name == "[]" else name[0].lower() + name[1:] for name in names)


def expected(model, shape, value, names=()):
    """The sentences about a value and all that is in it."""
    if shape["type"] == "structure":
        for name in shape.get("required", ()):
            if value.get(name) is None:
                yield path_of((*names, name)), " null", "Member must not be null"
        for name, inner in value.items():
            if name in shape["members"] and inner is not None:
                yield from expected(model, model.shape(shape["members"][name]), inner, (*names, name))
    elif shape["type"] == "list":
        yield from _length(shape, len(value), path_of(names), ANY)
        for inner in value:
            if inner is not None:
                yield from expected(model, model.shape(shape["member"]), inner, (*names, "[]"))
    elif shape["type"] == "string":
        shown = None if shape.get("sensitive") else f" '{value}'"
        yield from _length(shape, len(value.encode("utf-16-le")) // 2, path_of(names), shown)
        if "pattern" in shape and not matches(shape["pattern"], value):
            constraint = f"Member must satisfy regular expression pattern: {shape['pattern']}"
            yield path_of(names), shown, constraint
        if "enum" in shape and value not in shape["enum"]:
            yield path_of(names), shown, ENUM + "[" + ", ".join(shape["enum"]) + "]"
    elif shape["type"] == "blob":
        yield from _length(shape, len(base64.b64decode(value)), path_of(names), None)
    elif shape["type"] in ("integer", "long"):
        yield from _bounds(shape, value, path_of(names), f" '{value}'", "value")
    elif shape["type"] == "map":
        # How a message would name a pair is not known, and no map of the model has bounds so far.
        inner = [shape, model.shape(shape["key"]), model.shape(shape["value"])]
        assert not any(bound in part for part in inner for bound in ("min", "max", "pattern", "enum")), shape


# A list's shown value is not recorded anywhere, so any is right.
ANY = "any"


def _length(shape, length, path, shown):
    yield from _bounds(shape, length, path, shown, "length")


def _bounds(shape, measure, path, shown, what):
    if "max" in shape and measure > shape["max"]:
        yield path, shown, f"Member must have {what} less than or equal to {shape['max']}"
    if "min" in shape and measure < shape["min"]:
        yield path, shown, f"Member must have {what} greater than or equal to {shape['min']}"


def read(message):
    """The sentences of a message, or `None` when it is no message of this family."""
    head = HEAD.match(message or "")
    if head is None:
        return None
    found = [(m["path"], m["shown"], m["constraint"]) for m in SENTENCE.finditer(message, head.end())]
    count = int(head[1])
    plural = head[0].endswith("errors detected: ")
    return found if len(found) == count and plural == (count != 1) else None


def same(wanted, came, unlisted):
    """Whether two sentences say the same; `unlisted` values may be missing from a listed enumeration."""
    if wanted[0] != came[0] or wanted[1] not in (ANY, came[1]):
        return False
    if not wanted[2].startswith(ENUM):
        return wanted[2] == came[2]
    if not came[2].startswith(ENUM):
        return False
    values, listed = _values(wanted[2]), _values(came[2])
    return len(listed) == len(set(listed)) and set(values) - set(unlisted) <= set(listed) <= set(values)


def _values(constraint):
    return constraint.removeprefix(ENUM).strip("[]").split(", ")
