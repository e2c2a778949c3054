"""The captioner that needs no network: the sender's own words, or the plain facts."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.ai.port import Caption, Facts
from pipeline.texts import phrase

LONGEST = 1024  # of a caption at Telegram


@dataclass(frozen=True, slots=True)
class Local:
    """`Vídeo de Ana, 0:42, 720p`, marked as its own."""

    source: str = "local"

    def caption(self, facts: Facts) -> Caption:
        if facts.text.strip():
            return Caption(facts.text.strip()[:LONGEST], "sender")
        words = [phrase(facts.kind.value, facts.language, who=facts.modelo)]
        if facts.duration >= 1:
            words.append(f"{int(facts.duration) // 60}:{int(facts.duration) % 60:02}")
        if facts.height:
            words.append(f"{min(facts.height, facts.width or facts.height)}p")
        return Caption(", ".join(words)[:LONGEST], self.source)
