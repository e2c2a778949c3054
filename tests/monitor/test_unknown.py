"""Lines that no rule knows: counted by shape, told once, and not forgotten over a restart."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from monitor.heal.cases import Cases
from monitor.heal.unknown import Unknown
from monitor.model import Category, FileId, Line, Match, Severity
from monitor.state import State
from tests.monitor.vigia import Vigia, until, vigia

LINE = "2026-11-20 08:00:0{n} ERROR sorter: the {n}th wombat sat token=123456789:{secret}"
SECRET = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
WRITES = """
import sys, time
for n in range(3):
    print(sys.argv[1].format(n=n, secret=sys.argv[2]), flush=True)
time.sleep(3600)
"""


def shapes(v: Vigia) -> list[dict[str, Any]]:
    done = v.run("rules", "unknown", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_an_unknown_line_is_told_once_counted_and_known_after_a_restart(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        command = [sys.executable, "-c", WRITES, LINE, SECRET]
        v.configure(f"[children.pipeline]\ncommand = {json.dumps(command)}\n")
        v.start()
        v.wait_state("running")
        until(lambda: [one["count"] for one in shapes(v)] == [3], what=v.text)
        v.end()
        v.start()
        v.wait_state("running")
        until(lambda: [one["count"] for one in shapes(v)] == [6], what=v.text)
        (shape,) = shapes(v)
        assert "wombat" in shape["sample"]
        assert SECRET not in json.dumps(shapes(v))
        assert "x6" in v.run("rules", "unknown").stdout
        v.end()
        records = json.loads((tmp_path / "logs" / "errors.json").read_text())
        told = [one for one in records if one["category"] == "unknown"]
        assert [(one["state"], one["severity"]) for one in told] == [("alert_only", "info")]
        assert SECRET not in json.dumps(records)


def match(n: int) -> Match:
    line = Line("x.log", FileId(1, 1), f"ERROR odd {n}", 0, 9, 0.0)
    captures = (("shape", f"ERROR odd {n}"), ("new", "yes"))
    return Match(line, "unknown.level_word", Category.UNKNOWN, Severity.INFO, None, captures)


def test_of_a_flood_of_new_shapes_five_an_hour_are_told() -> None:
    with State.in_memory() as state:
        unknown = Unknown(Cases(state))
        assert sum(unknown.is_news(match(n), float(n)) for n in range(1000)) == 5
        assert not unknown.is_news(match(0), 3600.0 - 1)
        assert unknown.is_news(match(0), 3600.0)


def odd(n: int) -> str:
    word = "".join("ghijklmnop"[int(digit)] for digit in str(n))
    return f"ERROR {word} {word}x"


def test_shapes_are_written_down_in_a_bounded_way_and_found_again() -> None:
    with State.in_memory() as state:
        unknown = Unknown(Cases(state))
        for n in range(700):
            unknown.shapes.add(odd(n), float(n))
            unknown.keep(float(n) / 1000)
        assert len(Cases(state).kept("shapes")) == 1  # not with each line of a flood
        unknown.keep(31.0)
        assert len(Cases(state).kept("shapes")) == 500
        again = Unknown(Cases(state))
        assert [s.text for s in again.shapes.known()] == [s.text for s in unknown.shapes.known()]
        assert again.shapes.add(odd(699), 9.0)[1] is False
