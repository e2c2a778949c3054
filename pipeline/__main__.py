"""`python -m pipeline`: all parts, until TERM or INT."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from pipeline.app import run
from pipeline.speech import speak_logfmt


def main() -> int:
    speak_logfmt()
    home = Path(os.environ.get("VIGIA_HOME") or Path.cwd())
    control = os.environ.get("VIGIA_CONTROL")
    return asyncio.run(run(home, os.environ, Path(control) if control else None))


if __name__ == "__main__":
    sys.exit(main())
