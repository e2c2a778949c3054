"""`python -m monitor.demo`: real faults, repaired before one's eyes; nothing of it is left."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from monitor.demo.faults import NAMES, all_faults
from monitor.demo.ground import CalledOff, Ground, heed_signals, laid
from monitor.demo.play import begin, try_out
from monitor.demo.stage import Stage, TooLateError
from monitor.demo.table import Row, table
from monitor.demo.voice import Voice
from monitor.demo.words import say
from monitor.texts import language

_TOLD = 10.0  # seconds for the last words to reach the admin


def main() -> None:
    given = _parser(language()).parse_args()
    voice = Voice(language(given.lang))
    heed_signals()
    try:
        with laid(given.keep) as ground:
            code = _run(ground, voice, given.only or NAMES)
            if given.keep:
                _show_paths(ground, voice)
    except CalledOff as order:
        voice.say("called_off", "yellow")
        sys.exit(128 + order.number)
    if not given.keep:
        voice.plain(say("gone", voice.lang))
    sys.exit(code)


def _run(ground: Ground, voice: Voice, chosen: Sequence[str]) -> int:
    """0 when all that was tried healed."""
    stage = Stage(ground, voice.lang)
    rows: list[Row] = []
    try:
        with stage.open():
            begin(stage, voice)
            rows += [try_out(stage, voice, one) for one in all_faults() if one.name in chosen]
            voice.plain("\n" + table(rows, voice.lang) + "\n")
            _show_the_admin(stage, voice)
            voice.plain(
                say("chain", voice.lang, said=stage.vigia("events", "verify").stdout.strip())
            )
    except (TooLateError, OSError, AssertionError) as error:
        voice.say("broken", "bold red", why=f"{type(error).__name__}: {error}")
        return 1
    well = all(row.well for row in rows)
    seconds = f"{voice.lasted:.0f}"
    voice.plain(say("all_healed" if well else "not_all", voice.lang, seconds=seconds), "bold")
    return 0 if well else 1


def _show_the_admin(stage: Stage, voice: Voice) -> None:
    """What was said last may still be on its way: an incident that is over is told as such."""

    def all_over() -> bool:
        return not any("🔴" in one.text or "🟡" in one.text for one in stage.api.said(stage.admin))

    with contextlib.suppress(TooLateError):
        stage.until(all_over, _TOLD)
    said = stage.api.said(stage.admin)
    facts = {
        "count": len(said),
        "edits": sum(len(one.history) for one in said),
    }
    voice.plain(say("admin", voice.lang, **facts))


def _show_paths(ground: Ground, voice: Voice) -> None:
    voice.plain(say("kept", voice.lang))
    for name in ("logs/errors.json", "logs/monitor.log", "logs/pipeline.log", "vigia.toml"):
        voice.plain(f"  {ground.home / name}")
    voice.plain(f"  vigia incidents list --all --home {ground.home}")


def _parser(lang: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="start_with_monitor.py --demo", description=say("help", lang), allow_abbrev=False
    )
    parser.add_argument("--keep", action="store_true", help=say("help_keep", lang))
    parser.add_argument("--lang", choices=("es", "en"), default="auto", help=say("help_lang", lang))
    parser.add_argument(
        "--only",
        action="append",
        choices=NAMES,
        metavar="FAULT",
        help=f"{say('help_only', lang)}: {', '.join(NAMES)}",
    )
    return parser


if __name__ == "__main__":
    main()
