"""The words of the pipeline: where something comes from, how a job stands, how work can fail."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a file is, as far as its treatment differs."""

    VIDEO = "video"
    PHOTO = "photo"
    DOCUMENT = "document"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Source:
    """Where one file comes from. `key` names it for ever: the same key is the same job."""

    key: str
    kind: Kind
    file_id: str = ""  # at Telegram; empty for a file of this machine
    path: str = ""  # on this machine; empty for a file at Telegram
    size: int = 0  # as declared; 0 when nobody said
    name: str = ""  # what the sender called it
    mime: str = ""
    duration: float = 0.0
    text: str = ""  # what the sender wrote under it
    user_id: int = 0
    chat_id: int = 0
    message_id: int = 0
    received_at: float = 0.0

    def at(self, path: str) -> Source:
        """The same source, whose file lies elsewhere now."""
        return replace(self, path=path)

    def packed(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def unpacked(cls, raw: dict[str, Any]) -> Source:
        """Also of what an older version packed: keys that are gone are left out."""
        known = {name: raw[name] for name in cls.__dataclass_fields__ if name in raw}
        return cls(**{**known, "kind": Kind(raw["kind"])})


class JobState(StrEnum):
    """How a job stands; the last three are ends, in the words that the monitor waits for."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # the world failed; it is tried again by itself
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class JobView:
    """What is said of one job to people and to the monitor."""

    id: str
    state: JobState
    percent: int
    step: str
    words: str
    modelo: str = ""
    error: str = ""
    rejected: bool = False
    again_at: float | None = None
    created_at: float = 0.0
    finished_at: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class WorldError(Exception):
    """Something outside failed; the same again later may well succeed."""

    def __init__(self, why: str, after: float = 0.0, url: str = "") -> None:
        super().__init__(why, after, url)
        self.why, self.after, self.url = why, after, url

    def __str__(self) -> str:
        return self.why


class BrokenFileError(Exception):
    """The file is not what was sent: cut, holed, or no such format. Fetching it again may help."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"corrupt_file: {self.why}"


class HopelessError(Exception):
    """No repetition helps: the sender is told why (`word` of the texts, and what fills it)."""

    def __init__(self, word: str, **values: str) -> None:
        super().__init__(word, values)
        self.word, self.values = word, values

    def __reduce__(self) -> tuple[Any, ...]:
        return _hopeless, (self.word, self.values)

    def __str__(self) -> str:
        return f"{self.word} {' '.join(self.values.values())}".strip()


def _hopeless(word: str, values: dict[str, str]) -> HopelessError:
    return HopelessError(word, **values)


class SettingsError(Exception):
    """All that is wrong with the configuration, one sentence each."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(self.faults)
