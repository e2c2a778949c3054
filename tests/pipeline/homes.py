"""A home with a modelo, and a pipeline that runs in it as a user starts it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.monitor.vigia import until

QUICK = "settle = 0.2\nlook_every = 0.2\nretry_first = 0.2\nretry_most = 1.0\nretry_ours = 0.5\n"


class Home:
    """Everything that a test wants of one running pipeline; `start` may be called again and again."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.env = env or {}
        self.log = folder / "log.txt"
        self.control = folder / "c.sock"
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "pipeline.toml").write_text(QUICK)
        self.modelo("ana")

    def modelo(self, name: str, **config: Any) -> Path:
        place = self.folder / "modelos" / name
        (place / "inbox").mkdir(parents=True, exist_ok=True)
        config.setdefault("posting", {"targets": ["folder:posted"]})
        (place / "config.json").write_text(json.dumps(config))
        return place

    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("VIGIA_HOME", "TELEGRAM"))}
        ours = {"VIGIA_HOME": str(self.folder), "VIGIA_CONTROL": str(self.control), "LANG": "C"}
        return kept | ours | self.env

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "pipeline", *words]

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command(*words), env=self.environ(), stdout=out, stderr=out, cwd=self.folder
            )
        return self.process

    def ready(self, *words: str) -> None:
        before = self.said("event=pipeline.ready")
        self.start(*words)
        until(lambda: self.said("event=pipeline.ready") > before, 90, self.text)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environ(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 45.0) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def text(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def said(self, words: str) -> int:
        return self.text().count(words)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.0\r\nContent-Length: {len(data)}\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.control))
            connection.sendall(head.encode() + data)
            raw = b""
            while more := connection.recv(65536):
                raw += more
        top, _, rest = raw.partition(b"\r\n\r\n")
        return int(top.split()[1]), json.loads(rest)

    def job(self, job: str) -> dict[str, Any]:
        status, body = self.ask("GET", f"/jobs/{job}")
        return dict(body) if status == 200 else {"state": "unknown"}

    def wait_job(self, job: str, state: str, seconds: float = 30.0) -> dict[str, Any]:
        until(
            lambda: self.job(job)["state"] == state, seconds, lambda: (self.job(job), self.text())
        )
        return self.job(job)

    def drop(self, name: str, data: bytes, modelo: str = "ana") -> Path:
        path = self.folder / "modelos" / modelo / "inbox" / name
        path.write_bytes(data)
        return path

    def kept(self, modelo: str = "ana") -> list[Path]:
        """The files that lie in the folder of the modelo under their final names."""
        place = self.folder / "modelos" / modelo
        return sorted(p for p in place.glob("2*_*_*.*") if p.suffix != ".part")

    def posted(self, modelo: str = "ana") -> list[Path]:
        folder = self.folder / "modelos" / modelo / "posted"
        return sorted(p for p in folder.glob("*") if p.suffix not in {".json", ".part"})


@contextlib.contextmanager
def home(folder: Path, **env: str) -> Iterator[Home]:
    """Nothing of it is left running, whatever happens."""
    place = Home(folder, env)
    try:
        yield place
    finally:
        if place.process is not None and place.process.poll() is None:
            place.process.kill()
            place.process.wait()
