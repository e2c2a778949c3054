"""`python -m monitor.understand.prepare CACHE PACK…`: prove and compile once, for later starts."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path

from monitor.understand.loading import keep
from monitor.understand.matcher import Matcher, sought
from monitor.understand.proving import load
from monitor.understand.rule import RulesError


def main(cache: Path, packs: list[Path]) -> int:
    """Answers on stdout, pickled: the rules, or all that is wrong with them."""
    try:
        rules = load(packs)
    except RulesError as wrong:
        sys.stdout.buffer.write(pickle.dumps(wrong.faults))
        return 1
    rules = replace(rules, texts=sought(rules))
    Matcher(rules, cache=cache)
    keep(rules, packs, cache)
    sys.stdout.buffer.write(pickle.dumps(rules))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), [Path(pack) for pack in sys.argv[2:]]))
