"""Writes docs/conformance.md from what the board found and what the recordings show."""

from collections import defaultdict

HEAD = """\
# Conformance with the AWS KMS API

Written by `.ci/run page`, compared by `.ci/run conformance`; do not edit. What AWS's own API model (`kms/2014-11-01`)
says, as the newest botocore ships it, beside what a running Meridian answered.

- **Requests**: sent by the conformance board to a running cluster: the right request, two wrong JSON types for each
  member at any depth, each bound of the model and one beyond it, every value of every enumeration and two that are
  none, each required member left out. Every refusal is compared sentence by sentence.
- **Output** and **errors**: members and declared errors that answers to real clients had, of those that the model has.
  All recorded answers are valid by the model: no unknown member, right types, required members, bounds, declared
  errors.
- **Tests**: which suites of `tests/` call the operation; `e2e` is the AWS SDK for Rust.
"""


class Page:
    """The page, and what keeps it from being true."""

    def __init__(self, model, exceptions, board, responses):
        self.model = model
        self.exceptions = exceptions
        self.board = board
        self.responses = responses
        # Reason -> {subject -> operations}.
        self.excused = {
            "error": defaultdict(lambda: defaultdict(list)),
            "output": defaultdict(lambda: defaultdict(list)),
        }
        self.unexcused = []
        self._judge()

    def text(self):
        """The page."""
        return "\n".join([HEAD, *self._summary(), *self._table(), *self._unseen(), *self._differences()]) + "\n"

    def _judge(self):
        for operation in self.model.operations:
            for kind, unseen in (
                ("error", self.responses.unseen_errors(operation)),
                ("output", self.responses.unseen_outputs(operation)),
            ):
                for subject in unseen:
                    reason = self.exceptions.find(kind, operation, subject)
                    if reason is None:
                        self.unexcused.append(f"{operation}: no test sees the {kind} {subject}")
                    else:
                        self.excused[kind][reason][subject].append(operation)
            # What a run sees only sometimes counts as not seen, or the page would depend on the run.
            for error in sorted(self.responses.errors[operation] & set(self.model.errors(operation))):
                reason = self.exceptions.find_sometimes("error", operation, error)
                if reason is not None:
                    self.excused["error"][reason][error].append(operation)

    def _summary(self):
        inputs = [place for operation in self.model.operations for place in self._places(self.model.input(operation))]
        bounds = sum(bound in shape for _, shape in inputs for bound in ("min", "max", "pattern"))
        values = sum(len(shape.get("enum", ())) for _, shape in inputs)
        known = len(self.model.operations) - len(self.board["missing"])
        yield (
            f"{known} of {len(self.model.operations)} operations; {len(inputs)} input members with {bounds} bounds and "
            f"{values} values of enumerations; {sum(self.board['requests'].values())} requests of the board.\n"
        )

    def _places(self, shape):
        return [(path, place) for path, place in self.model.walk(shape) if path and path[-1] not in ("[]", "{}")]

    def _table(self):
        yield "## Operations\n"
        yield "| operation | status | requests | input | output | errors | tests |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        for operation in self.model.operations:
            if operation in self.board["missing"]:
                yield f"| {operation} | missing | | | | | |"
                continue
            output = self.model.output(operation)
            outputs = [".".join(path) for path, _ in self._places(output)] if output is not None else []
            seen_outputs = len(outputs) - len(self.responses.unseen_outputs(operation))
            errors = self.model.errors(operation)
            excused = {
                error
                for subjects in self.excused["error"].values()
                for error, where in subjects.items()
                if operation in where
            }
            cells = (
                operation,
                self._status(operation),
                self.board["requests"][operation],
                len(self._places(self.model.input(operation))),
                f"{seen_outputs} of {len(outputs)}",
                f"{len(set(errors) - excused - set(self.responses.unseen_errors(operation)))} of {len(errors)}",
                ", ".join(self._suites(operation)),
            )
            yield "| " + " | ".join(map(str, cells)) + " |"
        yield ""

    def _status(self, operation):
        differences = self.board["differences"].get(operation, 0)
        if differences:
            return f"{differences} differences"
        return "incomplete" if any(line.startswith(f"{operation}: ") for line in self.unexcused) else "complete"

    def _suites(self, operation):
        """The suites but the board; modules of the end-to-end tests together."""
        suites = sorted(self.responses.suites[operation] - {"conformance board"})
        modules = [
            suite.removeprefix("e2e ").replace("walk::", "walk ") for suite in suites if suite.startswith("e2e ")
        ]
        others = [suite for suite in suites if not suite.startswith("e2e")]
        return others + ([f"e2e ({', '.join(modules)})"] if modules else [])

    def _unseen(self):
        for kind, title in (
            ("error", "Declared errors that no test sees, or not in every run"),
            ("output", "Output members that no test sees"),
        ):
            yield f"## {title}\n"
            for reason, subjects in sorted(self.excused[kind].items()):
                yield f"- {reason}:"
                by_operations = defaultdict(set)
                for subject, operations in subjects.items():
                    by_operations[tuple(sorted(set(operations)))].add(subject)
                for operations, together in sorted(by_operations.items(), key=lambda pair: sorted(pair[1])):
                    where = "every operation that declares it" if len(operations) > 12 else ", ".join(operations)
                    yield f"  - {', '.join(f'`{subject}`' for subject in sorted(together))}: {where}"
            yield ""

    def _differences(self):
        yield "## Where the server differs from the model on purpose\n"
        for kind, what in (("probe", "request"), ("undeclared", "undeclared error"), ("value", "output")):
            for row in self.exceptions.tables.get(kind, ()):
                operations = "every operation" if row["operations"] == ["*"] else ", ".join(row["operations"])
                subjects = ", ".join(f"`{subject}`" for subject in row["subjects"])
                yield f"- {operations}: {what} {subjects}: {row['reason']}"
