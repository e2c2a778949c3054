"""Tells the story on the terminal: coloured for a person, plain in a pipe."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.text import Text

from monitor.demo.story import Step
from monitor.demo.words import say
from monitor.redact import printable, redact

_STYLES = {"noticed": "yellow", "repaired": "cyan", "proved": "green", "job": "green"}
_LONGEST = 150  # characters of what a record says


class Voice:
    """Each line with the seconds since the beginning."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    @property
    def lasted(self) -> float:
        return time.monotonic() - self._began

    def chapter(self, fault: str, does: str) -> None:
        self._console.print()
        self._console.print(Text(say(f"fault_{fault}", self.lang).upper(), "bold"))
        self.say(does)

    def say(self, name: str, style: str = "", **facts: object) -> None:
        self._line(say(name, self.lang, **facts), style)

    def step(self, step: Step) -> None:
        said = printable(redact(" ".join(step.said.split())))
        shown = said if len(said) <= _LONGEST else said[:_LONGEST] + "…"
        style = _STYLES[step.kind]
        self._line(f"{say(step.kind, self.lang):<9} {shown}", style)

    def plain(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style))

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text.assemble((f"{self.lasted:5.1f} s  ", "dim"), (text, style)))
