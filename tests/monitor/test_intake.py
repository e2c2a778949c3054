"""Who waits because of which incident; the children here only write down what they are told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from monitor.heal.incidents import opened
from monitor.heal.intake import Intake
from monitor.model import Category, FileId, Incident, Line, Match, Severity

SERVER, OTHER = "http://127.0.0.1:8081", "http://127.0.0.1:9000"


@dataclass
class Kid:
    name: str = "bot"
    pid: int | None = 7
    told: list[bool] = field(default_factory=list)

    async def pause(self, paused: bool) -> bool:
        self.told.append(paused)
        return True


def incident(number: int, subject: str) -> Incident:
    line = Line("logs/bot.log", FileId(1, 1), f"no answer {number}", 0, 1, 0.0)
    match = Match(line, f"rule.{number}", Category.SERVER_DOWN, Severity.CRITICAL, subject, ())
    return opened(number, match, "bot", (), 0.0)


def test_a_server_that_is_well_again_ends_the_wait_for_every_incident_about_it() -> None:
    """The others about it have their turn only after this one, which waits for its job."""
    kid = Kid()

    async def story() -> None:
        intake = Intake(lambda: {"bot": kid})  # type: ignore[dict-item]
        for number in (1, 2, 3):
            await intake.hold(incident(number, SERVER))
        await intake.well(incident(2, SERVER))
        assert intake.holders == ()

    asyncio.run(story())
    assert kid.told == [True, False]


def test_a_server_that_is_well_again_ends_no_wait_for_another() -> None:
    kid = Kid()

    async def story() -> None:
        intake = Intake(lambda: {"bot": kid})  # type: ignore[dict-item]
        await intake.hold(incident(1, SERVER))
        await intake.hold(incident(2, OTHER))
        await intake.well(incident(1, SERVER))
        assert intake.holders == (2,)
        assert kid.told == [True]
        await intake.release(2)

    asyncio.run(story())
    assert kid.told == [True, False]
