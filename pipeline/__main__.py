"""`python -m pipeline`: all parts, until TERM or INT; and the commands of a person."""

from __future__ import annotations

import sys

from pipeline.commands import main

if __name__ == "__main__":
    main(sys.argv[1:])
