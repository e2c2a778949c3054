"""What a person asks by a command, and what an answer needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from pipeline.bot.letter import Letter
from pipeline.bot.people import People
from pipeline.bot.wording import say
from pipeline.flows.jobs import Jobs
from pipeline.kit import Kit
from pipeline.profiles import Profile

SHOWN = 10  # lines of a list
LINE = 80  # characters of a text in a list


@dataclass(frozen=True, slots=True)
class Ask:
    kit: Kit
    jobs: Jobs
    people: People
    letter: Letter
    profile: Profile | None
    language: str
    now: float

    def say(self, word: str, /, **values: object) -> str:
        return say(word, self.language, **values)

    @property
    def admin(self) -> bool:
        return self.letter.person.id in self.kit.settings.admins


InTransaction = Callable[[Session], str]
Order = Callable[[Ask], InTransaction]


def scope_named(ask: Ask, scope: str) -> str:
    return ask.say("all") if scope == "*" else scope
