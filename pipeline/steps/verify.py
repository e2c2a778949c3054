"""Whether the file is what was sent; by which level that was found out is written down."""

from __future__ import annotations

from typing import Any

from pipeline.checks import check
from pipeline.kit import Kit
from pipeline.model import BrokenFileError, Source
from pipeline.steps.download import BROKEN
from pipeline.store import media


def run(kit: Kit, job: str, modelo: str, source: Source) -> dict[str, Any]:  # noqa: ARG001 -- a step's form
    with kit.store.read() as session:
        row = media.must(session, job)
    path = kit.settings.home / row.path
    if row.verified:
        return {}
    try:
        found = check(path, source.size or row.size, kit.settings.step_limit, kit.still_alive)
    except BrokenFileError:
        with kit.store.write() as session:
            media.must(session, job).verified = BROKEN
        raise
    with kit.store.write() as session:
        row = media.must(session, job)
        row.verified = found.level
        row.duration = found.duration or row.duration
        row.width, row.height = found.width or row.width, found.height or row.height
    return {}
