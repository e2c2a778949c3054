"""What the pipeline really says of each trouble is what the monitor's rules understand by it."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from monitor.model import Category
from monitor.understand.verdict import Verdict
from pipeline import events
from pipeline.ai.local import Local
from pipeline.bot_api import BotApi
from pipeline.checks import check
from pipeline.config import Settings
from pipeline.flows import media
from pipeline.kit import Kit, Profiles
from pipeline.model import WorldError
from pipeline.slots import Slot
from pipeline.store.base import open_store
from tests.monitor.classifying import classifier

TOKEN = "123456789:" + "A" * 35


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    settings = Settings(home=tmp_path, token=TOKEN, api="http://127.0.0.1:9", local_api=True)
    (tmp_path / "modelos" / "ana").mkdir(parents=True)
    return Kit(settings, open_store(settings), "me", Profiles(settings.modelos), Local())


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """The voice of the pipeline ends with its test: nobody else speaks through it."""
    loggers = [logging.getLogger(name) for name in ("", "dbos", "httpx", "httpcore")]
    before = [(one, one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, handlers, level, propagate in before:
        one.handlers[:], one.propagate = handlers, propagate
        one.setLevel(level)
    structlog.reset_defaults()


def said(kit: Kit, capsys: pytest.CaptureFixture[str], error: Exception) -> str:
    """The line of a step that failed so, as it stands in the log."""
    events.speak_logfmt()
    structlog.configure(cache_logger_on_first_use=False)
    say = structlog.get_logger(part="pipeline.download").bind(job="tg-1-2-3", modelo="ana")
    media._failed(kit, say, "download", "tg-1-2-3", error)
    return capsys.readouterr().out.strip()


def fails(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is what is told
        return error
    raise AssertionError("nothing failed")


def missing(kit: Kit) -> Exception:
    return fails(lambda: (kit.settings.modelos / "eva" / "x.mp4.part").open("wb"))


def forbidden(kit: Kit) -> Exception:
    path = kit.settings.modelos / "ana" / "x.mp4.part"
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def full(kit: Kit) -> Exception:
    with Path("/dev/full").open("wb", buffering=0) as file:
        return fails(lambda: file.write(b"x"))


def cut(kit: Kit) -> Exception:
    path = kit.settings.modelos / "ana" / "x.mp4"
    path.write_bytes(b"\0\0\1\0ftypisom and no more")
    return fails(lambda: check(path, 0, 1.0, lambda: None))


def shorter(kit: Kit) -> Exception:
    path = kit.settings.modelos / "ana" / "x.bin"
    path.write_bytes(b"12345")
    return fails(lambda: check(path, 9, 1.0, lambda: None))


def gone(kit: Kit) -> Exception:
    return fails(lambda: BotApi(kit.settings).locate("id"))


def answered(status: int, **body: object) -> Callable[[Kit], Exception]:
    def ask(kit: Kit) -> Exception:
        api = BotApi(kit.settings)
        reply = httpx.Response(status, json={"ok": False, "error_code": status} | body)
        return fails(lambda: api._result(reply))

    return ask


@pytest.mark.parametrize(
    ("trouble", "category", "path"),
    [
        (missing, Category.MISSING_PATH, "modelos/eva/x.mp4.part"),
        (forbidden, Category.PERMISSION, "modelos/ana/x.mp4.part"),
        (full, Category.DISK_FULL, None),
        (cut, Category.CORRUPT_FILE, "modelos/ana/x.mp4"),
        (shorter, Category.CORRUPT_FILE, "modelos/ana/x.bin"),
        (gone, Category.SERVER_DOWN, None),
        (
            answered(
                429, description="Too Many Requests: retry after 7", parameters={"retry_after": 7}
            ),
            Category.RATE_LIMIT,
            None,
        ),
        (lambda _: MemoryError(), Category.OUT_OF_MEMORY, None),
        (lambda _: OSError(errno.EMFILE, os.strerror(errno.EMFILE)), Category.TOO_MANY_FILES, None),
        (lambda _: WorldError("Unauthorized: bot token revoked (401)"), Category.AUTH, None),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_trouble_is_understood_by_what_it_is_with_its_job_and_its_file(
    kit: Kit,
    capsys: pytest.CaptureFixture[str],
    trouble: Callable[[Kit], Exception],
    category: Category,
    path: str | None,
) -> None:
    line = said(kit, capsys, trouble(kit))
    verdict: Verdict = classifier().classify_line(line)
    captures = dict(verdict.captures)
    assert verdict.category is category, line
    if " ERROR " in line:
        assert (captures["job"], captures["modelo"]) == ("tg-1-2-3", "ana")
    if path:
        assert captures.get("path", verdict.subject) == path


def test_a_second_copy_is_understood_as_a_conflict(tmp_path: Path) -> None:
    slot = Slot(tmp_path, "pipeline")
    error = fails(lambda: Slot(tmp_path, "pipeline"))
    line = f'2026-11-20T08:00:00.123Z ERROR pipeline event=start.failed error="{error}"'
    assert classifier().classify_line(line).category is Category.CONFLICT
    slot.release()


def test_a_line_has_one_form_whatever_is_in_it(
    kit: Kit, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = f'a "quoted"\nsecond line {TOKEN} \x1b[31m postgresql://u:secretsecret@h/x'
    line = said(kit, capsys, ValueError(hostile))
    assert "\n" not in line
    assert TOKEN not in line
    assert "secretsecret" not in line
    assert "\x1b" not in line
    assert re.match(
        r"\d{4}-\d\d-\d\dT[\d:.]{12}Z ERROR pipeline\.download event=\S+ job=\S+ ", line
    )


@pytest.mark.parametrize(
    "line",
    [
        "INFO pipeline.schedule event=job.done job=a modelo=ana",
        "INFO pipeline.publish event=post.sent job=a modelo=ana post=1 target=folder:x receipt=y",
        "INFO pipeline event=pipeline.ready home=/x pid=1",
        'WARNING pipeline event=modelo.unconfigured file=modelos/eva/config.json how="write {} into it"',
        'WARNING pipeline.download event=download.waiting job=a modelo=ana again=5 error="the download ended early: 5 of 9 bytes of x.part"',
    ],
)
def test_ordinary_lines_bring_no_repair(line: str) -> None:
    verdict = classifier().classify_line(f"2026-11-20T08:00:00.123Z {line}")
    assert verdict.category in {Category.BENIGN, Category.UNKNOWN, Category.TIMEOUT}, verdict
