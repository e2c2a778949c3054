"""How fast and how lightly a program is kept running: ours beside two floors, supervisord, circus, pm2.

    python benchmarks/supervise.py [--seconds 60] [--idle 30] [--starts 5] [--no-peers] [--peers DIR]

Run it with the project's own Python. It needs a C compiler (the measured child is a tiny static
program); supervisord and circus come from PyPI into a throw-away environment and pm2 from npm into
a throw-away folder, and what does not install is named as missing. Everything runs side by side in
one temporary folder and is ended afterwards. About four minutes.

The restart of a program that had been up for a while is measured, so that no back-off is in our
figure. supervisord's second and circus' check interval are their policy, not their speed.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from supervise_peers import Supervisor, build_probe, lives, supervisors, wait

SETTLE = 17.0  # ours looks at a new child after 2, 4, 8, 16 s and from then on every 30
UP = 1.6  # seconds that the program was up when it is killed: more than anyone's "started"


def main() -> None:
    asked = _arguments()
    with ExitStack() as stack:
        where = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigia-bench-")))
        peers = None if asked.no_peers else Path(asked.peers or where / "peers")
        if peers:
            peers.mkdir(parents=True, exist_ok=True)
        found = list(supervisors(where, build_probe(where), peers))
        kept = [each for each in found if isinstance(each, Supervisor)]
        for each in kept:
            stack.callback(each.end_hard)
        starts = {each.name: list(_measure_starts(each, asked.starts)) for each in kept}
        for each in kept:
            each.start()
            wait(lambda each=each: _is_up(each), 30, f"{each.name} starts")
        restarts = _measure_restarts(kept, asked.seconds)
        idle = _measure_idle(kept, asked.idle)
        for each in kept:
            each.stop()
    _print(kept, restarts, idle, starts, asked.idle)
    for missing in (each for each in found if isinstance(each, str)):
        print(f"\nmissing: {missing}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long programs are killed")
    parser.add_argument("--idle", type=float, default=30.0, help="how long idleness is measured")
    parser.add_argument("--starts", type=int, default=5, help="starts and stops of each")
    parser.add_argument("--no-peers", action="store_true", help="only ours and the floors")
    parser.add_argument("--peers", metavar="DIR", help="where the peers are installed and kept")
    return parser.parse_args()


def _is_up(each: Supervisor) -> bool:
    starts = each.starts()
    return bool(starts) and lives(starts[-1][0])


# --- start and stop ----------------------------------------------------------------------------


def _measure_starts(each: Supervisor, count: int) -> Iterator[tuple[float, float]]:
    """Milliseconds from our exec to the program's first instruction, and from TERM to the end.

    The first start makes the folders and is not counted.
    """
    for number in range(count + 1):
        before, began = len(each.starts()), time.monotonic_ns()
        each.start()
        wait(lambda: len(each.starts()) > before, 60, f"{each.name} starts")  # noqa: B023
        took = (each.starts()[-1][1] - began) / 1e6
        if each.daemon and each.process:
            each.process.wait(60)
        time.sleep(0.3)
        asked = time.monotonic_ns()
        each.stop()
        if number:
            yield took, (time.monotonic_ns() - asked) / 1e6


# --- restart -----------------------------------------------------------------------------------


def _measure_restarts(kept: list[Supervisor], seconds: float) -> dict[str, list[float]]:
    """All side by side, each killed again and again at moments of its own."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(kept)) as pool:
        waits = {each.name: pool.submit(_kill_again_and_again, each, until) for each in kept}
        return {name: wait.result() for name, wait in waits.items()}


_one_at_a_time = threading.Lock()  # two kills at once would measure the machine


def _kill_again_and_again(each: Supervisor, until: float) -> list[float]:
    took = []
    while time.monotonic() < until:
        time.sleep(UP + random.random() / 2)
        starts = each.starts()
        with _one_at_a_time:
            killed = time.monotonic_ns()
            os.kill(starts[-1][0], 9)
            time.sleep(0.03)
        wait(lambda: len(each.starts()) > len(starts), 30, f"{each.name} restarts")  # noqa: B023
        took.append((each.starts()[len(starts)][1] - killed) / 1e6)
    return took


# --- idle --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Idle:
    cpu: float  # % of a core
    wakes: float  # per second
    rss: float  # MB
    dirty: float  # MB, private


def _measure_idle(kept: list[Supervisor], seconds: float) -> dict[str, Idle]:
    time.sleep(SETTLE)
    before = {each.name: _used(each.pid) for each in kept}
    time.sleep(seconds)
    result = {}
    for each in kept:
        (cpu, wakes), (cpu_before, wakes_before) = _used(each.pid), before[each.name]
        rss, dirty = _memory(each.pid)
        share = (cpu - cpu_before) / 1e9 / seconds * 100
        result[each.name] = Idle(share, (wakes - wakes_before) / seconds, rss, dirty)
    return result


def _used(pid: int) -> tuple[int, int]:
    """Nanoseconds on a core and voluntary waits, all threads together."""
    cpu = wakes = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        cpu += int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text()
        wakes += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return cpu, wakes


def _memory(pid: int) -> tuple[float, float]:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {row.split(":")[0]: int(row.split()[1]) / 1024 for row in rows}
    return sizes["Rss"], sizes["Private_Dirty"]


# --- the table ---------------------------------------------------------------------------------


def _print(
    kept: list[Supervisor],
    restarts: dict[str, list[float]],
    idle: dict[str, Idle],
    starts: dict[str, list[tuple[float, float]]],
    idle_for: float,
) -> None:
    unit = statistics.median(restarts["**vigia**"])
    print(
        f"\nPython {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} CPUs;"
    )
    print(f"idle over {idle_for:g} s; ms are medians; x = its median restart / ours\n")
    print(
        "| | restart ms | p99 | kills | x | idle CPU % | wakes/s | RSS MB | dirty MB | start ms | stop ms |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for each in kept:
        took, still = sorted(restarts[each.name]), idle[each.name]
        median, p99 = statistics.median(took), took[math.ceil(len(took) * 0.99) - 1]
        start, stop = (statistics.median(column) for column in zip(*starts[each.name], strict=True))
        print(
            f"| {each.name} | {median:.2f} | {p99:.2f} | {len(took)} | {median / unit:.2f} "
            f"| {still.cpu:.3f} | {still.wakes:.1f} | {still.rss:.1f} | {still.dirty:.1f} "
            f"| {start:.0f} | {stop:.0f} |"
        )


if __name__ == "__main__":
    main()
