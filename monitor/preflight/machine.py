"""The machine: Python and packages, room, limits, the clock, programs that the pipeline calls."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from monitor.preflight.finding import Finding, off, ready, warning, wrong

ENGINES = {"hyperscan": "hyperscan", "google-re2": "re2"}  # distribution: module
NEEDED_FILES = 1024
NEEDED_WATCHES = 1024
NEEDED_INSTANCES = 8
LANGUAGES = ("spa", "eng")
_INOTIFY = Path("/proc/sys/fs/inotify")


def python() -> Iterator[Finding]:
    """This Python, the packages that the core requires, and an engine for the rules."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield (
        ready("python", version=version)
        if sys.version_info >= (3, 11)
        else wrong("python_old", version=version)
    )
    missing = [name for name in _required() if not _is_installed(name)]
    if missing:
        yield wrong("packages_missing", names=" ".join(missing), python=sys.executable)
    else:
        yield ready("packages")
    engines = [name for name, module in ENGINES.items() if importlib.util.find_spec(module)]
    if not engines:
        yield wrong("no_engine", python=sys.executable)
    elif "hyperscan" not in engines:
        yield off("slow_engine", python=sys.executable)


def _required() -> list[str]:
    try:
        needs = importlib.metadata.requires("vigia") or []
    except importlib.metadata.PackageNotFoundError:  # run from a checkout as it is
        return ["watchdog", "python-telegram-bot", "python-dotenv", "psutil", "tenacity", "orjson"]
    names = [re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return [name for name in names if name not in ENGINES]


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def limits() -> Iterator[Finding]:
    """How many files may be open, and how much inotify may watch."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < NEEDED_FILES:
        yield warning("few_files", count=files)
    watches, instances = _number("max_user_watches"), _number("max_user_instances")
    free = instances - _instances_in_use()
    if watches < NEEDED_WATCHES:
        yield warning("few_watches", count=watches)
    elif free < NEEDED_INSTANCES:
        yield warning("few_instances", count=instances, free=max(0, free))
    else:
        yield ready("inotify", watches=watches, free=free)


def _number(name: str) -> int:
    try:
        return int((_INOTIFY / name).read_text())
    except (OSError, ValueError):
        return 0


def _instances_in_use() -> int:
    """Of our user, as far as we may see."""
    count = 0
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and process.stat().st_uid == os.getuid():
                links = (os.readlink(fd) for fd in (process / "fd").iterdir())
                count += sum(link == "anon_inode:inotify" for link in links)
    return count


def clock(now: float | None = None) -> Iterator[Finding]:
    """TLS fails and records lie when it is wrong."""
    made = Path(__file__).stat().st_mtime
    at = time.time() if now is None else now
    if at < made - 86400:
        yield wrong("clock_behind", now=time.strftime("%Y-%m-%d %H:%M", time.localtime(at)))
    elif _is_synchronised() is False:
        yield warning("clock_free")
    else:
        yield ready("clock")


def _is_synchronised() -> bool | None:
    """None where nobody can say."""
    said = _said(["timedatectl", "show", "-p", "NTPSynchronized", "--value"])
    return {"yes": True, "no": False}.get(said.strip())


def tools() -> Iterator[Finding]:
    """What the pipeline calls when it is there."""
    found = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name)]
    yield ready("ffmpeg") if len(found) == 2 else off("ffmpeg_missing")
    if not shutil.which("tesseract"):
        yield off("tesseract_missing")
        return
    known = _said(["tesseract", "--list-langs"]).split()
    missing = [language for language in LANGUAGES if language not in known]
    if missing:
        packages = " ".join(f"tesseract-ocr-{language}" for language in missing)
        yield off("tesseract_language", names=" ".join(missing), packages=packages)
    else:
        yield ready("tesseract")


def _said(command: list[str]) -> str:
    """What a program prints; nothing when it cannot be asked."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=1.0,
            stdin=subprocess.DEVNULL,
        ).stdout
    return ""
