"""The two ways in which a server runs for a test: in a thread, or as a process that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

from monitor.demo.botapi.journal import Oracle
from monitor.demo.botapi.server import Server

_PATIENCE = 30.0  # seconds for the server to come up and to end


class Thread:
    """A loop of its own in a thread; what goes wrong at its start is raised where it was started."""

    def __init__(
        self, folder: Path, local: bool, port: int, keep: bool, oracle: Oracle | None
    ) -> None:
        self.port = port
        self._made = (folder, local, keep, oracle)
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="botapi", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 -- whoever waits for the start is told
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        server = Server(*self._made)
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        try:
            self.port = await server.start(port=self.port)
            self._ready.set()
            await self._ended.wait()
        finally:
            await server.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            raise AssertionError(f"the server did not end within {_PATIENCE} s")


class Process:
    def __init__(self, folder: Path, local: bool, port: int, keep: bool) -> None:
        command = [sys.executable, "-P", "-m", "monitor.demo.botapi", "--data", str(folder)]
        command += ["--port", str(port), *(["--local"] * local), *(["--forget"] * (not keep))]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.port = self._first_word()

    def _first_word(self) -> int:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _PATIENCE)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            self.kill()
            raise AssertionError("the server did not come up")
        number: int = json.loads(line)["port"]
        return number

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(_PATIENCE)
        finally:
            self.kill()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
