"""A whole monitor that is killed again and again while its child has real trouble of four kinds.

What is asserted is seen from outside: the records, the log of the command that starts a server
again, what lies in quarantine, what the child says of itself.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from monitor.records.history import read
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, until

ROOT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
NOBODY = 65534
KINDS = ("folder", "broken", "server", *(("owner",) if AS_ROOT else ()))

# Tries its pieces of work until each is done, and says what is in the way; only one copy may run.
# It makes none of the calls to the kernel at which its monitor is killed.
KID = """
import fcntl, os, socket, time
lock = open('work/lock', 'a')
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    open('work/twice', 'a').write('x')
home = os.getcwd()
def store(path):
    try:
        with open(path, 'a') as file: file.write('x')
    except OSError as error:
        return f'ERROR cannot store video: {type(error).__name__}: {error}'
def check(path):
    if os.path.exists(path): return f'ERROR video check failed: {path}: moov atom not found'
def ask(port):
    try:
        socket.create_connection(('127.0.0.1', int(port)), 1).close()
    except OSError:
        return ('redis.exceptions.ConnectionError: Error 111 connecting to '
                f'127.0.0.1:{port}. Connection refused.')
HOW = {'folder': store, 'owner': store, 'broken': check, 'server': ask}
print('INFO ready', flush=True)
while True:
    for name in sorted({*os.listdir('work/todo')} - {*os.listdir('work/done')}):
        try:
            kind, what = open(f'work/todo/{name}').read().split(' ', 1)
        except (OSError, ValueError):
            continue
        trouble = HOW[kind](what)
        if trouble: print(trouble, flush=True)
        else: open(f'work/done/{name}', 'w').close()
    time.sleep(0.1)
"""

SETTINGS = """
[repair]
quiet = 0.3
again = 0.01
per_target = 100000
actions = 100000
storm = 100000
[[ladders.missing_path]]
do = "make_directory"
attempts = 5
[[ladders.permission]]
do = "take_ownership"
attempts = 5
[[ladders.corrupt_file]]
do = "quarantine"
attempts = 5
[[ladders.server_down]]
do = "restart_server"
"""


@dataclass
class Job:
    kind: str
    name: str
    what: str  # the path, or the port


@dataclass
class Seen:
    """What the looks so far have shown."""

    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    torn: int = 0
    kills: int = 0
    amid: int = 0  # kills in the middle of an attempt


class KillStory(Vigia):
    """One home; `package` is the folder in which the monitor to be killed is."""

    def __init__(self, home: Path, seed: int, package: Path = ROOT, servers: int = 60) -> None:
        super().__init__(home)
        self._package = package
        self.random = random.Random(seed)
        self.seen = Seen()
        self.jobs: list[Job] = []
        self._sockets: dict[str, socket.socket] = {}
        self._over = threading.Event()
        self.slow = False  # servers that were started again are not up yet
        self.strace: tuple[str, ...] = ()
        self._revived = home / "work" / "revived"
        for folder in ("work/todo", "work/done", "modelos"):
            (home / folder).mkdir(parents=True)
            if AS_ROOT:
                os.chown(home / folder, NOBODY, NOBODY)
        if AS_ROOT:
            os.chown(home / "work", NOBODY, NOBODY)
        (home / "kid.py").write_text(KID)
        self.configure(SETTINGS + self._child() + self._servers(servers))
        self._pump = threading.Thread(target=self._serve)

    def _child(self) -> str:
        return one(("/bin/sh", "-c", "exec python3 kid.py"), "user = 'nobody'" if AS_ROOT else "")

    def _servers(self, count: int) -> str:
        """Each has a command that starts it; in truth it writes into a ledger, and we listen."""
        rows = []
        for _ in range(count):
            held = socket.socket()
            held.bind(("127.0.0.1", 0))
            port = str(held.getsockname()[1])
            self._sockets[port] = held
            ledger = f"echo {port} >> {self._revived}"
            script = f"{ledger}; if [ -e work/deadly ]; then rm work/deadly; kill -9 $PPID; fi"
            command = json.dumps(["/bin/sh", "-c", script])
            rows.append(f'[servers."127.0.0.1:{port}"]\nrestart = {command}\n')
        self._free = list(self._sockets)
        return "".join(rows)

    def _serve(self) -> None:
        """Servers that were started again answer, and so do those that a person must see to."""
        up: set[str] = set()
        while not self._over.wait(0.01):
            if self.slow:
                continue
            for port in {*self.revived(), *self.for_a_person} - up:
                self._sockets[port].listen(64)
                up.add(port)

    def revived(self) -> list[str]:
        with suppress(FileNotFoundError):
            return self._revived.read_text().split()
        return []

    def command(self, *words: str) -> list[str]:
        prefix = self.strace if words[0] == "run" else ()
        return [*prefix, sys.executable, "-P", "-m", "monitor", *words]

    def pid(self) -> int:
        """Of the monitor itself, also where strace stands before it; 0 when it is gone."""
        if not self.strace:
            return self.process.pid
        found: list[int] = []
        until(lambda: self._monitors(found) or self.process.poll() is not None, 60, "it starts")
        return found[0] if found else 0

    def _monitors(self, found: list[int]) -> list[int]:
        """Of what strace has started, what runs our command; at first it tries others."""
        tasks = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        with suppress(FileNotFoundError, ProcessLookupError):
            for pid in map(int, tasks.read_text().split()):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[0] == os.fsencode(sys.executable):
                    found.append(pid)
        return found

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        super().start("--quiet", *arguments, env={"PYTHONPATH": str(self._package)} | (env or {}))

    def __enter__(self) -> Self:
        self.for_a_person: set[str] = set()
        self._pump.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if hasattr(self, "process") and self.process.poll() is None:
            if pid := self.pid():
                os.kill(pid, signal.SIGKILL)
            self.end_children()
            self.process.kill()
            self.process.wait()
        self.end_children()
        self._over.set()
        self._pump.join()
        for held in self._sockets.values():
            held.close()

    def end_children(self) -> None:
        for pid in self.descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    # --- what happens ---

    def trouble(self, kind: str) -> Job:
        """One more thing in the way of the child."""
        name = f"{kind}{len(self.jobs)}"
        place = self.home / "modelos" / name
        what = str(place / "clip.txt")
        if kind == "owner":
            what = str(place.with_suffix(".txt"))
            Path(what).touch(0o600)
        elif kind == "broken":
            what = str(place.with_suffix(".mp4"))
            Path(what).write_text(f"half of {name}")
            if AS_ROOT:
                os.chown(what, NOBODY, NOBODY)
        elif kind == "server":
            what = self._free.pop()
        job = Job(kind, name, what)
        self.jobs.append(job)
        todo = self.home / "work" / "todo" / name
        part = self.home / "work" / name
        part.write_text(f"{kind} {what}")
        if AS_ROOT:
            os.chown(part, NOBODY, NOBODY)
        part.rename(todo)
        return job

    def any_trouble(self) -> Job:
        return self.trouble(self.random.choice([k for k in KINDS if k != "server" or self._free]))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.seen.kills += 1

    def is_over(self) -> bool:
        """Nothing is in the way any more, and every incident has its end."""
        ends = self.ends().values()
        return not self.open_jobs() and all(
            r["state"] not in ("detected", "fixing", "retrying") for r in ends
        )

    def ask_a_person(self) -> None:
        """Who is told that a server stays down starts it."""
        for record in self.ends().values():
            subject = str(record.get("subject"))
            if record["state"] == "failed" and subject.startswith("127.0.0.1:"):
                self.for_a_person.add(subject.rpartition(":")[2])

    def open_jobs(self) -> list[str]:
        work = self.home / "work"
        return sorted({*os.listdir(work / "todo")} - {*os.listdir(work / "done")})

    # --- what is seen ---

    @property
    def file(self) -> Path:
        return self.home / "logs" / "errors.json"

    def is_valid(self) -> bool:
        with suppress(FileNotFoundError, ValueError):
            return isinstance(json.loads(self.file.read_bytes()), list)
        return not self.file.exists()

    def look(self) -> None:
        """With the monitor dead: all that was seen is there as it was, and what is new follows."""
        self.seen.torn += not self.is_valid()
        found: dict[int, dict[str, Any]] = {}
        for record in read(self.file) if self.file.exists() else ():
            seq = int(str(record["seq"]))
            assert seq not in found, f"{seq} stands twice"
            found[seq] = record
        assert sorted(found) == list(range(1, len(found) + 1)), "a hole in the numbers"
        for seq, record in self.seen.records.items():
            assert found.get(seq) == record, f"{seq} is not what it was"
        ids = [record["id"] for record in found.values()]
        assert len(ids) == len(set(ids)), "one move was recorded twice"
        self.seen.records = found
        self.seen.amid += any(record["state"] == "fixing" for record in self.ends().values())
        assert len(self.revived()) == len(set(self.revived())), "a server was started twice"
        assert not (self.home / "work" / "twice").exists(), "the child ran twice"

    def ends(self) -> dict[str, dict[str, Any]]:
        """The newest record of each incident."""
        return {str(r["incident"]): r for r in read(self.file)} if self.file.exists() else {}

    def check_the_end(self) -> None:
        """All that was in the way is away, each by what was done once, and all of it is told."""
        assert self.is_valid()
        self.look()
        done = self.run("events", "verify")
        assert done.returncode == 0, done.stdout + done.stderr
        told = {str(record.get("subject")) for record in self.seen.records.values()}
        for job in self.jobs:
            subject = f"127.0.0.1:{job.what}" if job.kind == "server" else job.what
            assert subject in told, f"nothing was recorded about {job}"
            if job.kind == "owner":
                assert os.stat(job.what).st_uid == NOBODY
            if job.kind == "broken":
                assert self.kept_of(job) == [f"half of {job.name}"]
        for one_ in self.ends().values():
            assert one_["state"] in ("resolved", "failed", "alert_only"), one_

    def kept_of(self, job: Job) -> list[str]:
        """All copies of a broken file that are in quarantine."""
        folder = self.home / "data" / "monitor" / "quarantine"
        texts = (p.read_text(errors="replace") for p in folder.rglob("*") if p.is_file())
        return [text for text in texts if text == f"half of {job.name}"]

    def settle(self, seconds: float = 90.0) -> None:
        """Left alone, all trouble comes to its end; who is asked to look, looks."""
        deadline = time.monotonic() + seconds
        while True:
            self.start()
            while not self.is_over():
                self.ask_a_person()
                assert time.monotonic() < deadline, (self.open_jobs(), self.diary()[-3000:])
                time.sleep(0.05)
            self.end()
            if self.is_over():  # else its last line was read only as it ended: it goes on with that
                return


def mutant(folder: Path, file: str, old: str, new: str) -> Path:
    """A copy of the monitor in which one thing is missing; the folder that holds it."""
    shutil.copytree(ROOT / "monitor", folder / "monitor")
    source = folder / "monitor" / file
    text = source.read_text()
    assert text.count(old) == 1, f"{file} has changed: say anew what is to be taken out of it"
    source.write_text(text.replace(old, new))
    return folder


__all__ = ["AS_ROOT", "KINDS", "ROOT", "Job", "KillStory", "mutant", "until"]
