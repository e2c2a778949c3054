"""The file is known by its content: the same bytes of the same modelo are kept once."""

from __future__ import annotations

import time
from typing import Any

from pipeline import files
from pipeline.kit import Kit
from pipeline.model import Source
from pipeline.store import media


def run(kit: Kit, job: str, modelo: str, source: Source) -> dict[str, Any]:  # noqa: ARG001 -- a step's form
    with kit.store.read() as session:
        row = media.must(session, job)
    if row.state == "stored":
        return {}
    path = kit.settings.home / row.path
    if row.state != "duplicate":
        digest = files.sha256(path, lambda _: kit.still_alive())
        first = _settle(kit, job, modelo, digest)
        if first is None:
            return {}
    # Its row says it already; only then does the second copy go.
    path.unlink(missing_ok=True)
    return {"duplicate": True}


def _settle(kit: Kit, job: str, modelo: str, digest: str) -> int | None:
    """Stored, or the number of the one that it repeats; decided for one file at a time."""
    with kit.store.write() as session:
        kit.store.alone(session, f"media {modelo}")
        row = media.must(session, job)
        row.sha256, row.stored_at = digest, time.time()
        first = media.same_content(session, row)
        if first and not (kit.settings.home / first.path).exists():
            first.state = "lost"  # somebody took it away: this is no second copy but the only one
            session.flush()
            first = None
        row.state = "duplicate" if first else "stored"
        row.duplicate_of = first.id if first else None
        return row.duplicate_of
