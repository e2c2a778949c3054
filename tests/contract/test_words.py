"""What the pipeline says, the monitor understands: real lines of the one, real rules of the other."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import pipeline
from monitor.heal.incidents import own_retry
from monitor.heal.ladders import ladder_for
from monitor.model import Category, Chunk, FileId, Match
from monitor.understand.classify import Classifier
from tests.monitor import classifying

ROOT = Path(pipeline.__file__).parent
JOB, MODELO = "f:AQAD-x1_2", "victor"
Q = "modelos/victor/x.mp4"
SPACES = "/srv/bot/modelos/victor/ana's clip.mp4"
API = "https://api.telegram.org"


class Said(NamedTuple):
    """One event of the pipeline, and what the monitor must make of it."""

    event: str
    error: dict[str, Any]
    category: Category
    subject: str | None = None
    retry_after: str = ""
    level: str = "error"


def os_error(name: str, path: str | None = Q) -> dict[str, Any]:
    return {"kind": "os", "errno": name, "path": path}


def world(why: str, **more: Any) -> dict[str, Any]:
    return {"kind": "world", "why": why, **more}


def builtin(name: str, why: str) -> dict[str, Any]:
    return {"kind": "builtin", "name": name, "why": why}


FLOOD = "Too Many Requests: retry after 31 (429)"
LOCAL = "http://127.0.0.1:8081"
EVENTS = [
    Said("download.failed", os_error("EACCES"), Category.PERMISSION, Q),
    Said("download.failed", os_error("EPERM"), Category.PERMISSION, Q),
    Said("download.failed", os_error("EACCES", SPACES), Category.PERMISSION, SPACES),
    Said("store.failed", os_error("EROFS"), Category.PERMISSION, Q),
    Said("download.failed", os_error("ENOENT"), Category.MISSING_PATH, Q),
    Said("download.waiting", os_error("ENOSPC"), Category.DISK_FULL, Q, level="warning"),
    Said("download.waiting", os_error("ENOSPC", SPACES), Category.DISK_FULL, SPACES, level="warning"),
    Said("store.failed", os_error("EDQUOT"), Category.DISK_FULL, Q),
    Said("store.failed", os_error("EMFILE"), Category.TOO_MANY_FILES, Q),
    Said("store.failed", os_error("EIO"), Category.UNKNOWN, Q),
    Said("verify.failed", {"kind": "broken", "path": Q, "why": "it is empty"}, Category.CORRUPT_FILE, Q),
    Said(
        "verify.failed",
        {"kind": "broken", "path": SPACES, "why": "truncated: it has 3 bytes of 10"},
        Category.CORRUPT_FILE,
        SPACES,
    ),
    Said("download.waiting", world(FLOOD, after=31.0), Category.RATE_LIMIT, None, "31.0", "warning"),
    Said(
        "download.waiting",
        world("ConnectError: [Errno 111] Connection refused", url=LOCAL),
        Category.SERVER_DOWN,
        LOCAL,
        level="warning",
    ),
    Said(
        "download.waiting",
        world("ConnectError: [Errno -2] Name or service not known", url=API),
        Category.SERVER_DOWN,
        API,
        level="warning",
    ),
    Said("download.waiting", world("Bad Gateway (502)", url=API), Category.SERVER_DOWN, API, level="warning"),
    Said("download.waiting", world("ConnectTimeout: timed out", url=API), Category.TIMEOUT, API, level="warning"),
    Said(
        "download.waiting",
        world("ReadTimeout: The read operation timed out", url=API),
        Category.TIMEOUT,
        API,
        level="warning",
    ),
    Said("download.waiting", world("Unauthorized: Unauthorized", after=60.0), Category.AUTH, None, "60.0", "warning"),
    Said("download.waiting", world("the file server answers 404"), Category.UNKNOWN, level="warning"),
    Said("caption.waiting", builtin("TimeoutError", "took longer than 120 s"), Category.TIMEOUT, level="warning"),
    Said("store.waiting", {"kind": "sql", "why": "database is locked"}, Category.DATABASE, level="warning"),
    Said("store.waiting", {"kind": "sql", "why": "no such table: media"}, Category.DATABASE, level="warning"),
    Said("store.waiting", {"kind": "sql", "why": "database or disk is full"}, Category.DISK_FULL, level="warning"),
    Said("caption.failed", builtin("MemoryError", ""), Category.OUT_OF_MEMORY),
    Said("verify.failed", builtin("ModuleNotFoundError", "No module named 'PIL'"), Category.DEPENDENCY),
    Said("caption.failed", builtin("KeyError", "text"), Category.UNKNOWN),
    Said("post.failed", world("Forbidden: bot was kicked from the channel chat"), Category.RECIPIENT_GONE),
    Said("post.failed", world("Bad Request: chat not found"), Category.RECIPIENT_GONE),
    Said("post.failed", world("Request Entity Too Large"), Category.FILE_TOO_BIG),
    Said("post.waiting", world(FLOOD, after=31.0), Category.RATE_LIMIT, None, "31.0", "warning"),
    Said("post.unknown", world("sendVideo: ReadTimeout: timed out"), Category.TIMEOUT, level="warning"),
    Said("start.failed", world("another instance is already running (pid 7)"), Category.CONFLICT),
    Said("start.failed", os_error("EACCES", "/srv/bot/data"), Category.PERMISSION, "/srv/bot/data"),
    Said("part.failed", builtin("ConnectionRefusedError", "[Errno 111] Connection refused"), Category.SERVER_DOWN),
]  # fmt: skip


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return classifying.classifier()


def spoken(events: Sequence[dict[str, Any]]) -> list[bytes]:
    """The lines that the pipeline writes for these events, in a process of its own."""
    script = Path(__file__).parent / "speaks.py"
    asked = "\n".join(json.dumps(event) for event in events)
    done = subprocess.run(
        [sys.executable, str(script)],
        input=asked.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    lines = done.stdout.splitlines()
    assert len(lines) == len(events), "one line an event"
    return lines


def understood(classifier: Classifier, line: bytes) -> Match | None:
    data = line + b"\n"
    chunk = Chunk("logs/pipeline.log", FileId(1, 1), 0, len(data), data, 0.0)
    found = [*classifier.feed(chunk), *classifier.flush(0.0, everything=True)]
    assert len(found) <= 1
    return found[0] if found else None


def asked(said: Said) -> dict[str, Any]:
    part = f"pipeline.{said.event.partition('.')[0]}"
    keys = {"job": JOB, "modelo": MODELO, "again": 30 if said.level == "warning" else None}
    return {
        "part": part,
        "event": said.event,
        "level": said.level,
        "error": said.error,
        "keys": keys,
    }


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return spoken([asked(said) for said in EVENTS])


@pytest.mark.parametrize(
    "number", range(len(EVENTS)), ids=lambda n: f"{EVENTS[n].event}-{EVENTS[n].category}-{n}"
)
def test_an_event_that_means_trouble_lands_where_it_belongs(
    number: int, lines: list[bytes], classifier: Classifier
) -> None:
    said, found = EVENTS[number], understood(classifier, lines[number])
    assert found is not None, lines[number]
    captured = dict(found.captures)
    assert found.category is said.category, (found.rule, lines[number])
    assert found.subject == said.subject
    if not said.event.startswith(("start.", "part.")):
        assert (captured.get("job"), captured.get("modelo")) == (JOB, MODELO)
    assert captured.get("retry_after", "") == said.retry_after


def test_a_post_of_which_nobody_knows_is_never_sent_again_by_us(
    lines: list[bytes], classifier: Classifier
) -> None:
    number = next(n for n, said in enumerate(EVENTS) if said.event == "post.unknown")
    found = understood(classifier, lines[number])
    assert found is not None
    assert ladder_for(found.rule, found.category, {}) == ()


def test_what_the_pipeline_tries_again_by_itself_is_left_to_it(
    lines: list[bytes], classifier: Classifier
) -> None:
    """A time-out or a busy database restarts nobody while the job has its next try ahead."""
    left = []
    for said, line in zip(EVENTS, lines, strict=True):
        if said.event.endswith(".waiting") and (found := understood(classifier, line)):
            ladder = ladder_for(found.rule, found.category, {})
            if own_retry(found, ladder) is not None:
                assert own_retry(found, ladder) == 30 + 120, line
                left.append(found.category)
    assert set(left) == {Category.TIMEOUT, Category.DATABASE, Category.RATE_LIMIT}


def events_said(*levels: str) -> list[str]:
    """The names of all events that the pipeline's code says at these levels."""
    found = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in levels and node.args:
                found |= {name for name in _names(node.args[0]) if "." in name}
    return sorted(found)


def _names(argument: ast.expr) -> list[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return [argument.value]
    if isinstance(argument, ast.JoinedStr):
        parts = [
            part.value if isinstance(part, ast.Constant) else "step" for part in argument.values
        ]
        return ["".join(map(str, parts))]
    return []


def test_whatever_the_pipeline_calls_an_error_is_seen_with_its_job(classifier: Classifier) -> None:
    names = events_said("error", "exception", "critical")
    assert "step.failed" in names
    keys = {"job": JOB, "modelo": MODELO, "error": "odd"}
    said = [{"part": "pipeline.x", "event": name, "level": "error", "keys": keys} for name in names]
    for line in spoken(said):
        found = understood(classifier, line)
        assert found is not None, line
        assert (dict(found.captures)["job"], dict(found.captures)["modelo"]) == (JOB, MODELO)


def test_ordinary_events_are_no_trouble(classifier: Classifier) -> None:
    keys = {"job": JOB, "modelo": MODELO, "file": Q, "post": 7}
    names = events_said("info", "debug")
    assert "job.done" in names
    said = [{"part": "pipeline.x", "event": name, "level": "info", "keys": keys} for name in names]
    assert [line for line in spoken(said) if understood(classifier, line)] == []


@pytest.mark.parametrize("key", ["file", "caption", "text", "title", "user"])
def test_what_a_person_typed_is_not_what_the_pipeline_says(
    key: str, classifier: Classifier
) -> None:
    words = "No space left on device: Unauthorized, database is locked, BrokenFileError"
    keys = {"job": JOB, "modelo": MODELO, key: words}
    said = {"part": "pipeline.bot", "event": "intake.took", "level": "warning", "keys": keys}
    assert understood(classifier, spoken([said])[0]) is None
