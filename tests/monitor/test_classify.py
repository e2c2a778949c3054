"""Chunks in, matches out."""

from __future__ import annotations

import pytest

from monitor.model import Category, Chunk, FileId, Match, Severity
from monitor.understand.classify import Classifier
from monitor.understand.gather import SAME, STORM
from tests.monitor.classifying import classifier as fresh

FILE = FileId(1, 2)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return fresh()


def feed(classifier: Classifier, data: bytes, start: int = 0, *, old: bool = False) -> list[Match]:
    chunk = Chunk("logs/x.log", FILE, start, start + len(data), data, 7.0, old)
    found = classifier.feed(chunk)
    return found + classifier.flush(7.0, everything=True)


def test_a_match_says_where_its_line_stands_and_what_it_is_about(classifier: Classifier) -> None:
    data = b"ok\nERROR: PermissionError: [Errno 13] Permission denied: '/srv/a'\nok\n"
    (match,) = feed(classifier, data, 1000)
    assert match.category is Category.PERMISSION
    assert match.severity is Severity.WARNING
    assert match.subject == "/srv/a"
    assert (match.line.start, match.line.end) == (1003, 1066)
    assert match.line.text == "ERROR: PermissionError: [Errno 13] Permission denied: '/srv/a'"
    assert (match.line.path, match.line.id, match.line.at) == ("logs/x.log", FILE, 7.0)


def test_ordinary_lines_give_nothing(classifier: Classifier) -> None:
    assert feed(classifier, b"INFO all well\n0 errors, timeout=30\npermission granted\n") == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_the_end_of_a_line_changes_nothing(classifier: Classifier, end: bytes) -> None:
    (match,) = feed(classifier, b"x: No space left on device" + end)
    assert match.line.text == "x: No space left on device"


def test_bytes_that_are_not_utf8_are_read_with_replacement(classifier: Classifier) -> None:
    (match,) = feed(classifier, b"ERROR \xff\xfe No space left on device\n")
    assert match.category is Category.DISK_FULL
    assert "�" in match.line.text


def test_nuls_of_a_hole_before_a_line_are_not_part_of_it(classifier: Classifier) -> None:
    (match,) = feed(classifier, b"\0\0\0x: No space left on device\n")
    assert match.line.text == "x: No space left on device"


def test_a_line_is_split_at_newlines_only(classifier: Classifier) -> None:
    (match,) = feed(classifier, "10%\r20%\rx\u2028y\u0085z: No space left on device\n".encode())
    assert match.line.text.startswith("10%\r20%")


def test_old_lines_stay_old(classifier: Classifier) -> None:
    (match,) = feed(classifier, b"x: No space left on device\n", old=True)
    assert match.line.old


def test_a_long_line_is_judged_by_its_head_and_cut(classifier: Classifier) -> None:
    data = b"x: No space left on device " + b"a" * 5_000_000 + b"\n"
    (match,) = feed(classifier, data)
    assert match.line.end == len(data)
    assert len(match.line.text) == 65_536


def test_what_is_captured_comes_with_its_name(classifier: Classifier) -> None:
    (match,) = feed(
        classifier, b"telegram.error.RetryAfter: Flood control exceeded. Retry in 31 seconds\n"
    )
    assert dict(match.captures)["retry_after"] == "31"


def test_our_own_lines_give_their_keys(classifier: Classifier) -> None:
    data = (
        b"2026-11-20T08:00:00.123Z ERROR pipeline.download event=download.failed job=j1 modelo=victor"
        b' file=modelos/victor/x.mp4 error="TimedOut: Timed out"\n'
    )
    (match,) = feed(classifier, data)
    assert match.category is Category.TIMEOUT
    assert dict(match.captures)["job"] == "j1"
    assert dict(match.captures)["modelo"] == "victor"


def test_an_unknown_error_is_grouped_by_its_shape() -> None:
    classifier = fresh()
    data = b"".join(
        b"2026-11-20 08:00:%02d ERROR the moon %d is in house %d\n" % (n, n, n) for n in range(9)
    )
    found = feed(classifier, data)
    assert {match.category for match in found} == {Category.UNKNOWN}
    shapes = {dict(match.captures)["shape"] for match in found}
    assert shapes == {"<*> ERROR the moon <*> is in house <*>"}
    assert [dict(match.captures).get("new") for match in found] == ["yes"] + [None] * 8
    assert classifier.shapes.most_seen()[0].count == 9


def test_a_storm_of_the_same_is_counted_and_hides_nothing_new() -> None:
    classifier = fresh()
    many = STORM + 3000
    data = b"x: No space left on device\n" * many + b"y: Connection refused\n"
    found = feed(classifier, data)
    assert found[-1].category is Category.SERVER_DOWN
    assert sum(classifier.uncounted.values()) + len(found) == many + 1
    assert len(found) >= SAME


def test_a_line_can_be_asked_about_by_itself(classifier: Classifier) -> None:
    assert classifier.classify_line("GET / 200").category is Category.BENIGN
    verdict = classifier.classify_line("OSError: [Errno 28] No space left on device: '/srv/a'")
    assert (verdict.category, verdict.subject) == (Category.DISK_FULL, "/srv/a")
    assert verdict.rule == "system.disk_full"
    assert verdict.rule in verdict.hits
    assert verdict.why


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-20 08:00:00 INFO GET /errors/timeout 200 in 12 ms",
        '10.0.0.1 - - [20/Nov/2026] "GET /permission-denied HTTP/1.1" 200 12',
        "settings: timeout=30 retries=3 error_log=/var/log/error.log",
        "summary: 14 done, 0 errors, 0 failed",
        "permission granted to ana",
        'INFO message.received text="Permission denied: /etc/shadow"',
        '    raise TimeoutError("timed out")',
        '  File "/srv/errors.py", line 3, in connection_refused',
        "During handling of the above exception, another exception occurred:",
        "fetched https://example.org/no-space-left-on-device?error=timeout",
    ],
)  # fmt: skip
def test_tempting_words_in_ordinary_lines_stay_ordinary(classifier: Classifier, line: str) -> None:
    assert classifier.classify_line(line).category is Category.BENIGN


@pytest.mark.parametrize(
    ("line", "category"),
    [
        ('INFO the model said "the error means access denied"', Category.BENIGN),
        ('INFO Respuesta: "El error 403 significa acceso denegado"', Category.BENIGN),
        ("INFO ana lo llama «error: acceso denegado»", Category.BENIGN),
        ('level=info msg="upload failed: access denied"', Category.AUTH),
        ('{"level": "info", "msg": "upload failed: access denied"}', Category.AUTH),
        ('INFO upload of "a long name" failed: access denied', Category.AUTH),
        ('ERROR the model said "the error means access denied"', Category.AUTH),
    ],
)
def test_what_an_ordinary_line_only_quotes_has_not_happened(
    classifier: Classifier, line: str, category: Category
) -> None:
    assert classifier.classify_line(line).category is category
