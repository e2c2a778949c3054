"""Starts the parts of the pipeline, runs them together, ends them together."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from pipeline.ai.choose import captioner
from pipeline.answers import Answers
from pipeline.api import serve
from pipeline.bot.bot import Bot
from pipeline.bot_api import BotApi
from pipeline.config import Settings, read_settings
from pipeline.dropped import Dropped
from pipeline.events import said
from pipeline.flows import engine
from pipeline.flows.jobs import Jobs
from pipeline.flows.media import equip, tell_progress
from pipeline.kit import Kit, Profiles
from pipeline.model import SettingsError
from pipeline.poster import Poster
from pipeline.slots import Slot, TakenError, free_slot
from pipeline.store.base import open_store
from pipeline.store.tables import Worker

say = structlog.get_logger(part="pipeline")
WORLD_FAILED, CONFIG_WRONG = 75, 78
_LOOKS = 3


async def run(home: Path, environ: Mapping[str, str], control: Path | None, kind: str) -> int:
    """Until it is told to stop; 0 then, 75 when the world does not let it work, 78 when the
    configuration is wrong.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        settings = read_settings(home, environ)
        kit, jobs = await asyncio.to_thread(_begin, settings, kind)
    except SettingsError as error:
        for fault in error.faults:
            say.error("config.wrong", why=fault)
        return CONFIG_WRONG
    except TakenError as error:
        say.error("start.failed", error=str(error))
        return WORLD_FAILED
    except (OSError, DBAPIError) as error:
        path = getattr(error, "filename", None)
        say.error("start.failed", file=path, error=said(error))
        return WORLD_FAILED
    return await _work(kit, jobs, control, kind, stop)


def _begin(settings: Settings, kind: str) -> tuple[Kit, Jobs]:
    """All that must be there before the first job; the place in it is ours from the first line."""
    settings.modelos.mkdir(parents=True, exist_ok=True)
    slot = free_slot(settings.data, kind) if kind == "worker" else Slot(settings.data, "pipeline")
    _SLOTS.append(slot)
    store = open_store(settings)
    engine.prepare(settings)
    kit = Kit(
        settings=settings,
        store=store,
        executor=slot.executor,
        profiles=Profiles(settings.modelos, store),
        captioner=captioner(settings),
        api=BotApi(settings) if settings.token else None,
        progress=tell_progress,
    )
    return kit, Jobs(settings, store)


_SLOTS: list[Slot] = []  # held until the process ends


async def _work(kit: Kit, jobs: Jobs, control: Path | None, kind: str, stop: asyncio.Event) -> int:
    full = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        poster = Poster(kit) if kind == "run" else None
        if poster:
            kit = dataclasses.replace(kit, nudge=poster.nudge)
        equip(kit)
        await asyncio.to_thread(engine.launch, kit.settings, kit.executor)
        answers = Answers(kit, jobs)
        parts, routes = [_keep_house(kit, jobs, full)], answers.routes()
        if poster:
            bot = Bot(kit, jobs)
            answers.also["intake"] = bot.tell
            routes |= bot.routes()
            parts += [poster.run(), _watch_folders(kit, jobs, answers), *bot.parts()]
        if control:
            await stack.enter_async_context(serve(control, routes))
        tasks = [asyncio.create_task(part) for part in parts]
        _say_what_is_off(kit.settings)
        say.info("pipeline.ready", home=str(kit.settings.home), pid=os.getpid())
        ends = [asyncio.create_task(stop.wait()), asyncio.create_task(full.wait())]
        await asyncio.wait([*tasks, *ends], return_when=asyncio.FIRST_COMPLETED)
        broken = next((t.exception() for t in tasks if t.done() and not t.cancelled()), None)
        within = (
            kit.settings.step_limit
            if full.is_set() and not stop.is_set()
            else kit.settings.stop_within
        )
        left = await asyncio.to_thread(kit.gate.close, within)
    if broken:
        say.error("part.failed", error=said(broken))
    say.info("pipeline.stopped", unfinished=left or None)
    return WORLD_FAILED if broken or (full.is_set() and not stop.is_set()) else 0


async def _keep_house(kit: Kit, jobs: Jobs, full: asyncio.Event) -> None:
    """Each second: what is due again, our heartbeat; less often: dead workers, old jobs, memory."""
    started, second = time.time(), 0
    idle: Counter[str] = Counter()
    while True:
        now = time.time()
        with contextlib.suppress(DBAPIError):
            await asyncio.to_thread(jobs.revive, now)
            if second % 10 == 0:
                await asyncio.to_thread(_heartbeat, kit, jobs, started, now)
                await asyncio.to_thread(jobs.find_orphans, now)
                await asyncio.to_thread(_wake_the_forgotten, kit, jobs, idle)
            if second % 3600 == 60:
                forgotten = await asyncio.to_thread(jobs.purge, now - kit.settings.keep_jobs)
                if forgotten:
                    say.info("jobs.forgotten", count=forgotten)
        if not kit.gate.active:
            kit.pulse.beat("jobs")
        if kit.settings.memory and _rss() > kit.settings.memory:
            say.info("pipeline.full", rss_mb=_rss(), limit_mb=kit.settings.memory)
            full.set()
        second += 1
        await asyncio.sleep(1.0)


def _wake_the_forgotten(kit: Kit, jobs: Jobs, idle: Counter[str]) -> None:
    """Jobs that are ours and that nobody here works on: the engine lost them with its database.

    Three looks in a row, for a job may have been given to us this very moment.
    """
    ours = set(jobs.running_at(kit.executor)) - kit.gate.active
    for job in idle.keys() - ours:
        del idle[job]
    idle.update(ours)
    if forgotten := [job for job, looks in idle.items() if looks >= _LOOKS]:
        say.warning("jobs.forgotten_by_the_engine", count=len(forgotten), job=forgotten[0])
        jobs.resume(forgotten)
        for job in forgotten:
            del idle[job]


def _heartbeat(kit: Kit, jobs: Jobs, started: float, now: float) -> None:
    with kit.store.write() as session:
        session.merge(
            Worker(
                executor=kit.executor,
                host=socket.gethostname(),
                pid=os.getpid(),
                started_at=started,
                seen_at=now,
            )
        )
        gone = [one for one in session.query(Worker) if one.seen_at < now - kit.settings.dead_after]
        for one in gone:
            session.delete(one)
    for one in gone:
        count = jobs.adopt(one.executor)
        say.warning("worker.gone", executor=one.executor, host=one.host, adopted=count)


async def _watch_folders(kit: Kit, jobs: Jobs, answers: Answers) -> None:
    """Each second: what people dropped, unless the intake is paused."""
    dropped = Dropped(kit.settings.modelos, kit.settings.settle)
    told: set[str] = set()
    while True:
        try:
            found, wrong = await asyncio.to_thread(kit.profiles.all)
            for error in wrong:
                if str(error) not in told:
                    told.add(str(error))
                    _say_wrong(kit, error)
            for name in () if answers.paused else found:
                await _take(kit, jobs, dropped, name)
        except DBAPIError as error:  # the files stay where they are until there is a database
            say.warning("intake.waiting", error=said(error))
            await asyncio.sleep(5.0)
        await asyncio.sleep(1.0)


async def _take(kit: Kit, jobs: Jobs, dropped: Dropped, modelo: str) -> None:
    for source in await asyncio.to_thread(dropped.ready, modelo, time.monotonic()):
        await asyncio.to_thread(jobs.submit, source, modelo)
        dropped.took(source)
        say.info("intake.took", job=source.key, modelo=modelo, file=kit.shown(source.path))


def _say_wrong(kit: Kit, error: Exception) -> None:
    if isinstance(error, FileNotFoundError):
        how = "write {} into it, and what you need of docs/pipeline.md"
        say.warning("modelo.unconfigured", file=kit.shown(error.filename), how=how)
    else:
        say.warning("profile.wrong", why=said(error))


def _rss() -> int:
    """Megabytes in memory now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 20


def _say_what_is_off(settings: Settings) -> None:
    """One line for each part that does not run, and how to turn it on."""
    if not settings.token:
        say.info("intake.off", why="no TELEGRAM_TOKEN", how="write TELEGRAM_TOKEN=… into .env")
