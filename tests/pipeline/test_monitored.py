"""The closed loop while videos flow: each classic fault is planted for real, the monitor understands,
repairs and proves, every job goes through once, and the records tell it. With `-s` a table says when.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import monitor
from monitor.demo.botapi import BotApi, bot_api
from pipeline.model import Source
from tests.conftest import lacking
from tests.monitor.faults import of
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia
from tests.monitor.volumes import fill, tmpfs
from tests.pipeline.films import film
from tests.pipeline.homes import QUICK, Home
from tests.pipeline.telegram import at, hand_in, sent

pytestmark = pytest.mark.slow

FILMS = [film(seed, frames=40) for seed in range(4)]
HOLE = 64 << 10
# What the pipeline would try again by itself comes after the test: all that heals here is the monitor.
PATIENT = QUICK.replace("retry_ours = 0.5", "retry_ours = 600").replace(
    "retry_first = 0.2", "retry_first = 600"
)
FAST = """
[repair]
quiet = 0.5
[disk]
warn = 0
critical = 0
every = "1h"
[ladders]
server_down = [{do = "probe_server", attempts = 60, delay = 0.2, max_delay = 0.2}]
"""
TABLE: list[tuple[str, float, float, float]] = []

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant it: run the tests as root")


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    print(f"\n{'fault':<16}{'noticed after':>15}{'repaired after':>16}{'job done after':>16}")
    for fault, *times in TABLE:
        print(f"{fault:<16}" + "".join(f"{each:>13.2f} s" for each in times))


class Flow:
    """A monitor whose child is the pipeline, the played Telegram, and the films that were sent."""

    def __init__(self, minder: Vigia, here: Home, api: BotApi) -> None:
        self.monitor, self.here, self.api = minder, here, api
        self._films = iter(FILMS)
        self.sent: list[bytes] = []
        self.jobs: list[str] = []

    def send(self, *, say_size: bool = True) -> None:
        self.hand_in(self.at_telegram(say_size=say_size))

    def at_telegram(self, *, say_size: bool = True) -> Source:
        """The next film lies there; its job begins when it is handed in."""
        data = next(self._films)
        self.sent.append(data)
        return sent(self.api, data, say_size=say_size)

    def hand_in(self, source: Source) -> None:
        self.jobs.append(hand_in(self.here, source))

    def all_went_through(self) -> None:
        """Each film is posted once, byte for byte."""
        want = Counter(self.sent)
        until(lambda: self._posted() == want, 30, self.words)
        assert self._posted() == want

    def words(self) -> tuple[str, str]:
        return self.here.text(), self.monitor.text()

    def healed(self, fault: str, category: str, action: str) -> dict[str, Any]:
        """The records tell every incident from its line to its end; the record of the repair."""
        home = self.here.folder

        def opened() -> set[str]:
            return {one["incident"] for one in of(home, state="detected", category=category)}

        until(
            lambda: opened() <= {one["incident"] for one in of(home, state="resolved")},
            20,
            lambda: (records(home), *self.words()),
        )
        repair = next(
            one
            for one in of(home, category=category, action=action)
            if (one["outcome"] or {}).get("result") == "done" and "job" in one["context"]
        )
        assert repair["outcome"]["proof"]
        told = of(home, incident=repair["incident"])
        assert [told[0]["state"], told[-1]["state"]] == ["detected", "resolved"]
        job, line = repair["context"]["job"], told[0]["source"]["line"]
        assert job in self.jobs[1:]
        assert f"job={job}" in line
        assert self.monitor.run("events", "verify").returncode == 0
        said = _at(line.split(" ", 1)[0])
        done = _at(self._line("event=job.done", job).split(" ", 1)[0])
        times = (_at(told[0]["timestamp"]), _at(repair["timestamp"]), done)
        TABLE.append((fault, *(each - said for each in times)))  # type: ignore[arg-type]
        return repair

    def _line(self, event: str, job: str) -> str:
        lines = self.here.text().splitlines()
        return next(line for line in lines if event in line and f"job={job}" in line)

    def _posted(self) -> Counter[bytes]:
        return Counter(path.read_bytes() for path in self.here.posted())


def _at(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _python_for(user: str) -> tuple[str, str]:
    """An interpreter of this version that the user may run, with all that is installed for ours."""
    found = ":".join(path for path in sys.path if path.endswith("site-packages"))
    ours = str(Path(monitor.__file__).parents[1])
    for python in (sys.executable, "/usr/bin/python3"):
        env = {"PYTHONPATH": f"{ours}:{found}"}
        command = [
            python,
            "-c",
            f"import sys, pipeline.app; assert sys.version_info[:2] == {sys.version_info[:2]}",
        ]
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                command,
                env=env,
                user=user,
                group=pwd.getpwnam(user).pw_gid,
                extra_groups=[],
                cwd="/",
                capture_output=True,
                check=False,
            )
            if tried.returncode == 0:
                return python, f"env = {{PYTHONPATH = '{env['PYTHONPATH']}'}}"
    lacking(f"{user} cannot run a Python with what the pipeline needs")
    raise AssertionError


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


@pytest.fixture
def folder() -> Iterator[Path]:
    """A home that every user may enter, as tmp_path is not."""
    top = Path(tempfile.mkdtemp(prefix="vigia-flow-"))
    top.chmod(0o755)
    yield top
    shutil.rmtree(top, ignore_errors=True)


@contextmanager
def flowing(folder: Path, api: BotApi, user: str = "") -> Iterator[Flow]:
    here = Home(folder, at(api))
    (folder / "pipeline.toml").write_text(PATIENT)
    (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in at(api).items()))
    here.log = folder / "logs" / "pipeline.log"
    child = ""
    if user:
        (folder / "data").mkdir()
        for place in ("data", "modelos", "modelos/ana", "modelos/ana/inbox"):
            shutil.chown(folder / place, user)
        python, env = _python_for(user)
        child = one(
            (python, "-m", "pipeline"),
            f"user = '{user}'\n{env}\npass_env = {list(at(api))}",
            "pipeline",
        )
    with vigia(folder) as minder:
        minder.configure(FAST + child)
        minder.start()
        until(lambda: "event=pipeline.ready" in here.text(), 60, minder.text)
        flow = Flow(minder, here, api)
        flow.send()
        flow.all_went_through()
        yield flow


def test_a_film_that_came_cut_is_quarantined_and_fetched_again(folder: Path, api: BotApi) -> None:
    with flowing(folder, api) as flow:
        cut = len(FILMS[1]) * 6 // 10
        api.fault("cut", method="download", bytes=cut, framing="close")
        flow.send(say_size=False)
        until(lambda: "event=verify.failed" in flow.here.text(), 60, flow.words)  # it met this one
        flow.send()
        flow.all_went_through()
        flow.healed("cut at 60 %", "corrupt_file", "quarantine")
        assert "corrupt_file" in flow.monitor.run("quarantine", "list").stdout


def test_a_film_with_a_hole_of_64_kb_is_quarantined_and_fetched_again(
    folder: Path, api: BotApi
) -> None:
    with flowing(folder, api) as flow:
        pace = len(FILMS[1]) / 2
        api.fault("pace", method="download", pace=pace)
        flow.send()
        _punch(folder / "modelos" / "ana")
        flow.send()
        flow.all_went_through()
        flow.healed("hole of 64 KB", "corrupt_file", "quarantine")


def _punch(place: Path) -> None:
    """Zeros into the middle of what has come so far, while the rest is still on its way."""
    middle = len(FILMS[1]) // 3

    def far_enough() -> list[Path]:
        return [p for p in place.glob("*.part") if p.stat().st_size >= middle + HOLE]

    until(far_enough, 60)
    with far_enough()[0].open("r+b") as file:
        file.seek(middle)
        file.write(bytes(HOLE))


def test_a_removed_folder_is_made_again(folder: Path, api: BotApi) -> None:
    with flowing(folder, api) as flow:
        shutil.rmtree(folder / "modelos" / "ana")
        flow.sent.clear()  # what was posted went with it
        flow.send()
        flow.all_went_through()
        flow.healed("folder removed", "missing_path", "make_directory")
        flow.send()
        flow.all_went_through()


@root
def test_a_folder_that_somebody_took_is_given_back(folder: Path, api: BotApi) -> None:
    with flowing(folder, api, user="nobody") as flow:
        place = folder / "modelos" / "ana"
        shutil.chown(place, "root")
        place.chmod(0o755)
        flow.send()
        flow.send()
        flow.all_went_through()
        flow.healed("owner changed", "permission", "take_ownership")
        assert place.owner() == "nobody"


@root
def test_a_full_disk_is_freed_of_what_is_ours(folder: Path, api: BotApi) -> None:
    with (
        tmpfs(folder / "modelos", f"size={16 << 20}") as small,
        flowing(folder, api) as flow,
    ):
        left = small / "ana" / "20200101_000000_a3f2b1.mp4.part"
        left.write_bytes(b"o" * (8 << 20))
        os.utime(left, (0, 0))
        fill(small / "user.bin", leave=100_000)
        flow.send()
        flow.send()
        flow.all_went_through()
        flow.healed("disk full", "disk_full", "free_disk")
        # Who comes second finds room already, and only has its job done again.
        proofs = [
            one["outcome"]["proof"]
            for one in of(folder, category="disk_full", action="free_disk")
            if (one["outcome"] or {}).get("result") == "done"
        ]
        assert any("are free" in proof for proof in proofs), proofs
        assert (small / "user.bin").exists()


def test_jobs_wait_for_a_bot_api_server_that_is_gone_and_go_on_when_it_is_back(
    folder: Path, api: BotApi
) -> None:
    with flowing(folder, api) as flow:
        sources = [flow.at_telegram() for _ in range(2)]
        api.stop()
        for source in sources:
            flow.hand_in(source)
        until(
            lambda: len(of(folder, state="detected", category="server_down")) >= 3, 15, flow.words
        )
        assert len(flow.here.posted()) == 1
        api.start()
        flow.all_went_through()
        flow.healed("Bot API gone", "server_down", "probe_server")
        subjects = {one["subject"] for one in of(folder, category="server_down")}
        assert subjects == {api.url}, "the poll and the jobs name the server that is gone"
