"""Checks the frozen values with Python's standard library and none of our code: `python3 verify.py`."""

import hashlib
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).parent
CLUSTER, REGION = b"dev-1", b"eu-west-1"


def short(part):
    return bytes([len(part)]) + part


LOG = short(CLUSTER) + short(REGION)


def log():
    previous = hashlib.sha256(b"meridian audit origin v1\0" + LOG).digest()
    sequence = 0
    for line in (HERE / "log-v1.jsonl").read_bytes().splitlines():
        covered, _ = line.rsplit(b',"hash":"', 1)
        chain = json.loads(line)["meridian"]["chain"]
        computed = hashlib.sha256(b"meridian audit record v1\0" + LOG + previous + covered).digest()
        sequence += 1
        assert chain["version"] == 1 and chain["sequence"] == sequence
        assert chain["previous"] == previous.hex() and chain["hash"] == computed.hex()
        previous = computed
    return sequence, previous


def head(sequence, last):
    text = (HERE / "head-v1.txt").read_bytes()
    assert len(text) == 2048
    notes = []
    for slot in (text[:1024], text[1024:]):
        covered, _ = slot.rsplit(b',"check":"', 1)
        note = json.loads(slot)
        assert note["check"] == hashlib.sha256(b"meridian audit head v1\0" + covered).hexdigest()
        notes.append(note)
    newest = max(notes, key=lambda note: note["generation"])
    assert newest["clean"] and newest["sequence"] == sequence and newest["hash"] == last.hex()
    assert newest["offset"] == (HERE / "log-v1.jsonl").stat().st_size


def signatures():
    # The test's signatures are hashes: SHA-256(SHA-256(Region) ‖ bytes).
    signed = dict(line.split(" = ") for line in (HERE / "signed-bytes-v1.txt").read_text().splitlines())
    line = json.loads((HERE / "checkpoint-v1.jsonl").read_text())
    checkpoint = (
        b"meridian audit checkpoint v1\0" + LOG + struct.pack(">Q", line["sequence"]) + bytes.fromhex(line["hash"])
        + struct.pack(">QQ", line["timeMillis"], line["controlLogIndex"])
    )
    assert signed["checkpoint"] == checkpoint.hex()
    assert line["signature"] == signature(line["region"], checkpoint)
    for witness in line["countersignatures"]:
        countersigned = (
            b"meridian audit countersignature v1\0" + short(witness["region"].encode())
            + struct.pack(">Q", witness["timeMillis"]) + bytes.fromhex(line["key"])
            + struct.pack(">Q", len(checkpoint)) + checkpoint
            + struct.pack(">Q", len(line["signature"]) // 2) + bytes.fromhex(line["signature"])
        )
        assert witness["signature"] == signature(witness["region"], countersigned)
    gaps = [json.loads(line) for line in (HERE / "log-v1.jsonl").read_text().splitlines() if '"AuditGap"' in line]
    details = gaps[0]["serviceEventDetails"]
    gap = (
        b"meridian audit gap v1\0" + LOG + struct.pack(">Q", details["afterSequence"])
        + bytes.fromhex(details["afterHash"]) + struct.pack(">Q?", details["unrecordedRequests"], details["atLeast"])
        + struct.pack(">QQ", details["firstMillis"], details["lastMillis"])
    )
    assert signed["gap"] == gap.hex() and details["gapSignature"] == signature("eu-west-1", gap)


def signature(region, signed):
    return hashlib.sha256(hashlib.sha256(region.encode()).digest() + signed).hexdigest()


head(*log())
signatures()
print("all frozen values are right")
