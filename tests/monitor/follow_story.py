"""A reader to tell stories to: the bare core, or the live driver with inotify or by polling."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from monitor.follow.follower import Follower
from monitor.follow.live import follow
from monitor.model import Chunk, FileId, Gap, Position

MODES = ("core", "inotify", "polling")
DEADLINE = 20.0


def id_of(path: str | os.PathLike[str]) -> FileId:
    found = os.stat(path)
    return FileId(found.st_dev, found.st_ino)


def write(path: str | os.PathLike[str], text: str | bytes, *, new: bool = False) -> None:
    data = text.encode() if isinstance(text, str) else text
    with open(path, "wb" if new else "ab") as file:
        file.write(data)


def append(fd: int, text: str) -> None:
    os.write(fd, text.encode())


class Record:
    """What was handed over, and what it means: complete lines once, a line's rest instead of its start."""

    def __init__(self) -> None:
        self.items: list[Chunk | Gap] = []

    def add(self, turn: Sequence[Chunk | Gap]) -> None:
        self.items.extend(turn)

    @property
    def chunks(self) -> list[Chunk]:
        return [one for one in self.items if isinstance(one, Chunk)]

    @property
    def gaps(self) -> list[Gap]:
        return [one for one in self.items if isinstance(one, Gap)]

    @property
    def lines(self) -> list[str]:
        """A line that came unfinished and then whole, under the same start, is one line."""
        lines: list[tuple[tuple[FileId, int] | None, str]] = []
        for chunk in self.chunks:
            assert chunk.data
            at = chunk.start
            for text in chunk.data.split(b"\n"):
                key = (chunk.id, at)
                at += len(text) + 1
                if not text and at > chunk.start + len(chunk.data):
                    continue
                if lines and lines[-1][0] == key:
                    lines.pop()
                unfinished = at > chunk.start + len(chunk.data)
                lines.append((key if unfinished else None, text.decode("utf-8", "replace")))
        return [text for _, text in lines]


class Reader:
    """The bare core, with a clock that tests move."""

    def __init__(self, *patterns: object, mode: str = "core", **settings: object) -> None:
        settings.setdefault("rotate_wait", 5.0 if mode == "core" else 0.5)
        settings.setdefault("flush_after", 2.0 if mode == "core" else 0.4)
        self.record = Record()
        self.follower = Follower([str(one) for one in patterns], **settings)
        self.now = 1000.0

    lines = property(lambda self: self.record.lines)
    gaps = property(lambda self: self.record.gaps)

    def poll(self, seconds: float = 0.1) -> None:
        self.now += seconds
        turn = self.follower.poll(self.now, 0.0)
        self.record.add(turn)
        while self.follower.behind and turn:
            turn = self.follower.poll(self.now, 0.0)
            self.record.add(turn)

    def until(self, *lines: str) -> None:
        self.wait(lambda: self.lines == list(lines), lines)

    def wait(self, holds: Callable[[], bool], what: object = "") -> None:
        for _ in range(50):
            self.poll()
            if holds():
                break
        assert holds(), (what, self.lines, self.gaps)
        self.poll()
        assert holds(), (what, self.lines, self.gaps)

    def rest(self, seconds: float) -> None:
        """Time passes in which nobody writes."""
        end = self.now + seconds
        while self.now < end:
            self.poll(min(0.5, end - self.now))

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        yield

    def close(self) -> list[Position]:
        positions = self.follower.positions()
        self.follower.close()
        return positions

    def kill(self, *, reading: bool) -> tuple[list[Position], list[str]]:
        """What was written down last; with `reading`, there was one more turn that was not."""
        positions, lines = self.follower.positions(), self.lines
        if reading:
            self.follower.poll(self.now + 0.1, 0.0)
        self.follower.close()
        return positions, lines


class LiveReader(Reader):
    """The driver in a thread of its own, as the monitor runs it."""

    def __init__(self, *patterns: object, mode: str, **settings: object) -> None:
        super().__init__(*patterns, mode=mode, **settings)
        self.turns = itertools.count()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, args=(mode == "inotify",), daemon=True)
        self.ready = threading.Event()
        self.thread.start()
        assert self.ready.wait(DEADLINE)

    def _run(self, inotify: bool) -> None:
        self.task = self.loop.create_task(self._follow(inotify))
        with contextlib.suppress(asyncio.CancelledError):
            self.loop.run_until_complete(self.task)
        self.loop.close()

    async def _follow(self, inotify: bool) -> None:
        self.record.add(self.follower.poll(time.monotonic(), 0.0))
        self.ready.set()
        await follow(self.follower, self.record.add, inotify=inotify)

    def poll(self, seconds: float = 0.1) -> None:
        """Nothing to do: it polls by itself."""

    def wait(self, holds: Callable[[], bool], what: object = "") -> None:
        end = time.monotonic() + DEADLINE
        while not self._sees(holds) and time.monotonic() < end:
            time.sleep(0.005)  # between two looks at a condition that has a deadline
        assert self._sees(holds), (what, self.lines, self.gaps)

    def _sees(self, holds: Callable[[], bool]) -> bool:
        """The condition is looked at by the thread that changes what it is about."""
        answer: list[bool] = []
        done = threading.Event()
        self.loop.call_soon_threadsafe(lambda: (answer.append(holds()), done.set()))
        assert done.wait(DEADLINE)
        return answer[0]

    def rest(self, seconds: float) -> None:
        time.sleep(seconds)  # a real duration is what these rows are about

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        held, go_on = threading.Event(), threading.Event()
        self.loop.call_soon_threadsafe(lambda: (held.set(), go_on.wait(DEADLINE)))
        assert held.wait(DEADLINE)
        try:
            yield
        finally:
            go_on.set()

    def close(self) -> list[Position]:
        self._end()
        return super().close()

    def kill(self, *, reading: bool) -> tuple[list[Position], list[str]]:
        self._end()
        return super().kill(reading=reading)

    def _end(self) -> None:
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.task.cancel)
            self.thread.join(DEADLINE)


def reader(*patterns: object, mode: str = "core", **settings: object) -> Reader:
    kind = Reader if mode == "core" else LiveReader
    return kind(*patterns, mode=mode, **settings)
