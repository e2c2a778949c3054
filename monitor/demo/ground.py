"""Where the demonstration takes place: a folder, a small disk and a user, and nothing of it after."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.home import socket_path_for

MARK = "VIGIA_DEMO"  # in the environment of all that is started here
_OTHER = "nobody"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Ground:
    """The folder, and what there is on it."""

    top: Path
    user: str = ""  # as whom the pipeline runs; empty: as we do
    no_user: str = ""  # why root has no other user for it
    no_disk: str = ""  # why there is no small disk

    @property
    def home(self) -> Path:
        return self.top / "home"

    @property
    def small(self) -> Path:
        """A modelo that lives on a disk of its own."""
        return self.home / "modelos" / "luis"

    def give(self, path: Path) -> None:
        """To the user of the pipeline."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


class CalledOff(KeyboardInterrupt):
    """Somebody wants us to end; only once, so that clearing up is never cut short."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def heed_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


def _interrupt(number: int, _frame: object) -> None:
    _ignore_signals()
    raise CalledOff(number)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def laid(keep: bool) -> Iterator[Ground]:
    """Whatever happens within, no process and no mount is left after it; without `keep`, no file."""
    top = Path(tempfile.mkdtemp(prefix="vigia-demo-"))
    try:
        yield _laid(top)
    finally:
        _ignore_signals()
        _end_all(top)
        _clear(top, keep)


def _laid(top: Path) -> Ground:
    user, no_user = _other_user()
    if user:
        top.chmod(0o711)  # the other user comes through, and sees nothing of what lies beside
    ground = Ground(top, user, no_user)
    for folder in (
        ground.home,
        ground.home / "logs",
        ground.home / "data",
        ground.home / "modelos",
    ):
        folder.mkdir()
    for folder in (ground.home / "data", ground.home / "modelos"):
        ground.give(folder)
    ground.small.mkdir()
    return Ground(top, user, no_user, _mount(ground.small))


def _other_user() -> tuple[str, str]:
    """Root may write everywhere: only another user can be kept from something."""
    if os.geteuid() != 0:
        return "", ""
    try:
        entry = pwd.getpwnam(_OTHER)
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import pipeline, monitor.home"],
            user=entry.pw_uid,
            group=entry.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except (KeyError, OSError) as error:
        return "", f"{_OTHER}: {error}"
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return "", f"{_OTHER}: {last[0] if last else sys.executable}"
    return _OTHER, ""


def _mount(place: Path) -> str:
    """Empty when there is a small disk at that folder now, else why there is none."""
    if os.geteuid() != 0:
        return "root"
    command = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0755", "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.decode(errors="replace").strip() if done.returncode else ""


def started_here(top: Path) -> list[int]:
    """All that lives and was started with our mark."""
    mark, found = f"{MARK}={top}".encode(), []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


def _end_all(top: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (left := started_here(top)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _clear(top: Path, keep: bool) -> None:
    home = top / "home"
    small = home / "modelos" / "luis"
    if os.path.ismount(small):
        subprocess.run(["umount", "-l", str(small)], capture_output=True, check=False)
    with contextlib.suppress(KeyError):
        for uid in {os.geteuid(), pwd.getpwnam(_OTHER).pw_uid}:
            short = socket_path_for(home, "x", uid).parent
            if short.parent == Path("/tmp") and short.name.startswith("vigia-"):
                shutil.rmtree(short, ignore_errors=True)
    if not keep:
        for folder, _, _ in os.walk(top):
            with contextlib.suppress(OSError):
                Path(folder).chmod(0o700)  # one that was closed on purpose
        shutil.rmtree(top, ignore_errors=True)
