"""What systemd is told about us, and nobody else: readiness, life, the end."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping


class Notify:
    """Speaks to NOTIFY_SOCKET; without one every word goes nowhere."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Take the variables out of the environment, so that no child can speak in our name."""
        address = environ.pop("NOTIFY_SOCKET", "")
        usec = environ.pop("WATCHDOG_USEC", "")
        pid = environ.pop("WATCHDOG_PID", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        mine = not pid or pid == str(os.getpid())
        self.watchdog = int(usec) / 1e6 if usec.isdecimal() and mine and address else 0.0

    def say(self, *words: str) -> None:
        """One datagram; a manager that does not listen must not stop us."""
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.setblocking(False)
            to.sendto("\n".join(words).encode(errors="replace"), self._address)

    def ready(self, status: str) -> None:
        self.say("READY=1", f"STATUS={status}")

    def alive(self) -> None:
        self.say("WATCHDOG=1")

    def reloading(self) -> None:
        self.say(
            "RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"
        )

    def stopping(self, seconds: float) -> None:
        """We are going, and need this long for it."""
        self.say("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}")
