"""What the board asks: for each operation the requests that the model makes right or wrong, and what must come."""

import base64
import copy
from dataclasses import dataclass, field

from .sentences import expected, path_of
from .texts import matching

# A well-formed identifier that no key has: a right request is refused, if at all, behind the checks of the model.
NO_KEY = "00000000-0000-4000-8000-000000000000"
TIMESTAMP = 4102444800
# Two JSON values of another type for each type of the model.
WRONG_TYPES = {
    "string": (7, []),
    "blob": (7, {}),
    "integer": ("7", {}),
    "boolean": ("true", 1),
    "timestamp": ({}, []),
    "list": ("text", {}),
    "structure": ("text", []),
    "map": ("text", []),
}
# No set of values has this one, and no pattern of an enumeration would need it.
NO_VALUE = "NO_SUCH_VALUE"
# Not in any pattern of the model.
FOREIGN = "\u2603"


@dataclass
class Probe:
    """One request. `wanted` is `accepted`, `serialization`, or the sentences of a ValidationException."""

    operation: str
    kind: str
    path: tuple
    body: dict
    wanted: object = "accepted"
    note: str = ""

    def __str__(self):
        return f"{self.operation} {path_of(self.path) or 'request'} ({self.kind}{self.note and ' ' + self.note})"


@dataclass
class Requests:
    """Makes requests of one model; `needed` are the members that the model does not require but the service does."""

    model: object
    needed: dict = field(default_factory=dict)

    def right(self, operation):
        """A request with nothing but what it must have."""
        return {**self._legal(self.model.input(operation)), **self.needed.get(operation, {})}

    def with_value(self, operation, path, value):
        """The right request with another value at a place, and right values around it."""
        body = self.right(operation)
        shape, place = self.model.input(operation), body
        for name, following in zip(path, [*path[1:], None], strict=True):
            shape = self.model.shape(shape["members"][name] if shape["type"] == "structure" else _inner(shape))
            key = 0 if name == "[]" else "key" if name == "{}" else name
            if following is None:
                place[key] = value
            elif not _has(place, key):
                place[key] = self._containing(shape)
            place = place[key] if following is not None else place
        return body

    def _containing(self, shape):
        """A right value that has one of what it may contain."""
        if shape["type"] == "list":
            return [self._legal(self.model.shape(shape["member"]))]
        if shape["type"] == "map":
            return {"key": self._legal(self.model.shape(shape["value"]))}
        return self._legal(shape)

    def _legal(self, shape):
        kind = shape["type"]
        if kind == "structure":
            required = shape.get("required", ())
            return {name: self._member(name, self.model.shape(shape["members"][name])) for name in required}
        if kind == "list":
            return [self._legal(self.model.shape(shape["member"])) for _ in range(max(1, shape.get("min", 1)))]
        if kind == "map":
            return {}
        return (
            {"boolean": False, "timestamp": TIMESTAMP}.get(kind)
            if kind in ("boolean", "timestamp")
            else sized(shape, shape.get("min", 1) or 1)
        )

    def _member(self, name, shape):
        return NO_KEY if name.endswith("KeyId") and shape["type"] == "string" else self._legal(shape)


def _inner(shape):
    return shape["member"] if shape["type"] == "list" else shape["value"]


def _has(place, key):
    return key < len(place) if isinstance(key, int) else key in place


def sized(shape, size):
    """A value of a scalar shape with this length or, for a number, of this value; right but for its size."""
    if shape["type"] in ("integer", "long"):
        return size
    if shape["type"] == "blob":
        return base64.b64encode(bytes(size)).decode()
    if "enum" in shape:
        return shape["enum"][0]
    return matching(shape["pattern"], size) if "pattern" in shape else "a" * size


def probes(model, requests, operation):
    """Every request of the operation but the right one itself."""
    shape = model.input(operation)
    for path, place in list(model.walk(shape))[1:]:
        yield from _wrong_types(requests, operation, path, place)
        yield from _sizes(model, requests, operation, path, place)
        yield from _values(model, requests, operation, path, place)
    yield from _missing(model, requests, operation)
    body = {**requests.right(operation), "NoSuchMember": {}}
    yield Probe(operation, "unknown member is ignored", (), body, "same")
    optional = [name for name in shape["members"] if name not in requests.right(operation)]
    body = {**requests.right(operation), **dict.fromkeys(optional)}
    yield Probe(operation, "null is absent", (), body, "same")


def _wrong_types(requests, operation, path, shape):
    wrong = WRONG_TYPES["integer" if shape["type"] == "long" else shape["type"]]
    for value in (*wrong, "not base64!") if shape["type"] == "blob" else wrong:
        body = requests.with_value(operation, path, value)
        yield Probe(operation, "wrong type", path, body, "serialization", repr(value))


def _sizes(model, requests, operation, path, shape):
    """One beyond each bound, and the bounds themselves."""
    if shape["type"] not in ("string", "blob", "integer", "long", "list"):
        return
    for bound, step in (("min", -1), ("max", 1)):
        size = shape.get(bound)
        if size is None:
            continue
        beyond, at = _of_size(requests, model, shape, size + step), _of_size(requests, model, shape, size)
        if size + step >= 0 or shape["type"] in ("integer", "long"):
            yield _judged(model, requests, operation, path, beyond, f"beyond {bound}")
        yield _judged(model, requests, operation, path, at, f"at {bound}")


def _of_size(requests, model, shape, size):
    if shape["type"] == "list":
        return [requests._legal(model.shape(shape["member"]))] * max(0, size)
    return sized(shape, max(0, size) if shape["type"] != "integer" else size)


def _values(model, requests, operation, path, shape):
    if "enum" in shape:
        for value in (*shape["enum"], NO_VALUE, shape["enum"][0].swapcase()):
            yield _judged(model, requests, operation, path, value, f"value {value}")
    elif "pattern" in shape:
        longest = sized(shape, max(shape.get("min", 1), 1))
        yield _judged(model, requests, operation, path, longest[:-1] + FOREIGN, "foreign character")


def _missing(model, requests, operation):
    """Each required member left out, and sent as null."""
    for path, shape in model.walk(model.input(operation)):
        for name in shape.get("required", ()) if shape["type"] == "structure" else ():
            body = requests.with_value(operation, (*path, name), None)
            wanted = list(expected(model, model.input(operation), body))
            yield Probe(operation, "null", (*path, name), body, wanted)
            body = copy.deepcopy(body)
            place = body
            for step in path:
                place = place[0 if step == "[]" else step]
            del place[name]
            yield Probe(operation, "missing", (*path, name), body, wanted)


def _judged(model, requests, operation, path, value, kind):
    body = requests.with_value(operation, path, value)
    wanted = list(expected(model, model.input(operation), body)) or "accepted"
    return Probe(operation, kind, path, body, wanted)
