"""Which lines belong together, in whatever pieces they come."""

from __future__ import annotations

import pytest

from monitor.model import Category, Chunk, FileId, Match
from monitor.understand.classify import Classifier
from monitor.understand.events import Kind, causes, opens
from tests.monitor.classifying import classifier as fresh

FILE = FileId(1, 2)

PLAIN = b"""\
2026-11-20 08:00:00 INFO ok
Traceback (most recent call last):
  File "/srv/a.py", line 3, in x
    open(name)
PermissionError: [Errno 13] Permission denied: '/srv/modelos/ana'
2026-11-20 08:00:01 INFO ok
"""
WITH_LOG_LINE = b"""\
2026-11-20 08:00:00 ERROR worker: job 7 failed
Traceback (most recent call last):
  File "/srv/a.py", line 3, in x
    raise Odd("x")
KeyError: 'id'
done
"""
CHAINED = b"""\
Traceback (most recent call last):
  File "/srv/a.py", line 3, in x
    sock.connect(address)
ConnectionRefusedError: [Errno 111] Connection refused

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/srv/a.py", line 9, in y
    write(name)
OSError: [Errno 28] No space left on device: '/srv/out/a.mp4'
next
"""
DIRECT = CHAINED.replace(
    b"During handling of the above exception, another exception occurred:",
    b"The above exception was the direct cause of the following exception:",
).replace(
    b"OSError: [Errno 28] No space left on device: '/srv/out/a.mp4'", b"RuntimeError: job failed"
)
GROUP = b"""\
  + Exception Group Traceback (most recent call last):
  |   File "/srv/a.py", line 3, in <module>
  |     raise ExceptionGroup("several", [a, b])
  | ExceptionGroup: several (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/a.py", line 5, in f
    |     raise KeyError(1)
    | KeyError: 1
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "/srv/a.py", line 7, in g
    |     get(url)
    | TimeoutError: timed out
    +------------------------------------
2026-11-20 08:00:01 INFO ok
"""
PREFIXED = b"""\
Jul 28 06:50:12 chat bot[201]: Traceback (most recent call last):
Jul 28 06:50:12 chat bot[201]:   File "/srv/a.py", line 3, in x
Jul 28 06:50:12 chat bot[201]:     main()
Jul 28 06:50:13 chat bot[201]: ModuleNotFoundError: No module named 'telegram'
Jul 28 06:50:14 chat systemd[1]: Started something.
"""
TWO_WRITERS = b"""\
api_1    | Traceback (most recent call last):
api_1    |   File "/srv/a.py", line 3, in x
worker_1 | cp: error writing '/srv/b': No space left on device
api_1    |     main()
worker_1 | all well
api_1    | TimeoutError: timed out
api_1    | started again
"""
JAVA = b"""\
2026-11-20 08:00:00 ERROR [main] c.e.App - request failed
java.lang.IllegalStateException: odd
\tat com.example.App.run(App.java:12)
\tat com.example.App.main(App.java:3)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect0(Native Method)
\t... 12 more
2026-11-20 08:00:01 INFO ok
"""
NODE = b"""\
Error: ENOENT: no such file or directory, open '/app/config.json'
    at Object.openSync (node:fs:601:3)
    at Module._compile (node:internal/modules/cjs/loader:1105:14) {
  errno: -2,
  syscall: 'open',
  code: 'ENOENT',
  path: '/app/config.json'
}
listening
"""
GO = b"""\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
\t/app/main.go:8 +0x1d
exit status 2
next
"""
RUST = b"""\
thread 'main' panicked at src/main.rs:4:5:
called `Result::unwrap()` on an `Err` value: Os { code: 2, kind: NotFound, message: "No such file or directory" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
next
"""

STORIES = [
    (PLAIN, [(Category.PERMISSION, "/srv/modelos/ana", 28)]),
    (WITH_LOG_LINE, [(Category.CRASH, None, 0)]),
    (CHAINED, [(Category.DISK_FULL, "/srv/out/a.mp4", 0)]),
    (DIRECT, [(Category.SERVER_DOWN, None, 0)]),
    (GROUP, [(Category.TIMEOUT, None, 0)]),
    (PREFIXED, [(Category.DEPENDENCY, None, 0)]),
    (JAVA, [(Category.SERVER_DOWN, None, 0)]),
    (NODE, [(Category.MISSING_PATH, "/app/config.json", 0)]),
    (GO, [(Category.CRASH, None, 0)]),
    (RUST, [(Category.MISSING_PATH, None, 0)]),
]
NAMES = [
    "plain",
    "log_line",
    "chained",
    "direct",
    "group",
    "prefixed",
    "java",
    "node",
    "go",
    "rust",
]


def fed(data: bytes, cuts: list[int], classifier: Classifier | None = None) -> list[Match]:
    classifier = classifier or fresh()
    found: list[Match] = []
    at = 0
    for cut in [*cuts, len(data)]:
        if cut > at:
            found += classifier.feed(Chunk("log", FILE, at, cut, data[at:cut], 0.0))
            at = cut
    found += classifier.flush(0.0, everything=True)
    return found


def seen(matches: list[Match]) -> list[tuple[Category, str | None, int]]:
    return [(match.category, match.subject, match.line.start) for match in matches]


@pytest.mark.parametrize(("data", "expected"), STORIES, ids=NAMES)
def test_lines_that_belong_together_are_one_event_with_one_cause(
    data: bytes, expected: list
) -> None:
    assert seen(fed(data, [])) == expected


@pytest.mark.parametrize(("data", "expected"), STORIES, ids=NAMES)
def test_however_the_lines_are_cut_into_chunks_the_cause_is_told_once(
    data: bytes, expected: list
) -> None:
    ends = [at + 1 for at, byte in enumerate(data) if byte == 10]
    for cuts in [[end] for end in ends] + [ends]:
        found = seen(fed(data, cuts))
        assert [each[0] for each in found] == [each[0] for each in expected], cuts


def test_the_text_of_an_event_is_all_its_lines() -> None:
    (match,) = fed(PLAIN, [])
    assert match.line.text.startswith("Traceback")
    assert match.line.text.endswith("'/srv/modelos/ana'")
    assert PLAIN[match.line.start : match.line.end].decode().rstrip("\n") == match.line.text


def test_lines_of_another_writer_between_are_told_by_themselves() -> None:
    found = seen(fed(TWO_WRITERS, []))
    assert [(category, subject) for category, subject, _ in found] == [
        (Category.TIMEOUT, None),
        (Category.DISK_FULL, "/srv/b"),
    ]


def test_two_files_do_not_mix() -> None:
    classifier = fresh()
    one, other = FileId(1, 10), FileId(1, 11)
    at = {one: 0, other: 0}
    found: list[Match] = []
    for left, right in zip(PLAIN.splitlines(True), CHAINED.splitlines(True), strict=False):
        for file, line in ((one, left), (other, right)):
            found += classifier.feed(Chunk("x", file, at[file], at[file] + len(line), line, 0.0))
            at[file] += len(line)
    found += classifier.flush(0.0, everything=True)
    assert {(match.line.id, match.category) for match in found} == {
        (one, Category.PERMISSION),
        (other, Category.SERVER_DOWN),
    }


def test_an_unfinished_event_holds_the_checkpoint_until_it_is_told() -> None:
    classifier = fresh()
    half = PLAIN[:80]
    half = half[: half.rfind(b"\n") + 1]
    assert classifier.feed(Chunk("log", FILE, 0, len(half), half, 100.0)) == []
    assert classifier.pending(FILE) == 28
    rest = PLAIN[len(half) :]
    (match,) = classifier.feed(Chunk("log", FILE, len(half), len(PLAIN), rest, 101.0))
    assert match.category is Category.PERMISSION
    assert classifier.pending(FILE) is None


def test_silence_ends_an_event_sooner_when_it_looks_complete() -> None:
    classifier = fresh()
    whole = PLAIN[: PLAIN.rfind(b"2026")]
    classifier.feed(Chunk("log", FILE, 0, len(whole), whole, 100.0))
    assert classifier.flush(100.2) == []
    (match,) = classifier.flush(100.4)
    assert match.category is Category.PERMISSION
    half = whole[: whole.rfind(b"Permission")]
    half = half[: half.rfind(b"\n") + 1]
    classifier.feed(Chunk("log", FILE, 900, 900 + len(half), half, 200.0))
    assert classifier.flush(202.0) == []
    classifier.flush(203.5)
    assert classifier.pending(FILE) is None


def test_an_event_without_end_is_bounded_and_told() -> None:
    classifier = fresh()
    data = b"Traceback (most recent call last):\n" + b"    x\n" * 300_000
    found, at = [], 0
    for start in range(0, len(data), 200_000):
        piece = data[start : start + 200_000]
        found += classifier.feed(Chunk("log", FILE, at, at + len(piece), piece, 0.0))
        at += len(piece)
        open_ = classifier._open.get(FILE)
        assert open_ is None or len(open_.lines) <= 200
    assert classifier.pending(FILE) is None


def test_a_hole_in_the_file_ends_its_event() -> None:
    classifier = fresh()
    half = PLAIN[: PLAIN.rfind(b"2026")]
    classifier.feed(Chunk("log", FILE, 0, len(half), half, 0.0))
    (match,) = classifier.feed(Chunk("log", FILE, 9000, 9003, b"ok\n", 0.0))
    assert match.category is Category.PERMISSION


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"Traceback (most recent call last):", Kind.PYTHON),
        (b"  + Exception Group Traceback (most recent call last):", Kind.PYTHON),
        (b"panic: odd", Kind.GO),
        (b"thread 'main' panicked at src/main.rs:4:5:", Kind.RUST),
        (b"\tat com.example.App.run(App.java:12)", Kind.STACK),
        (b"    at Object.openSync (node:fs:601:3)", Kind.STACK),
    ],
)
def test_heads_are_known(line: bytes, kind: Kind) -> None:
    grammar = opens(line)
    assert grammar is not None
    assert grammar.kind is kind


@pytest.mark.parametrize(
    "line", [b"", b"we meet at (noon)", b"Traceback of the day", b"do not panic: all well" * 0]
)
def test_ordinary_lines_open_nothing(line: bytes) -> None:
    assert opens(line) is None


def test_the_last_exception_line_is_asked_first() -> None:
    lines = CHAINED.split(b"\n")
    assert lines[causes(lines)[0]].startswith(b"OSError")


def test_a_file_that_is_gone_leaves_its_open_event_and_nothing_else() -> None:
    classifier = fresh()
    half = PLAIN[: PLAIN.rfind(b"2026")]
    classifier.feed(Chunk("log", FILE, 0, len(half), half, 100.0))
    assert classifier.files() == {FILE}
    (match,) = classifier.forget(FILE)
    assert match.category is Category.PERMISSION
    assert classifier.files() == set()
    (again,) = [
        *classifier.feed(Chunk("new", FILE, 0, len(PLAIN), PLAIN, 101.0)),
        *classifier.forget(FILE),
    ]
    assert again.line.path == "new", "another file with its number is another file"


@pytest.mark.parametrize("lines", range(1, 6))
def test_an_event_in_the_middle_of_which_the_log_is_rotated_is_one_event(lines: int) -> None:
    classifier = fresh()
    whole = PLAIN.splitlines(keepends=True)
    one, two = b"".join(whole[:lines]), b"".join(whole[lines:])
    found = classifier.feed(Chunk("log", FILE, 5000, 5000 + len(one), one, 100.0))
    classifier.begins_anew(FILE)
    found += classifier.feed(Chunk("log", FILE, 0, len(two), two, 101.0))
    (match,) = found
    assert match.category is Category.PERMISSION
    assert classifier.pending(FILE) is None
