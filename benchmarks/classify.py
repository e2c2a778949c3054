"""How fast logs are classified: ours beside re, grep, ripgrep, fail2ban-regex and SEC, one core, one run.

    python benchmarks/classify.py [--mb 200] [--rounds 5] [--peers-mb 1]

The log is made by a seeded generator: lines of bots, workers, databases and web servers, 0.1 % of
them errors. Everything reads the same file from the page cache; medians of the rounds are printed.
Start-up is taken off the external tools (their time on an empty file).
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from monitor.model import Category, Chunk, FileId
from monitor.understand.classify import Classifier
from monitor.understand.loading import prepared
from monitor.understand.matcher import Matcher
from monitor.understand.rule import PACKS, Rules

CHUNK = 256 << 10
ERRORS = (
    "{t} ERROR worker.{n}: PermissionError: [Errno 13] Permission denied: '/srv/modelos/{w}/clip_{n}.mp4'",
    "{t} ERROR bot: telegram.error.RetryAfter: Flood control exceeded. Retry in {n} seconds",
    "{t} [error] {n}#0: *{n} connect() failed (111: Connection refused) while connecting to upstream",
    "{t} CRITICAL WORKER TIMEOUT (pid:{n})",
    "{t} ERROR worker: OSError: [Errno 28] No space left on device: '/srv/out/{w}.mp4'",
    "cp: error al escribir en '/srv/{w}/{n}': No queda espacio en el dispositivo",
    '{t} ERROR: duplicate key value violates unique constraint "{w}_pkey"',
)
ORDINARY = (
    "{t} INFO worker.{n}: task media.transcode[{h}] succeeded in 0.{n}s: None",
    '10.0.{b}.{b} - - [{t}] "GET /api/v1/jobs/{n}?page={b} HTTP/1.1" 200 {n} "-" "Mozilla/5.0 (X11; Linux x86_64)"',
    "{t} DEBUG telegram.ext.Application: Processing update {n} from chat {n} of {w}",
    "{t} [{n}] LOG:  checkpoint complete: wrote {b} buffers (0.{b}%); 0 WAL file(s) added, 0 removed",
    '{t} INFO httpx: HTTP Request: POST https://api.example.org/bot/getUpdates "HTTP/1.1 200 OK"',
    "frame= {n} fps={b} q=28.0 size= {n}kB time=00:0{d}:{b}.10 bitrate={n}.1kbits/s speed=2.1x",
    "{t} INFO dfs.DataNode$PacketResponder: PacketResponder {d} for block blk_{n}{n} terminating",
    "Nov 20 08:{b}:{b} host systemd[1]: Started Session {n} of user {w}.",
    "{t} WARNING worker: queue length {n}, connection pool size {b}, timeout={b}s, retries={d}",
    'level=info ts={t} caller=main.go:{b} msg="request completed" status=200 duration={b}ms path=/v1/{w}',
    "[{t}: INFO/MainProcess] Task tasks.send[{h}] received",
    "{t} INFO pipeline.download event=download.done job={h} modelo={w} file=modelos/{w}/{n}.mp4 bytes={n}",
)
WORDS = [
    "ana",
    "victor",
    "luz",
    "norte",
    "puente",
    "rio",
    "sol",
    "campo",
    "clave",
    "nube",
    "faro",
    "marea",
]


def make(path: Path, megabytes: int, errors: float = 0.001) -> int:
    """Writes the log; the same seed makes the same bytes. Gives back the number of lines."""
    chance = random.Random(20261120)
    lines, size, block = 0, 0, []
    with path.open("wb") as file:
        while size < megabytes << 20:
            form = chance.choice(ERRORS if chance.random() < errors else ORDINARY)
            n = chance.randrange(1000, 99999)
            text = form.format(
                t=f"2026-11-20 08:{n % 60:02}:{lines % 60:02},{n % 1000:03}",
                n=n, b=n % 60, d=n % 6, w=WORDS[n % 12], h=f"{n * 2654435761 % 2**32:08x}-{n:x}",
            )  # fmt: skip
            block.append(text)
            size += len(text.encode()) + 1
            lines += 1
            if len(block) == 10_000:
                file.write(("\n".join(block) + "\n").encode())
                block = []
        file.write(("\n".join(block) + "\n").encode() if block else b"")
    return lines


def chunks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines in blocks as the follower hands them on."""
    at, descriptor = 0, os.open(path, os.O_RDONLY)
    try:
        while block := os.pread(descriptor, CHUNK, at):
            data = block[: block.rfind(b"\n") + 1] or block
            yield at, data
            at += len(data)
    finally:
        os.close(descriptor)


def scan(path: Path, matcher: Matcher) -> tuple[float, int]:
    started, found = time.process_time(), 0
    for _, data in chunks(path):
        found += len(matcher.find(data))
    return time.process_time() - started, found


def classify(path: Path, classifier: Classifier) -> tuple[float, int]:
    started, found, file = time.process_time(), 0, FileId(1, 1)
    for at, data in chunks(path):
        found += len(classifier.feed(Chunk("log", file, at, at + len(data), data, 0.0)))
    return time.process_time() - started, found


def one_by_one(path: Path, rules: Rules) -> tuple[float, int]:
    """Every rule's pattern in turn over every line with `re`, as most programs do it."""
    compiled = [
        re.compile(pattern.exact)
        for rule in rules.rules
        if rule.category is not Category.BENIGN
        for pattern in rule.patterns
    ]
    started, found = time.process_time(), 0
    with path.open("rb") as file:
        for line in file:
            found += any(pattern.search(line) for pattern in compiled)
    return time.process_time() - started, found


def command(argv: list[str], empty: Path, path: Path, env: dict[str, str]) -> tuple[float, int]:
    """CPU seconds of a program on the file, less those on an empty file."""
    used = []
    for target in (empty, path):
        before = os.times()
        done = subprocess.run(
            [word.replace("{}", str(target)) for word in argv],
            capture_output=True, env=env, check=False,
        )  # fmt: skip
        if done.returncode not in {0, 1} or (target == path and b"rror" in done.stderr):
            print(f"{argv[0]} failed: {done.stderr.decode('utf-8', 'replace')[-300:]}")
        after = os.times()
        used.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return max(used[1] - used[0], 1e-6), -1


WORDING = (
    (r"(?:", "("),
    (r"\d", "[0-9]"),
    (r"\x27", "'"),
    (r"\t", " "),
    (r"\s", "[ ]"),
    (r"\S", "[^ ]"),
)


def shared_patterns(rules: Rules) -> list[str]:
    """Our patterns in words that grep -E, ripgrep, Perl and Python read alike; the few others are left out."""
    rows = []
    for rule in rules.rules:
        if rule.category is Category.BENIGN:
            continue
        for pattern in rule.patterns:
            text = re.sub(r"\(\?P<\w+>", "(", pattern.text)
            for ours, theirs in WORDING:
                text = text.replace(ours, theirs)
            lazy = re.search(r"[*+?}]\?", text)
            classes = re.search(r"\[[^\]]*(?:\\|\[)", text)
            if text.isascii() and not lazy and not classes and "\\W" not in text:
                rows.append(text)
    return rows


def peers(rules: Rules, folder: Path) -> dict[str, list[str]]:
    """The command of each program that is here; `{}` stands for the log."""
    rows = shared_patterns(rules)
    file = folder / "patterns"
    file.write_text("\n".join(rows) + "\n")
    found = {"GNU grep -E": ["grep", "-cEi", "-f", str(file), "{}"]}
    if shutil.which("rg"):
        found["ripgrep"] = ["rg", "-j1", "-ci", "-f", str(file), "{}"]
    if shutil.which("fail2ban-regex"):
        conf = folder / "filter.conf"
        # fail2ban must find an id in the line; three letters are the cheapest.
        each = [f"(?i)(?:{row.replace('%', '%%')}).*?<F-ID>[a-z]{{3}}</F-ID>" for row in rows]
        conf.write_text("[Definition]\nfailregex = " + "\n            ".join(each) + "\n")
        found["fail2ban-regex"] = ["fail2ban-regex", "-d", "{NONE}", "{}", str(conf)]
    if shutil.which("sec"):
        conf = folder / "sec.conf"
        blocks = [
            f"type=Single\nptype=RegExp\npattern=(?i){row}\ndesc=r{n}\naction=none\n"
            for n, row in enumerate(rows)
        ]
        conf.write_text("\n".join(blocks))
        found["SEC"] = ["sec", f"--conf={conf}", "--input={}", "--notail", "--debug=1"]
    return found


def show(name: str, size: int, seconds: list[float], note: str = "") -> float:
    rate = size / statistics.median(seconds) / 1e6
    print(f"{name:34} {rate:12.3f} MB/s  {note}", flush=True)
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mb", type=int, default=200)
    parser.add_argument("--peers-mb", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big, small, empty = folder / "big.log", folder / "small.log", folder / "empty.log"
        lines = make(big, asked.mb)
        make(small, asked.peers_mb)
        empty.touch()
        size, little = big.stat().st_size, small.stat().st_size
        rules = prepared((PACKS,), folder)
        print(f"{size / 1e6:.0f} MB, {lines} lines, {len(rules.rules)} rules, "
              f"{sum(len(r.patterns) for r in rules.rules)} patterns")  # fmt: skip
        ours(rules, folder, big, size, asked.rounds)
        env = {**os.environ, "LC_ALL": "C"}
        for peer, argv in peers(rules, folder).items():
            fast = peer in {"GNU grep -E", "ripgrep"}
            target = big if fast else small
            times = [
                command(argv, empty, target, env)[0] for _ in range(asked.rounds if fast else 1)
            ]
            show(peer, size if fast else little, times, "" if fast else f"{asked.peers_mb} MB")
        tiny = folder / "tiny.log"
        make(tiny, 1)
        show("re, one by one", tiny.stat().st_size, [one_by_one(tiny, rules)[0]], "1 MB")


def ours(rules: Rules, folder: Path, big: Path, size: int, rounds: int) -> None:
    for tier in ("hyperscan", "re2"):
        started = time.perf_counter()
        matcher = Matcher(rules, tier, folder)
        cold = time.perf_counter() - started
        started = time.perf_counter()
        matcher = Matcher(rules, tier, folder)
        warm = time.perf_counter() - started
        scan(big, matcher)
        runs = [scan(big, matcher) for _ in range(rounds)]
        note = f"{runs[0][1]} lines hit; ready in {cold * 1e3:.0f} ms, again in {warm * 1e3:.1f} ms"
        show(f"vigia {tier}: find", size, [seconds for seconds, _ in runs], note)
        classifier = Classifier(rules, tier=tier, cache=folder)
        runs = [classify(big, classifier) for _ in range(rounds)]
        show(
            f"vigia {tier}: find, judge, capture",
            size,
            [seconds for seconds, _ in runs],
            f"{runs[0][1]} matches",
        )


if __name__ == "__main__":
    main()
