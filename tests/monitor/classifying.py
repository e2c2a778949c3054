"""The rules and their compiled form, made once for all tests that classify."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from monitor.understand.classify import Classifier
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, Rules


@cache
def folder() -> Path:
    """Where compiled forms are kept; a folder of the user's, found again by the next run."""
    path = Path(tempfile.gettempdir()) / "vigia-tests-rules"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


@cache
def rules() -> Rules:
    return prepared((PACKS,), folder())


def classifier() -> Classifier:
    """A new classifier that remembers nothing."""
    return Classifier(rules(), cache=folder())
