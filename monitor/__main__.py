"""`vigia` and `python -m monitor`."""

from __future__ import annotations

import os
import sys

from monitor import lean as _first  # noqa: F401  (being imported first is all that it does)
from monitor.cli import run


def main() -> None:
    for fd in range(3):  # what is closed would be taken by the next file that is opened
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
