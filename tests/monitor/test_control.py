from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.ask import NobodyThereError, RefusedError, ask
from monitor.control import NoError, Peer, serve
from monitor.home import socket_path
from tests.monitor.crib import until


async def echo(asker: Peer, question: Mapping[str, Any]) -> Any:
    return {"uid": asker.uid, "pid": asker.pid, "name": asker.name, "question": dict(question)}


async def refuse(_asker: Peer, _question: Mapping[str, Any]) -> Any:
    raise NoError("not today")


VERBS = {"echo": echo, "refuse": refuse}


def path_of(home: Path) -> Path:
    return socket_path(home, "control.sock")


async def asked(home: Path, verb: str, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, home, verb, 10.0, **arguments)


async def raw(home: Path, data: bytes, *, end: bool = False) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path_of(home)))
    try:
        writer.write(data)
        if end:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def play(home: Path, story: Any) -> None:
    async def stage() -> None:
        async with serve(path_of(home), VERBS):
            await story()

    asyncio.run(stage(), debug=False)


def test_a_question_is_answered_and_the_kernel_says_who_asks(tmp_path: Path) -> None:
    async def story() -> None:
        answer = await asked(tmp_path, "echo", names=["ñ", "b"], lang="es")
        assert answer["uid"] == os.geteuid()
        assert answer["pid"] == os.getpid()
        assert answer["question"] == {"names": ["ñ", "b"], "lang": "es"}

    play(tmp_path, story)


def test_a_refusal_comes_in_the_monitor_s_own_words(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(RefusedError, match=r"^not today$"):
            await asked(tmp_path, "refuse")
        with pytest.raises(RefusedError, match="known are: echo, refuse"):
            await asked(tmp_path, "dance")

    play(tmp_path, story)


def test_only_our_own_user_may_open_the_socket_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:

        async def story() -> None:
            status = path_of(tmp_path).stat()
            assert stat.S_ISSOCK(status.st_mode)
            assert status.st_mode & 0o777 == 0o600
            assert path_of(tmp_path).parent.stat().st_mode & 0o777 == 0o700
            assert os.umask(0) == 0, "the umask is as it was"

        play(tmp_path, story)
    finally:
        os.umask(before)


def test_another_user_is_not_heard_even_when_it_gets_to_the_socket(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can become another user")

    async def story() -> None:
        path = path_of(tmp_path)
        path.chmod(0o777)
        for folder in (path.parent, *path.parent.parents):
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o055)
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from monitor.ask import NobodyThereError, ask\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "try: print(ask(Path(sys.argv[1]), 'echo', 10.0))\n"
            "except NobodyThereError as no: print('no:', no)\n"
        )
        other = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, str(tmp_path)), stdout=subprocess.PIPE
        )
        said, _ = await other.communicate()
        assert said.decode().startswith("no: the monitor of")
        assert (await asked(tmp_path, "echo"))["uid"] == 0

    play(tmp_path, story)


def test_to_ask_without_permission_is_said_in_one_sentence(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can become another user")

    async def story() -> None:
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from monitor.ask import NobodyThereError, ask\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "try: print(ask(Path(sys.argv[1]), 'echo', 10.0))\n"
            "except NobodyThereError as no: print('no:', no)\n"
        )
        other = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, str(tmp_path)), stdout=subprocess.PIPE
        )
        said, _ = await other.communicate()
        assert "belongs to another user" in said.decode()

    play(tmp_path, story)


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"hello\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b"3\n",
        b"null\n",
        b"{}\n",
        b'{"verb": 3}\n',
        b'{"verb": []}\n',
        b'{"verb": {}}\n',
        b'{"verb": "echo"\n',
        b"\xff\xfe\n",
        b"\x00\n",
        b"[" * 60_000 + b"\n",
        b'{"verb": "' + b"x" * 60_000 + b'"}\n',
    ],
    ids=lambda data: str(data[:16]),
)
def test_nonsense_gets_a_list_of_what_can_be_asked(tmp_path: Path, data: bytes) -> None:
    async def story() -> None:
        answer = json.loads(await raw(tmp_path, data, end=True))
        assert answer == {"refused": "not a question; known are: echo, refuse"}
        assert await asked(tmp_path, "echo")

    play(tmp_path, story)


def test_half_a_line_is_no_question(tmp_path: Path) -> None:
    async def story() -> None:
        assert b"not a question" in await raw(tmp_path, b'{"verb": "ec', end=True)
        assert await asked(tmp_path, "echo")

    play(tmp_path, story)


def test_a_line_without_end_is_not_read_for_ever(tmp_path: Path) -> None:
    async def story() -> None:
        with_much = asyncio.create_task(raw(tmp_path, b"x" * (2 << 20)))
        assert await with_much == b""
        assert await asked(tmp_path, "echo")

    play(tmp_path, story)


def test_who_never_asks_does_not_keep_others_from_asking(tmp_path: Path) -> None:
    async def story() -> None:
        silent = [await asyncio.open_unix_connection(str(path_of(tmp_path))) for _ in range(50)]
        assert await asked(tmp_path, "echo")
        for _, writer in silent:
            writer.close()

    play(tmp_path, story)


def test_who_never_asks_is_sent_away_after_a_while(tmp_path: Path) -> None:
    async def story() -> None:
        async with serve(path_of(tmp_path), VERBS, patience=0.05):
            assert await raw(tmp_path, b"") == b""
            assert await raw(tmp_path, b'{"verb":') == b""

    asyncio.run(story())


def test_who_goes_before_the_answer_harms_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as rude:
                rude.connect(str(path_of(tmp_path)))
                rude.send(b'{"verb": "echo"}\n')
        assert await asked(tmp_path, "echo")
        open_now = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            await asked(tmp_path, "echo")
        await until(lambda: len(os.listdir("/proc/self/fd")) <= open_now)

    play(tmp_path, story)


def test_the_socket_of_a_killed_monitor_is_replaced(tmp_path: Path) -> None:
    path = path_of(tmp_path)
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))

    async def story() -> None:
        assert await asked(tmp_path, "echo")

    with pytest.raises(NobodyThereError, match="no monitor is running in"):
        ask(tmp_path, "echo")
    play(tmp_path, story)
    assert not path.exists()


def test_a_home_so_deep_that_the_kernel_takes_no_such_address_works_too(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("deeper" * 20)
    home.mkdir(parents=True)
    other = tmp_path / ("deep" * 20) / ("other" * 24)
    path = path_of(home)
    assert len(os.fsencode(path)) < 108
    assert path != path_of(other)

    async def story() -> None:
        assert await asked(home, "echo")
        assert path.parent.stat().st_mode & 0o777 == 0o700

    try:
        play(home, story)
    finally:
        path.parent.rmdir()


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give a folder away")
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    (tmp_path / "ours").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    os.lchown(tmp_path / "link", 65534, 65534)

    async def story(folder: str) -> None:
        async with serve(tmp_path / folder / "s", VERBS):
            pass

    for folder in ("theirs", "link"):
        with pytest.raises(PermissionError, match="belongs to another user"):
            asyncio.run(story(folder))
    assert not (tmp_path / "ours" / "s").exists()


def test_a_folder_reached_by_our_own_link_is_used(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "ours")

    async def story() -> None:
        async with serve(tmp_path / "link" / "s", VERBS):
            assert (tmp_path / "ours" / "s").exists()

    asyncio.run(story())


# --- asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", ["", "nowhere", "file", "file/below"])
def test_where_nobody_is_there_that_is_said(tmp_path: Path, home: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NobodyThereError, match="no monitor is running in"):
        ask(tmp_path / home, "echo")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "refused us"),
        (b'{"answer": {"children"', "in the middle of its answer"),
        (None, "does not answer: timed out"),
    ],
    ids=["none", "half", "hangs"],
)
def test_a_monitor_that_answers_badly_is_described(
    tmp_path: Path, answer: bytes | None, words: str
) -> None:
    import threading

    path = path_of(tmp_path)
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def once() -> None:
            to, _ = server.accept()
            with to:
                to.recv(65536)
                if answer is None:
                    asked_in_vain.wait(10)
                else:
                    to.sendall(answer)

        asked_in_vain = threading.Event()
        thread = threading.Thread(target=once)
        thread.start()
        try:
            before = time.monotonic()
            with pytest.raises(NobodyThereError, match=words):
                ask(tmp_path, "echo", 0.2 if answer is None else 10.0)
            assert time.monotonic() - before < 5
        finally:
            asked_in_vain.set()
            thread.join()


def test_a_large_answer_comes_whole(tmp_path: Path) -> None:
    async def much(_asker: Peer, _question: Mapping[str, Any]) -> Any:
        return ["x" * 1000] * 3000

    async def story() -> None:
        async with serve(path_of(tmp_path), {"much": much}):
            assert len(await asked(tmp_path, "much")) == 3000

    asyncio.run(story())


def test_an_asker_without_an_account_has_a_name_too() -> None:
    assert Peer(54321, 1).name == "uid 54321"
    assert Peer(0, 1).name == "root"
