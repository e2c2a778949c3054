"""The flow of one file: download, verify, caption, store, schedule; a durable step each.

DBOS replays these steps by their order: never put one before another, or rename one, without
`DBOS.patch("name")` around it. Bodies of workflows are deterministic; clocks, files and networks
belong into steps.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

import structlog
from dbos import DBOS
from sqlalchemy.exc import DBAPIError

from pipeline.events import redacted, said
from pipeline.kit import Kit
from pipeline.model import BrokenFileError, HopelessError, Source, WorldError
from pipeline.steps import caption, download, schedule, store, verify
from pipeline.store import retries
from pipeline.store.media import reject
from pipeline.store.tables import Retry
from pipeline.texts import phrase

Step = Callable[[Kit, str, str, Source], dict[str, Any]]
_kit: list[Kit] = []

# What the world may do to us at any time, told by number where Python has no class for it.
_WORLD = {errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EPIPE}


class JobFailedError(Exception):
    """A step failed, and its line has said how."""


def equip(kit: Kit) -> None:
    """Before DBOS is launched: it begins at once with what was left unfinished."""
    _kit[:] = [kit]


def tell_progress(step: str, share: float) -> None:
    """From inside a long step: how much of it is done. Which step it is, is seen in what is recorded."""
    DBOS.set_event("progress", (step, round(share, 3)))


# A job that kills the process is given up after so many recoveries; kills by the monitor count
# against innocent ones, too, so they are not few.
@DBOS.workflow(name="media", max_recovery_attempts=20)
def media(modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    job = DBOS.workflow_id or ""
    with _kit[0].gate.at_work(job):
        for step in (_download, _verify, _caption, _store, _schedule):
            answer = step(job, modelo, raw)
            if answer:  # a reason to end here
                return answer
    return {}


@DBOS.step(name="download")
def _download(job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    return _do(download.run, "download", job, modelo, raw)


@DBOS.step(name="verify")
def _verify(job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    return _do(verify.run, "verify", job, modelo, raw)


@DBOS.step(name="caption")
def _caption(job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    return _do(caption.run, "caption", job, modelo, raw)


@DBOS.step(name="store")
def _store(job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    return _do(store.run, "store", job, modelo, raw)


@DBOS.step(name="schedule")
def _schedule(job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    return _do(schedule.run, "schedule", job, modelo, raw)


def _do(step: Step, name: str, job: str, modelo: str, raw: dict[str, Any]) -> dict[str, Any]:
    """The one failure boundary: whatever a step raises becomes a line and a decision."""
    kit = _kit[0]
    kit.gate.pass_through()
    kit.pulse.beat("jobs")
    say = structlog.get_logger(part=f"pipeline.{name}").bind(job=job, modelo=modelo)
    try:
        answer = step(kit, job, modelo, Source.unpacked(raw))
    except HopelessError as error:
        with kit.store.write() as session:
            reject(session, job)
            retries.forget(session, job)
        say.warning(f"{name}.rejected", error=phrase(error.word, "en", **error.values))
        return {"rejected": error.word, "values": error.values}
    except Exception as error:  # noqa: BLE001 -- whatever it is, the job must not be lost
        raise _failed(kit, say, name, job, error) from None
    if name == "schedule" or answer:
        _forget_failures(kit, job)
        say.info("job.done", **answer)
    kit.pulse.beat("jobs")
    return answer


def _forget_failures(kit: Kit, job: str) -> None:
    with kit.store.read() as session:
        failed = session.get(Retry, job) is not None
    if failed:
        with kit.store.write() as session:
            retries.succeeded(session, job, time.time())


def _failed(kit: Kit, say: Any, name: str, job: str, error: Exception) -> JobFailedError:
    """Says what failed, and writes down when it is tried again."""
    world = _is_world(error)
    after = error.after if isinstance(error, WorldError) else 0.0
    plain = isinstance(error, WorldError | BrokenFileError)
    words = redacted(str(error) if plain else said(error))
    kind, now = ("world" if world else "ours"), time.time()
    try:
        with kit.store.write() as session:
            again = retries.put(session, job, kind, name, words, after, now, kit.settings)
    except DBAPIError as lost:  # `Jobs.find_orphans` will see to it
        say.error(f"{name}.failed", error=f"{words}; and {redacted(said(lost))}")
        return JobFailedError(words)
    given = {
        "file": kit.shown(getattr(error, "path", None) or getattr(error, "filename", None)),
        "url": getattr(error, "url", None) or None,
        "retry_after": after or None,
        "error": words,
    }
    if again.kind == "world":
        say.warning(f"{name}.waiting", again=round(again.at - now), **given)
    else:
        say.error(f"{name}.failed", **given)
    return JobFailedError(words)


def _is_world(error: Exception) -> bool:
    if isinstance(error, WorldError | TimeoutError | ConnectionError | DBAPIError):
        return True
    return isinstance(error, OSError) and error.errno in _WORLD
