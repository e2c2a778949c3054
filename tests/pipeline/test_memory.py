"""A film of any size goes the whole way without being held in memory."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest

from monitor.demo.botapi import BotApi, bot_api
from monitor.demo.botapi.files import for_bot_id
from pipeline.model import Kind, Source
from tests.monitor.vigia import until
from tests.pipeline.films import film
from tests.pipeline.homes import Home, home
from tests.pipeline.telegram import at, hand_in

GROWTH = 60 << 20
CAMPAIGN = (pytest.mark.slow, pytest.mark.campaign)
SIZES = [
    pytest.param(100_000_000, id="100MB"),
    pytest.param(2_000_000_000, id="2GB", marks=CAMPAIGN),
]


def write_long_film(path: Path, size: int, seed: int) -> None:
    """Its data goes on behind its last frame, with noise, so that every check reads all of it."""
    data = bytearray(film(seed))
    at = data.index(b"mdat") - 4  # the last box, for its index stands before it
    data[at : at + 4] = struct.pack(">I", size - at)
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        file.write(data)
        while (left := size - file.tell()) > 0:
            file.write(block[:left])


def sent(api: BotApi, path: Path) -> Source:
    user = api.user("Eva")
    shown = api.send(user, "video", path=path, name="film.mp4")
    told = shown.message["video"]
    return Source(
        key=f"tg-1-{user}-{shown.id}",
        kind=Kind.VIDEO,
        file_id=for_bot_id(told["file_id"], api.bot.id),
        size=told["file_size"],
        name="film.mp4",
        received_at=time.time(),
    )


def peak(h: Home) -> int:
    """The most memory that it ever had."""
    assert h.process is not None
    told = Path(f"/proc/{h.process.pid}/status").read_text()
    return int(told.split("VmHWM:")[1].split()[0]) << 10


def way(h: Home, api: BotApi, path: Path) -> None:
    """From the bot to its posts, in the folder and in a channel."""
    before = len(h.posted())
    h.wait_job(hand_in(h, sent(api, path)), "succeeded", 400)
    until(lambda: len(h.posted()) > before, 100, h.text)
    until(lambda: len(api.requests("sendVideo")) > before, 100, h.text)
    until(lambda: h.said("event=post.sent") == 2 * before + 2, 200, h.text)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("local", [True, False], ids=["handed over", "by HTTP"])
def test_the_memory_stays_flat_on_the_whole_way_of_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, local: bool
) -> None:
    # The cloud gives 20 MB by HTTP; how much more would come makes no difference to us.
    for limit in ("files.DOWNLOAD", "answering.DOWNLOAD", "files.UPLOAD"):
        monkeypatch.setattr(f"monitor.demo.botapi.{limit}", size * 2)
    (tmp_path / "home").mkdir()
    big, small = tmp_path / "big.mp4", tmp_path / "small.mp4"
    write_long_film(big, size, seed=1)
    write_long_film(small, 1_000_000, seed=2)
    try:
        with bot_api(tmp_path / "api", local=local) as api, home(tmp_path / "home", **at(api)) as h:
            targets = ["folder:posted", f"telegram:{api.user('Canal')}"]
            h.modelo("ana", posting={"targets": targets})
            h.ready()
            way(h, api, small)  # all that is loaded only when it is needed
            before, began = peak(h), time.monotonic()
            way(h, api, big)
            took, grew = time.monotonic() - began, peak(h) - before
            print(f"\n{size / 1e6:.0f} MB: {took:.1f} s, memory +{grew / 1e6:.1f} MB")
            assert grew < GROWTH
            assert {path.stat().st_size for path in (*h.kept(), *h.posted())} == {1_000_000, size}
    finally:
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.stat().st_size >= 1_000_000:
                path.unlink()
