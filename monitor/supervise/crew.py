"""All children of a home: made from the configuration, in order up, in reverse order down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from monitor.config import Config, child_environment, in_order
from monitor.home import socket_path, socket_path_for
from monitor.model import ChildState, FileId, LastWords, Told, View
from monitor.options import Child
from monitor.supervise.budget import Memory
from monitor.supervise.child import Spec
from monitor.supervise.family import Family
from monitor.supervise.health import Checkup
from monitor.supervise.minder import ENDED_FOR_GOOD, Minder
from monitor.supervise.tree import Tree


class Memories(Protocol):
    """Where it is kept what a minder must not forget when the monitor dies."""

    def recall(self, name: str) -> Memory: ...

    def remember(self, name: str, memory: Memory) -> None: ...


class Crew:
    """The minders by name; who is added here is run, who leaves is stopped first."""

    def __init__(
        self,
        environ: Mapping[str, str],
        umask: int,
        family: Family,
        tell: Callable[[Told], None],
        memories: Memories,
    ) -> None:
        self.minders: dict[str, Minder] = {}
        self.last_words: dict[str, LastWords | None] = {}  # also of those that are gone
        self.parts: asyncio.TaskGroup  # in which lives are lived
        self._environ = environ
        self._umask = umask
        self._family = family
        self._tell = tell
        self._memories = memories
        self._lives: dict[str, asyncio.Task[None]] = {}

    def views(self) -> list[View]:
        return [minder.view() for minder in self.minders.values()]

    def add(self, name: str, config: Config) -> None:
        """Begin the life of that child."""
        spec = spec_of(name, config, self._environ, self._umask)
        health = config.children[name].health
        heartbeat = config.home / health.heartbeat if health.heartbeat else None
        checkup = Checkup(health, spec.control, spec.log, heartbeat)
        memory = self._memories.recall(name)
        self.last_words[name] = memory.last_words
        minder = self.minders[name] = Minder(
            config.children[name],
            spec,
            checkup,
            self._family,
            self._tell,
            lambda memory: self._remember(name, memory),
            memory,
        )
        life = minder.run(lambda: self._waits_for(name))
        self._lives[name] = self.parts.create_task(life, name=f"child {name}")

    def _remember(self, name: str, memory: Memory) -> None:
        self.last_words[name] = memory.last_words
        self._memories.remember(name, memory)

    def _waits_for(self, name: str) -> asyncio.Event | None:
        """The first one it must wait for that is not up yet."""
        for other in self.minders[name].settings.after:
            if other in self.minders and not self.minders[other].running.is_set():
                return self.minders[other].running
        return None

    async def remove(self, name: str) -> None:
        """Stop it and end its life."""
        minder = self.minders[name]
        minder.close()
        await minder.down.wait()
        self._lives.pop(name).cancel()
        del self.minders[name]

    async def apply(self, old: Config, new: Config) -> list[str]:
        """Change what has changed and nothing else; which children that were."""
        changed = [
            name
            for name in {**old.children, **new.children}
            if _section(name, old, self._environ) != _section(name, new, self._environ)
        ]
        for name in reversed([n for n in in_order(old.children) if n in changed]):
            await self.remove(name)
        for name in [n for n in in_order(new.children) if n in changed]:
            self.add(name, new)
        return changed

    async def close(self) -> None:
        """Stop all, each after those that wait for it."""
        for name in reversed(list(self.minders)):
            await self.remove(name)

    def writes_to(self, id: FileId) -> bool:
        """Whether a running child still writes to that file, whatever its name is now."""
        children = (minder.child for minder in self.minders.values())
        return any(child is not None and child.log == id for child in children)

    def tree_of(self, name: str) -> Tree:
        """All that could write to that child's log; nobody while it is down."""
        minder = self.minders.get(name)
        if minder is None or minder.child is None:
            return Tree((), "")
        return minder.child.tree

    def hurry(self) -> None:
        for minder in self.minders.values():
            minder.hurry.set()

    def is_over(self) -> bool:
        """There were children, and none of them will run again by itself."""
        states = [minder.state for minder in self.minders.values()]
        return bool(states) and all(state in ENDED_FOR_GOOD for state in states)

    async def all_tried(self) -> None:
        for minder in list(self.minders.values()):
            await minder.tried.wait()

    def longest_stop(self) -> float:
        return sum(minder.settings.stop.timeout for minder in self.minders.values())

    def any_given_up(self) -> bool:
        return any(minder.state is ChildState.GIVEN_UP for minder in self.minders.values())


def _section(
    name: str, config: Config, environ: Mapping[str, str]
) -> tuple[Child, dict[str, str]] | None:
    """All that a start depends on: a changed token is a changed child."""
    child = config.children.get(name)
    return None if child is None else (child, child_environment(name, child, config, environ))


def control_of(name: str, config: Config) -> Path:
    """Where the child may serve its own control socket, also as another user than ours."""
    uid = _uid_of(config.children[name].user)
    path = socket_path_for(config.home, f"{name}.sock", uid)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True)
        if uid != os.geteuid():
            os.chown(path.parent, uid, -1, follow_symlinks=False)
    with contextlib.suppress(OSError):
        if os.lstat(path.parent).st_uid == uid:
            return path
    return socket_path(config.home, f"{name}.sock")  # a stranger was there before: no child serves


def _uid_of(user: str) -> int:
    with contextlib.suppress(KeyError):  # there is no such user: the child is not started either
        if user:
            return pwd.getpwnam(user).pw_uid
    return os.geteuid()


def spec_of(name: str, config: Config, environ: Mapping[str, str], umask: int) -> Spec:
    child = config.children[name]
    env = child_environment(name, child, config, environ)
    control = control_of(name, config)
    return Spec(
        name=name,
        argv=child.command,
        directory=config.home / child.directory,
        env=env | {"VIGIA_CONTROL": str(control)},
        log=config.log_of(name),
        lock=config.data / "children" / f"{name}.lock",
        control=control,
        user=child.user,
        group=child.group,
        umask=umask if child.umask is None else child.umask,
        nice=child.nice,
    )
