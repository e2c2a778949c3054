"""Rules are loaded whole or not at all: every rule proves itself by its own sample lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monitor.understand.packs import parse
from monitor.understand.proof import faults_of
from monitor.understand.rule import PACKS, Rules, RulesError


def load(packs: Sequence[Path] = (PACKS,)) -> Rules:
    """The rules of these packs, or one RulesError with all that is wrong."""
    rules, faults = parse(packs)
    faults += faults_of(rules, {fault.what.split(":", 1)[0] for fault in faults})
    if faults:
        raise RulesError(faults)
    return rules
