"""The players: a Telegram, the monitor with the real pipeline, Ana who sends, the admin who is told."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from monitor.ask import NobodyThereError, ask
from monitor.config import PIPELINE_KEYS, WITHHELD
from monitor.demo import films
from monitor.demo.botapi import BotApi
from monitor.demo.ground import MARK, Ground

CRASHER = "crasher"
_STARTS = 45.0  # seconds for the monitor and the pipeline to be there, also on a slow machine
_PIPELINE = """\
settle = 0.2
look_every = 0.5
batch_window = 0.5
retry_first = 1
retry_most = 2
retry_ours = 600
"""
# A program that wants a file before it works; it says what is missing, and no more.
_NEEDS_SETTINGS = 'test -s data/crasher.conf || { echo "crasher: no port is set"; exit 1; }; echo "crasher: at work"; exec sleep 600'


class TooLateError(Exception):
    """What was waited for did not come."""


class Stage:
    def __init__(self, ground: Ground, lang: str) -> None:
        self.ground = ground
        self.home = ground.home
        self.lang = lang
        self.api = BotApi(ground.top / "telegram", process=True)
        self.sent = 0
        self._monitor: subprocess.Popen[bytes] | None = None

    # --- its life --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """Everybody in place; at the end asked to leave, whatever happens."""
        os.environ[MARK] = str(self.ground.top)
        try:
            self.api.start()
            self._cast()
            yield
        finally:
            self._leave()

    def _cast(self) -> None:
        self.admin = self.api.user("Admin")
        self.ana, self.luis = self.api.user("Ana"), self.api.user("Luis")
        self.channel = self.api.group("Canal", "channel", status="administrator")
        self._modelo("ana", self.ana)
        self._modelo("luis", self.luis)
        (self.home / "pipeline.toml").write_text(_PIPELINE)
        (self.home / "vigia.toml").write_text(self._settings())
        secrets = self.home / ".env"
        secrets.touch(0o600)
        secrets.write_text(
            f"TELEGRAM_TOKEN={self.api.token}\nADMIN_ID={self.admin}\n"
            f"USE_LOCAL_BOT_API=1\nTELEGRAM_BOT_API_LOCAL_URL={self.api.url}\n"
        )

    def _modelo(self, name: str, user: int) -> None:
        folder = self.home / "modelos" / name
        folder.mkdir(exist_ok=True)
        self.ground.give(folder)
        told = {"telegram_user_id": user, "posting": {"targets": [f"telegram:{self.channel}"]}}
        (folder / "config.json").write_text(json.dumps(told))
        self.ground.give(folder / "config.json")

    def _settings(self) -> str:
        """As few as make a night fit into a minute, and for a disk of 8 MB."""
        roots = ["modelos", "data", "logs", *(["modelos/luis"] if not self.ground.no_disk else [])]
        return f"""\
lang = "{self.lang}"
roots = {json.dumps(roots)}
repair = {{ quiet = "2s" }}
disk = {{ warn = "1MB", critical = "1MB", target = "4MB", every = "1s" }}
alerts = {{ group = "1s", edit_every = "1s", digest = "" }}

[[ladders.server_down]]
do = "probe_server"
attempts = 30
delay = "1s"
max_delay = "1s"

[children.pipeline]
user = "{self.ground.user}"

[children.{CRASHER}]
command = {json.dumps(["/bin/sh", "-c", _NEEDS_SETTINGS])}
autostart = false
restart = {{ delay = "0.2s", max_delay = "0.5s", stable = "3s" }}
"""

    def start(self) -> int:
        """The monitor, and its pipeline at work; the pid of the monitor."""
        command = [sys.executable, "-P", "-m", "monitor", "run", "--home", str(self.home)]
        with (self.ground.top / "output.txt").open("ab") as out:
            self._monitor = subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.home,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl+C is for us; we end it in order
            )
        self.until(lambda: "event=pipeline.ready" in self.log() or self._died(), _STARTS)
        if self._died():
            raise TooLateError((self.ground.top / "output.txt").read_text()[-2000:])
        return self._monitor.pid

    def _environment(self) -> dict[str, str]:
        """Nothing of the person's own: an exported token would be that of a real bot."""
        own = {*PIPELINE_KEYS, *WITHHELD, "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in own and (name in (MARK, "VIGIA_CACHE") or not name.startswith("VIGIA_"))
        }
        near = "127.0.0.1,localhost"
        return kept | {"VIGIA_LANG": self.lang, "NO_PROXY": near, "no_proxy": near}

    def _died(self) -> bool:
        return self._monitor is not None and self._monitor.poll() is not None

    def _leave(self) -> None:
        if self._monitor is not None and self._monitor.poll() is None:
            self._monitor.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._monitor.wait(15.0)
        with contextlib.suppress(OSError, AssertionError):
            self.api.stop()

    # --- what people do --------------------------------------------------------------------------

    def film(self, user: int, more: int = 0) -> str:
        """A film that there was never before; the words under it, by which it is known again."""
        self.sent += 1
        caption = f"video {self.sent}"
        data = films.film(self.sent, more)
        self.api.send(user, "video", data=data, name=f"{self.sent}.mp4", caption=caption)
        return caption

    def photos(self, user: int, count: int) -> None:
        """One album; its words stand under the first."""
        items = [
            {"kind": "photo", "data": films.picture(number), "name": f"{number}.jpg"}
            for number in range(count)
        ]
        self.api.album(user, items)

    def vigia(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the operator."""
        command = [sys.executable, "-P", "-m", "monitor", words[0], "--home", str(self.home)]
        return subprocess.run(
            [*command, *words[1:]],
            env=self._environment(),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    # --- what is to be seen ----------------------------------------------------------------------

    def until(self, true: Callable[[], Any], seconds: float) -> Any:
        """What it says as soon as it says anything."""
        deadline = time.monotonic() + seconds
        while not (found := true()):
            if time.monotonic() > deadline:
                raise TooLateError(f"{seconds:g} s")
            time.sleep(0.05)
        return found

    def log(self) -> str:
        file = self.home / "logs" / "pipeline.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def records(self) -> list[dict[str, Any]]:
        """Between two writes of one moment the bracket may be missing: then the next look tells."""
        try:
            found: list[dict[str, Any]] = json.loads((self.home / "logs/errors.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        return found

    def child(self, name: str) -> dict[str, Any]:
        try:
            children = ask(self.home, "status", 5.0)["children"]
        except NobodyThereError:
            return {"state": "?", "up": 0.0, "why": "", "pid": None}
        return next(one for one in children if one["name"] == name)

    def in_channel(self) -> list[str]:
        """The words under what is posted there."""
        try:
            return [str(one.text) for one in self.api.said(self.channel)]
        except OSError:
            return []  # it is down at the moment

    def is_downloading(self, modelo: str) -> bool:
        return any((self.home / "modelos" / modelo).glob("*.part"))

    def path(self, *names: str) -> Path:
        return self.home.joinpath(*names)
