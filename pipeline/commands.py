"""`python -m pipeline [run | worker | ingest FILE --modelo NAME | jobs … | posts … | check]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import NoReturn

from sqlalchemy.exc import DBAPIError

from pipeline.app import CONFIG_WRONG, WORLD_FAILED, run
from pipeline.config import Settings, known, read_settings
from pipeline.dropped import INBOX, source_of
from pipeline.events import redacted, speak_logfmt
from pipeline.flows import engine
from pipeline.flows.jobs import Jobs, RefusedError
from pipeline.model import JobView, SettingsError
from pipeline.profiles import ProfileError, read_profile
from pipeline.ready import look
from pipeline.store import posts as ledger
from pipeline.store.base import Store, open_store
from pipeline.texts import told


def main(words: list[str]) -> NoReturn:
    home = Path(os.environ.get("VIGIA_HOME") or Path.cwd())
    language = _language(home)
    given = _parser(language).parse_args(words)
    if given.command in {None, "run", "worker"}:
        code = _run(home, given.command or "run")
    else:
        code = _command(home, given, language)
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that are parked in the middle of a job, and those of the engine, end with the process.
    os._exit(code)


def _run(home: Path, kind: str) -> int:
    speak_logfmt()
    control = os.environ.get("VIGIA_CONTROL")
    loop = asyncio.new_event_loop()
    return loop.run_until_complete(run(home, os.environ, Path(control) if control else None, kind))


def _parser(language: str) -> argparse.ArgumentParser:
    say = partial(told, language=language)
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("run", help=say("all parts: intake, jobs, poster; also without a command"))
    commands.add_parser(
        "worker", help=say("only works on jobs; for more machines on one PostgreSQL")
    )
    ready = commands.add_parser("check", help=say("is all there that the pipeline needs?"))
    ready.add_argument("--json", action="store_true")
    ready.add_argument(
        "--offline", action="store_true", help=say("for `vigia check`; nothing here asks far")
    )
    ingest = commands.add_parser("ingest", help=say("hand in a file; it is copied"))
    ingest.add_argument("file", type=Path)
    ingest.add_argument("--modelo", required=True)
    jobs = commands.add_parser("jobs", help=say("look at jobs, try them again, cancel them"))
    kinds = jobs.add_subparsers(dest="verb", required=True)
    listing = kinds.add_parser("list")
    listing.add_argument("-n", type=int, default=50)
    listing.add_argument("--json", action="store_true")
    for verb in ("show", "retry", "cancel"):
        kinds.add_parser(verb).add_argument("job")
    posts = commands.add_parser(
        "posts", help=say("what goes out: look, hold back, decide what is unknown")
    )
    kinds = posts.add_subparsers(dest="verb", required=True)
    kinds.add_parser("list").add_argument("-n", type=int, default=50)
    for verb in ("hold", "lift"):
        kinds.add_parser(verb).add_argument("modelo", nargs="?", default="*")
    for verb in ("sent", "again"):
        kinds.add_parser(verb).add_argument("post", type=int)
    return parser


def _command(home: Path, given: argparse.Namespace, language: str) -> int:
    if given.command == "check":
        return _check(home, language, as_json=given.json)
    try:
        settings = read_settings(home, os.environ)
        if given.command == "ingest":
            return _ingest(settings, given.file, given.modelo)
        if given.command == "posts":
            return _posts(open_store(settings), given)
        return _jobs(_open(settings), given, language)
    except SettingsError as error:
        print("\n".join(told(fault, language) for fault in error.faults), file=sys.stderr)
        return CONFIG_WRONG
    except (OSError, ProfileError, RefusedError, ledger.NotSoError) as error:
        print(f"pipeline: {told(str(error), language)}", file=sys.stderr)
        return 1
    except DBAPIError as error:
        why = told(f"the database: {redacted(str(error.orig))}", language)
        print(f"pipeline: {why}", file=sys.stderr)
        return WORLD_FAILED


def _check(home: Path, language: str, *, as_json: bool) -> int:
    """0 ready, 1 with warnings, 2 not ready."""
    rows = look(home, os.environ, language)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        print(
            "\n".join(f"{row['standing']:<8} {row['says']}  {row['mend']}".rstrip() for row in rows)
        )
    standings = {row["standing"] for row in rows}
    return 2 if "wrong" in standings else 1 if "warning" in standings else 0


def _open(settings: Settings) -> Jobs:
    store = open_store(settings)
    engine.prepare(settings)
    return Jobs(settings, store)


def _ingest(settings: Settings, file: Path, modelo: str) -> int:
    """A copy waits under a hidden name, which only this job will take."""
    read_profile(settings.modelos, modelo)
    source = source_of(file, "ingest")
    jobs = _open(settings)
    if jobs.view(source.key) is None:
        inbox = settings.modelos / modelo / INBOX
        inbox.mkdir(exist_ok=True)
        copy = inbox / f".{source.key}{file.suffix}"
        shutil.copyfile(file, copy)
        jobs.submit(source.at(str(copy)), modelo)
    print(source.key)
    return 0


def _jobs(jobs: Jobs, given: argparse.Namespace, language: str) -> int:
    if given.verb == "list":
        views = jobs.recent(given.n, language)
        if given.json:
            print(json.dumps([view.as_json() for view in views], ensure_ascii=False))
        else:
            print("\n".join(map(_line, views)) or "-")
        return 0
    if given.verb == "retry":
        jobs.retry(given.job)
    elif given.verb == "cancel":
        jobs.cancel(given.job)
    view = jobs.view(given.job, language)
    if view is None:
        raise RefusedError(f"there is no job {given.job}")
    print(
        json.dumps(view.as_json(), ensure_ascii=False, indent=2)
        if given.verb == "show"
        else _line(view)
    )
    return 0


def _posts(store: Store, given: argparse.Namespace) -> int:
    now = time.time()
    with store.write() as session:
        match given.verb:
            case "hold":
                ledger.hold(session, given.modelo, "by command", now)
            case "lift":
                ledger.lift(session, given.modelo)
            case "sent" | "again":
                ledger.decide(session, given.post, went_out=given.verb == "sent", now=now)
        found = ledger.newest(session, given.n if given.verb == "list" else 0)
    for post in found:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(post.sent_at or post.due_at))
        print(f"{post.id:>6}  {at}  {post.state:<9} {post.modelo:<12} {post.target}  {post.error}")
    return 0


def _line(view: JobView) -> str:
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(view.created_at))
    return f"{at}  {view.state:<9} {view.percent:>3}%  {view.modelo:<12} {view.id}  {view.words}"


def _language(home: Path) -> str:
    try:
        environ = known(home, os.environ)
    except SettingsError:
        environ = os.environ  # what is wrong is said by whoever needs it
    words = environ.get("VIGIA_LANG") or environ.get("LC_ALL") or environ.get("LANG", "")
    return "es" if words.lower().startswith("es") else "en"
