"""Rules are loaded whole or not at all: every rule proves itself by its own sample lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.understand.packs import parse
from monitor.understand.proof import faults_of
from monitor.understand.rule import Fault, Rule, Rules, RulesError, Weight

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PACKS", "Fault", "Rule", "Rules", "RulesError", "Weight", "load"]

PACKS = Path(__file__).parent / "rules"


def load(packs: Sequence[Path] = (PACKS,), proved: Path | None = None) -> Rules:
    """The rules of these packs, or one RulesError with all that is wrong.

    `proved` is a folder that remembers which texts have proved themselves, so that an unchanged
    set of rules starts without being proved again.
    """
    rules, faults = parse(packs)
    seal = proved / f"rules-{rules.digest[:32]}.proved" if proved else None
    if not faults and seal and seal.exists():
        return rules
    faults += faults_of(rules, {fault.what.split(":", 1)[0] for fault in faults})
    if faults:
        raise RulesError(faults)
    if seal:
        seal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        seal.touch(mode=0o600)
    return rules
