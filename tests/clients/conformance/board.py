"""Sends the probes to a running server and judges the answers."""

from .probes import Probe, Requests, probes
from .sentences import read, same


class Board:
    """What the server knows of each operation."""

    def __init__(self, model, exceptions, connection):
        self.model = model
        self.exceptions = exceptions
        self.connection = connection
        self.requests = Requests(model, exceptions.requests())
        self.missing = []
        self.differences = []
        self.counts = {}

    def walk(self):
        """Asks about every operation."""
        for operation in self.model.operations:
            baseline = self.send(Probe(operation, "right request", (), self.requests.right(operation)))
            if baseline.code == "UnknownOperationException":
                self.missing.append(operation)
                continue
            sent = 1
            for probe in probes(self.model, self.requests, operation):
                self._ask(probe, baseline)
                sent += 1
            self.counts[operation] = sent
        unknown = self.connection.send("NoSuchOperation", {})
        if unknown.code != "UnknownOperationException":
            self.differences.append(f"NoSuchOperation\n  expected UnknownOperationException\n  came     {unknown!r}")

    def result(self):
        """What the page says about it."""
        differences = [text.split(" ", 1)[0] for text in self.differences]
        return {
            "missing": self.missing,
            "requests": self.counts,
            "differences": {operation: differences.count(operation) for operation in differences},
        }

    def send(self, probe):
        answer = self.connection.send(probe.operation, probe.body)
        if probe.wanted == "accepted":
            self._compare(probe, answer, "a request that passes the model", not _refused_by_model(answer))
        return answer

    def _ask(self, probe, baseline):
        answer = self.send(probe)
        if probe.wanted == "accepted":
            return
        if probe.wanted == "serialization":
            self._compare(probe, answer, "SerializationException", answer.code == "SerializationException")
        elif probe.wanted == "same":
            self._compare(
                probe, answer, repr(baseline), (answer.status, answer.code) == (baseline.status, baseline.code)
            )
        else:
            self._compare(probe, answer, "\n           ".join(map(str, probe.wanted)), self._says(answer, probe.wanted))

    def _says(self, answer, wanted):
        """Whether the answer has exactly the wanted sentences, in any order."""
        came = read(answer.message) if answer.code == "ValidationException" else None
        if came is None or len(came) != len(wanted):
            return False
        unlisted = self.exceptions.unlisted_values()
        return all(any(same(one, other, unlisted) for other in came) for one in wanted)

    def _compare(self, probe, answer, wanted, right):
        if right and (answer.status == 400 or probe.wanted in ("accepted", "same")):
            return
        if self.exceptions.find("probe", probe.operation, str(probe).split(" ", 1)[1]) is None:
            self.differences.append(f"{probe}\n  expected {wanted}\n  came     {answer!r}")


def _refused_by_model(answer):
    return answer.code == "SerializationException" or (
        answer.code == "ValidationException" and read(answer.message) is not None
    )
