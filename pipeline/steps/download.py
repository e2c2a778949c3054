"""The file comes into the folder of its modelo: whole, under its final name, or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.kit import Kit
from pipeline.model import HopelessError, Source, WorldError
from pipeline.store import media

BROKEN = "broken"


def run(kit: Kit, job: str, modelo: str, source: Source) -> dict[str, Any]:
    with kit.store.write() as session:
        name = files.new_name(
            source.kind, source.name, source.mime, source.received_at or time.time()
        )
        row = media.reserve(session, job, modelo, source, f"modelos/{modelo}/{name}")
        path, size, verified = row.path, row.size, row.verified
    final, was_broken = kit.settings.home / path, verified == BROKEN
    if was_broken:
        _set_aside(final)
    there = files.size_of(final)
    if there is None or (size and there != size):
        _bring(kit, source, final, was_broken)
        there = final.stat().st_size
    if (there, "") != (size, verified):
        with kit.store.write() as session:
            row = media.must(session, job)
            row.size, row.verified = there, ""
    return {}


def _set_aside(final: Path) -> None:
    """A copy that proved broken and that nobody has taken away since: kept, and out of the way."""
    if final.exists():
        folder = final.parent / BROKEN
        folder.mkdir(exist_ok=True)
        os.replace(final, folder / f"{final.stem}.{int(time.time())}{final.suffix}")


def _bring(kit: Kit, source: Source, final: Path, was_broken: bool) -> None:
    went_on = _progress(kit, source.size)
    if source.file_id:
        _from_telegram(kit, source, final, went_on)
        return
    try:
        files.take(Path(source.path), final, went_on)
    except FileNotFoundError as error:
        if not final.parent.is_dir():
            raise FileNotFoundError(error.errno, error.strerror, str(final)) from None
        raise HopelessError("no_copy" if was_broken else "vanished") from None


def _from_telegram(kit: Kit, source: Source, final: Path, went_on: Callable[[int], None]) -> None:
    if kit.api is None:
        raise WorldError("there is no TELEGRAM_TOKEN to fetch it with", after=60.0)
    where = kit.api.locate(source.file_id)
    here = kit.api.seen_by_us(where)
    if here is not None and here.exists():
        files.take(here, final, went_on)
        _insist_on(source.size, final.stat().st_size, final)
        return
    part = files.part_of(final)
    start = files.size_of(part) or 0
    if source.size and start > source.size:
        start = 0
    with kit.api.fetch(where.lstrip("/"), start) as (begins, whole, pieces):
        size = files.append(part, pieces, begins, went_on)
    _insist_on(source.size or whole or 0, size, part)
    files.finish(part, final)


def _insist_on(wanted: int, size: int, path: Path) -> None:
    """A body that ends early is no error to HTTP when its length was not said."""
    if not wanted or size == wanted:
        return
    if size > wanted:
        path.unlink()
    raise WorldError(f"the download ended early: {size} of {wanted} bytes of {path.name}")


def _progress(kit: Kit, size: int) -> Callable[[int], None]:
    last = time.monotonic()

    def went_on(done: int) -> None:
        nonlocal last
        kit.still_alive()
        if (now := time.monotonic()) - last >= 1.0:
            last = now
            kit.progress("download", done / size if size else 0.0)

    return went_on
