"""One message to each destination, by hand: does it arrive, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.supervise.family import Family
from monitor.tell import occasions
from monitor.tell.answers import Came
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.words import Letter, Post, Verb
from monitor.tell.writer import Writer


async def trial(
    channels: Channels, lang: str, zone: str, host: str, environ: Mapping[str, str]
) -> dict[str, str]:
    """Why it did not arrive, by destination; empty where it did."""
    writer = Writer(Board(), host)
    writer.apply(channels, lang, zone)
    rows = occasions.test(writer.reader())
    courier = Courier(Family(), lambda: channels.who, environ)
    found = {}
    try:
        for lane in channels.lanes:
            letter = Letter(1, 1, lane, Verb.SEND, 0.0, loud=True)
            asked = writer.asked(letter, Post(1, "test", 0.0), [], rows)
            assert asked is not None
            answer = await courier.ask(asked)
            found[lane] = "" if answer.came is Came.OK else channels.hidden(answer.why)
    finally:
        courier.end()
    return found
