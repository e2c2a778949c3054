"""A row in the ledger for each target, at the time that the rules of the modelo allow."""

from __future__ import annotations

import time
from typing import Any

from pipeline.kit import Kit
from pipeline.model import Source
from pipeline.store import media, posts


def run(kit: Kit, job: str, modelo: str, source: Source) -> dict[str, Any]:  # noqa: ARG001 -- a step's form
    posting = kit.profiles.of(modelo).posting
    if not posting.targets:
        return {}
    now = time.time()
    with kit.store.write() as session:
        kit.store.alone(session, f"posts {modelo}")
        row = media.must(session, job)
        for target in posting.targets:
            posts.plan(session, row, target, posting, now)
    kit.nudge()
    return {}
