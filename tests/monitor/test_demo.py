"""The demonstration: what it tells is pure; the whole of it is run once, and called off once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from monitor.demo import films
from monitor.demo.faults import NAMES
from monitor.demo.ground import MARK
from monitor.demo.story import tell
from monitor.demo.table import Row, table
from monitor.demo.words import WORDS
from pipeline.checks import check
from tests.monitor.vigia import until

PLANTED = 1_000_000.0


def record(state: str, at: float, incident: str = "INC-1", **more: Any) -> dict[str, Any]:
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(PLANTED + at))
    fields: dict[str, Any] = {
        "state": state,
        "timestamp": f"{moment}.500Z",
        "incident": incident,
        "category": "permission",
        "message": "it may not",
        "subject": "modelos/ana",
        "action": "take_ownership",
        "outcome": None,
    }
    return fields | more


DONE = {"result": "done", "detail": "mode 0000 -> 0700", "proof": "it can write"}
HEALED = [
    record("detected", 1),
    record("fixing", 2),
    record("retrying", 3, outcome=DONE),
    record("resolved", 5),
]


def test_a_fault_is_told_by_its_records_with_the_seconds_after_it_was_planted() -> None:
    tale = tell(HEALED, "permission", PLANTED, "en")
    assert [(step.kind, step.after) for step in tale.steps] == [
        ("noticed", 1.5),
        ("repaired", 3.5),
        ("proved", 5.5),
    ]
    assert "mode 0000 -> 0700" in tale.steps[1].said
    assert tale.healed


@pytest.mark.parametrize("so_far", range(len(HEALED)))
def test_nothing_is_healed_before_it_is_resolved(so_far: int) -> None:
    assert not tell(HEALED[:so_far], "permission", PLANTED, "en").healed


def test_what_was_before_and_what_is_carried_over_is_not_of_this_fault() -> None:
    old = [record("detected", -9, "INC-7"), record("detected", 1, "INC-8", carried=True)]
    assert tell([*old, *HEALED], "permission", PLANTED, "en").incidents == ("INC-1",)


def test_no_fault_is_healed_while_another_trouble_came_of_it() -> None:
    beside = record("alert_only", 2, "INC-2", category="crash")
    assert not tell([*HEALED, beside], "permission", PLANTED, "en").healed


def test_an_incident_that_is_seen_again_is_noticed_once_and_proved_last() -> None:
    again = [*HEALED[:1], record("detected", 2), *HEALED[1:], record("resolved", 5, "INC-2")]
    again.insert(1, record("detected", 1, "INC-2"))
    tale = tell(again, "permission", PLANTED, "en")
    assert [step.kind for step in tale.steps].count("noticed") == 2
    assert tale.healed


def test_the_table_stands_in_columns_and_says_why_something_is_missing() -> None:
    rows = [
        Row("folder", 0.6, 1.25, 12.0, 1.4),
        Row("owner", skipped="only root"),
        Row("cut", 0.5, wrong="did not heal"),
    ]
    head, rule, folder, owner, cut, *notes = table(rows, "en").splitlines()
    assert len(rule) == len(head)
    for word, cell in (("noticed after", "0.6 s"), ("proved after", "12.0 s")):
        assert head.index(word) + len(word) == folder.index(cell) + len(cell)
    assert "not tried" in owner
    assert cut.split() == ["file", "cut", "0.5", "s", "—", "—", "no"]
    assert notes == ["owner changed: not tried: only root", "file cut: DID NOT HEAL: did not heal"]


def test_every_text_and_every_fault_has_its_words_in_both_languages() -> None:
    for name, (es, en) in WORDS.items():
        assert es, name
        assert en, name
    assert {f"fault_{name}" for name in NAMES} <= set(WORDS)


def test_films_and_pictures_are_whole_and_no_two_are_the_same(tmp_path: Path) -> None:
    made = [("a.mp4", films.film(1)), ("b.mp4", films.film(2)), ("c.mp4", films.film(2, 100_000))]
    made += [("a.jpg", films.picture(1)), ("b.jpg", films.picture(2))]
    for name, data in made:
        (tmp_path / name).write_bytes(data)
        assert check(tmp_path / name, len(data), 20.0, lambda: None).width == 320
    assert len({data for _, data in made}) == len(made)
    assert len(made[2][1]) > 100_000


# --- the whole of it ---


@contextmanager
def demo(place: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """With a temporary folder of its own, so that what is left is seen; ended in any case."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("VIGIA", "LC_"))}
    environ |= {"TMPDIR": str(place), "TELEGRAM_TOKEN": "1:of-a-real-bot", "ADMIN_ID": "77"}
    command = [sys.executable, "-P", "-m", "monitor.demo", "--lang", "en", *words]
    with (place / "told.txt").open("w") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, env=environ, text=True, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


@pytest.fixture
def place() -> Iterator[Path]:
    """Not too deep for sockets, and open to another user."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def marked(place: Path) -> list[int]:
    """All that lives and was started by a demonstration in that place."""
    mark, found = f"{MARK}={place}/".encode(), []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and mark in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def nothing_is_left(place: Path) -> bool:
    mounts = Path("/proc/self/mounts").read_text()
    left = [path.name for path in place.iterdir() if path.name != "told.txt"]
    return not left and not marked(place) and str(place) not in mounts


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_fault_that_can_be_tried_here_heals_and_nothing_is_left(place: Path) -> None:
    with demo(place) as process:
        code = process.wait(240)
    told = (place / "told.txt").read_text()
    assert code == 0, told
    assert "\x1b" not in told
    rows = told[told.index("noticed after") :].splitlines()[2 : 2 + len(NAMES)]
    assert len(rows) == len(NAMES)
    for row in rows:
        assert "not tried" in row or row.count(" s") >= 4, told
    assert not rows[0].endswith("not tried")
    assert "all healed" in told
    assert nothing_is_left(place)


@pytest.mark.slow
@pytest.mark.timeout(200)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_called_off_in_the_middle_it_leaves_nothing(place: Path, number: signal.Signals) -> None:
    told = place / "told.txt"
    with demo(place, "--only", "server") as process:
        until(lambda: "SERVER DOWN" in told.read_text(), 120, told.read_text)
        assert marked(place)
        process.send_signal(number)
        assert process.wait(60) == 128 + number, told.read_text()
    assert "Traceback" not in told.read_text()
    assert nothing_is_left(place)


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_with_keep_the_home_stays_to_be_looked_at(place: Path) -> None:
    with demo(place, "--keep", "--only", "cut") as process:
        assert process.wait(150) == 0, (place / "told.txt").read_text()
    homes = list(place.glob("vigia-demo-*/home"))
    assert len(homes) == 1
    assert (homes[0] / "logs" / "errors.json").stat().st_size > 2
    assert str(homes[0]) in (place / "told.txt").read_text()
    assert not marked(place)
