"""One fault after the other: planted, watched until it healed, told as it happens."""

from __future__ import annotations

import time
from collections.abc import Sequence

from monitor.demo.faults import Fault
from monitor.demo.stage import Stage, TooLateError
from monitor.demo.story import Step, Tale
from monitor.demo.table import Row
from monitor.demo.voice import Voice
from monitor.demo.words import say

_HEALS = 45.0  # seconds for a fault, all in all
_FIRST_POSTS = 45.0
_ALBUM = 4


def begin(stage: Stage, voice: Voice) -> None:
    """The monitor, the pipeline, and what Ana sends on a good day."""
    voice.say("home", home=stage.home)
    voice.say("page", url=f"{stage.api.url}/?chat={stage.channel}")
    pid = stage.start()
    user = say("as_user", stage.lang, user=stage.ground.user) if stage.ground.user else ""
    voice.say("runs", pid=pid, child=stage.child("pipeline")["pid"], user=user)
    voice.say("sends")
    began = time.monotonic()
    films = [stage.film(stage.ana) for _ in range(3)]
    stage.photos(stage.ana, _ALBUM)
    stage.until(lambda: _all_there(stage, films), _FIRST_POSTS)
    voice.say("posted", "green", seconds=f"{time.monotonic() - began:.1f}")


def _all_there(stage: Stage, films: Sequence[str]) -> bool:
    posted = stage.in_channel()
    return len(posted) >= len(films) + _ALBUM and set(films) <= set(posted)


def try_out(stage: Stage, voice: Voice, fault: Fault) -> Row:
    voice.chapter(fault.name, fault.does(stage))
    if why := fault.needs(stage):
        voice.say("skips", why=why)
        return Row(fault.name, skipped=why)
    fault.prepare(stage)
    return _Watch(stage, voice, fault).watched()


class _Watch:
    """What was told already, and what happened when; each thing is told once."""

    def __init__(self, stage: Stage, voice: Voice, fault: Fault) -> None:
        self._stage, self._voice, self._fault = stage, voice, fault
        self._told: set[Step] = set()
        self._through: float | None = None
        self._planted = time.time()
        self._caption = fault.plant(stage)
        self._mended = fault.mend is None

    def watched(self) -> Row:
        wrong = ""
        try:
            tale = self._stage.until(self._healed, _HEALS)
        except TooLateError:
            tale = self._look()
            last = tale.steps[-1].said if tale.steps else "-"
            wrong = say("late", self._stage.lang, seconds=f"{_HEALS:g}", last=last)
            self._voice.plain(f"         {wrong}", "bold red")
        times = {kind: tale.after(kind) for kind in ("noticed", "repaired", "proved")}
        return Row(self._fault.name, **times, through=self._through, wrong=wrong)

    def _healed(self) -> Tale | None:
        tale = self._look()
        if self._fault.mend and not self._mended and tale.steps and self._fault.when(self._stage):
            self._mended = True
            self._voice.say(f"mends_{self._fault.name}")
            self._fault.mend(self._stage)
        return tale if tale.healed and self._through is not None else None

    def _look(self) -> Tale:
        tale = self._fault.tale(self._stage, self._planted)
        for step in tale.steps:
            if step not in self._told:
                self._told.add(step)
                self._voice.step(step)
        if self._through is None and self._fault.through(self._stage, self._caption):
            self._got_through(tale)
        return tale

    def _got_through(self, tale: Tale) -> None:
        """A program that was started again is its own job."""
        if not self._caption and not tale.healed:
            return
        self._through = time.time() - self._planted
        if self._caption:
            said = say("through", self._stage.lang, caption=self._caption)
            self._voice.step(Step("job", self._through, said))
