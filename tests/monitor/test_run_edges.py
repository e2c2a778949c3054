"""What surrounds a monitor when it is not a good day: users, limits, disks, clocks, broken pipes."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import fcntl
import grp
import json
import os
import pty
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import monitor
from monitor.ask import ask
from monitor.supervise.capture import rotate
from monitor.supervise.child import Child
from monitor.supervise.family import Family
from monitor.supervise.tree import Tree, send
from tests.conftest import needed
from tests.monitor import programs
from tests.monitor.crib import lives, spec
from tests.monitor.crib import until as soon
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, until, vigia

pytestmark = pytest.mark.slow

SOMEBODY = 64_321  # a user without a name and without processes of others
# They may look everywhere, as root's own Python may stand in a closed folder, but write nowhere else.
SETPRIV = (
    *("setpriv", f"--reuid={SOMEBODY}", f"--regid={SOMEBODY}", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Writes a batch of numbered lines whenever it is told to, and says when it is done.
BATCHES = programs.python(
    "import os, time\n"
    "n = int(open('count').read()) if os.path.exists('count') else 0\n"
    "while True:\n"
    "    while not os.path.exists('go'): time.sleep(0.002)\n"
    "    os.unlink('go')\n"
    "    for n in range(n, n + 100): print('line', n, flush=True)\n"
    "    n += 1\n"
    "    open('count.new', 'w').write(str(n)); os.rename('count.new', 'count')\n"
)


def under(v: Vigia, *wrapper: str) -> None:
    """Start the monitor through another program that executes it in its own place."""
    v.command = lambda *words: [*wrapper, sys.executable, "-m", "monitor", *words]  # type: ignore[method-assign]


def in_shell(v: Vigia, before: str, redirect: str = "") -> None:
    under(v, "/bin/sh", "-c", f'{before} exec "$0" "$@" {redirect}')


def becomes_somebody(v: Vigia) -> None:
    under(v, *SETPRIV)


@contextlib.contextmanager
def home_of_somebody() -> Iterator[Path]:
    """pytest keeps its folders closed to others; this one belongs to a user who is not root."""
    home = Path(tempfile.mkdtemp(prefix="vigia-somebody-"))
    os.chown(home, SOMEBODY, SOMEBODY)
    try:
        yield home
    finally:
        shutil.rmtree(home)


def shown_numbers(v: Vigia) -> list[int]:
    words = (line.split() for line in v.text().splitlines())
    return [int(line[1]) for line in words if len(line) == 2 and line[0] == "line"]


# --- who is signalled --------------------------------------------------------------------------


@as_root
def test_a_number_that_belongs_to_another_by_now_is_never_signalled() -> None:
    # B 14
    gone = subprocess.Popen(["sleep", "1000"])
    time.sleep(0.05)  # the kernel counts starts in hundredths of a second
    remembered = psutil.Process(gone.pid)
    tree = Tree((gone.pid,), "nobody")
    gone.kill()
    gone.wait()
    bystander = _born_as(gone.pid)
    if bystander is None:
        pytest.skip("the kernel would not give out that number again")
    try:
        send(remembered, signal.SIGKILL)
        tree.ask(signal.SIGKILL)
        assert tree.members() == []
        asyncio.run(tree.end())
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def _born_as(pid: int) -> subprocess.Popen[bytes] | None:
    """A process with just that number: the kernel counts on from the last one it gave out."""
    for _ in range(200):
        try:
            Path("/proc/sys/kernel/ns_last_pid").write_text(str(pid - 1))
        except OSError:
            return None
        born = subprocess.Popen(["sleep", "1000"])
        if born.pid == pid:
            return born
        born.kill()
        born.wait()
    return None


def test_a_pid_that_was_written_down_is_only_ever_shown(tmp_path: Path) -> None:
    # B 14
    bystander = subprocess.Popen(["sleep", "1000"])
    try:
        lock = tmp_path / "data" / "monitor" / "lock"
        lock.parent.mkdir(parents=True)
        lock.write_text(f"{bystander.pid}\n")
        with vigia(tmp_path) as v:
            v.start("--", *programs.SLEEPS)
            v.wait_state("running")
            assert lock.read_text() == f"{v.process.pid}\n"
            assert v.end() == 0
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_every_child_that_ends_is_seen_to_end_with_its_own_code(tmp_path: Path) -> None:
    # B 33, B 34: reaping strangers beside sixty starts takes nobody's exit code
    async def story() -> None:
        family = Family()
        family.become_reaper()
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, family.child_died)
        leaves_orphans = "(setsid sh -c 'sleep 0.0$(($$ % 9))' &) ; exit {}"
        children = [
            Child.start(
                spec(tmp_path, programs.sh(leaves_orphans.format(code)), f"k{code}"), family
            )
            for code in range(60)
        ]
        assert [await child.ended for child in children] == list(range(60))
        await soon(lambda: not family.strangers(), what="all orphans are reaped")
        assert family.started == set()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)

    asyncio.run(story())


# --- the end is the end ------------------------------------------------------------------------

SLOW_TO_STOP = programs.sh(
    "echo up >> starts; trap 'sleep 0.4; exit 0' TERM; while :; do sleep 0.02; done"
)


def test_a_restart_in_flight_ends_with_the_monitor(tmp_path: Path) -> None:
    # B 22
    with vigia(tmp_path) as v:
        v.configure(one(SLOW_TO_STOP))
        v.start()
        v.wait_state("running", "kid")
        restart = subprocess.Popen(
            v.command("restart", "--home", str(tmp_path)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(lambda: v.child("kid")["state"] == "stopping")
        assert v.end() == 0
        restart.wait(60)
        assert (tmp_path / "starts").read_text() == "up\n"
        assert v.descendants() == []


def test_an_end_in_the_middle_of_many_restarts_leaves_nothing(tmp_path: Path) -> None:
    # B 22
    with vigia(tmp_path) as v:
        v.configure(
            one(programs.sh("exit 1"), "restart = {delay = 0, max_delay = 0, limit = 9999}")
        )
        for pause in (0.0, 0.013, 0.029):
            v.start("--quiet")
            until(lambda: v.child("kid").get("starts", 0) > 3)
            time.sleep(pause)  # at any moment of a restart
            assert v.end() == 0
            assert v.descendants() == []


def test_fifty_terms_are_one_and_a_broken_pipe_is_none(tmp_path: Path) -> None:
    # B 24
    with vigia(tmp_path) as v:
        v.start("--", *programs.SLEEPS)
        v.wait_state("running")
        v.process.send_signal(signal.SIGPIPE)
        assert v.child()["state"] == "running"
        for _ in range(50):
            v.process.send_signal(signal.SIGTERM)
        assert v.process.wait(60) == 0
        assert v.descendants() == []
        assert v.diary().count("Vigía stops") == 1


def test_a_stop_in_the_middle_of_a_rotation_leaves_nobody_standing_still(tmp_path: Path) -> None:
    # B 47: what the monitor itself may be doing when it is told to end
    argv = programs.python("while True: print('x' * 99)")
    with vigia(tmp_path) as v:
        v.configure(one(argv, "log = {size = '256KB', keep = 2}"))
        v.start("--quiet")
        until(lambda: v.diary().count("log rotated") > 2)
        assert v.end() == 0
        assert v.descendants() == []


def test_a_rotation_that_is_cut_short_leaves_no_half_copy(tmp_path: Path) -> None:
    # B 47
    async def story() -> None:
        log = tmp_path / "kid.log"
        log.write_bytes(b"x" * (64 << 20))
        rotating = asyncio.create_task(rotate(log, Tree((), "nobody"), _nothing, _nothing))
        await soon(Path(f"{log}.rotating").exists)
        rotating.cancel()
        await asyncio.wait((rotating,))
        assert [path.name for path in tmp_path.iterdir()] == ["kid.log"]
        assert log.stat().st_size == 64 << 20

    asyncio.run(story())


def _nothing(*_: object) -> None:
    pass


# --- what a reload changes ---------------------------------------------------------------------


def test_a_new_secret_restarts_only_the_child_that_is_given_it(tmp_path: Path) -> None:
    # B 26
    says = programs.sh('echo "$DATABASE_URL"; exec sleep 1000')
    with vigia(tmp_path) as v:
        (tmp_path / ".env").write_text("DATABASE_URL=first\n")
        v.configure(one(says, "pass_env = ['DATABASE_URL']") + one(says, name="other"))
        v.start()
        kid, other = v.wait_state("running", "kid")["pid"], v.wait_state("running", "other")["pid"]
        (tmp_path / ".env").write_text("DATABASE_URL=second\n")
        v.process.send_signal(signal.SIGHUP)
        until(lambda: "read again: kid" in v.diary())
        assert v.wait_state("running", "kid")["pid"] != kid
        assert v.child("other")["pid"] == other
        log = tmp_path / "logs" / "kid.log"
        until(lambda: log.read_text() == "first\nsecond\n")
        assert "second" not in v.diary()


# --- who may read what -------------------------------------------------------------------------


def test_with_no_umask_at_all_our_files_are_still_ours(tmp_path: Path) -> None:
    # B 38
    writes = programs.sh("umask > umask; while :; do echo xxxxxxxxxxxxxxxxxxx; sleep 0.001; done")
    with vigia(tmp_path) as v:
        in_shell(v, "umask 0;")
        v.configure(one(writes, "umask = '027'\nlog = {size = '1KB', keep = 1000}"))
        logs = tmp_path / "logs"
        logs.mkdir(exist_ok=True)
        for number in (1, 2):  # what has rested is compressed
            (logs / f"kid.log.{number}").touch(0o640)
            os.utime(logs / f"kid.log.{number}", (0, 0))
        v.start()
        v.wait_state("running", "kid")
        until(lambda: list(logs.glob("kid.log.*.gz")) and (logs / "kid.log.3").exists())
        open_ones = {
            str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o777)
            for path in [*(tmp_path / "logs").rglob("*"), *(tmp_path / "data").rglob("*")]
            if path.stat().st_mode & 0o027
        }
        assert open_ones == {}
        assert (tmp_path / "umask").read_text() == "0027\n"


def test_with_no_umask_at_all_nobody_else_writes_in_our_folders(tmp_path: Path) -> None:
    # B 38: who may write in data/ can put another data/monitor in its place
    with vigia(tmp_path) as v:
        in_shell(v, "umask 0;")
        v.start("--", *programs.SLEEPS)
        v.wait_state("running")
        folders = [tmp_path / "logs", tmp_path / "data", tmp_path / "data" / "monitor"]
        assert [folder.name for folder in folders if folder.stat().st_mode & 0o022] == []


def test_a_child_without_a_umask_of_its_own_has_ours(tmp_path: Path) -> None:
    # B 38
    with vigia(tmp_path) as v:
        in_shell(v, "umask 031;")
        v.start("--", *programs.sh("umask; exec sleep 1000"))
        until(lambda: "0031" in v.text())


@as_root
def test_a_child_runs_as_the_user_it_is_given_with_its_groups_and_home(tmp_path: Path) -> None:
    # B 17
    nobody = pwd.getpwnam("nobody")
    says = programs.sh("id -u; id -ru; id -g; id -G; echo $HOME $USER $LOGNAME")
    with vigia(tmp_path) as v:
        v.configure(one(says, "user = 'nobody'\ndirectory = '/'\nrestart.policy = 'never'"))
        v.start("--quiet")
        assert v.process.wait(60) == 0, v.diary()
    groups = os.getgrouplist("nobody", nobody.pw_gid)
    uid, real, gid, all_of_them, names = (tmp_path / "logs" / "kid.log").read_text().splitlines()
    assert (int(uid), int(real), int(gid)) == (nobody.pw_uid, nobody.pw_uid, nobody.pw_gid)
    assert {int(group) for group in all_of_them.split()} == set(groups)
    assert names == f"{nobody.pw_dir} nobody nobody"


@as_root
@pytest.mark.parametrize("who", ["user = 'nobody'", "group = '{other}'"])
def test_a_child_that_cannot_become_its_user_or_group_is_not_started(who: str) -> None:
    # B 17
    other = next(group.gr_name for group in grp.getgrall() if group.gr_gid != SOMEBODY)
    with home_of_somebody() as home, vigia(home) as v:
        becomes_somebody(v)
        v.configure(one(programs.sh("touch ran"), who.format(other=other)))
        v.start()
        assert v.process.wait(60) == 3
        assert "kid will not be started again" in v.text()
        assert "Traceback" not in v.text()
        assert not (home / "ran").exists()


@as_root
def test_a_log_that_may_not_be_written_is_one_clear_line() -> None:
    with home_of_somebody() as home, vigia(home) as v:
        (home / "logs").mkdir(mode=0o555)
        becomes_somebody(v)
        v.configure(one(programs.sh("touch ran")))
        v.start()
        assert v.process.wait(60) == 3
        assert f"its log {home}/logs/kid.log: Permission denied" in v.text()
        assert "Traceback" not in v.text()
        assert not (home / "ran").exists()


@pytest.mark.parametrize("kind", ["fifo", "link", "folder", "socket"])
def test_a_log_that_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    # A 31, A 32
    log = tmp_path / "logs" / "kid.log"
    log.parent.mkdir()
    made = socket.socket(socket.AF_UNIX)
    make: dict[str, Callable[[], object]] = {
        "fifo": lambda: os.mkfifo(log),
        "link": lambda: log.symlink_to(tmp_path / "elsewhere"),
        "folder": log.mkdir,
        "socket": lambda: made.bind(str(log)),
    }
    make[kind]()
    with made, vigia(tmp_path) as v:
        v.configure(one(programs.sh("touch ran")))
        v.start()
        assert v.process.wait(60) == 3
        refused = [line for line in v.text().splitlines() if "its log" in line]
        assert len(refused) == 1, v.text()
        assert str(log) in refused[0]
        assert "Traceback" not in v.text()
        assert not (tmp_path / "elsewhere").exists()
        assert not (tmp_path / "ran").exists()


# --- limits ------------------------------------------------------------------------------------

RETRIES = "restart = {delay = 0.1, max_delay = 0.1, limit = 1000}"


@as_root
def test_out_of_processes_it_backs_off_and_recovers() -> None:
    # B 40
    with home_of_somebody() as home, vigia(home) as v:
        becomes_somebody(v)
        v.configure(one(programs.SLEEPS, RETRIES))
        v.start()
        first = v.wait_state("running", "kid")["pid"]
        limit = [*SETPRIV, "prlimit", "--pid", str(v.process.pid)]
        subprocess.run([*limit, "--nproc=1:"], check=True)
        os.kill(first, signal.SIGKILL)
        until(lambda: "Resource temporarily unavailable" in v.diary(), what=v.diary)
        assert v.process.poll() is None
        subprocess.run([*limit, "--nproc=4096:"], check=True)
        assert v.wait_state("running", "kid")["pid"] != first


def test_a_flood_behind_a_terminal_that_stands_still_needs_no_memory(tmp_path: Path) -> None:
    # B 41
    floods = programs.python(  # its end comes again and again: the log may just be rotated
        "import time\nline = 'x' * 999\nfor n in range(60000): print(line)\n"
        "while True: print('end', flush=True); time.sleep(0.05)"
    )
    log = tmp_path / "logs" / "pipeline.log"

    def has_ended() -> bool:
        with contextlib.suppress(OSError), log.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            return file.read() == b"end\n"
        return False

    reader, writer = os.pipe()
    with vigia(tmp_path) as v, os.fdopen(reader, "rb") as terminal:
        v.process = subprocess.Popen(
            [
                "prlimit",
                f"--as={600 << 20}",
                *v.command("run", "--home", str(tmp_path), "--", *floods),
            ],
            stdout=writer,
            stderr=writer,
            stdin=subprocess.DEVNULL,
        )
        os.close(writer)
        until(has_ended, 60)
        until(lambda: v.child()["state"] == "running")
        assert psutil.Process(v.process.pid).memory_info().rss < 150 << 20
        assert v.process.poll() is None
        flags = fcntl.fcntl(terminal, fcntl.F_GETFL)
        fcntl.fcntl(terminal, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        v.process.send_signal(signal.SIGTERM)
        assert v.process.wait(60) == 0


@as_root
def test_a_full_disk_is_told_once_and_the_child_does_not_feel_it(tmp_path: Path) -> None:
    # B 42
    home, beats = tmp_path / "home", tmp_path / "beats"
    home.mkdir()
    beats.write_text("")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1M", "none", home], check=False
    ).returncode:
        pytest.skip("nothing can be mounted here")
    argv = programs.sh(f"while :; do echo beat; echo beat >> '{beats}'; sleep 0.02; done")
    try:
        with vigia(home) as v:
            v.output = tmp_path / "output.txt"
            v.configure(one(argv))
            v.start()
            pid = v.wait_state("running", "kid")["pid"]
            with (
                contextlib.suppress(OSError),
                (home / "ballast").open("wb", buffering=0) as ballast,
            ):
                while True:
                    ballast.write(bytes(4096))
            until(lambda: "the monitor's memory" in v.text(), what=v.text)
            beaten = beats.stat().st_size
            until(lambda: beats.stat().st_size > beaten + 200, what="the child goes on")
            for _ in range(3):
                assert v.run("reload").returncode == 0
            assert v.text().count("the monitor's memory") == 1, v.text()
            assert (v.child("kid")["pid"], v.child("kid")["starts"]) == (pid, 1)
            (home / "ballast").unlink()
            lines = len(v.diary().splitlines())
            until(lambda: v.run("reload").returncode == 0 and len(v.diary().splitlines()) > lines)
            shown = v.text().count("beat")
            until(lambda: v.text().count("beat") > shown)
            assert v.end() == 0
    finally:
        subprocess.run(["umount", home], check=True)


# --- our own log -------------------------------------------------------------------------------


def test_our_diary_survives_everything_that_others_do_to_it(tmp_path: Path) -> None:
    # B 43
    diary = tmp_path / "logs" / "monitor.log"
    harm: list[Callable[[], object]] = [
        diary.unlink,
        lambda: diary.rename(diary.with_suffix(".old")),
        lambda: (diary.rename(diary.with_suffix(".1")), diary.touch()),
        lambda: os.truncate(diary, 0),
    ]
    with vigia(tmp_path) as v:
        v.start("--quiet", "--", *programs.SLEEPS)
        v.wait_state("running")
        opened = len(os.listdir(f"/proc/{v.process.pid}/fd"))
        for number in range(24):
            harm[number % 4]()
            ask(tmp_path, "reload", 5.0, lang="en")
            assert diary.read_text().count("read again") == 1
        assert len(os.listdir(f"/proc/{v.process.pid}/fd")) <= opened + 3


# --- other rotators ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["nocreate", "create 0640", "copytruncate"])
def test_somebody_else_rotates_and_every_line_is_shown_once(tmp_path: Path, how: str) -> None:
    # B 44
    log = tmp_path / "logs" / "kid.log"
    with vigia(tmp_path) as v:
        v.configure(one(BATCHES, RETRIES))
        v.start()
        pid = v.wait_state("running", "kid")["pid"]
        for batch in range(1, 7):
            _next_batch(tmp_path, batch)
            if batch in (2, 4):
                _logrotate(tmp_path, log, how)
            if batch == 3:  # a new child opens the log by its name
                os.kill(pid, signal.SIGKILL)
                until(lambda: v.child("kid")["pid"] not in (pid, None))
        until(lambda: len(shown_numbers(v)) >= 600, what=lambda: shown_numbers(v)[-3:])
        assert v.end() == 0
        assert shown_numbers(v) == list(range(600))


def _logrotate(folder: Path, log: Path, how: str) -> None:
    plan = folder / "logrotate.conf"
    plan.write_text(f"{log} {{\n  rotate 3\n  missingok\n  {how}\n}}\n")
    plan.chmod(0o600)
    command = [needed("logrotate"), "--force", "--state", str(folder / "rotated"), str(plan)]
    subprocess.run(command, check=True)


def _next_batch(home: Path, batch: int) -> None:
    (home / "go").touch()
    count = home / "count"
    until(lambda: count.exists() and count.read_text() == str(batch * 100))


# --- clocks ------------------------------------------------------------------------------------

JUMPY_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    struct stat jumped;
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    if (id == CLOCK_REALTIME && !stat(getenv("CLOCK_BACK"), &jumped)) now->tv_sec -= 3600;
    if (id == CLOCK_REALTIME && !stat(getenv("CLOCK_FORWARD"), &jumped)) now->tv_sec += 3600;
    return result;
}
"""


@pytest.mark.needs("cc")
@pytest.mark.parametrize("way", ["BACK", "FORWARD"])
def test_a_clock_that_jumps_an_hour_changes_no_waiting(tmp_path: Path, way: str) -> None:
    # B 45
    (tmp_path / "clock.c").write_text(JUMPY_CLOCK)
    clock = tmp_path / "clock.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", clock, tmp_path / "clock.c", "-ldl"], check=True
    )
    back, forward = tmp_path / "back", tmp_path / "forward"
    with vigia(tmp_path) as v:
        v.configure(one(programs.sh("exit 1"), "restart = {delay = 2, max_delay = 2}"))
        v.start(
            env={"LD_PRELOAD": str(clock), "CLOCK_BACK": str(back), "CLOCK_FORWARD": str(forward)}
        )
        v.wait_state("backoff", "kid")
        began = time.monotonic()
        (back if way == "BACK" else forward).touch()
        until(lambda: v.child("kid")["starts"] == 2)
        assert time.monotonic() - began > 1.0
        first, last = (
            line[:13] for line in (v.diary().splitlines()[0], v.diary().splitlines()[-1])
        )
        assert first != last, "the clock did jump"
        until(lambda: v.child("kid")["state"] == "backoff")
        assert v.child("kid")["next_start"] <= 2.0


def test_no_decision_reads_the_wall_clock() -> None:
    # B 45: what decides gets its time as a parameter, and only from clocks that never jump
    code = Path(monitor.__file__).parent
    for file in [*(code / "supervise").glob("*.py"), code / "app.py"]:
        calls = {
            f"{ast.unparse(node.func)}: {ast.unparse(parent)}"
            for parent in ast.walk(ast.parse(file.read_text()))
            for node in ast.iter_child_nodes(parent)
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("time.time", "datetime.now")
        }
        shown_to_people = {
            "time.time: self.started_at = time.time()",
            "time.time: at=time.time()",
        }
        assert calls <= shown_to_people, file


# --- where a home may be -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["with two  spaces and ñ", "deep/" * 40, "-rf", "{x}%s'\""])
def test_a_home_may_be_anywhere(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir(parents=True)
    with vigia(home) as v:
        v.start("--", *programs.sh('test -n "$VIGIA_CONTROL" && echo here I am; exec sleep 1000'))
        v.wait_state("running")
        until(lambda: "here I am" in v.text())
        assert str(home) in v.run("status").stdout
        assert v.run("restart").returncode == 0
        assert v.end() == 0
        assert v.descendants() == []


# --- what is said, and to whom -----------------------------------------------------------------


def test_status_is_the_same_for_people_and_programs(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.SLEEPS) + one(programs.DIES_AT_ONCE, name="dies"))
        v.start()
        v.wait_state("running", "kid")
        v.wait_state("backoff", "dies")
        answer = v.run("status", "--json", "kid")
        assert answer.returncode == 0
        said = json.loads(answer.stdout)
        assert set(said) == {
            *("home", "pid", "up", "children"),
            *("paused", "dry_run", "incidents", "alerts"),
        }
        [kid] = said["children"]
        assert set(kid) == {
            *("name", "state", "pid", "up", "starts", "last_exit", "next_start", "why", "vitals"),
        }
        assert set(kid["vitals"]) == {"memory", "cpu", "progress_age", "silence", "unanswered"}
        assert (kid["name"], kid["state"], kid["starts"]) == ("kid", "running", 1)
        people = v.run("status")
        assert people.returncode == 1, "one is in trouble"
        assert "dies" in people.stdout
        assert "backing off" in people.stdout
        assert "ended with exit code 1" in people.stdout
        v.run("stop", "dies")
        assert v.run("status").returncode == 0, "a stop by a person is no trouble"
    assert v.run("status").returncode == 1
    assert "start it with: vigia run" in v.run("status").stderr


@pytest.mark.parametrize(
    ("env", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals_that_want_them(
    tmp_path: Path, env: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    given = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
    with vigia(tmp_path) as v:
        says = programs.sh("echo ERROR it broke; exec sleep 1000")
        v.process = subprocess.Popen(
            v.command("run", "--home", str(tmp_path), "--", *says),
            env=given | {"TERM": "xterm", "LANG": "C.UTF-8"} | env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        while b"it broke" not in shown or not shown.endswith(b"\n"):
            shown += os.read(ours, 4096)
        assert (b"\x1b[31m" in shown) is coloured
        assert v.end() == 0
    os.close(ours)


def test_nobody_reads_any_more_and_the_child_runs_on(tmp_path: Path) -> None:
    # `vigia run | head -1`
    argv = programs.sh("while :; do echo line; sleep 0.01; done")
    reader, writer = os.pipe()
    with vigia(tmp_path) as v, (tmp_path / "errors").open("wb") as errors:
        v.process = subprocess.Popen(
            v.command("run", "--home", str(tmp_path), "--", *argv), stdout=writer, stderr=errors
        )
        os.close(writer)
        os.read(reader, 1)
        os.close(reader)
        v.wait_state("running")
        log = tmp_path / "logs" / "pipeline.log"
        size = log.stat().st_size
        until(lambda: log.stat().st_size > size + 100)
        assert v.child()["state"] == "running"
        assert v.end() == 0
        assert (tmp_path / "errors").read_text() == ""


@pytest.mark.parametrize(
    "closed",
    [
        "<&-",
        "2>&-",
        pytest.param(">&-"),
        pytest.param("<&- >&- 2>&-"),
    ],
)
def test_a_descriptor_that_is_closed_at_the_start_is_no_trouble(
    tmp_path: Path, closed: str
) -> None:
    argv = programs.sh("echo hello; ls -l /proc/self/fd >&2; exec sleep 1000")
    with vigia(tmp_path) as v:
        in_shell(v, "", closed)
        v.start("--", *argv)
        until(lambda: v.process.poll() is not None or v.child()["state"] == "running")
        log = tmp_path / "logs" / "pipeline.log"
        until(lambda: v.process.poll() is not None or "hello" in log.read_text())
        assert v.end() == 0
        assert "Traceback" not in v.text()
        mine = [
            p for p in (tmp_path / "data").rglob("*") if p.is_file() and p.name != "state.db-wal"
        ]
        assert not any(b"hello" in path.read_bytes() for path in mine), "echoed into our own files"


@as_root
def test_as_the_first_process_of_a_container_it_reaps_and_ends(tmp_path: Path) -> None:
    # B 33: nobody else is there to bury the dead
    orphans = programs.sh(
        "for i in 1 2 3 4 5 6 7 8 9; do (setsid sh -c 'sleep 0.05' &); done; echo $$; exec sleep 1000"
    )
    alone = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespace of processes can be had here")
    with vigia(tmp_path) as v:
        under(v, *alone)
        v.start("--", *orphans)
        v.wait_state("running")
        first = psutil.Process(v.process.pid).children()[0]
        assert v.status()["pid"] == 1
        until(lambda: len(first.children(recursive=True)) == 1, what="the orphans are reaped")
        first.send_signal(signal.SIGTERM)
        assert v.process.wait(60) == 0
        assert v.descendants() == []


def test_the_limit_for_memory_is_told_with_its_numbers(tmp_path: Path) -> None:
    # B 23
    grows = programs.python("import time\nhold = bytearray(90 << 20)\ntime.sleep(1000)")
    with vigia(tmp_path) as v:
        v.configure(one(grows, f"health = {{every = 0.1, memory = '60MB'}}\n{RETRIES}"))
        v.start()
        until(lambda: v.child("kid").get("starts") == 2, what=v.diary)
        assert "more than 60.0 MB" in v.diary()
        assert lives(v.wait_state("running", "kid")["pid"])
