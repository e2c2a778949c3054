"""What is written down before it is done: the real board and state, and a monitor that dies between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from monitor.control import Asker
from monitor.model import Severity, Told
from monitor.options import Alerts
from monitor.safe.shelves import Shelves
from monitor.state import State
from monitor.supervise.family import Family
from monitor.tell.answers import Answer, Came
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.deeds import Deeds, House
from monitor.tell.incoming import Incoming
from monitor.tell.presses import Seal
from monitor.tell.reception import Doing, Reception
from monitor.tell.teller import Teller
from tests.monitor.tell.botapi import ADMIN, TOKEN

NOW = Alerts(group=0.0, edit_every=0.0, digest="", least="warning")


class Toasts(Courier):
    """The pipe to Telegram ends here: only what it was asked is of interest."""

    def __init__(self) -> None:
        super().__init__(Family(), dict, os.environ)
        self.asked: list[Mapping[str, Any]] = []

    async def ask(self, what: Mapping[str, Any]) -> Answer:
        self.asked.append(what)
        return Answer(Came.OK)


class Monitor:
    """One life of it over a state that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.done: list[tuple[str, str, dict[str, Any]]] = []
        self.told: list[Told] = []
        self.state = State.open(str(folder / "state.db"), at=0.0, warn=print)
        self.courier = Toasts()
        self.teller = Teller(self.state, self.courier, self.told.append, list, "host")
        house = House(lambda: {"kid": folder / "kid.log"}, folder, lambda: Shelves(folder))
        verbs = {name: self._verb(name) for name in ("restart", "mute", "stop", "status")}
        deeds = Deeds(self.teller, verbs, house)
        self.reception = Reception(self.teller, self.courier, deeds, self.told.append)
        self.reception.seal = Seal(b"s" * 32)
        to = Channels(TOKEN, "", (str(ADMIN),), remote=True)
        self.teller.apply(NOW, to, "en", "kid")
        self.reception.apply(to)

    def _verb(self, name: str) -> Any:
        async def verb(asker: Asker, question: Mapping[str, Any]) -> Any:
            self.done.append((name, asker.name, dict(question)))
            return "done"

        return verb

    def alert(self) -> dict[str, str]:
        """The data of each button of an alert, by what stands on it."""
        facts = (("why", "kid is broken"),)
        self.teller.heard(Told("child_given_up", "kid", Severity.CRITICAL, facts))
        self.teller._turn()
        return self.buttons(next(p.id for p in self.teller.board.posts.values() if p.subjects))

    def buttons(self, number: int) -> dict[str, str]:
        post = self.teller.board.posts[number]
        told = [thread.news for thread in self.teller.board.threads_of(post)]
        rows = self.teller.delivery.writer.keys(post, told, str(ADMIN))
        return {text: data for row in rows for text, data in row}

    def take(self, *updates: Incoming, age: float = 1.0) -> list[Doing]:
        return list(self.reception.take(updates, age))

    def die(self, doing: Iterable[Doing]) -> None:
        """Between what was written down and what was to be done."""
        for one in doing:
            one.close()
        self.state.close()

    @property
    def toasts(self) -> list[str]:
        return [str(ask["text"]) for ask in self.courier.asked if ask["do"] == "answer"]


def press(number: int, data: str) -> Incoming:
    return Incoming(number, ADMIN, "Ana", ADMIN, query=str(number), data=data)


def text(number: int, words: str) -> Incoming:
    return Incoming(number, ADMIN, "Ana", ADMIN, words, date=0.0)


def carry_out(doing: Iterable[Doing]) -> None:
    async def run() -> None:
        for one in doing:
            await one

    asyncio.run(run())


def test_a_press_that_was_written_down_is_never_acted_on_by_the_next_monitor(
    tmp_path: Path,
) -> None:
    first = Monitor(tmp_path)
    mute = first.alert()["🔕 1 h"]
    pressed = press(5, mute)
    first.die(first.take(pressed))
    assert first.done == []
    second = Monitor(tmp_path)
    assert second.reception.heard == 5
    assert second.take(pressed) == [], "Telegram says it again: its answer was lost"
    carry_out(second.take(press(6, mute)))
    assert second.done == []
    assert second.toasts == ["This button was used already."]
    post = next(p.id for p in second.teller.board.posts.values() if p.subjects)
    carry_out(second.take(press(7, second.buttons(post)["🔕 1 h"])))
    assert [name for name, _, _ in second.done] == ["mute"], "with its new button it is done"


def test_an_answered_question_is_answered_for_good(tmp_path: Path) -> None:
    first = Monitor(tmp_path)
    carry_out(first.take(text(1, "/restart kid")))
    [number] = map(int, first.teller.board.kept["asked"])
    yes = first.buttons(number)["Yes, restart"]
    first.teller._commit()
    first.die(first.take(press(2, yes)))
    second = Monitor(tmp_path)
    carry_out(second.take(press(2, yes), press(3, yes)))
    assert second.done == []
    assert len(second.toasts) == 1


def test_only_who_was_asked_may_answer(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    carry_out(monitor.take(text(1, "/restart kid")))
    [number] = map(int, monitor.teller.board.kept["asked"])
    monitor.teller.board.kept["asked"][str(number)]["user"] = ADMIN + 1
    carry_out(monitor.take(press(2, monitor.buttons(number)["Yes, restart"])))
    assert monitor.done == []
    assert monitor.toasts == ["That question is not yours."]


def test_with_a_disk_that_takes_nothing_people_may_look_and_nothing_is_done(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    mute = monitor.alert()["🔕 1 h"]
    monitor.state._db.execute("PRAGMA query_only = ON")
    carry_out(monitor.take(press(1, mute), text(2, "/stop kid"), text(3, "/status")))
    assert [name for name, _, _ in monitor.done] == ["status"]
    assert monitor.toasts == ["The disk takes nothing: it was not done."]
    monitor.state._db.execute("PRAGMA query_only = OFF")
    carry_out(monitor.take(press(1, mute), text(2, "/stop kid")))
    assert [name for name, _, _ in monitor.done] == ["status"], "and is not done later"


def test_a_backlog_does_nothing_and_is_answered_once(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    backlog = [text(number, "/stop kid") for number in range(1, 31)]
    carry_out(monitor.take(*backlog, age=float("inf")))
    assert monitor.done == []
    answers = [p for p in monitor.teller.board.posts.values() if p.kind == "answer"]
    assert len(answers) == 1
    assert "30 order(s) not done" in answers[0].rows


def test_another_bot_counts_its_updates_anew(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    carry_out(monitor.take(text(900, "/status")))
    assert monitor.reception.heard == 900
    other = Channels("987654321:" + "B" * 35, "", (str(ADMIN),), remote=True)
    monitor.reception.apply(other)
    assert monitor.reception.heard == 0
    carry_out(monitor.take(text(3, "/status")))
    assert len(monitor.done) == 2
