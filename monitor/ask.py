"""One question to the running monitor, one answer; light, because every command pays for it."""

from __future__ import annotations

import contextlib
import json
import socket
from pathlib import Path
from typing import Any

from monitor.home import socket_path


class NobodyThereError(Exception):
    """No monitor runs in that home, or it does not let us in."""


class RefusedError(Exception):
    """The monitor's own words on why it will not do it."""


def ask(home: Path, verb: str, patience: float = 60.0, **arguments: Any) -> Any:
    """Send `verb` with its arguments and return what the monitor answers."""
    path = socket_path(home, "control.sock")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as to:
        to.settimeout(patience)
        try:
            to.connect(str(path))
            to.sendall(json.dumps({"verb": verb, **arguments}).encode() + b"\n")
            raw = b"".join(iter(lambda: to.recv(65536), b""))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            raise NobodyThereError(f"no monitor is running in {home}") from None
        except PermissionError:
            raise NobodyThereError(f"{path} belongs to another user") from None
        except (TimeoutError, ConnectionError) as error:
            raise NobodyThereError(f"the monitor of {home} does not answer: {error}") from None
    if not raw:
        raise NobodyThereError(f"the monitor of {home} refused us: it serves its own user and root")
    if not raw.endswith(b"\n"):
        raise NobodyThereError(f"the monitor of {home} ended in the middle of its answer")
    answer = json.loads(raw)
    if "refused" in answer:
        raise RefusedError(answer["refused"])
    return answer["answer"]
