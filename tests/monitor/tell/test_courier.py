"""The process that sends may hang, die or talk nonsense: each question gets its answer all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from monitor.supervise.family import Family
from monitor.tell.answers import Came
from monitor.tell.courier import COMMAND, Courier
from tests.monitor.tell.botapi import ADMIN, TOKEN, Server
from tests.monitor.tell.rig import until

READY = "import sys, time, os; sys.stdin.readline(); print('{\"ready\": true}', flush=True)\n"
# Answers all that it is asked, and says which process it is.
ECHOES = READY + (
    "import json\n"
    "for line in sys.stdin:\n"
    "    ask = json.loads(line)\n"
    "    print(json.dumps({'id': ask['id'], 'came': 'ok', 'message': os.getpid()}), flush=True)\n"
)


def play(script: str, story: Callable[[Courier, Family], Awaitable[None]], **more: Any) -> None:
    async def run() -> None:
        family = Family()
        limits: dict[str, Any] = {"ready": 10.0, "patience": 10.0} | more
        command = (sys.executable, "-I", "-S", "-c", script)
        courier = Courier(family, lambda: {"token": TOKEN}, os.environ, command=command, **limits)
        try:
            await story(courier, family)
        finally:
            courier.end()
            await asyncio.sleep(0)
            assert family.helpers == set()

    asyncio.run(run())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def came(courier: Courier) -> Came:
    return (await courier.ask({"do": "probe"})).came


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("raise SystemExit(1)", Came.NETWORK),  # it never was up: nothing was sent
        ("print('hello')", Came.NETWORK),
        (READY + "print('Traceback (most recent call last):', flush=True); time.sleep(99)", None),
        (READY + "sys.stdin.readline()", Came.MAYBE),  # it died over the question
        (
            READY + "sys.stdin.readline(); print('[' * 90000, flush=True); time.sleep(99)",
            Came.MAYBE,
        ),
        (
            READY + "sys.stdin.readline(); print('{\"id\": 1}', flush=True); time.sleep(99)",
            Came.MAYBE,
        ),
        (
            READY + 'sys.stdin.readline(); print(\'{"id": 1, "came": "!"}\'); time.sleep(99)',
            Came.MAYBE,
        ),
        (READY + "sys.stdin.readline(); os.write(1, b'\\xff\\xfe\\n'); time.sleep(99)", Came.MAYBE),
        (READY + "sys.stdin.readline(); os.write(1, b'x' * (2 << 20)); time.sleep(99)", Came.MAYBE),
    ],
)
def test_whatever_it_says_there_is_an_answer(script: str, expected: Came | None) -> None:
    async def story(courier: Courier, family: Family) -> None:
        first = await came(courier)
        assert first in ((expected,) if expected else (Came.NETWORK, Came.MAYBE))
        assert courier.pid is None, "who cannot be trusted is ended"

    play(script.replace("'); time", "', flush=True); time"), story)


def test_one_that_hangs_is_ended_and_the_next_is_a_new_one() -> None:
    async def story(courier: Courier, family: Family) -> None:
        asked = asyncio.ensure_future(courier.ask({"do": "probe"}))
        await until(lambda: courier.pid)
        first = courier.pid
        assert first is not None
        assert (await asked).came is Came.MAYBE
        await until(lambda: not alive(first))
        assert await came(courier) is Came.MAYBE
        assert courier.pid != first

    play(READY + "time.sleep(1000)", story, patience=0.3)


def test_one_that_is_never_up_is_ended() -> None:
    async def story(courier: Courier, family: Family) -> None:
        assert await came(courier) is Came.NETWORK
        assert courier.pid is None

    play("import time; time.sleep(1000)", story, ready=0.3)


def test_one_that_is_killed_in_between_is_replaced_without_a_word() -> None:
    async def story(courier: Courier, family: Family) -> None:
        first = await courier.ask({"do": "probe"})
        assert family.helpers == {first.message}, "no child, and no stranger either"
        assert first.message not in family.strangers()
        assert first.message is not None
        os.kill(first.message, signal.SIGKILL)
        await until(lambda: courier.pid is None)
        second = await courier.ask({"do": "probe"})
        assert (second.came, second.message) != (Came.OK, first.message)
        assert second.came is Came.OK

    play(ECHOES, story)


def test_without_work_it_goes_and_with_work_it_comes_back() -> None:
    async def story(courier: Courier, family: Family) -> None:
        first = (await courier.ask({"do": "probe"})).message
        await until(lambda: courier.pid is None)
        assert (await courier.ask({"do": "probe"})).message != first

    play(ECHOES, story, idle=0.05)


def test_many_questions_at_once_get_each_its_own_answer() -> None:
    script = READY + (
        "import json\n"
        "asks = [json.loads(sys.stdin.readline()) for _ in range(20)]\n"
        "for ask in reversed(asks):\n"
        "    print(json.dumps({'id': ask['id'], 'came': 'ok', 'message': ask['n']}), flush=True)\n"
        "time.sleep(99)\n"
    )

    async def story(courier: Courier, family: Family) -> None:
        answers = await asyncio.gather(*(courier.ask({"n": n}) for n in range(20)))
        assert [answer.message for answer in answers] == list(range(20))

    play(script, story)


def test_a_program_that_is_not_there_is_an_answer_too() -> None:
    async def run() -> None:
        courier = Courier(Family(), dict, os.environ, command=("/nowhere/python",))
        assert await came(courier) is Came.NETWORK

    asyncio.run(run())


def test_the_real_one_knows_the_token_from_the_pipe_and_nothing_else_of_us() -> None:
    async def run(url: str) -> None:
        who = {"token": TOKEN, "base_url": url}
        environ = {**os.environ, "TELEGRAM_TOKEN": TOKEN, "DATABASE_URL": "secret"}
        courier = Courier(Family(), lambda: who, environ, command=COMMAND)
        asked = {"do": "send", "chat": str(ADMIN), "text": "<b>x</b>", "html": True}
        answer = await courier.ask(asked)
        assert (answer.came, answer.message) == (Came.OK, 100)
        process = Path(f"/proc/{courier.pid}")
        assert TOKEN.encode() not in (process / "cmdline").read_bytes()
        given = (process / "environ").read_bytes()
        assert TOKEN.encode() not in given
        assert b"DATABASE_URL" not in given
        courier.end()

    with Server() as api:
        asyncio.run(run(api.url))
        assert api.sent() == ["<b>x</b>"]


def test_it_does_not_outlive_who_started_it() -> None:
    async def run(url: str) -> int:
        who = {"token": TOKEN, "base_url": url}
        courier = Courier(Family(), lambda: who, os.environ)
        assert await came(courier) is Came.OK
        pid = courier.pid
        assert pid is not None
        assert courier._writer is not None
        courier._writer.transport.abort()  # as the kernel does it for one that was killed
        await until(lambda: not alive(pid))
        courier.end()
        return pid

    with Server() as api:
        assert asyncio.run(run(api.url))
