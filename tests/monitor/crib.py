"""A child or a minder with all it needs, for a test to play with."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from monitor.model import Told
from monitor.options import Child as Settings
from monitor.options import Health, Restart, Stop
from monitor.supervise.budget import Memory
from monitor.supervise.child import Child, Spec
from monitor.supervise.family import Family
from monitor.supervise.health import Checkup
from monitor.supervise.minder import Minder

QUICK = Restart(delay=0.01, max_delay=0.08, period=60.0, probe_delay=0.2)


def spec(home: Path, argv: tuple[str, ...], name: str = "kid", **more: object) -> Spec:
    env = {"PATH": os.environ["PATH"], "VIGIA_CHILD": f"{home}:{name}"}
    given = {"directory": home, "env": env} | more
    return Spec(
        name=name,
        argv=argv,
        log=home / "logs" / f"{name}.log",
        lock=home / "data" / f"{name}.lock",
        control=home / f"{name}.sock",
        **given,  # type: ignore[arg-type]
    )


async def until(true: Callable[[], object], seconds: float = 45.0, what: str = "") -> None:
    """Wait for a condition; fail with its name when it does not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"did not come within {seconds} s: {what or true}"
        await asyncio.sleep(0.005)


def lives(pid: int) -> bool:
    """A zombie does not live."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def pid_in(file: Path) -> Callable[[], bool]:
    return lambda: file.exists() and file.read_text().strip().isdigit()


@contextlib.asynccontextmanager
async def started(spec: Spec) -> AsyncIterator[Child]:
    """A running child, ended with everything of it when the test is over."""
    import signal

    family = Family()
    family.become_reaper()
    asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, family.child_died)
    child = Child.start(spec, family)
    try:
        yield child
    finally:
        await child.stop(signal.SIGKILL, 5.0, asyncio.Event())
        await until(lambda: not family.strangers())


class Play:
    """A minder on a stage: what it told, and what it must not forget."""

    def __init__(self, home: Path, argv: tuple[str, ...], **more: object) -> None:
        self.told: list[Told] = []
        self.memory = Memory()
        self.family = Family()
        self.home = home
        given = {"restart": QUICK, "stop": Stop(timeout=1.0), "health": Health()} | more
        self.settings = Settings(command=argv, **given)  # type: ignore[arg-type]
        self.minder: Minder

    def kinds(self) -> list[str]:
        return [told.kind for told in self.told]

    def fact(self, kind: str, name: str) -> str:
        return next(dict(told.facts)[name] for told in self.told if told.kind == kind)

    def _remember(self, memory: Memory) -> None:
        self.memory = memory

    @contextlib.asynccontextmanager
    async def on(
        self, waits_for: Callable[[], asyncio.Event | None] = lambda: None
    ) -> AsyncIterator[Minder]:
        import signal

        self.family.become_reaper()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self.family.child_died)
        about = spec(self.home, self.settings.command)
        heartbeat = (
            self.home / self.settings.health.heartbeat if self.settings.health.heartbeat else None
        )
        checkup = Checkup(self.settings.health, about.control, about.log, heartbeat)
        self.minder = Minder(
            self.settings,
            about,
            checkup,
            self.family,
            self.told.append,
            self._remember,
            self.memory,
        )
        life = asyncio.create_task(self.minder.run(waits_for))
        try:
            yield self.minder
        finally:
            self.minder.hurry.set()
            self.minder.close()
            await until(self.minder.down.is_set)
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            await until(lambda: not self.family.strangers())
