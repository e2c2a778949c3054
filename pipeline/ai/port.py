"""The port: facts of a file in, a caption out that says who wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.model import Kind


@dataclass(frozen=True, slots=True)
class Facts:
    modelo: str
    language: str
    prompt: str
    kind: Kind
    path: Path
    mime: str = ""
    size: int = 0
    text: str = ""  # what the sender wrote
    duration: float = 0.0
    width: int = 0
    height: int = 0


OURS = ("sender", "local", "fallback")  # sources that have not looked into the file


@dataclass(frozen=True, slots=True)
class Caption:
    text: str
    source: str  # sender, local, fallback, or the provider and model


class Captioner(Protocol):
    def caption(self, facts: Facts) -> Caption: ...
