"""What is asked of the pipeline as a whole: how it is, how a job stands, do that again, pause."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable

from pipeline.api import Reply, Routes
from pipeline.flows import engine
from pipeline.flows.jobs import Jobs, RefusedError
from pipeline.kit import Kit

_JOB = r"/jobs/(?P<job>[A-Za-z0-9_.:@-]{1,128})"


class Answers:
    """The words of the contract with the monitor."""

    def __init__(self, kit: Kit, jobs: Jobs) -> None:
        self._kit, self._jobs = kit, jobs
        self.paused = False
        self.also: dict[str, Callable[[], object]] = {}  # what other parts tell on /health

    def routes(self) -> Routes:
        return {
            ("GET", "/health"): self._health,
            ("GET", "/jobs"): self._recent,
            ("GET", _JOB): self._job,
            ("POST", _JOB + "/retry"): self._retry,
            ("POST", _JOB + "/cancel"): self._cancel,
            ("POST", "/pause"): self._pause,
            ("POST", "/resume"): self._resume,
        }

    async def _health(self, _asked: dict[str, str], _body: object) -> Reply:
        queues = await asyncio.to_thread(self._jobs.queues, time.time())
        ages = {part: round(age, 3) for part, age in self._kit.pulse.ages().items()}
        told = dataclasses.asdict(queues) | {"ages": ages, "paused": self.paused}
        told |= {name: tell() for name, tell in self.also.items()}
        return Reply(200, {"age": round(self._kit.pulse.age(), 3)} | told)

    async def _recent(self, _asked: dict[str, str], _body: object) -> Reply:
        views = await asyncio.to_thread(self._jobs.recent)
        return Reply(200, [view.as_json() for view in views])

    async def _job(self, asked: dict[str, str], _body: object) -> Reply:
        view = await asyncio.to_thread(self._jobs.view, asked["job"])
        return Reply(200, view.as_json()) if view else Reply(404, {"error": "no such job"})

    async def _retry(self, asked: dict[str, str], _body: object) -> Reply:
        try:
            await asyncio.to_thread(self._jobs.retry, asked["job"])
        except RefusedError as error:
            return Reply(404, {"error": str(error)})
        self._kit.nudge()
        return Reply(202, {"job": asked["job"]})

    async def _cancel(self, asked: dict[str, str], _body: object) -> Reply:
        try:
            await asyncio.to_thread(self._jobs.cancel, asked["job"])
        except RefusedError as error:
            return Reply(404, {"error": str(error)})
        return Reply(202, {"job": asked["job"]})

    async def _pause(self, _asked: dict[str, str], _body: object) -> Reply:
        return await self._hold(paused=True)

    async def _resume(self, _asked: dict[str, str], _body: object) -> Reply:
        return await self._hold(paused=False)

    async def _hold(self, *, paused: bool) -> Reply:
        await asyncio.to_thread(engine.pause, paused, self._kit.settings)
        self.paused = paused
        return Reply(200, {"paused": paused})
