"""A whole monitor in a home of its own, started as a user starts it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from monitor.ask import NobodyThereError, ask
from tests.monitor.crib import lives


def until(true: Callable[[], object], seconds: float = 45.0, what: object = "") -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            shown = what() if callable(what) else what
            raise AssertionError(f"did not come within {seconds} s: {shown or true}")
        time.sleep(0.01)


def records(home: Path) -> list[dict[str, Any]]:
    """All of them, read as a reader should: again when a write came in between."""
    file = home / "logs" / "errors.json"
    found: list[dict[str, Any]] = []
    wrong = ""

    def is_whole() -> bool:
        nonlocal found, wrong
        try:
            found = json.loads(file.read_bytes())
        except FileNotFoundError:
            found = []
        except json.JSONDecodeError as error:
            wrong = str(error)
            return False
        return True

    until(is_whole, 2, what=lambda: wrong)
    return found


class Vigia:
    """`vigia run` in `home`; what it prints goes to a file beside."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.output = home / "output.txt"
        self.process: subprocess.Popen[bytes]

    def configure(self, toml: str) -> None:
        """How full the disk of this machine is, is nobody's trouble here."""
        if "[disk]" not in toml:
            toml += "\n[disk]\nwarn = 0\ncritical = 0\n"
        (self.home / "vigia.toml").write_text(toml)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "monitor", *words]

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        environ = {
            k: v
            for k, v in os.environ.items()
            if k == "VIGIA_CACHE" or not k.startswith(("VIGIA", "LC_"))
        }
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                self.command("run", "--home", str(self.home), *arguments),
                env=environ | {"LANG": "C.UTF-8"} | (env or {}),
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of the operator."""
        command = self.command(words[0], "--home", str(self.home), *words[1:])
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def status(self) -> dict[str, Any]:
        with contextlib.suppress(NobodyThereError, json.JSONDecodeError):
            answer: dict[str, Any] = ask(self.home, "status", 5.0)
            return answer
        return {"children": []}

    def child(self, name: str = "pipeline") -> dict[str, Any]:
        return next((c for c in self.status()["children"] if c["name"] == name), {"state": "?"})

    def wait_state(self, state: str, name: str = "pipeline") -> dict[str, Any]:
        until(lambda: self.child(name)["state"] == state, what=lambda: (state, self.text()))
        return self.child(name)

    def text(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def diary(self) -> str:
        file = self.home / "logs" / "monitor.log"
        return file.read_text() if file.exists() else ""

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 60.0) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def descendants(self) -> list[int]:
        """All that lives and was started in this home."""
        mark = f"VIGIA_CHILD={self.home}:".encode()
        found = []
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if process.name.isdigit() and mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return [pid for pid in found if lives(pid)]


@contextlib.contextmanager
def vigia(home: Path) -> Iterator[Vigia]:
    """A monitor to play with; whatever happens, nothing of it is left."""
    monitor = Vigia(home)
    try:
        yield monitor
    finally:
        if hasattr(monitor, "process") and monitor.process.poll() is None:
            monitor.process.send_signal(signal.SIGTERM)
            monitor.process.send_signal(signal.SIGCONT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                monitor.process.wait(15)
            monitor.process.kill()
            monitor.process.wait()
        for pid in monitor.descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
