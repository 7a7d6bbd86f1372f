"""The API model of AWS KMS, as botocore ships it: facts alone, its documentation texts are never read."""

import gzip
import json
from pathlib import Path

FILE = "botocore/data/kms/2014-11-01/service-2.json"

# Not declared by any operation: any request may end with them (AWS's common errors).
COMMON_ERRORS = frozenset(
    (
        "AccessDeniedException",
        "IncompleteSignatureException",
        "InternalFailure",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "RequestEntityTooLargeException",
        "RequestTimeoutException",
        "SerializationException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationException",
    )
)


class Model:
    """Operations and shapes."""

    def __init__(self, facts):
        self.facts = facts
        self.shapes = facts["shapes"]
        self.operations = dict(sorted(facts["operations"].items()))

    @classmethod
    def newest(cls, directory=None):
        """The model of the botocore in this directory, or of the one that this Python imports."""
        if directory is None:
            import botocore

            directory = Path(botocore.__file__).parent.parent
        plain = Path(directory) / FILE
        text = plain.read_bytes() if plain.exists() else gzip.decompress(Path(f"{plain}.gz").read_bytes())
        return cls(json.loads(text))

    def shape(self, reference):
        """The shape that a reference of the model names."""
        return self.shapes[reference["shape"]]

    def input(self, operation):
        """The operation's input structure; one without members where there is none."""
        return self._structure(operation, "input")

    def output(self, operation):
        """The operation's output structure, or `None` where the body is empty."""
        return self._structure(operation, "output") if "output" in self.operations[operation] else None

    def errors(self, operation):
        """The names of the declared errors."""
        return sorted(reference["shape"] for reference in self.operations[operation].get("errors", ()))

    def walk(self, shape, path=()):
        """Every place below a shape: (path of member names, `[]` for elements and `{}` for values, shape)."""
        yield path, shape
        if shape["type"] == "structure":
            for name, reference in shape["members"].items():
                yield from self.walk(self.shape(reference), (*path, name))
        elif shape["type"] == "list":
            yield from self.walk(self.shape(shape["member"]), (*path, "[]"))
        elif shape["type"] == "map":
            yield from self.walk(self.shape(shape["value"]), (*path, "{}"))

    def _structure(self, operation, side):
        reference = self.operations[operation].get(side)
        return {"type": "structure", "members": {}} if reference is None else self.shape(reference)
