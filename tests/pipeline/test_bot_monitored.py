"""The bot under the monitor: what Telegram does is told to a person, and ends nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.vigia import Vigia, records, until, vigia
from tests.pipeline.chats import Chat, chat
from tests.pipeline.telegram import at, lines


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Vigia, Chat]]:
    with chat(tmp_path, process=True) as c:
        folder = c.home.folder
        (folder / ".env").write_text("".join(f"{k}={v}\n" for k, v in at(c.api).items()))
        c.home.log = folder / "logs" / "pipeline.log"
        with vigia(folder) as monitor:
            monitor.start()
            until(lambda: "event=pipeline.ready" in c.home.text(), 60, monitor.text)
            yield monitor, c


def recorded(c: Chat, rule: str) -> bool:
    return any(record["rule"] == rule for record in records(c.home.folder))


def test_a_revoked_token_is_an_incident_and_the_pipeline_goes_on(
    place: tuple[Vigia, Chat],
) -> None:
    monitor, c = place
    c.api.write(c.ana, "antes")
    c.wait_said("un texto")
    c.api.revoke()
    c.wait(lambda: recorded(c, "vigia.poll_unauthorized"), 60)
    c.home.drop("a.bin", b"dropped meanwhile")
    c.wait(c.home.kept, 30)
    c.api.revoke(revoked=False)
    c.api.write(c.ana, "después")
    c.wait(lambda: sum("un texto" in text for text in c.said()) == 2, 60)
    assert c.home.said("event=pipeline.ready") == 1, monitor.text()
    assert len(lines(c.home, "poll.back")) == 1


def test_an_outage_of_telegram_restarts_nothing(place: tuple[Vigia, Chat]) -> None:
    monitor, c = place
    c.api.write(c.ana, "antes")
    c.wait_said("un texto")
    c.api.kill()
    c.wait(lambda: recorded(c, "vigia.poll_away"), 60)
    c.api.start()
    c.api.write(c.ana, "después")
    c.wait(lambda: sum("un texto" in text for text in c.said()) == 2, 90)
    assert c.home.said("event=pipeline.ready") == 1, monitor.text()
    assert len(lines(c.home, "poll.waiting")) == 1
