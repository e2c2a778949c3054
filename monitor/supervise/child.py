"""One run of one program: started alone in its session, stopped with all that descends from it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import grp
import os
import pwd
import signal
import stat
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from monitor.model import Cause, Exit, FileId
from monitor.supervise import cgroup, lock
from monitor.supervise.family import Family
from monitor.supervise.tree import Tree

DAEMON_WITHIN = 10.0  # an exit 0 this early that leaves processes behind went to the background
_CLEAN_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE)
PASSING = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY)


@dataclass(frozen=True, slots=True)
class Spec:
    """All that a start needs to know."""

    name: str
    argv: tuple[str, ...]
    directory: Path
    env: Mapping[str, str]
    log: Path
    lock: Path
    control: Path
    user: str = ""
    group: str = ""
    umask: int | None = None
    nice: int = 0


class NotStartedError(Exception):
    """It could not be executed; `passing` when the same start may work in a while."""

    def __init__(self, why: str, *, passing: bool) -> None:
        super().__init__(why)
        self.passing = passing


class Child:
    """A running program. `ended` resolves to its return code, at once when it dies."""

    def __init__(
        self,
        spec: Spec,
        process: subprocess.Popen[bytes],
        log: FileId,
        tree: Tree,
        family: Family,
    ) -> None:
        self.spec = spec
        self.pid = process.pid
        self.log = log
        self.tree = tree
        self._family = family
        self._ended_at = 0.0
        self.started = time.monotonic()
        self.started_at = time.time()
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._process = process
        self._oom_kills = _oom_kills()
        self._pidfd = os.pidfd_open(process.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    @classmethod
    def start(cls, spec: Spec, family: Family) -> Child:
        """Execute it as the leader of its own session, its output straight into its log file."""
        spec.control.unlink(missing_ok=True)  # a killed copy's socket would answer nobody
        try:
            held = lock.take(spec.lock)
        except OSError as error:
            what = f"its lock {spec.lock}: {error.strerror}"
            raise NotStartedError(what, passing=error.errno in PASSING) from None
        if held is None:
            raise NotStartedError("another copy of it is still running", passing=True)
        try:
            log = open_log(spec.log)
            try:
                process = _execute(spec, log, held)
                written = os.fstat(log)
            finally:
                os.close(log)
        finally:
            os.close(held)  # the child holds it now, and all that inherits from it
        family.add(process.pid)
        group = cgroup.make(spec.env["VIGIA_CHILD"])
        if group and not group.add(process.pid):
            group = None
        try:
            tree = Tree((process.pid,), spec.env["VIGIA_CHILD"], group)
            log_id = FileId(written.st_dev, written.st_ino)
            return cls(spec, process, log_id, tree, family)
        except OSError as error:
            process.kill()
            process.wait()
            family.remove(process.pid)
            raise NotStartedError(f"cannot be watched: {error.strerror}", passing=True) from None

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        code = self._process.wait()
        self._ended_at = time.monotonic()
        self._family.remove(self.pid)
        if not self.ended.done():
            self.ended.set_result(code)

    async def stop(self, number: signal.Signals, patience: float, hurry: asyncio.Event) -> bool:
        """Ask its group once, wait, then KILL everything that descends from it.

        CONT follows the question, because a stopped process cannot answer. Returns whether it
        ended by itself within the time; `hurry` cuts the wait short.
        """
        if not self.ended.done():
            for each in (number, signal.SIGCONT):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, each)
            hurried = asyncio.ensure_future(hurry.wait())
            await asyncio.wait(
                (self.ended, hurried), timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            hurried.cancel()
        willing = self.ended.done()
        await self._end_all()
        await self.ended
        return willing

    async def _end_all(self) -> int:
        """With no other child beside it, every orphan that came to us is one of its own."""
        if self._family.started <= {self.pid}:
            self.tree.include(self._family.strangers())
        return await self.tree.end()

    async def sweep(self) -> int:
        """After its end: end what it left behind; how many that were.

        Orphans come to us and inherit the lock, so mostly there is nothing to look for.
        """
        if not self._family.strangers() and lock.is_free(self.spec.lock):
            self.tree.forget()
            return 0
        return await self._end_all()

    def how_it_ended(self, ordered: Cause | None = None, why: str = "") -> Exit:
        """What its return code means, once it has ended."""
        code = self.ended.result()
        ran = self.ran()
        if ordered is not None:
            return Exit(ordered, code, ran, why)
        oom = code == -signal.SIGKILL and _oom_kills() > self._oom_kills
        return read_code(code, ran, oom=oom)

    def ran(self) -> float:
        """How long it has been up, or was."""
        return (self._ended_at or time.monotonic()) - self.started

    def left_a_daemon(self) -> bool:
        """It ended well and early, and processes of it go on without it."""
        if self.ended.result() != 0 or self.ran() > DAEMON_WITHIN:
            return False
        return not lock.is_free(self.spec.lock) or bool(self._family.strangers())


def read_code(code: int, ran: float, *, oom: bool) -> Exit:
    """The cause behind a return code that nobody of ours brought about."""
    if code == 0:
        return Exit(Cause.CLEAN, code, ran, "ended with exit code 0")
    if code == 75:
        return Exit(Cause.LATER, code, ran, "asks to be started later (exit 75)")
    if code == 78:
        return Exit(Cause.CONFIG, code, ran, "says its configuration is wrong (exit 78)")
    if code > 0:
        return Exit(Cause.ERROR, code, ran, f"ended with exit code {code}")
    name = _signal_name(-code)
    if -code in _CLEAN_SIGNALS:
        return Exit(Cause.CLEAN, code, ran, f"was ended from outside by {name}")
    if -code == signal.SIGKILL and oom:
        return Exit(Cause.OUT_OF_MEMORY, code, ran, "was killed by the kernel for lack of memory")
    return Exit(Cause.SIGNAL, code, ran, f"was killed by {name}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def open_log(path: Path) -> int:
    """The log for appending, made when missing; a link or a device in its place is refused."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags, 0o640)
    except OSError as error:
        passing = error.errno in (*PASSING, errno.ENOSPC)
        raise NotStartedError(f"its log {path}: {error.strerror}", passing=passing) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotStartedError(f"its log {path} is not a regular file", passing=False)
    os.set_blocking(fd, True)
    return fd


def _execute(spec: Spec, log: int, held: int) -> subprocess.Popen[bytes]:
    identity = _identity(spec)
    if not spec.directory.is_dir():
        raise NotStartedError(f"its directory {spec.directory} does not exist", passing=False)
    try:
        process = subprocess.Popen(
            spec.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=spec.directory,
            env=identity.env,
            user=identity.user,
            group=identity.group,
            extra_groups=identity.groups,
            umask=-1 if spec.umask is None else spec.umask,
            start_new_session=True,
            pass_fds=(held,),
        )
    except OSError as error:
        what = f"cannot execute {spec.argv[0]}: {error.strerror or error}"
        raise NotStartedError(what, passing=error.errno in PASSING) from None
    except (subprocess.SubprocessError, ValueError) as error:
        raise NotStartedError(f"cannot start {spec.argv[0]}: {error}", passing=False) from None
    if spec.nice:
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, spec.nice)
    return process


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who it runs as; None is who we are."""

    user: int | None
    group: int | None
    groups: list[int] | None
    env: Mapping[str, str]


def _identity(spec: Spec) -> _Identity:
    group = _group_id(spec.group) if spec.group else None
    if not spec.user:
        return _Identity(None, group, None, spec.env)
    try:
        person = pwd.getpwnam(spec.user)
    except KeyError:
        raise NotStartedError(f"there is no user {spec.user!r}", passing=False) from None
    if os.geteuid() not in (person.pw_uid, 0):
        raise NotStartedError(f"only root can run it as {spec.user}", passing=False)
    env = dict(spec.env) | {"USER": spec.user, "LOGNAME": spec.user}
    if env.get("HOME") == os.environ.get("HOME"):  # inherited, not chosen for it
        env["HOME"] = person.pw_dir
    if person.pw_uid == os.geteuid():
        return _Identity(None, group, None, env)
    groups = os.getgrouplist(spec.user, person.pw_gid)
    return _Identity(person.pw_uid, person.pw_gid if group is None else group, groups, env)


def _group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise NotStartedError(f"there is no group {name!r}", passing=False) from None


def _oom_kills() -> int:
    """How many processes the kernel has killed for memory since it started."""
    with contextlib.suppress(OSError), open("/proc/vmstat", "rb", buffering=0) as counters:
        _, _, rest = counters.readall().partition(b"\noom_kill ")
        return int(rest.partition(b"\n")[0] or 0)
    return 0
