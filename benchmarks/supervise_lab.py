"""What supervisors do with programs that behave badly: ours and supervisord, both for real.

    python benchmarks/supervise_lab.py [--seconds 45] [--no-peers] [--peers DIR]

Needs the project's own Python with its test tools. supervisord comes from PyPI into a throw-away
environment; where it does not install, the published behaviour of 4.3.0 stands alone. All settings
are the defaults of each. Prints one table, in about a minute; everything is ended afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from supervise_peers import lives, venv_with, wait

from tests.monitor.vigia import Vigia, vigia

EXITS_AT_ONCE = "echo $$ >> starts; exit 1"
GOOD_THEN_FAILS = "echo $$ >> starts; sleep 2.2; exit 1"
SPREADS = "echo $$ >> starts; setsid sleep 1000 & echo $! > grandchild; wait"
STAYS = "echo $$ >> starts; exec sleep 1000"
PUBLISHED = {
    "exits at once": "4 starts, then FATAL",
    "good for 2.2 s, then fails": "restarted without end",
    "setsid grandchild at stop": "survives",
    "kill -9 of the supervisor": "the child lives on; a second copy is started beside it",
}


class Ours:
    """`vigia run` in a home of its own."""

    def __init__(self, home: Path, script: str) -> None:
        self.home = home
        self._v = Vigia(home)
        self._v.configure(f"[children.lab]\ncommand = ['/bin/sh', '-c', '''{script}''']\n")

    def start(self) -> None:
        self._v.start("--quiet")

    def state(self) -> str:
        return str(self._v.child("lab")["state"])

    def stop_program(self) -> None:
        self._v.run("stop")

    def kill(self) -> None:
        self._v.end(signal.SIGKILL)

    @contextlib.contextmanager
    def playing(self) -> Iterator[None]:
        with vigia(self.home) as play:
            self._v = play
            self.start()
            yield


class Supervisord:
    """supervisord in the foreground, asked through supervisorctl."""

    program: Path

    def __init__(self, home: Path, script: str) -> None:
        self.home = home
        (home / "lab.sh").write_text(script)
        self._conf = home / "supervisord.conf"
        self._conf.write_text(
            f"[supervisord]\nnodaemon=true\nlogfile={home}/log\npidfile={home}/pid\n"
            f"childlogdir={home}\n"
            f"[unix_http_server]\nfile={home}/s\n[supervisorctl]\nserverurl=unix://{home}/s\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
            f"[program:lab]\ncommand=/bin/sh {home}/lab.sh\ndirectory={home}\n"
        )
        self._process: subprocess.Popen[bytes]

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(self.program), "-c", str(self._conf)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _ask(self, *words: str) -> str:
        ctl = [str(self.program.with_name("supervisorctl")), "-c", str(self._conf), *words]
        return subprocess.run(ctl, capture_output=True, text=True, check=False, timeout=30).stdout

    def state(self) -> str:
        return (self._ask("status", "lab").split() or ["?", "?"])[1]

    def stop_program(self) -> None:
        self._ask("stop", "lab")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextlib.contextmanager
    def playing(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self._process.terminate()
            self._process.wait(20)


def pids(home: Path, name: str) -> list[int]:
    file = home / name
    return [int(pid) for pid in file.read_text().split()] if file.exists() else []


def exits_at_once(play: Ours | Supervisord, seconds: float) -> str:
    return _watch(play, seconds)


def good_then_fails(play: Ours | Supervisord, seconds: float) -> str:
    return _watch(play, seconds)


def _watch(play: Ours | Supervisord, seconds: float) -> str:
    with play.playing():
        time.sleep(seconds)
        return f"{len(pids(play.home, 'starts'))} starts in {seconds:g} s, then {play.state()}"


def grandchild_at_stop(play: Ours | Supervisord, _seconds: float) -> str:
    with play.playing():
        wait(lambda: pids(play.home, "grandchild"), 20, "the grandchild")
        play.stop_program()
        return "survives" if lives(pids(play.home, "grandchild")[0]) else "gone"


def killed_supervisor(play: Ours | Supervisord, _seconds: float) -> str:
    with play.playing():
        wait(lambda: pids(play.home, "starts"), 20, "the program")
        play.kill()
        first = pids(play.home, "starts")[0]
        left = "lives on" if lives(first) else "dies"
        play.start()
        wait(lambda: len(pids(play.home, "starts")) == 2, 20, "the second start")
        time.sleep(0.5)
        copies = sum(lives(pid) for pid in pids(play.home, "starts"))
        return f"the child {left}; after a new start: {copies} running"


SHAPES = {
    "exits at once": (EXITS_AT_ONCE, exits_at_once),
    "good for 2.2 s, then fails": (GOOD_THEN_FAILS, good_then_fails),
    "setsid grandchild at stop": (SPREADS, grandchild_at_stop),
    "kill -9 of the supervisor": (STAYS, killed_supervisor),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=45.0, help="how long a failing one is watched"
    )
    parser.add_argument("--no-peers", action="store_true", help="only ours")
    parser.add_argument("--peers", metavar="DIR", help="where supervisord is installed and kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigia-lab-") as folder, ThreadPoolExecutor(8) as pool:
        where = Path(folder)
        peers = Path(asked.peers or where / "peers")
        peers.mkdir(parents=True, exist_ok=True)
        program = None if asked.no_peers else venv_with("supervisor", "supervisord", peers)
        kinds: list[type[Ours | Supervisord]] = [Ours]
        if program:
            Supervisord.program = program
            kinds.append(Supervisord)
        played = {
            (shape, kind): pool.submit(_play, where, kind, shape, asked.seconds)
            for shape in SHAPES
            for kind in kinds
        }
        print("| shape | vigia | supervisord here | supervisord 4.3.0, published |")
        print("|---|---|---|---|")
        for shape in SHAPES:
            theirs = played[shape, Supervisord].result() if program else "did not install"
            print(f"| {shape} | {played[shape, Ours].result()} | {theirs} | {PUBLISHED[shape]} |")


def _play(where: Path, kind: type[Ours | Supervisord], shape: str, seconds: float) -> str:
    script, story = SHAPES[shape]
    home = where / f"{kind.__name__}-{list(SHAPES).index(shape)}"
    home.mkdir()
    try:
        return story(kind(home, script), seconds)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return f"could not be played: {error}"
    finally:
        for pid in [*pids(home, "starts"), *pids(home, "grandchild")]:
            with contextlib.suppress(OSError):
                if os.path.samefile(f"/proc/{pid}/cwd", home):  # that number is still ours
                    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
