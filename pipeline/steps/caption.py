"""The text that goes with the file; whoever fails to write it, the next one does. What a provider
saw in it is kept with the memory of who sent it, too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from pipeline.ai.port import OURS, Facts
from pipeline.kit import Kit
from pipeline.model import Source
from pipeline.store import media
from pipeline.store.tables import Memory


def run(kit: Kit, job: str, modelo: str, source: Source) -> dict[str, Any]:
    with kit.store.read() as session:
        row = media.must(session, job)
    if row.caption:
        return {}
    profile = kit.profiles.of(modelo)
    facts = Facts(
        modelo=profile.display,
        language=profile.language,
        prompt=profile.caption_prompt,
        kind=source.kind,
        path=kit.settings.home / row.path,
        mime=row.mime,
        size=row.size,
        text=row.text,
        duration=row.duration,
        width=row.width,
        height=row.height,
    )
    written = kit.captioner.caption(facts)
    with kit.store.write() as session:
        row = media.must(session, job)
        row.caption, row.caption_source = written.text, written.source
        if written.source not in OURS:
            seen = update(Memory).where(Memory.job == job, Memory.forgotten_at.is_(None))
            session.execute(seen.values(description=written.text))
    return {}
