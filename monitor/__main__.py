"""`vigia` and `python -m monitor`."""

from __future__ import annotations

import sys

from monitor import lean as _first  # noqa: F401  (being imported first is all that it does)
from monitor.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
