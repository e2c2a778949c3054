"""What one turn of following brings."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.model import Chunk, Gap


@dataclass(slots=True)
class Turn:
    """When it was, and what came of it, in the order in which it is to be handed over."""

    now: float  # monotonic
    at: float  # wall clock, for people
    out: list[Chunk | Gap] = field(default_factory=list)

    def tell(self, path: str, why: str, lost: int = 0) -> None:
        self.out.append(Gap(path, why, lost, self.at))
