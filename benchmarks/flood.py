"""What a whole monitor costs while its child floods its log, and how much of its speed the child keeps.

    python benchmarks/flood.py [--seconds 60] [--rounds 3]

Run it with the project's own Python; it needs a C compiler. One child writes 100,000 lines a second:
CPU of the monitor (rotating and packing counted), its memory at the start, in the middle and at the
end, and how late it understands the last line. Then one writes as fast as it can, alone and under
the monitor, in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psutil

HERE = Path(__file__).parent
RATE = 100_000
LAST = "ERROR FileNotFoundError: [Errno 2] No such file or directory: '/nowhere/at/all/clip.mp4'"
# The flood, then one line that means trouble and when it was written, then silence.
CHILD = """\
while [ ! -e go ]; do sleep 0.02; done
{program} /proc/self/fd/1 {seconds} {rate} > done
echo "{last}"; date +%s.%N > said; exec sleep 1000
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vigia-flood-") as where:
        program = Path(where) / "flood"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-o", program, HERE / "flood.c"], check=True)
        print(f"load average {_load()}")
        _steady(program, Path(where) / "steady", asked.seconds)
        _unthrottled(program, Path(where), min(10.0, asked.seconds), asked.rounds)
        print(f"load average {_load()}")


def _steady(program: Path, home: Path, seconds: float) -> None:
    with _monitor(home, program, seconds, RATE) as monitor:
        before, began = _cpu(monitor), time.monotonic()
        memory = [monitor.memory_info().rss]
        (home / "go").touch()
        _wait(lambda: time.monotonic() - began > seconds / 2, seconds)
        memory.append(monitor.memory_info().rss)
        _wait((home / "said").exists, seconds + 30)
        used = (_cpu(monitor) - before) / (time.monotonic() - began)
        memory.append(monitor.memory_info().rss)
        late = _understood(home) - float((home / "said").read_text())
    lines, passed, _ = _written(home)
    rate = lines / passed
    shown = " / ".join(f"{each / (1 << 20):.1f}" for each in memory)
    print(f"{rate:,.0f} lines/s for {passed:.0f} s: CPU {used:.2%} of a core, {_rotations(home)}")
    print(f"memory at the start / in the middle / at the end: {shown} MB")
    behind = max(0.0, late) * rate
    print(f"the last line was recorded {late * 1000:.0f} ms after it: {behind:,.0f} lines behind")


def _unthrottled(program: Path, where: Path, seconds: float, rounds: int) -> None:
    kept, per_cpu = [], []
    for number in range(rounds):
        home = where / f"alone{number}"
        home.mkdir()
        (home / "go").touch()
        with (home / "alone.log").open("ab") as log:
            child = _child(program, seconds, 0).removesuffix("exec sleep 1000\n")
            subprocess.run(["/bin/sh", "-c", child], stdout=log, cwd=home, check=True)
        (home / "alone.log").unlink()
        home2 = where / f"under{number}"
        with _monitor(home2, program, seconds, 0) as monitor:
            before, began = _cpu(monitor), time.monotonic()
            (home2 / "go").touch()
            _wait((home2 / "said").exists, seconds + 60)
            used = (_cpu(monitor) - before) / (time.monotonic() - began)
            late = _understood(home2) - float((home2 / "said").read_text())
        written = _written(home), _written(home2)
        alone, under = (lines / passed for lines, passed, _ in written)
        kept.append(under / alone)
        cheap, dear = (lines / cpu for lines, _, cpu in written)
        per_cpu.append(dear / cheap)
        print(
            f"as fast as it can: alone {alone:,.0f} lines/s, under the monitor {under:,.0f}"
            f" ({under / alone:.1%}); CPU {used:.0%}, {late * 1000:.0f} ms late, {_rotations(home2)}"
        )
    print(f"kept of its speed, median: {statistics.median(kept):.1%}")
    # On a machine that others load, too, the first says more of them than of us.
    print(f"kept of its lines per second of its own CPU: {statistics.median(per_cpu):.1%}")


# --- one monitor and its child -----------------------------------------------------------------


def _child(program: Path, seconds: float, rate: int) -> str:
    return (
        CHILD.format(program=program, seconds=seconds, rate=rate, last=LAST)
        .replace("/proc/self/fd/1 ", "/proc/self/fd/3 ")
        .replace("> done", "3>&1 > done")
    )


@contextmanager
def _monitor(home: Path, program: Path, seconds: float, rate: int) -> Iterator[psutil.Process]:
    home.mkdir()
    command = json.dumps(["/bin/sh", "-c", _child(program, seconds, rate)])
    (home / "vigia.toml").write_text(f"[children.kid]\ncommand = {command}\n")
    run = [sys.executable, "-m", "monitor", "run", "--quiet", "--home", str(home)]
    with subprocess.Popen(run, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as started:
        try:
            _wait(lambda: "started" in _diary(home), 30)
            time.sleep(3.0)  # what it does once at its start is not what is measured
            yield psutil.Process(started.pid)
        finally:
            started.terminate()


def _wait(true: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds} s in vain")
        time.sleep(0.02)


def _understood(home: Path) -> float:
    """When the record of the last line was written."""
    file = home / "logs" / "errors.json"
    _wait(lambda: file.exists() and "/nowhere/at/all" in file.read_text(), 60)
    stamp = next(
        one["timestamp"]
        for one in json.loads(file.read_text())
        if "/nowhere/at/all" in one["source"]["line"]
    )
    return datetime.fromisoformat(stamp).timestamp()


def _cpu(process: psutil.Process) -> float:
    """Of the monitor, with what helpers it had, not of its child."""
    times = process.cpu_times()
    return times.user + times.system


def _diary(home: Path) -> str:
    file = home / "logs" / "monitor.log"
    return file.read_text() if file.exists() else ""


def _rotations(home: Path) -> str:
    pauses = [
        float(line.rsplit(" ", 2)[1])
        for line in _diary(home).splitlines()
        if "writing paused for" in line or "parada" in line
    ]
    if not pauses:
        return "no rotation"
    return f"{len(pauses)} rotations, pauses {statistics.median(pauses):.1f} (most {max(pauses):.1f}) ms"


def _written(home: Path) -> tuple[int, float, float]:
    """Lines, seconds, and seconds of the writer's own CPU."""
    lines, passed, cpu = (home / "done").read_text().split()
    return int(lines), float(passed), float(cpu)


def _load() -> str:
    return " ".join(f"{each:.2f}" for each in os.getloadavg())


if __name__ == "__main__":
    main()
