"""The rules and their compiled form, made once for all tests that classify."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from monitor.understand.classify import Classifier
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, Rules


@cache
def folder() -> Path:
    """Where compiled forms are kept, for the monitors that tests start as well."""
    return Path(os.environ["VIGIA_CACHE"])


@cache
def rules() -> Rules:
    return prepared((PACKS,), folder())


def classifier() -> Classifier:
    """A new classifier that remembers nothing."""
    return Classifier(rules(), cache=folder())
