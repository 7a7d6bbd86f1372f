"""exceptions.toml: where the server differs from the model on purpose, or a test cannot show what the model has.

Every exception must be used, or the file would outlive its reasons; `sometimes` marks those that a run may do without.
"""

import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

FILE = Path(__file__).with_name("exceptions.toml")


class Exceptions:
    """The exceptions, and which of them have been used."""

    def __init__(self, tables):
        self.tables = tables
        self.used = set()

    @classmethod
    def read(cls):
        return cls(tomllib.loads(FILE.read_text()))

    def find(self, kind, operation, subject):
        """The reason of the exception of this kind (`error`, `output`, …) for the subject; `None` if there is none."""
        for index, row in enumerate(self.tables.get(kind, ())):
            operations = any(fnmatchcase(operation, pattern) for pattern in row["operations"])
            if operations and any(fnmatchcase(subject, pattern) for pattern in row["subjects"]):
                self.used.add((kind, index))
                return row["reason"]
        return None

    def find_sometimes(self, kind, operation, subject):
        """As `find`, among the exceptions that a run may do without."""
        reasons = [
            row["reason"]
            for row in self.tables.get(kind, ())
            if row.get("sometimes", False)
            and any(fnmatchcase(operation, pattern) for pattern in row["operations"])
            and any(fnmatchcase(subject, pattern) for pattern in row["subjects"])
        ]
        return reasons[0] if reasons else None

    def requests(self):
        """Members that a request needs to be right although the model does not require them."""
        return {row["operation"]: row["body"] for row in self.tables["request"]}

    def unlisted_values(self):
        """Values of enumerations that messages do not list."""
        return self.tables["unlisted"]["values"]

    def stale(self, kinds):
        """The exceptions of these kinds that nothing needed."""
        for kind in kinds:
            for index, row in enumerate(self.tables.get(kind, ())):
                if (kind, index) not in self.used and not row.get("sometimes", False):
                    yield f"exceptions.toml: nothing needs [[{kind}]] of {row['operations']}, {row['subjects']}"
