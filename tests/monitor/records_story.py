"""What the tests of the records share: a record as the monitor writes them, and a file of them."""

from __future__ import annotations

import json

from monitor.records.writer import Records


def record(seq, **fields):
    return {
        "seq": seq,
        "id": f"r{seq}",
        "incident": f"i{seq % 7}",
        "timestamp": f"2026-11-20T08:00:{seq % 60:02d}.123Z",
        "state": "detected",
        "category": "permission",
        "severity": "warning",
        "rule": "os.permission",
        "message": "[Errno 13] Permission denied: modelos/victor/clip.mp4",
        "subject": "modelos/victor/clip.mp4",
        "context": {"modelo": "victor", "video": "clip.mp4", "job": f"j{seq}"},
        "action": "take_ownership",
        "attempt": 1,
        "max_attempts": 3,
        "next_try": None,
        "outcome": {"result": "done", "detail": "0644", "proof": "writable", "duration_ms": 12},
        "source": {"file": "logs/pipeline.log", "inode": 7, "offset": 1234, "line": "raw"},
        "child": {"pid": 42, "started": "2026-11-20T07:00:00.000Z", "restarts": 0},
        "occurrences": 1,
        "host": "box",
    } | fields


def some(first, last, **fields):
    return [record(seq, **fields) for seq in range(first, last + 1)]


def opened(path, *, size=1 << 30, keep=3, warn=None, **more):
    """Fails the test at the first warning, unless it collects them."""

    def fail(text):
        raise AssertionError(f"warned: {text}")

    return Records.open(path, size=size, keep=keep, warn=warn or fail, **more)


def seqs(path):
    with path.open("rb") as file:
        return [each["seq"] for each in json.load(file)]
