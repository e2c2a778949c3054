"""What the monitor does when it is asked over its control socket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Protocol

from monitor.config import Config
from monitor.control import Asker, NoError, Verb
from monitor.heal import desk
from monitor.heal.casework import Casework
from monitor.settings import SettingsError
from monitor.supervise.crew import Crew
from monitor.supervise.minder import Minder
from monitor.tell import desk as tell_desk
from monitor.tell.teller import Teller
from monitor.texts import reason, say
from monitor.understand.rule import RulesError


class Monitor(Protocol):
    """As much of the monitor as a verb may touch."""

    config: Config
    crew: Crew
    work: Casework
    teller: Teller
    started: float

    def end(self, why: str) -> None: ...

    async def read_again(self) -> list[str]: ...


def status_of(monitor: Monitor) -> dict[str, Any]:
    """All that `vigia status` shows."""
    return {
        "home": str(monitor.config.home),
        "pid": os.getpid(),
        "up": time.monotonic() - monitor.started,
        "children": [asdict(view) for view in monitor.crew.views()],
        **desk.standing(monitor.work),
        "alerts": monitor.teller.standing(),
    }


def verbs(monitor: Monitor) -> dict[str, Verb]:
    """Each verb by the name under which it is asked for."""

    async def status(_asker: Asker, _question: Mapping[str, Any]) -> Any:
        return status_of(monitor)

    async def reload(_asker: Asker, question: Mapping[str, Any]) -> Any:
        try:
            changed = await monitor.read_again()
        except (SettingsError, RulesError) as wrong:
            raise NoError(str(wrong)) from None
        return say("reloaded", _lang(question), {"what": ", ".join(changed) or "-"})

    async def shutdown(asker: Asker, question: Mapping[str, Any]) -> Any:
        monitor.end(f"{asker.name}: vigia shutdown")
        return say("shutting_down", _lang(question))

    def order(give: Callable[[Minder, str], None]) -> Verb:
        async def verb(asker: Asker, question: Mapping[str, Any]) -> Any:
            minders = _named(monitor.crew, question)
            for minder in minders:
                give(minder, asker.name)
            return [await _outcome(minder, _lang(question)) for minder in minders]

        return verb

    return {
        "status": status,
        "start": order(Minder.start),
        "stop": order(Minder.stop),
        "restart": order(Minder.restart),
        "reload": reload,
        "shutdown": shutdown,
        **desk.verbs(monitor.work),
        **tell_desk.verbs(monitor.teller, monitor.work),
    }


async def _outcome(minder: Minder, lang: str) -> str:
    """What came of the order, as soon as it shows."""
    await (minder.tried if minder.wanted else minder.down).wait()
    view = minder.view()
    pid = f" (pid {view.pid})" if view.pid else ""
    why = f": {reason(view.why, lang)}" if view.why else ""
    return f"{minder.name}: {say(f'state_{view.state}', lang)}{pid}{why}"


def _named(crew: Crew, question: Mapping[str, Any]) -> list[Minder]:
    """The minders that the question names; all when it names none."""
    names = question.get("names") or list(crew.minders)
    if unknown := [name for name in names if name not in crew.minders]:
        raise NoError(say("no_such_child", _lang(question), {"name": str(unknown[0])}))
    return [crew.minders[name] for name in names]


def _lang(question: Mapping[str, Any]) -> str:
    return "es" if question.get("lang") == "es" else "en"
