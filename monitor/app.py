"""Builds the parts, runs them together, stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path

from monitor import __version__, signals
from monitor.config import Config, in_order, withheld_from
from monitor.control import serve
from monitor.diary import Diary
from monitor.echo import Echo
from monitor.heal.casework import Casework
from monitor.heal.checks import of_sick
from monitor.heal.repairs import Repairs, casework_of, dry_rules_of
from monitor.home import rules_cache, socket_path
from monitor.logs import Logs
from monitor.metrics import rendered
from monitor.model import FileId, Severity, Told
from monitor.notify import Notify
from monitor.scrape import scraped
from monitor.settings import SettingsError
from monitor.state import State, StateUnwritable
from monitor.supervise.crew import Crew
from monitor.supervise.family import Family
from monitor.tell.channels import channels_of
from monitor.tell.courier import Courier
from monitor.tell.deeds import Deeds, House
from monitor.tell.reception import Reception
from monitor.tell.remote import Remote
from monitor.tell.teller import Teller
from monitor.texts import sentence
from monitor.understand.classify import Classifier
from monitor.understand.rule import Rules, RulesError
from monitor.verbs import status_of, verbs

CLEAN, ALL_GIVEN_UP = 0, 3
LAST_WORD = 5.0  # seconds that the alerts have at the end
THREADS = 4  # for what blocks on the disk; once started they stay
_LEVELS = {Severity.INFO: "INFO", Severity.WARNING: "WARNING", Severity.CRITICAL: "ERROR"}
_READY_WITHIN = 5.0
_STALLED_AFTER = 10.0  # a part without a step for this long starves the systemd watchdog


class App:
    """One monitor: its parts run in one task group, and the first to break ends them all."""

    def __init__(
        self, read: Callable[[], tuple[Config, Rules]], umask: int, *, quiet: bool
    ) -> None:
        self._umask = umask  # what we were given, for the children; ours is stricter
        self.config, self._rules = read()
        self.started = time.monotonic()
        self.crew: Crew
        self.work: Casework
        self._read = read
        self._lang = self.config.lang
        self._notify = Notify(os.environ)
        self._family = Family()
        self._diary = Diary(self.config.home / "logs" / "monitor.log")
        self._echo = None if quiet else Echo(1, colour=_wants_colour())
        self._end = asyncio.Event()
        self._end_why = ""
        self._code = CLEAN
        self._reload = asyncio.Event()
        self._repairs: Repairs
        self._logs: Logs
        self.teller: Teller
        self._remote: Remote
        self._heard: Callable[[Told], None] = lambda _: None  # who tells people, once it is there

    async def run(self) -> int:
        """Until a person, a signal or the end of all children ends it; the exit code."""
        signals.clean_slate()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "work"))
        signals.listen(self.end, self._reload.set, self._family.child_died)
        self._family.become_reaper()
        async with AsyncExitStack() as stack:
            if self._echo:
                stack.callback(self._echo.close)
            stack.callback(self._diary.close)
            state = stack.enter_context(self._open_state())
            self.crew = Crew(os.environ, self._umask, self._family, self.tell, state)
            self.work = casework_of(self.config, self.crew, state, self.tell, self._warn_of_state)
            self._heal_by(self.config, self._rules)
            courier = Courier(self._family, lambda: channels_of(self.config).who, os.environ)
            stack.callback(courier.end)
            self.teller = self._teller(state, courier)
            self._remote = self._remote_control(courier)
            self._heard = self.teller.heard
            stack.callback(self.work.close)
            self._repairs = Repairs(self.config, self.crew, self.work)
            self.work.herald, self.teller.delivery.reached = self.teller, self.work.reached
            self._logs = Logs(self.config, self.crew, state, self._echo, self.tell, self._is_ours)
            self._logs.understand(self._classifier(self._rules), self.work)
            stack.callback(self._logs.close)
            control = socket_path(self.config.home, "control.sock")
            await stack.enter_async_context(serve(control, verbs(self)))
            await self._be_scraped(stack)
            async with asyncio.TaskGroup() as parts:
                await self._live(parts)
        return self._code

    async def _live(self, parts: asyncio.TaskGroup) -> None:
        self._say(
            "monitor_started", version=__version__, home=str(self.config.home), pid=str(os.getpid())
        )
        self._tell_by(self.config)
        self.teller.know(self.work.book.open_ones())
        works = (
            self.teller.run(),
            self._logs.run(),
            self._logs.keep_small(),
            self._repairs.respond.run(),
            self._repairs.checks.run(),
            self._reload_when_asked(),
            self._ping(),
        )
        tasks = [parts.create_task(work) for work in works]
        listening = parts.create_task(self._remote.run())
        await self._logs.opened.wait()  # what a child writes from now on is new
        self.crew.parts = parts
        for name in in_order(self.config.children):
            for variable in withheld_from(self.config.children[name], os.environ):
                self.tell(Told("token_withheld", name, facts=(("name", variable),)))
            self.crew.add(name, self.config)
        await self._until_ready()
        self._notify.ready("watching")
        await self._end.wait()
        listening.cancel()  # nobody is given an order any more
        self._say("monitor_stopped", why=self._end_why)
        self._notify.stopping(self.crew.longest_stop() + 5.0 + LAST_WORD)
        await self.crew.close()
        await self.teller.close(self._end_why, LAST_WORD)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._logs.read_the_rest()

    async def _be_scraped(self, stack: AsyncExitStack) -> None:
        """An address that is taken is no reason to watch over nobody."""
        try:
            await stack.enter_async_context(scraped(self.config.metrics, self._answer))
        except OSError as error:
            facts = {"address": self.config.metrics, "why": error.strerror or str(error)}
            self._say("metrics_off", Severity.WARNING, **facts)

    def _answer(self, path: str) -> tuple[int, str] | None:
        match path:
            case "/metrics":
                return 200, rendered(status_of(self))
            case "/healthz":
                stalled = self._logs.stalled_for()
                return (
                    (200, "ok\n")
                    if stalled < _STALLED_AFTER
                    else (503, f"stalled {stalled:.0f} s\n")
                )
        return None

    def _open_state(self) -> State:
        """What we remember; with a disk that takes nothing we go on, and say it."""
        path = str(self.config.data / "state.db")
        with contextlib.ExitStack() as trial:
            try:
                state = State.open(path, at=time.time(), warn=self._warn_of_state)
                trial.enter_context(state)
                state.forget_gone()
                trial.pop_all()
                return state
            except StateUnwritable as error:
                self._warn_of_state(str(error))
        return State.in_memory(path)

    def _warn_of_state(self, why: str) -> None:
        self._say("state_trouble", Severity.CRITICAL, why=why)

    def _is_ours(self, id: FileId) -> bool:
        """Our own words are never read as somebody's trouble."""
        if id == self._diary.id:
            return True
        with contextlib.suppress(OSError):
            status = os.stat(self.config.home / "logs" / "errors.json")
            return id == FileId(status.st_dev, status.st_ino)
        return False

    def end(self, why: str) -> None:
        """The first asks; a second hurries the children that take their time."""
        if self._end.is_set():
            self.crew.hurry()
        self._end_why = self._end_why or why
        self._end.set()

    def tell(self, told: Told) -> None:
        """Into the diary and onto the terminal; when no child is left to run, we end as well."""
        line = self._diary.write(_LEVELS[told.severity], sentence(told, self._lang))
        if self._echo:
            self._echo.show("", line.encode())
        self._heard(told)
        if told.kind == "child_sick":
            match, outcome = of_sick(told)
            self.work.noted(match, told.child, outcome)
        ended = told.kind in ("child_given_up", "child_finished")
        if ended and self.crew.is_over() and not self.config.follow:
            self._code = ALL_GIVEN_UP if self.crew.any_given_up() else CLEAN
            self.end("no child is left to run")

    def _say(self, kind: str, severity: Severity = Severity.INFO, **facts: str) -> None:
        self.tell(Told(kind, severity=severity, facts=tuple(facts.items())))

    async def _until_ready(self) -> None:
        """Every child was started, or had its chance."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_WITHIN):
                await self.crew.all_tried()

    async def _ping(self) -> None:
        """Tell systemd that we live, from this loop and only while every part moves."""
        while self._notify.watchdog:
            if self._logs.stalled_for() < _STALLED_AFTER:
                self._notify.alive()
            await asyncio.sleep(self._notify.watchdog / 2)

    async def _reload_when_asked(self) -> None:
        """Many requests at once are one; a wrong file changes nothing."""
        while True:
            await self._reload.wait()
            self._reload.clear()
            self._notify.reloading()
            with contextlib.suppress(SettingsError, RulesError):  # told already
                await self.read_again()
            self._notify.ready("watching")

    async def read_again(self) -> list[str]:
        """Which children changed; raises, and changes nothing, when a file is wrong."""
        try:
            config, rules = await asyncio.to_thread(self._read)
        except (SettingsError, RulesError) as wrong:
            why = "; ".join(map(str, wrong.faults))
            self._say("reload_refused", Severity.WARNING, why=why)
            raise
        old, self.config = self.config, config
        changed = await self.crew.apply(old, config)
        if rules.digest != self._rules.digest:
            self._rules = rules
            self._logs.understand(self._classifier(rules), self.work)
            changed.append("rules")
        self._heal_by(config, rules)
        self._repairs.apply(config)
        self._tell_by(config)
        self._logs.apply(config)
        self._say("reloaded", what=", ".join(changed) or "-")
        return changed

    def _remote_control(self, courier: Courier) -> Remote:
        """It does what the control socket does, by the same verbs."""
        house = House(
            self._log_files,
            self.config.home / "logs" / "errors.json",
            lambda: self._repairs.quarantine,
        )
        deeds = Deeds(self.teller, verbs(self), house)
        reception = Reception(self.teller, courier, deeds, self.tell)
        return Remote(courier, reception, self.tell, self.config.data / "buttons.key")

    def _log_files(self) -> dict[str, Path]:
        """By child, and our own."""
        config = self.config
        ours = {"monitor": config.home / "logs" / "monitor.log"}
        return {name: config.log_of(name) for name in config.children} | ours

    def _teller(self, state: State, courier: Courier) -> Teller:
        return Teller(state, courier, self.tell, self._unknown_shapes, socket.gethostname())

    def _unknown_shapes(self) -> list[tuple[str, int]]:
        return [(shape.text, shape.count) for shape in self._logs.shapes.most_seen()]

    def _tell_by(self, config: Config) -> None:
        self._lang = config.lang
        children = ", ".join(config.children)
        channels = channels_of(config)
        self.teller.apply(config.alerts, channels, self._lang, children)
        self._remote.apply(channels)

    def _heal_by(self, config: Config, rules: Rules) -> None:
        book = self.work.book
        book.settings, book.ladders = config.repair, config.ladders
        book.dry_rules = dry_rules_of(rules)

    def _classifier(self, rules: Rules) -> Classifier:
        cache = rules_cache(self.config.home)
        return Classifier(rules, cache=cache, shapes=self.work.unknown.shapes)


def _wants_colour() -> bool:
    return os.isatty(1) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
