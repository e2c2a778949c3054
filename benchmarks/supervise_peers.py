"""How each supervisor is installed, told to keep one program running, started and ended."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent


@dataclass
class Supervisor:
    """One that keeps `probe STAMPS` running, in a folder of its own."""

    name: str
    folder: Path
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    daemon: Callable[[], int] | None = None  # the resident one, when it is not what we start
    leave: list[str] | None = None  # how it is asked to end, when TERM is not the way
    process: subprocess.Popen[bytes] | None = None

    @property
    def stamps(self) -> Path:
        return self.folder / "stamps"

    def starts(self) -> list[tuple[int, int]]:
        """(pid, nanoseconds) of every start of the program so far."""
        if not self.stamps.exists():
            return []
        lines = self.stamps.read_text().splitlines()
        return [(int(pid), int(at)) for pid, at in (line.split() for line in lines)]

    def start(self) -> None:
        with (self.folder / "output").open("ab") as out:
            self.process = subprocess.Popen(
                self.argv,
                cwd=self.folder,
                env=_environment() | self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self.process
        return self.daemon() if self.daemon else self.process.pid

    def stop(self) -> None:
        """Ask it to end, wait for that, and see its program gone."""
        assert self.process
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            if self.leave:
                environment = _environment() | self.env
                subprocess.run(
                    self.leave, env=environment, capture_output=True, timeout=20, check=False
                )
            else:
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
        wait(lambda: not any(lives(pid) for pid, _ in self.starts()[-1:]), 20, f"{self.name} ends")

    def end_hard(self) -> None:
        """Whatever is left of it."""
        with contextlib.suppress(OSError, ValueError):
            if self.daemon:
                os.kill(self.daemon(), signal.SIGKILL)
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid, _ in self.starts()[-1:]:
            if self.is_program(pid):
                os.kill(pid, signal.SIGKILL)

    def is_program(self, pid: int) -> bool:
        """Whether that number is still our program and not somebody else by now."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.stamps) in words


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("VIGIA", "NOTIFY", "PM2"))}


def lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def wait(true: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.005)


def build_probe(folder: Path) -> Path:
    """The measured program; without a C compiler there is nothing small enough to measure with."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        sys.exit(
            "needs a C compiler (cc): the measured child must not cost more than what starts it"
        )
    probe = folder / "probe"
    command = [compiler, "-O2", "-static", "-o", str(probe), str(HERE / "supervise_probe.c")]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        subprocess.run([word for word in command if word != "-static"], check=True)
    return probe


def supervisors(where: Path, probe: Path, peers: Path | None) -> Iterator[Supervisor | str]:
    """Each that there is; a text names one that is missing, and why."""

    def folder(name: str) -> tuple[Path, str]:
        path = where / name
        path.mkdir()
        return path, str(path / "stamps")

    path, stamps = folder("floor-c")
    yield Supervisor("C waitpid + posix_spawn (floor)", path, [str(probe), "keep", stamps])
    path, stamps = folder("floor-python")
    floor = [sys.executable, "-I", "-S", str(HERE / "supervise_floor.py"), str(probe), stamps]
    yield Supervisor("Python poll(pidfd) + posix_spawn (floor)", path, floor)
    yield ours(*folder("vigia"), probe)
    if peers is None:
        yield "supervisord, circus, pm2: left out as asked"
        return
    yield (
        supervisord(*folder("supervisord"), probe, peers) or "supervisord: pip could not install it"
    )
    yield circus(*folder("circus"), probe, peers) or "circus: pip could not install it"
    yield pm2(*folder("pm2"), probe, peers) or "pm2: npm is missing or could not install it"


def ours(path: Path, stamps: str, probe: Path) -> Supervisor:
    (path / "vigia.toml").write_text(
        f"[children.probe]\ncommand = ['{probe}', '{stamps}']\n"
        "restart = {stable = 0.5, limit = 1000000}\n"
    )
    command = [sys.executable, "-m", "monitor", "run", "--quiet", "--home", str(path)]
    return Supervisor("**vigia**", path, command, {"PYTHONPATH": str(CHECKOUT)})


def venv_with(package: str, program: str, peers: Path) -> Path | None:
    """That program from a throw-away environment, or None when it cannot be had."""
    found = peers / package / "bin" / program
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(peers / package)], check=True)
        pip = [str(peers / package / "bin" / "pip"), "install", "-q", package]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(pip, capture_output=True, timeout=120, check=False)
    return found if found.exists() else None


def supervisord(path: Path, stamps: str, probe: Path, peers: Path) -> Supervisor | None:
    program = venv_with("supervisor", "supervisord", peers)
    if program is None:
        return None
    (path / "supervisord.conf").write_text(
        f"[supervisord]\nnodaemon=true\nlogfile={path}/supervisord.log\npidfile={path}/pid\n"
        f"childlogdir={path}\n[program:probe]\ncommand={probe} {stamps}\n"
    )
    return Supervisor("supervisord", path, [str(program), "-c", str(path / "supervisord.conf")])


def circus(path: Path, stamps: str, probe: Path, peers: Path) -> Supervisor | None:
    program = venv_with("circus", "circusd", peers)
    if program is None:
        return None
    (path / "circus.ini").write_text(
        f"[circus]\nendpoint = ipc://{path}/e\npubsub_endpoint = ipc://{path}/p\n"
        f"[watcher:probe]\ncmd = {probe} {stamps}\n"
    )
    return Supervisor("circus", path, [str(program), str(path / "circus.ini")])


def pm2(path: Path, stamps: str, probe: Path, peers: Path) -> Supervisor | None:
    npm, program = shutil.which("npm"), peers / "pm2" / "node_modules" / ".bin" / "pm2"
    if npm and not program.exists():
        (peers / "pm2").mkdir(exist_ok=True)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [*install, "--prefix", str(peers / "pm2"), "pm2"],
                capture_output=True,
                timeout=180,
                check=False,
            )
    if not program.exists():
        return None
    app = {"name": "probe", "script": str(probe), "args": [stamps], "interpreter": "none"}
    (path / "app.json").write_text(json.dumps({"apps": [app]}))
    return Supervisor(
        "pm2",
        path,
        [str(program), "start", str(path / "app.json")],
        {"PM2_HOME": str(path / "home"), "PM2_DISABLE_VERSION_CHECK": "true"},
        daemon=lambda: int((path / "home" / "pm2.pid").read_text()),
        leave=[str(program), "kill"],
    )
