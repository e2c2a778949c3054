"""Hostile lines through the whole monitor: nothing is run, nothing outside the roots is touched.

Seen from outside by strace: every program that was started, every name that was made or changed.
"""

from __future__ import annotations

import os
import random
import re
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from monitor.records.history import read
from tests.monitor import programs
from tests.monitor.faults import of
from tests.monitor.paths_story import IS_ROOT, Story, a_home, flipping, looks, python_for_all
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

COUNT = 500
# So that budgets and storms stop none of it: what is tested is each single step.
UNBOUND = (
    "[repair]\nquiet = 0.1\nper_target = 100000\nactions = 100000\nrestarts = 100000\nstorm = 100000\n"
    "[ladders]\n"
    "timeout = [{do = 'resume_job'}]\n"
    "server_down = [{do = 'probe_server'}, {do = 'restart_server'}]\n"
    "disk_full = [{do = 'free_disk'}]\n"
    "corrupt_file = [{do = 'quarantine'}]\n"
    "rate_limit = [{do = 'wait_out'}]\n"
)
TEMPLATES = (
    "PermissionError: [Errno 13] Permission denied: '{}'",
    "FileNotFoundError: [Errno 2] No such file or directory: '{}'",
    "ERROR video check failed: {}: moov atom not found",
    "OSError: [Errno 28] No space left on device: '{}'",
    "redis.exceptions.ConnectionError: Error 111 connecting to {}:6379. Connection refused.",
    'ERROR pipeline.x event=x.failed job={} modelo={} file="{}" error="TimedOut: Timed out"',
    'ERROR pipeline.x event=x.failed job={} url={} error="Connection refused"',
    "telegram.error.RetryAfter: Flood control exceeded. Retry in {} seconds",
    "mkdir: cannot create directory '{}': Permission denied",
    "rm: cannot remove {}: No such file or directory; chown {}",
)
NAMES_CHANGED = (
    "chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,mkdir,mkdirat,rename,renameat,renameat2,"
    "unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,truncate,mknod,mknodat"
)


def payloads(home: Path, secret: Path) -> list[str]:
    """What an attacker writes where a name is expected."""
    touch = f"touch {home}/pwned"  # in no root: only a program could make it
    return [
        *(
            "/etc/shadow",
            "../../../../../../etc/passwd",
            "//etc//cron.d//x",
            "/",
            ".",
            "..",
            "...",
            "",
        ),
        *(
            f"{home}/modelos/../../secret/x.mp4",
            f"{secret}/x.mp4",
            str(secret),
            f"file://{secret}/x.mp4",
        ),
        *(
            f"$({touch})",
            f"`{touch}`",
            f"; {touch};",
            f"| {touch}",
            f"&& {touch} #",
            f"\\n{touch}\\n",
        ),
        *(f"{home}/modelos/$({touch})/a.mp4", f"{home}/modelos/`{touch}`.mp4"),
        *("-rf", "--reference=/etc/shadow", "--help", "-", f"{home}/modelos/-rf"),
        *(
            "%s%s%n",
            "%2e%2e%2f",
            "{0.__class__}",
            "{x.__globals__}",
            "{job}",
            "${HOME}",
            "$HOME/x",
            "~/x",
        ),
        *(
            "/proc/self/root/etc/shadow",
            "/proc/self/environ",
            "/dev/zero",
            "/dev/tty",
            "/sys/power/state",
        ),
        *(f"{home}/modelos/link/x.mp4", f"{home}/modelos/link", f"{home}/modelos/hard.mp4"),
        *(f"{home}/modelos/fifo.mp4", f"{home}/modelos/suid.mp4", f"{home}/modelos/root.mp4"),
        *(
            f"{home}/data/monitor/state.db",
            f"{home}/logs/errors.json",
            f"{home}/logs/kid.log",
            str(home),
        ),
        *(
            "\u202efdp.exe",
            "\u2024\u2024/etc",
            "\uff0e\uff0e/etc",
            "\x1b]0;pwned\x07",
            "a\x00b",
            "\ud83d",
        ),
        *(
            "A" * 5000,
            "/".join("d" * 90),
            f"{home}/modelos/{'n' * 300}",
            f"{home}/modelos/" + "x/" * 70,
        ),
        *("'; DROP TABLE incident;--", '"}]\\u000a{"seq":1', "<actionstop>", "[x](tg://user?id=1)"),
        *(
            "127.0.0.1",
            "169.254.169.254",
            "::1",
            "localhost:22/$(id)",
            "a b c",
            "1e999",
            "-5",
            "NaN",
        ),
    ]


def hostile_lines(home: Path, secret: Path) -> list[bytes]:
    """The same 500 each time."""
    chosen = random.Random(40)
    every = [(template, one) for template in TEMPLATES for one in payloads(home, secret)]
    lines = [template.replace("{}", one) for template, one in chosen.sample(every, COUNT)]
    return [line.encode(errors="surrogatepass") for line in lines]


def set_traps(story: Story) -> None:
    (story.modelos / "link").symlink_to(story.secret)
    os.link(story.secret / "x.mp4", story.modelos / "hard.mp4")
    os.mkfifo(story.modelos / "fifo.mp4")
    for name, mode in (("suid.mp4", 0o4755), ("root.mp4", 0o600)):
        (story.modelos / name).write_bytes(b"x")
        (story.modelos / name).chmod(mode)


def is_calm(v: Vigia, marker: str) -> bool:
    """The last line is seen to, and no incident is under way."""
    last = {record["incident"]: record["state"] for record in records(v.home)}
    over = {"resolved", "failed", "alert_only"}
    return bool(of(v.home, subject=marker, state="resolved")) and set(last.values()) <= over


def not_calm(v: Vigia, marker: str) -> object:
    last = {record["incident"]: record for record in records(v.home)}
    over = {"resolved", "failed", "alert_only"}
    waiting = [
        (r["id"], r["category"], r["message"]) for r in last.values() if r["state"] not in over
    ]
    return waiting, of(v.home, subject=marker)


@pytest.mark.skipif(not IS_ROOT, reason="as root there is most to lose")
@pytest.mark.needs("strace")
@pytest.mark.timeout(300)
def test_five_hundred_hostile_lines_run_nothing_and_touch_nothing_outside(tmp_path: Path) -> None:
    with a_home() as story, vigia(story.home) as v:
        set_traps(story)
        home, trace = story.home, tmp_path / "trace"
        marker = f"{home}/modelos/marker/x.mp4"
        lines = hostile_lines(home, story.secret)
        end = f"FileNotFoundError: [Errno 2] No such file or directory: '{marker}'\n".encode()
        (home / "lines").write_bytes(b"\n".join(lines) + b"\n" + end)
        before = looks(story.secret)
        etc = {name: os.stat(name) for name in ("/etc/passwd", "/etc/shadow", "/etc")}
        (home / "jobs").touch()
        (home / "jobs").chmod(0o666)
        (home / "retry.sh").write_text('printf "%s\\n" "$1" >> jobs\n')
        v.configure(
            UNBOUND
            + one(
                programs.sh("cat lines; exec sleep 1000"),
                "user = 'nobody'\nretry = ['/bin/sh', 'retry.sh', '{job}']",
            )
        )
        spy = ["strace", "-D", "-f", "-qq", "-y", "-s", "300", "-o", str(trace)]
        plain = v.command("run")
        v.command = lambda *words: [
            *spy,
            "-e",
            f"trace=execve,openat,openat2,{NAMES_CHANGED}",
            *plain[:-1],
            *words,
        ]  # type: ignore[method-assign]
        v.start("--quiet")
        until(lambda: is_calm(v, marker), 60, what=lambda: not_calm(v, marker))
        v.end()
        assert looks(story.secret) == before
        for name, found in etc.items():
            now = os.stat(name)
            assert (now.st_mode, now.st_uid, now.st_gid, now.st_ino) == (
                found.st_mode, found.st_uid, found.st_gid, found.st_ino,
            )  # fmt: skip
        assert not list(story.home.parent.rglob("pwned"))
        told = whole(trace.read_text(errors="replace").splitlines())
        _insist_nothing_was_run(told)
        touched = _insist_only_ours_was_touched(told, home)
        jobs = (home / "jobs").read_text().split("\n")
        assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}", job) for job in jobs if job)
        done = Counter(r["outcome"]["result"] for r in records(home) if r["outcome"])
        incidents = {record["incident"] for record in records(home)}
        print(f"{COUNT} lines, {len(incidents)} incidents, {dict(done)}, {touched} names changed")
        assert done["refused"] > 50  # they did come as far as a strategy
        assert v.text().count("\x1b") == 0


def whole(told: list[str]) -> list[str]:
    """Calls that were told in two parts, because another thread came between, in one."""
    begun: dict[str, str] = {}
    calls = []
    for line in told:
        pid = line.split(" ", 1)[0]
        if line.endswith("<unfinished ...>"):
            begun[pid] = line.removesuffix("<unfinished ...>")
        elif "resumed>" in line:
            calls.append(begun.pop(pid, "") + line.split("resumed>", 1)[1])
        else:
            calls.append(line)
    return calls


def _insist_nothing_was_run(told: list[str]) -> None:
    """But the monitor, its child with its cat and sleep, the probe as another user, the retries."""
    ran = [line for line in told if " execve(" in line and line.rstrip().endswith("= 0")]
    allowed = (
        re.escape(f'execve("{sys.executable}", ["{sys.executable}", "-m", "monitor", "run"'),
        r'execve\("/bin/sh", \["/bin/sh", "-c", "cat lines; exec sleep 1000"\]',
        r'execve\("/\S*/(?:cat|sleep)", \["(?:cat|sleep)", "(?:lines|1000)"\]',
        r'execve\("/bin/sh", \["/bin/sh", "retry\.sh", "[A-Za-z0-9_][A-Za-z0-9_.:@-]*"\]',
        r'execve\("[^"]*python[^"]*", \["[^"]*", "-I", "-S", "-c", "',
        r'execve\("[^"]*python[^"]*", \["[^"]*", "-(?:I|m|P|c)",? ',
    )
    strange = [line for line in ran if not any(re.search(each, line) for each in allowed)]
    assert ran
    assert not strange, "\n".join(strange)


def _insist_only_ours_was_touched(told: list[str], home: Path) -> int:
    """Every change of a name or of rights that held was in the home; how many there were."""
    ours = (str(home), os.environ.get("VIGIA_CACHE", "/nowhere"), "/tmp/vigia-", "/sys/fs/cgroup/")
    held: dict[str, str] = {}  # what a descriptor of the monitor stands for just then
    changed, strange = 0, []
    for line in told:
        if opened := re.search(r" openat2?\(.* = (\d+)<([^>]*)>", line):
            held[opened[1]] = opened[2]
        elif " execve(" not in line and line.rstrip().endswith("= 0"):
            changed += 1
            if not all(name.startswith(ours) for name in _named(line, held)):
                strange.append(line)
    assert changed
    assert not strange, "\n".join(strange)
    return changed


def _named(line: str, held: dict[str, str]) -> list[str]:
    """The folders that a call names by descriptor, and its absolute paths; never none."""
    by_link = [held.get(fd, line) for fd in re.findall(r'"/proc/self/fd/(\d+)', line)]
    names = re.findall(r"\d+<([^>]*)>", line) + re.findall(r'"(/(?!proc/self/fd/)[^"]*)"', line)
    return [*by_link, *names] or [line]


SAYS = (
    "import os, time\n"
    "n = 0\n"
    "while True:\n"
    "    n += 1\n"
    "    file = os.path.abspath(f'modelos/victor/f{n % 40}.mp4')\n"
    "    print(f\"PermissionError: [Errno 13] Permission denied: '{file}'\")\n"
    "    print(f'ERROR video check failed: {file}: moov atom not found')\n"
    "    new = os.path.abspath(f'modelos/victor/d{n}/x.mp4')\n"
    "    print(f\"FileNotFoundError: [Errno 2] No such file or directory: '{new}'\", flush=True)\n"
    "    time.sleep(0.02)\n"
)


@pytest.mark.skipif(not IS_ROOT, reason="only root can give files away")
@pytest.mark.parametrize(
    "seconds",
    [
        5.0,
        pytest.param(
            60.0, marks=(pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(200))
        ),
    ],
)
def test_folders_exchanged_for_links_while_the_monitor_repairs(seconds: float) -> None:
    """M40 through the whole monitor: a process of the child's user flips, lines name what he flips."""
    with a_home() as story, vigia(story.home) as v:
        (story.modelos / "trap").symlink_to(story.secret)
        for n in range(40):
            wrong = story.make(f"modelos/victor/f{n}.mp4", mode=0o400)
            os.chown(wrong, 0, 0)
            (story.secret / f"f{n}.mp4").write_bytes(b"secret")
            (story.secret / f"f{n}.mp4").chmod(0o600)
        before = looks(story.secret)
        v.configure(UNBOUND + one((python_for_all(), "-I", "-S", "-c", SAYS), "user = 'nobody'"))
        with flipping(story.victor, story.modelos / "trap"):
            v.start("--quiet")
            threading.Event().wait(seconds)
        v.end()
        assert looks(story.secret) == before
        done = Counter(
            (r["action"], r["outcome"]["result"])
            for r in read(story.home / "logs" / "errors.json")  # also what was rotated meanwhile
            if r["outcome"]
        )
        print(f"{seconds:g} s: {dict(done)}")
        assert sum(count for (_, result), count in done.items() if result == "refused") > 0
        assert sum(count for (_, result), count in done.items() if result == "done") > 0
