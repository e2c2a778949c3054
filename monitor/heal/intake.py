"""Which children shall take no new work just now, because of which incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from monitor.heal.incidents import target_of
from monitor.heal.strategy import Child, FailedError
from monitor.model import Incident


class Intake:
    """Held as long as one incident needs it; a child that was started anew is told again."""

    def __init__(self, children: Callable[[], Mapping[str, Child]]) -> None:
        self._children = children
        self._held: dict[int, tuple[str, tuple[str, ...]]] = {}  # what it is about, and who waits
        self._told: dict[str, int] = {}  # which run of the child was told to wait
        self._one_at_a_time = asyncio.Lock()

    @property
    def holders(self) -> tuple[int, ...]:
        """The incidents for which somebody waits."""
        return tuple(self._held)

    async def hold(self, incident: Incident) -> tuple[str, ...]:
        """Its child takes nothing new, or every child when it is the machine's; who does so."""
        names = (incident.child,) if incident.child else tuple(self._children())
        self._held[incident.id] = target_of(incident), names
        await self.keep()
        return tuple(name for name in names if name in self._told)

    async def release(self, incident: int) -> None:
        """For this one nobody need wait any more."""
        self._held.pop(incident, None)
        await self.keep()

    async def well(self, incident: Incident) -> None:
        """What it is about was seen to be well: nobody need wait for the others about it either.

        They have their turn only when this one is done, and it is done only when its job is: a
        child that still waits for them would never come to that job.
        """
        about = target_of(incident)
        self._held = {
            number: (other, names)
            for number, (other, names) in self._held.items()
            if number != incident.id and other != about
        }
        await self.keep()

    async def keep(self) -> None:
        """All that must wait do, and nobody else."""
        async with self._one_at_a_time:
            children = self._children()
            wanted = {name for _, names in self._held.values() for name in names}
            for name, child in children.items():
                pid, told = child.pid, self._told.get(name)
                if pid is None or told != pid:
                    self._told.pop(name, None)  # that run is over
                if pid is None or (name in wanted) == (told == pid):
                    continue
                if name in wanted and await _tell(child, True):
                    self._told[name] = pid
                elif name not in wanted and await _tell(child, False):
                    del self._told[name]


async def _tell(child: Child, paused: bool) -> bool:
    """Whether it took it; one that does not answer is told another time."""
    try:
        return await child.pause(paused)
    except FailedError:
        return False
