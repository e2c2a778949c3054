"""What a strategy may do to one child: restart, stop, ask, and have a job done again."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monitor.heal.strategy import FailedError, RefusedError
from monitor.model import Cause, ChildState
from monitor.supervise import child_api
from monitor.supervise.minder import Minder

# A job's name as it may stand in a URL or an argument: nothing that a shell, an option parser or a
# path could take for something else.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}")
_JOB_ENDS = ("succeeded", "failed", "cancelled")
_LOOK_EVERY = 0.25
_ANSWERS_WITHIN = 30.0


class Handle:
    """One child, as far as repairs may reach it."""

    def __init__(self, minder: Minder, retry_command: tuple[str, ...]) -> None:
        self.name = minder.name
        self._minder = minder
        self._retry = retry_command

    @property
    def pid(self) -> int | None:
        return self._minder.child.pid if self._minder.child else None

    @property
    def argv(self) -> tuple[str, ...]:
        return self._minder.spec.argv

    @property
    def control(self) -> Path:
        return self._minder.spec.control

    async def restart(self, why: str) -> str:
        """Through the minder, so that it is counted with the crashes; up when this returns."""
        before, served = self._minder.view().starts, child_api.is_served(self.control)
        if self._minder.state not in (ChildState.RUNNING, ChildState.STARTING):
            raise RefusedError(f"{self.name} is not running")
        if self._minder.settings.restart.policy == "never":
            raise RefusedError(f"the policy of {self.name} is never to restart it")
        self._minder.cure(Cause.REPAIR, why)
        while self._minder.view().starts == before or not self._minder.running.is_set():
            if self._minder.state in (ChildState.FAILED, ChildState.GIVEN_UP, ChildState.STOPPED):
                raise FailedError(f"{self.name} did not come up: {self._minder.view().why}")
            await asyncio.sleep(_LOOK_EVERY)
        if served:
            await self._until_it_answers()
        return f"restarted {self.name} (pid {self.pid})"

    async def _until_it_answers(self) -> None:
        """Who served the socket before does so again soon; until then it can be told nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANSWERS_WITHIN):
                while self._minder.running.is_set():
                    with contextlib.suppress(child_api.NoAnswerError):
                        await child_api.ask(self.control, "GET", "/health")
                        return
                    await asyncio.sleep(_LOOK_EVERY)

    async def stop(self, why: str) -> str:
        """It stays down until a person starts it."""
        self._minder.stop(why)
        await self._minder.down.wait()
        return f"stopped {self.name} until a person starts it"

    async def pause(self, paused: bool) -> bool:
        """Its intake, when it has a way to be told; whether it took it."""
        if not child_api.is_served(self.control):
            return False
        answer = await self._ask("POST", "/pause" if paused else "/resume")
        return answer.status < 300

    async def retry(self, captures: Mapping[str, str]) -> str:
        """Have the job done again and see it succeed; raises FailedError when it does not."""
        job = captures.get("job", "")
        if not _SAFE.fullmatch(job):
            raise RefusedError(f"{job!r} is no name of a job that may be passed on")
        if child_api.is_served(self.control):
            return await self._retry_over_socket(job)
        if self._retry:
            return await self._retry_by_command(captures)
        raise RefusedError(f"{self.name} offers no way to have a job done again")

    def can_retry(self) -> bool:
        return bool(self._retry) or child_api.is_served(self.control)

    async def _retry_over_socket(self, job: str) -> str:
        answer = await self._ask("POST", f"/jobs/{job}/retry")
        if answer.status >= 300:
            raise FailedError(f"the child refuses to do job {job} again: {answer.body}")
        while (state := await self._state_of(job)) not in _JOB_ENDS:
            await asyncio.sleep(_LOOK_EVERY)
        if state == "failed":
            raise FailedError(f"job {job} failed again")
        if state != "succeeded":
            raise FailedError(f"job {job} was cancelled again")
        return f"job {job} succeeded"

    async def _state_of(self, job: str) -> str:
        answer = await self._ask("GET", f"/jobs/{job}")
        if answer.status >= 300 or not isinstance(answer.body, dict):
            raise FailedError(f"the child does not know job {job}")
        return str(answer.body.get("state"))

    async def _ask(self, method: str, path: str) -> child_api.Answer:
        try:
            return await child_api.ask(self.control, method, path)
        except child_api.NoAnswerError as error:
            raise FailedError(str(error)) from None

    async def _retry_by_command(self, captures: Mapping[str, str]) -> str:
        """The configured argv with the captures put in, each into its own argument; no shell."""
        argv = [_filled(word, captures) for word in self._retry]
        process = await asyncio.create_subprocess_exec(
            *argv,
            cwd=self._minder.spec.directory,
            env=dict(self._minder.spec.env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            **_as_user(self._minder.spec.user, self._minder.spec.group),
        )
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise FailedError(f"{argv[0]} ended with exit code {code}")
        return f"{argv[0]} ended with exit code 0"


def _as_user(user: str, group: str) -> dict[str, Any]:
    """What makes a command run as the child does, never with more rights."""
    if not user or os.geteuid() != 0:
        return {}
    person = pwd.getpwnam(user)
    gid = grp.getgrnam(group).gr_gid if group else person.pw_gid
    return {"user": person.pw_uid, "group": gid, "extra_groups": os.getgrouplist(user, gid)}


def _filled(word: str, captures: Mapping[str, str]) -> str:
    """`{job}` in a word becomes what was captured, once; other braces stay as they are."""

    def put(found: re.Match[str]) -> str:
        value = captures.get(found[1])
        if value is None:
            raise RefusedError(f"the line says nothing of {found[1]}")
        if not _SAFE.fullmatch(value):
            raise RefusedError(f"{value!r} is not safe to pass on as {found[1]}")
        return value

    return re.sub(r"\{([a-z_]+)\}", put, word)
