from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from monitor.model import Cause, Vitals
from monitor.options import Health
from monitor.supervise.child import Child
from monitor.supervise.health import Checkup, Sick, judge
from tests.monitor.crib import spec, started, until
from tests.monitor.programs import SLEEPS, sh

LIMITS = Health(hang_after=300.0, every=30.0)
LONG = 10_000.0  # it has been up for long, and its memory was last cured long ago
MB = 1 << 20


@pytest.mark.parametrize(
    ("vitals", "up", "since", "limits", "cause"),
    [
        # Nothing is known, nothing is held against it.
        (Vitals(), LONG, LONG, LIMITS, None),
        (Vitals(), LONG, LONG, Health(memory=1, silence=1.0), None),
        # The age of the last finished work; never more than it has been up.
        (Vitals(progress_age=299.0), LONG, LONG, LIMITS, None),
        (Vitals(progress_age=301.0), LONG, LONG, LIMITS, Cause.HANG),
        (Vitals(progress_age=9e9), 299.0, LONG, LIMITS, None),
        (Vitals(progress_age=9e9), 301.0, LONG, LIMITS, Cause.HANG),
        (Vitals(progress_age=float("inf")), 301.0, LONG, LIMITS, Cause.HANG),
        (Vitals(progress_age=-5.0), LONG, LONG, LIMITS, None),
        (Vitals(progress_age=9e9), LONG, LONG, Health(hang_after=0.0), None),
        # Silence of the log, only when it is asked for.
        (Vitals(silence=9e9), LONG, LONG, LIMITS, None),
        (Vitals(silence=59.0), LONG, LONG, Health(silence=60.0), None),
        (Vitals(silence=61.0), LONG, LONG, Health(silence=60.0), Cause.HANG),
        (Vitals(silence=9e9), 59.0, LONG, Health(silence=60.0), None),
        (Vitals(silence=9e9, progress_age=1.0), LONG, LONG, Health(silence=60.0), Cause.HANG),
        # Questions in a row without an answer.
        (Vitals(unanswered=10), LONG, LONG, LIMITS, None),
        (Vitals(unanswered=11), LONG, LONG, LIMITS, Cause.HANG),
        (Vitals(unanswered=11), 60.0, LONG, LIMITS, None),  # asked more often after the start
        (Vitals(unanswered=9999), LONG, LONG, Health(hang_after=0.0), None),
        # Memory of the whole tree, with a rest between two cures.
        (Vitals(memory=100 * MB), LONG, LONG, Health(memory=100 * MB), None),
        (Vitals(memory=101 * MB), LONG, LONG, Health(memory=100 * MB), Cause.MEMORY_LIMIT),
        (Vitals(memory=101 * MB), LONG, 599.0, Health(memory=100 * MB), None),
        (Vitals(memory=101 * MB), LONG, 601.0, Health(memory=100 * MB), Cause.MEMORY_LIMIT),
        (Vitals(memory=101 * MB), 0.0, LONG, Health(memory=100 * MB), Cause.MEMORY_LIMIT),
        (Vitals(memory=9999 * MB), LONG, LONG, Health(memory=0), None),
        # While memory rests, a hang is still a hang.
        (
            Vitals(memory=101 * MB, progress_age=9e9),
            LONG,
            1.0,
            Health(memory=100 * MB),
            Cause.HANG,
        ),
    ],
)
def test_who_is_sick(
    vitals: Vitals, up: float, since: float, limits: Health, cause: Cause | None
) -> None:
    # B 10, B 23
    sick = judge(vitals, up, since, limits)
    assert (sick.cause if sick else None) == cause


@pytest.mark.parametrize(
    ("vitals", "limits", "why"),
    [
        (
            Vitals(memory=201 * MB),
            Health(memory=200 * MB),
            "uses 201.0 MB, more than 200.0 MB",
        ),
        (Vitals(progress_age=700.0), LIMITS, "has finished nothing for 11 min, though it is alive"),
        (Vitals(silence=61.0), Health(silence=60.0), "has written nothing for 61 s"),
        (Vitals(unanswered=11), LIMITS, "did not answer 11 questions in a row"),
    ],
)
def test_the_reason_names_the_thing_and_the_number(
    vitals: Vitals, limits: Health, why: str
) -> None:
    assert judge(vitals, LONG, LONG, limits) == Sick(_cause(why), why)


def _cause(why: str) -> Cause:
    return Cause.MEMORY_LIMIT if "MB" in why else Cause.HANG


# --- a real child beside a real socket ---------------------------------------------------------

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n") -> Answer:  # fmt: skip
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        assert request.startswith(b"GET /health HTTP/1.")
        writer.write(head + body)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    return answer


def age(value: object) -> Answer:
    return http(json.dumps({"age": value}).encode())


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()  # the end: the other side gave up waiting
    writer.close()


async def hangs_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@contextlib.asynccontextmanager
async def served(path: Path, answer: Answer) -> AsyncIterator[None]:
    async with await asyncio.start_unix_server(answer, path):
        yield


@contextlib.asynccontextmanager
async def watched(child: Child, checkup: Checkup) -> AsyncIterator[list[tuple[Cause, str]]]:
    cures: list[tuple[Cause, str]] = []
    task = asyncio.create_task(checkup.watch(child, lambda *cure: cures.append(cure)))
    try:
        yield cures
        assert not task.done() or task.exception() is None
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def play(
    home: Path,
    answer: Answer | None,
    limits: Health,
    story: Callable[[Checkup, list[tuple[Cause, str]]], Awaitable[None]],
    argv: tuple[str, ...] = SLEEPS,
) -> None:
    async def stage() -> None:
        about = spec(home, argv)
        async with contextlib.AsyncExitStack() as stack:
            child = await stack.enter_async_context(started(about))
            if answer:
                await stack.enter_async_context(served(about.control, answer))
            beat = home / limits.heartbeat if limits.heartbeat else None
            checkup = Checkup(limits, about.control, about.log, beat)
            cures = await stack.enter_async_context(watched(child, checkup))
            await story(checkup, cures)

    asyncio.run(stage())


OFTEN = Health(every=0.02, hang_after=300.0)


@pytest.mark.parametrize(("said", "known"), [(12.5, 12.5), (0, 0.0), (True, 1.0)])
def test_a_child_that_says_its_age_is_believed(tmp_path: Path, said: object, known: float) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.progress_age == known)
        assert checkup.vitals.unanswered == 0
        assert cures == []

    play(tmp_path, age(said), OFTEN, story)


def test_a_child_that_has_no_age_to_tell_yet_is_not_sick(tmp_path: Path) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.cpu is not None)
        assert checkup.vitals.progress_age is None
        assert checkup.vitals.unanswered == 0
        assert cures == []

    play(tmp_path, age(None), OFTEN, story)


def test_a_child_whose_work_is_old_is_cured_though_its_process_is_well(tmp_path: Path) -> None:
    # B 10
    async def story(_: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: cures)
        cause, why = cures[0]
        assert cause is Cause.HANG
        assert "has finished nothing for" in why

    play(tmp_path, age(9e9), Health(every=0.02, hang_after=0.3), story)


@pytest.mark.parametrize(
    "answer",
    [
        hangs_up,
        http(b"", b""),
        http(b"hello", b""),
        http(b"{", b"HTTP/1.1 200 OK\r\n\r\n"),
        http(b"[]"),
        http(b"3"),
        http(b"null"),
        http(b"{}"),
        http(b'{"age": "soon"}'),
        http(b'{"age": []}'),
        http(b'{"age": NaN}'),
        http(b'{"age": 1' + b"0" * 400 + b"}"),
        http(b'{"age": ' + b"[" * 200_000),
        http(b"\xff" * 100),
        http(b"x" * (2 << 20)),
        http(b'{"error": "busy"}', b"HTTP/1.1 503 Busy\r\n\r\n"),
    ],
    ids=[
        "hangs up",
        "nothing",
        "no http",
        "half",
        "list",
        "number",
        "null",
        "empty",
        "word",
        "list age",
        "nan",
        "huge number",
        "deep",
        "latin",
        "2 MB",
        "503",
    ],
)
def test_an_answer_that_is_none_is_counted_and_in_the_end_a_hang(
    tmp_path: Path, answer: Answer
) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: cures)
        assert checkup.vitals.progress_age is None
        assert cures[0][0] is Cause.HANG
        assert "questions in a row" in cures[0][1]

    play(tmp_path, answer, Health(every=0.02, hang_after=0.1), story)


@pytest.mark.slow
def test_a_child_that_never_answers_is_a_hang_too(tmp_path: Path) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: cures, seconds=20)
        assert checkup.vitals.unanswered == 1, "one question waits for 5 s"

    play(tmp_path, hangs, Health(every=1.0, hang_after=0.5), story)


def test_one_good_answer_forgives_the_bad_ones(tmp_path: Path) -> None:
    count = 0

    async def every_third(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await (age(0.0) if count % 3 == 0 else hangs_up)(reader, writer)

    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        seen = set()
        await until(lambda: seen.add(checkup.vitals.unanswered) or count > 20)
        assert max(seen) <= 2
        assert cures == []

    play(tmp_path, every_third, Health(every=0.02, hang_after=0.05), story)


def test_an_idle_child_uses_no_cpu_which_is_not_the_same_as_unknown(tmp_path: Path) -> None:
    async def story(checkup: Checkup, _: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.cpu == 0.0)

    play(tmp_path, None, OFTEN, story)


def test_a_child_without_a_socket_is_not_asked_and_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "kid.sock.txt").touch()

    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.cpu is not None)
        assert checkup.vitals.progress_age is None
        assert checkup.vitals.unanswered == 0
        assert (checkup.vitals.memory or 0) > 0
        assert cures == []

    play(tmp_path, None, Health(every=0.02, hang_after=0.05), story)


def test_a_plain_file_in_the_place_of_the_socket_is_not_asked(tmp_path: Path) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        (tmp_path / "kid.sock").write_text("no socket")
        await until(lambda: checkup.vitals.cpu is not None)
        assert checkup.vitals.unanswered == 0
        assert cures == []

    play(tmp_path, None, Health(every=0.02, hang_after=0.05), story)


def test_a_socket_that_its_owner_left_behind_is_a_hang(tmp_path: Path) -> None:
    async def story(_: Checkup, cures: list[tuple[Cause, str]]) -> None:
        import socket

        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / "kid.sock"))
        await until(lambda: cures)

    play(tmp_path, None, Health(every=0.02, hang_after=0.1), story)


def test_a_heartbeat_is_measured_by_its_change_not_by_its_clock(tmp_path: Path) -> None:
    # B 45: a file dated in the past or the future says nothing; that it changes does
    import os

    beat = tmp_path / "beat"
    beat.touch()
    os.utime(beat, (0, 0))

    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.progress_age is not None)
        for number in range(20):
            os.utime(beat, (4e9 - number, 4e9 - number))
            await asyncio.sleep(0.02)
        assert cures == []
        assert (checkup.vitals.progress_age or 0) < 5
        await until(lambda: cures)  # now it stands still

    play(tmp_path, None, Health(every=0.01, hang_after=2.0, heartbeat="beat"), story)


def test_a_heartbeat_file_that_never_came_is_not_held_against_it(tmp_path: Path) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        await until(lambda: checkup.vitals.cpu is not None)
        assert checkup.vitals.progress_age is None
        assert cures == []

    play(tmp_path, None, Health(every=0.02, hang_after=0.05, heartbeat="never"), story)


def test_words_in_the_log_end_the_silence(tmp_path: Path) -> None:
    async def story(checkup: Checkup, cures: list[tuple[Cause, str]]) -> None:
        before = len((tmp_path / "logs" / "kid.log").read_bytes())
        await until(lambda: (tmp_path / "logs" / "kid.log").stat().st_size > before + 40)
        assert cures == []
        assert (checkup.vitals.silence or 0.0) < 2.0

    argv = sh("while :; do echo word; sleep 0.02; done")
    play(tmp_path, None, Health(every=0.02, silence=2.0), story, argv)


def test_a_stopped_process_is_a_hang_by_its_silence(tmp_path: Path) -> None:
    # B 10: alive by its pid, and yet it does nothing
    async def stage() -> None:
        argv = sh("while :; do echo word; sleep 0.02; done")
        about = spec(tmp_path, argv)
        async with started(about) as child:
            checkup = Checkup(Health(every=0.02, silence=1.5), about.control, about.log, None)
            async with watched(child, checkup) as cures:
                await until(lambda: about.log.stat().st_size > 20)
                assert cures == []
                child.tree.ask(signal.SIGSTOP)
                await until(lambda: cures)
                assert "has written nothing for" in cures[0][1]

    asyncio.run(stage())
