"""How long a pause is, as a person writes it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from monitor.settings import seconds
from monitor.texts import reason, say


def length_in(lang: str) -> Callable[[str], float]:
    """A time as a person writes it; none at all is no pause."""

    def length(text: str) -> float:
        try:
            found = seconds(int(text) if text.isdecimal() else text)
        except ValueError as wrong:
            raise argparse.ArgumentTypeError(reason(str(wrong), lang)) from None
        if not found:
            raise argparse.ArgumentTypeError(say("no_pause_of_nothing", lang))
        return found

    return length
