"""The children's lines on our terminal, as they come; a slow terminal never slows anything."""

from __future__ import annotations

import os
import queue
import re
import threading

from monitor.redact import printable, redact

_ROOM = 2 << 20  # bytes waiting for a slow terminal; beyond it lines are only counted
_LEVEL = re.compile(
    r"^.{0,80}?\b(?:(CRITICAL|FATAL|ERROR|PANIC)|(WARN(?:ING)?|AVISO)|(DEBUG|TRACE))\b"
)
_RED, _YELLOW, _GREY, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[90m", "\x1b[0m"


class Echo:
    """A thread of its own writes; `show` only hands over, or counts what there is no room for."""

    def __init__(self, fd: int, *, colour: bool) -> None:
        self._fd = fd
        self._colour = colour
        self._waiting: queue.SimpleQueue[tuple[int, str, bytes] | None] = queue.SimpleQueue()
        self._bytes = 0
        self._missed = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_all, name="echo", daemon=True)
        self._thread.start()

    def show(self, name: str, data: bytes) -> None:
        """Whole lines of one child; `name` stands before each when it is not empty."""
        with self._lock:
            if self._bytes + len(data) > _ROOM:
                self._missed += data.count(b"\n")
                return
            self._bytes += len(data)
            missed, self._missed = self._missed, 0
            self._waiting.put((missed, name, bytes(data)))

    def close(self, patience: float = 3.0) -> None:
        """Write what waits, but not for ever: the terminal may be gone or stopped."""
        self._waiting.put(None)
        self._thread.join(patience)

    def _write_all(self) -> None:
        """What was missed is said where it is missing, or as soon as nothing else waits."""
        while (item := self._waiting.get()) is not None:
            missed, name, data = item
            text = _missing(missed) + "".join(self._dressed(name, line) for line in _lines(data))
            if not _write(self._fd, text.encode(errors="replace")):
                return
            with self._lock:
                self._bytes -= len(data)
            if self._waiting.empty() and not self._own_up():
                return
        self._own_up()

    def _own_up(self) -> bool:
        with self._lock:
            missed, self._missed = self._missed, 0
        return _write(self._fd, _missing(missed).encode())

    def _dressed(self, name: str, line: str) -> str:
        shown = printable(redact(line))
        if name:
            shown = f"{name} │ {shown}"
        colour = _colour_of(line) if self._colour else ""
        return f"{colour}{shown}{_PLAIN}\n" if colour else f"{shown}\n"


def _missing(count: int) -> str:
    return f"… {count:,} lines not shown here; they are in the log\n" if count else ""


def _lines(data: bytes) -> list[str]:
    text = data.decode(errors="replace")
    return [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]


def _colour_of(line: str) -> str:
    level = _LEVEL.match(line)
    if level is None:
        return ""
    return _RED if level[1] else _YELLOW if level[2] else _GREY


def _write(fd: int, data: bytes) -> bool:
    """All of it, however slowly it is taken; False when nobody takes it any more."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            threading.Event().wait(0.01)
        except OSError:
            return False
    return True
