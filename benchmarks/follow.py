"""How fast lines are handed over and what that costs: latency, flood, the writer's speed, idleness.

python -m benchmarks.follow [SECONDS]: about six times SECONDS (default 5) and a C compiler are needed.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monitor.follow.follower import Follower
from monitor.follow.live import follow

HERE = Path(__file__).parent
LINE = 100
EVENTS = 500


class Sink:
    """Counts what it is given and does nothing with it: following alone is measured."""

    def __init__(self):
        self.bytes = 0
        self.turns = 0
        self.late = []

    def count(self, turn):
        self.turns += 1
        self.bytes += sum(len(one.data) for one in turn)

    def stamp(self, turn):
        now = time.monotonic()
        for one in turn:
            self.late += [now - float(text) for text in one.data.split()]


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def following(log, deliver, story, *, inotify=True):
    follower = Follower([str(log)])
    task = asyncio.create_task(follow(follower, deliver, inotify=inotify))
    await asyncio.sleep(0.2)
    try:
        return await story()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        follower.close()


def latency(log):
    sink = Sink()
    writer = (
        "import os, random, sys, time\nfd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)\n"
        f"for _ in range({EVENTS}):\n    time.sleep(random.uniform(0.002, 0.025))\n"
        "    os.write(fd, b'%.7f\\n' % time.monotonic())\n"
    )

    async def story():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", writer, log)
        await process.wait()
        await asyncio.sleep(0.3)

    asyncio.run(following(log, sink.stamp, story))
    late = sorted(sink.late)
    return late[len(late) // 2] * 1e3, late[int(len(late) * 0.99)] * 1e3, len(late)


def flood(program, log, seconds, rate, *, watched=True):
    """Lines per second of the writer, CPU of the follower, lines behind when the writer ends."""
    sink = Sink()

    async def story():
        before = cpu(), time.monotonic()
        process = await asyncio.create_subprocess_exec(
            program, log, str(seconds), str(rate), stdout=subprocess.PIPE
        )
        output, _ = await process.communicate()
        used = (cpu() - before[0]) / (time.monotonic() - before[1])
        count, passed, _ = output.split()
        behind = int(count) - sink.bytes // LINE
        await asyncio.sleep(0.3)
        return int(count) / float(passed), used, behind, int(count) - sink.bytes // LINE

    if watched:
        return asyncio.run(following(log, sink.count, story))
    return asyncio.run(story())


def idle(log, seconds):
    """Looks per second and CPU while nothing happens."""
    sink, looks = Sink(), []

    def now():
        looks.append(0)
        return time.monotonic()

    async def main():
        follower = Follower([str(log)])
        task = asyncio.create_task(follow(follower, sink.count, monotonic=now))
        await asyncio.sleep(0.5)
        before = cpu(), len(looks)
        await asyncio.sleep(seconds)
        result = (len(looks) - before[1]) / 2 / seconds, (cpu() - before[0]) / seconds
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        follower.close()
        return result

    return asyncio.run(main())


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    folder = Path(tempfile.mkdtemp(prefix="bench-follow-"))
    program = folder / "flood"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O2", "-o", program, HERE / "flood.c"], check=True)
    try:
        table(program, folder, seconds)
    finally:
        shutil.rmtree(folder)


def table(program, folder, seconds):
    logs = iter(folder / f"{n}.log" for n in range(20))

    def log():
        path = next(logs)
        path.touch()
        return path

    p50, p99, count = latency(log())
    print(f"write() -> deliver, {count} lines      p50 {p50:.3f} ms   p99 {p99:.3f} ms")
    rate, used, behind, lost = flood(program, log(), seconds, 100_000)
    print(
        f"{rate:,.0f} lines/s                CPU {used:.1%} of a core, {behind} lines behind, {lost} lost"
    )
    ratios = []
    for _ in range(3):
        path = log()
        alone, *_ = flood(program, path, seconds / 3, 0, watched=False)
        path.unlink()
        path = log()
        beside, used, behind, lost = flood(program, path, seconds / 3, 0)
        path.unlink()
        ratios.append((beside / alone, alone, beside, used, behind, lost))
    ratio, alone, beside, used, behind, lost = sorted(ratios)[1]
    print(
        f"as fast as it can, alone           {alone:,.0f} lines/s\n"
        f"as fast as it can, followed        {beside:,.0f} lines/s ({ratio:.1%}), follower {used:.1%},"
        f" {behind} lines behind, {lost} lost"
    )
    looks, used = idle(log(), seconds)
    print(f"idle                               {looks:.2f} looks/s, CPU {used:.3%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory at most                     {peak:.1f} MB")


if __name__ == "__main__":
    main()
