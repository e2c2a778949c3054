"""`vigia` and `python -m monitor`."""

from __future__ import annotations

import sys

from monitor import lean
from monitor.cli import run

assert lean  # nothing of it is called: being imported first is what it does


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
