"""Signals: what we inherited is undone, what we answer only sets a flag."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)  # ignored by Python, given back to each child


def clean_slate() -> None:
    """Nothing blocked and nothing ignored, for us and so for every child."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals().difference(_PYTHONS_OWN):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def listen(
    end: Callable[[str], None], reload: Callable[[], None], child_died: Callable[[], None]
) -> None:
    """INT and TERM end, HUP reloads, CHLD reaps; each runs in the loop, never in a handler."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number.name)
    loop.add_signal_handler(signal.SIGHUP, reload)
    loop.add_signal_handler(signal.SIGCHLD, child_died)
