from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from monitor.supervise import cgroup
from monitor.supervise.family import Family
from monitor.supervise.tree import Tree, send
from tests.monitor.crib import lives, pid_in
from tests.monitor.programs import HIDES, SLEEPS, SPREADS, python

GROUPS = cgroup.make(f"test-{os.getpid()}-probe")
if GROUPS:
    GROUPS.remove()


def wait(true: Callable[[], object], what: str = "") -> None:
    deadline = time.monotonic() + 45
    while not true():
        assert time.monotonic() < deadline, f"did not come: {what}"
        time.sleep(0.002)


def state(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return "gone"


def _runs(pid: int) -> bool:
    """Whether it is past the shell that waited for the word, or has even ended."""
    first = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return b"read go" not in b" ".join(first)


class Stage:
    """Programs that a test started, with a tree around each; nothing of them outlives the test."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.mark = f"{home}:kid"
        self.trees: list[Tree] = []
        self.programs: list[subprocess.Popen[bytes]] = []
        self.family = Family()
        self.family.become_reaper()

    def start(
        self, argv: tuple[str, ...], *, marked: bool = True, group: cgroup.Group | None = None
    ) -> int:
        """Begins only when it is where it belongs."""
        env = os.environ | ({"VIGIA_CHILD": self.mark} if marked else {})
        program = subprocess.Popen(
            ("/bin/sh", "-c", 'read go; exec "$@" </dev/null', "sh", *argv),
            cwd=self.home,
            env=env,
            start_new_session=True,
            stdin=subprocess.PIPE,
        )
        self.family.add(program.pid)
        self.programs.append(program)
        assert group is None or group.add(program.pid)
        assert program.stdin
        program.stdin.write(b"go\n")
        program.stdin.close()
        wait(lambda: _runs(program.pid), "its own program")
        return program.pid

    def tree(self, *roots: int, mark: str | None = None, group: cgroup.Group | None = None) -> Tree:
        tree = Tree(roots, self.mark if mark is None else mark, group)
        self.trees.append(tree)
        return tree

    def pid(self, name: str) -> int:
        wait(pid_in(self.home / name), name)
        return int((self.home / name).read_text())

    def clear(self) -> None:
        for tree in self.trees:
            tree.resume()
            asyncio.run(tree.end())
        for program in self.programs:
            program.kill()
            program.wait()
        for pid in self.family.strangers():  # a test that failed may have lost sight of one
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait(lambda: (self.family.reap(), not self.family.strangers())[1], "an empty stage")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    it = Stage(tmp_path)
    try:
        yield it
    finally:
        it.clear()


def pids(tree: Tree, *, thorough: bool = True) -> set[int]:
    return {process.pid for process in tree.members(thorough=thorough)}


# --- who belongs to it -------------------------------------------------------------------------


def test_descendants_belong_to_it_across_sessions_and_double_forks(stage: Stage) -> None:
    # B 2, B 3
    root = stage.start(SPREADS)
    tree = stage.tree(root)
    setsid, daemon = stage.pid("setsid.pid"), stage.pid("daemon.pid")
    assert pids(tree) == {root, setsid, daemon}


def test_the_mark_alone_finds_who_lost_its_parents(stage: Stage) -> None:
    # B 3, B 5: a new monitor knows nobody, only the mark
    root = stage.start(SPREADS)
    setsid, daemon = stage.pid("setsid.pid"), stage.pid("daemon.pid")
    stage.programs[0].kill()
    stage.programs[0].wait()
    assert pids(stage.tree()) == {setsid, daemon}
    assert root not in pids(stage.tree())


def test_who_was_seen_once_is_remembered_though_it_hides(stage: Stage) -> None:
    # B 3: the daemon closed all, emptied its environment, and then its parent ends
    root = stage.start(HIDES)
    tree = stage.tree(root)
    daemon = stage.pid("daemon.pid")
    wait(lambda: Path(f"/proc/{daemon}/comm").read_text() == "sleep\n")
    tree.include(stage.family.strangers())
    assert daemon in pids(tree)
    stage.programs[0].kill()
    stage.programs[0].wait()
    assert pids(tree) == {daemon}


def test_another_child_s_processes_do_not_belong_to_it(stage: Stage) -> None:
    one, other = stage.start(SLEEPS), stage.start(SLEEPS, marked=False)
    assert pids(stage.tree(one)) == {one}
    assert pids(stage.tree(other, mark=f"{stage.mark}2")) == {other}


def test_a_mark_that_only_begins_like_ours_is_not_ours(stage: Stage) -> None:
    stage.start(SLEEPS)
    assert pids(stage.tree(mark=stage.mark[:-1])) == set()
    assert pids(stage.tree(mark=f"{stage.mark}s")) == set()


def test_an_empty_mark_finds_nobody(stage: Stage) -> None:
    stage.mark = ""
    stage.start(SLEEPS)
    assert pids(stage.tree()) == set()


def test_we_ourselves_never_belong_to_it(stage: Stage) -> None:
    root = stage.start(SLEEPS)
    tree = stage.tree(root, os.getpid())
    tree.include([os.getpid(), 0])
    assert pids(tree) <= {root, 0}
    assert os.getpid() not in pids(tree)


def test_a_zombie_is_no_member(stage: Stage) -> None:
    root = stage.start(("/bin/true",))
    tree = stage.tree(root)
    wait(lambda: state(root) == "Z")
    assert pids(tree) == set()


def test_usage_counts_all_of_them_together(stage: Stage) -> None:
    # B 23
    root = stage.start(
        python(
            "import os, time\n"
            "if os.fork() == 0:\n"
            "    hold = bytearray(50 << 20)\n"
            "    sum(range(3_000_000))\n"
            "    open('ready', 'w').write('1')\n"
            "    time.sleep(1000)\n"
            "time.sleep(1000)\n"
        )
    )
    tree = stage.tree(root)
    wait((stage.home / "ready").exists)
    memory, cpu = tree.usage()
    assert memory > 50 << 20
    assert cpu > 0
    assert stage.tree(mark="nobody").usage() == (0, 0.0)


# --- signals -----------------------------------------------------------------------------------


class Stale(psutil.Process):
    """A process as it was known before its number went to another one."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self._ident = (pid, 1.0)


def test_a_number_that_went_to_another_process_is_never_signalled(stage: Stage) -> None:
    # B 14
    victim = stage.start(SLEEPS, marked=False)
    stale = Stale(victim)
    assert not stale.is_running()
    send(stale, signal.SIGKILL)
    tree = stage.tree(mark="")
    tree._seen[victim] = stale
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        tree.ask(number)
    tree._paused = [stale]
    os.kill(victim, signal.SIGSTOP)
    wait(lambda: state(victim) == "T")
    tree.resume()
    tree.wake()
    assert asyncio.run(tree.end()) == 0
    assert state(victim) == "T", "not even let go"
    assert pids(tree) == set()


def test_a_number_that_went_to_a_process_of_ours_is_counted_in_again(stage: Stage) -> None:
    root = stage.start(SLEEPS)
    tree = stage.tree(mark="")
    tree._seen[root] = Stale(root)
    tree.include([root])
    assert pids(tree) == {root}


def test_a_signal_to_who_is_gone_is_nothing(stage: Stage) -> None:
    root = stage.start(("/bin/true",))
    process = psutil.Process(root)
    stage.programs[0].wait()
    send(process, signal.SIGKILL)
    tree = stage.tree(root)
    tree.ask(signal.SIGTERM)
    assert asyncio.run(tree.end()) == 0


def test_all_are_asked_and_who_ignores_it_is_ended(stage: Stage) -> None:
    # B 8
    root = stage.start(
        python(
            "import os, signal, time\n"
            "signal.signal(signal.SIGTERM, lambda *_: open(f'asked.{os.getpid()}', 'w').close())\n"
            "child = os.fork()\n"
            "open('ready' if child else 'ready2', 'w').close()\n"
            "while True: time.sleep(0.01)\n"
        )
    )
    tree = stage.tree(root)
    wait(lambda: (stage.home / "ready").exists() and (stage.home / "ready2").exists())
    tree.ask(signal.SIGTERM)
    wait(lambda: len(list(stage.home.glob("asked.*"))) == 2)
    assert asyncio.run(tree.end()) == 2
    assert not lives(root)


def test_the_end_reaches_also_who_is_born_while_it_comes(stage: Stage) -> None:
    # B 2: each one that ends leaves two others
    root = stage.start(
        python(
            "import os, time\n"
            "for _ in range(8):\n"
            "    if os.fork() == 0: os.setsid()\n"
            "open(f'up.{os.getpid()}', 'w').close()\n"
            "end = time.monotonic() + 1000\n"
            "while time.monotonic() < end: time.sleep(0.05)\n"
        )
    )
    tree = stage.tree(root)
    wait(lambda: list(stage.home.glob("up.*")))
    asyncio.run(tree.end())
    assert pids(stage.tree()) == set()


# --- holding still -----------------------------------------------------------------------------

COUNTS_IN_THREADS = python(
    "import os, threading\n"
    "def count(name):\n"
    "    fd = os.open('out', os.O_WRONLY | os.O_APPEND | os.O_CREAT)\n"
    "    while True: os.write(fd, b'x')\n"
    "if os.fork() == 0: os.setsid()\n"
    "for n in range(4): threading.Thread(target=count, args=(n,)).start()\n"
)


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def test_a_pause_holds_every_thread_of_every_process(stage: Stage) -> None:
    root = stage.start(COUNTS_IN_THREADS)
    tree = stage.tree(root)
    out = stage.home / "out"
    wait(lambda: size(out) > 1000 and len(pids(tree)) == 2)
    for _ in range(20):
        wait(tree.pause, "a pause")
        held = size(out)
        for process in tree.members():
            states = {t.read_text().rsplit(")", 1)[1].split()[0] for t in _tasks(process.pid)}
            assert states <= {"T", "t"}
        os.sched_yield()
        assert size(out) == held, "nobody writes while all are held"
        tree.resume()
        wait(lambda held=held: size(out) > held)


def _tasks(pid: int) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob("*/stat"))


def test_who_was_stopped_by_somebody_else_stays_stopped(stage: Stage) -> None:
    # B 9, B 10
    stopped, running = stage.start(SLEEPS), stage.start(SLEEPS)
    os.kill(stopped, signal.SIGSTOP)
    wait(lambda: state(stopped) == "T")
    tree = stage.tree(stopped, running)
    wait(tree.pause)
    assert (state(stopped), state(running)) == ("T", "T")
    tree.resume()
    wait(lambda: state(running) == "S")
    assert state(stopped) == "T"
    tree.wake()
    wait(lambda: state(stopped) == "S")


def test_who_cannot_be_held_in_time_holds_nobody_else(stage: Stage) -> None:
    """A vfork parent waits in the kernel until its child executes: no signal stops it."""
    free = stage.start(SLEEPS)
    code = (
        "import ctypes, os\n"
        "open('vfork.pid', 'w').write(str(os.getpid()))\n"
        "libc = ctypes.CDLL(None)\n"
        "pid = libc.vfork()\n"
        "if pid == 0:\n"
        "    libc.setsid()\n"
        "    libc.usleep(3_000_000)\n"
        "    libc._exit(0)\n"
    )
    stuck = stage.start(python(code))
    stage.pid("vfork.pid")
    wait(lambda: state(stuck) == "D", "the wait of vfork")
    tree = stage.tree(stuck, free, mark="")
    child = psutil.Process(stuck).children()[0].pid
    os.kill(child, signal.SIGSTOP)  # so that it cannot come out of it by itself
    wait(lambda: state(child) == "T")
    assert not tree.pause()
    wait(lambda: state(free) == "S", "it was let go again")
    assert tree._paused == []


def test_nobody_is_held_at_once(stage: Stage) -> None:
    tree = stage.tree(mark="nobody")
    assert tree.pause()
    tree.resume()


# --- with a control group ----------------------------------------------------------------------

needs_group = pytest.mark.skipif(GROUPS is None, reason="no control group may be made here")


@pytest.fixture
def group(stage: Stage) -> Iterator[cgroup.Group]:
    made = cgroup.make(f"test-{os.getpid()}")
    assert made
    try:
        yield made
    finally:
        made.freeze(frozen=False)
        made.kill()
        wait(lambda: not made.pids())
        made.remove()


@needs_group
def test_the_group_finds_who_lost_descent_and_mark(stage: Stage, group: cgroup.Group) -> None:
    # B 2, B 3
    root = stage.start(HIDES, group=group)
    tree = stage.tree(root, group=group)
    daemon = stage.pid("daemon.pid")
    wait(lambda: Path(f"/proc/{daemon}/comm").read_text() == "sleep\n")
    stage.programs[0].kill()
    stage.programs[0].wait()
    assert pids(tree) == {daemon}
    asyncio.run(tree.end())
    assert not lives(daemon)
    assert not group.path.exists(), "an empty group is given back"


@needs_group
def test_a_pause_freezes_the_group_and_sends_no_signal(stage: Stage, group: cgroup.Group) -> None:
    root = stage.start(COUNTS_IN_THREADS, group=group)
    tree = stage.tree(root, group=group)
    out = stage.home / "out"
    wait(lambda: size(out) > 1000)
    for _ in range(20):
        wait(tree.pause, "a pause")
        held = size(out)
        assert group.is_frozen()
        assert state(root) != "T"
        os.sched_yield()
        assert size(out) == held
        tree.resume()
        wait(lambda held=held: size(out) > held)
    assert not group.is_frozen()


@needs_group
def test_a_pause_holds_also_who_left_the_group(stage: Stage, group: cgroup.Group) -> None:
    inside, outside = stage.start(SLEEPS, group=group), stage.start(SLEEPS)
    tree = stage.tree(inside, group=group)
    wait(tree.pause)
    assert group.is_frozen()
    assert state(outside) == "T"
    tree.resume()
    wait(lambda: state(outside) == "S")
