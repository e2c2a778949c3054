"""What a home's repairs work with, made from its configuration."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import time
from collections.abc import Callable, Mapping

from monitor.config import Config
from monitor.heal import strategies, strategy
from monitor.heal.book import Book
from monitor.heal.cases import Cases
from monitor.heal.casework import Casework, clock, told_of_pause
from monitor.heal.checks import Checks
from monitor.heal.handle import Handle
from monitor.heal.intake import Intake
from monitor.heal.ladders import Ladder
from monitor.heal.recording import ChildFacts
from monitor.heal.respond import Respond
from monitor.heal.room import Room
from monitor.heal.strategy import Tools
from monitor.model import Category, Incident, Told
from monitor.options import Child
from monitor.records.writer import Records
from monitor.safe.paths import Owner, Roots, roots_of
from monitor.safe.shelves import Shelves
from monitor.settings import Fault, SettingsError
from monitor.state import State
from monitor.supervise.crew import Crew
from monitor.understand.rule import Rules

_RECORDS_SIZE, _RECORDS_KEPT = 10 << 20, 10


def casework_of(
    config: Config,
    crew: Crew,
    state: State,
    tell: Callable[[Told], None],
    warn: Callable[[str], None],
) -> Casework:
    """The book as the last monitor left it, with its records."""

    def open_records() -> Records:
        path = config.home / "logs" / "errors.json"
        return Records.open(path, size=_RECORDS_SIZE, keep=_RECORDS_KEPT, warn=warn)

    work = Casework(state, open_records, lambda name: facts_of(crew, name), tell)
    book = Book(config.repair, config.ladders, work.changed)
    cases = Cases(state)
    book.restore(cases.known(), {incident for _, incident, _ in cases.unfinished()}, clock())
    book.next_id = max(book.next_id, cases.next_id())
    book.ledger = cases.ledger()
    book.paused = cases.pause(clock(), time.time())
    work.book = book
    work.project()
    if book.paused:
        tell(told_of_pause(book.paused))
    return work


class Repairs:
    """Who repairs and who looks, with what the configuration gives them to work with."""

    def __init__(self, config: Config, crew: Crew, work: Casework) -> None:
        self._crew = crew
        self._roots: Roots
        self.quarantine: Shelves
        self._room: Room
        self.apply(config)
        self.quarantine.recover()
        self._intake = Intake(self._children)
        self.respond = Respond(work.book, work, strategies.BY_NAME, self._tools, clock)
        work.on_news = self.respond.wake

        def settle() -> None:
            work.catch_up()
            self.respond.wake()

        self.checks = Checks(
            work.book, lambda: self._room, lambda: self._config.bot_api, self._intake, settle, clock
        )

    def apply(self, config: Config) -> None:
        """From the next attempt on."""
        self._config = config
        live = [str(config.log_of(name)) for name in config.children]  # no line moves its own log
        owners = _owners(config)
        self._roots = roots_of(
            config.home, config.roots, owners=owners, kept=[*live, *config.follow]
        )
        self.quarantine = Shelves(config.data / "quarantine", frozenset(owners))
        places = (str(config.home), *(root.path for root in self._roots.roots))
        self._room = Room(config.disk, places)

    def _children(self) -> dict[str, strategy.Child]:
        minders = self._crew.minders
        return {name: Handle(minder, minder.settings.retry) for name, minder in minders.items()}

    def _tools(self, incident: Incident, last: bool) -> Tools:
        return Tools(
            home=self._config.home,
            child=self._children().get(incident.child),
            roots=self._roots,
            owner=owner_of(self._config.children.get(incident.child)),
            quarantine=self.quarantine,
            room=self._room,
            intake=self._intake,
            servers=self._config.servers,
            last=last,
        )


def facts_of(crew: Crew, name: str) -> ChildFacts:
    minder = crew.minders.get(name)
    if minder is None:
        return ChildFacts(last_words=crew.last_words.get(name))
    child = minder.child
    return ChildFacts(
        pid=child.pid if child else None,
        started=child.started_at if child else None,
        restarts=max(0, minder.view().starts - 1),
        last_words=crew.last_words.get(name),
    )


def owner_of(child: Child | None) -> Owner:
    """Whose the child's files shall be: the user it runs as."""
    uid, gid = os.geteuid(), os.getegid()
    with contextlib.suppress(KeyError):  # there is no such user: the child is not started either
        if child is not None and child.user:
            person = pwd.getpwnam(child.user)
            uid, gid = person.pw_uid, person.pw_gid
        if child is not None and child.group:
            gid = grp.getgrnam(child.group).gr_gid
    return Owner(uid, gid)


def _owners(config: Config) -> set[int]:
    return {owner_of(child).uid for child in config.children.values()}


def dry_rules_of(rules: Rules) -> frozenset[str]:
    return frozenset(rule.name for rule in rules.rules if rule.dry_run)


def check_dry_run(named: tuple[str, ...], rules: Rules) -> None:
    """A name that nothing has would be a repair that somebody believes to be switched off."""
    known = {*(rule.name for rule in rules.rules), *(category.value for category in Category)}
    wrong = [
        Fault("vigia.toml", None, f"repair.dry_run_for: there is no rule or category {name!r}")
        for name in named
        if name not in known
    ]
    if wrong:
        raise SettingsError(tuple(wrong))


def check_ladders(ladders: Mapping[str, Ladder]) -> None:
    """A ladder that names an unknown strategy fails at start, not at night."""
    wrong = [
        Fault("vigia.toml", None, f"ladders.{key}: there is no strategy {rung.do!r}")
        for key, ladder in ladders.items()
        for rung in ladder
        if rung.do not in strategies.NAMES
    ]
    if wrong:
        raise SettingsError(tuple(wrong))
