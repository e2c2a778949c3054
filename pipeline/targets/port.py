"""The port: a post in, a receipt out; and what a place knows of posts whose reply was lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.model import Kind


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes out. `number` is the same whenever the same post is tried."""

    number: int
    where: str  # the target behind its kind: @channel, a folder
    modelo: str
    kind: Kind
    path: Path
    caption: str


class RefusedError(Exception):
    """The place will not take it, now or later."""


class UnknownError(Exception):
    """It left us and no answer came: it may or may not be there."""


class Target(Protocol):
    def send(self, parcel: Parcel) -> str:
        """A receipt; WorldError when nothing has gone out and it may be tried again."""
        ...

    def find(self, parcel: Parcel) -> str | None:
        """The receipt of a post that is there; None when it is not; UnknownError when the place
        cannot be asked.
        """
        ...
