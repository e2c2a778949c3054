"""What needs root's rights: done here when we have them, else by the helper that sudo allows.

The helper takes a fixed verb and, on stdin, a path; owners and modes stand in root's own table.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
from collections.abc import Sequence

from monitor.redact import printable
from monitor.safe import paths
from monitor.safe.paths import Done, Failed, Owner, Place, Refused
from monitor.safe.root_helper import PATIENCE, Refusal, outcome

HELPER = "/usr/local/libexec/vigia/root_helper"
COMMAND = ("/usr/bin/sudo", "-n", HELPER)
_MOST = 8192  # bytes of an answer that are looked at


def take_ownership(
    place: Place, owner: Owner, command: Sequence[str] = COMMAND
) -> Done | Refused | Failed:
    """That one file or folder is the owner's; with the helper, what root's table says of it."""
    return _with_help("take_ownership", place, paths.take_ownership(place, owner), command)


def make_directory(
    place: Place, owner: Owner, command: Sequence[str] = COMMAND
) -> Done | Refused | Failed:
    """The folder is there; with the helper, it is whose root's table says."""
    return _with_help("make_directory", place, paths.make_directory(place, owner), command)


def _with_help(
    verb: str, place: Place, here: Done | Refused | Failed, command: Sequence[str]
) -> Done | Refused | Failed:
    lacks_rights = isinstance(here, Failed) and here.errno in {errno.EPERM, errno.EACCES}
    if not lacks_rights or os.geteuid() == 0:
        return here
    return ask_root(verb, place.path, command)


def ask_root(
    verb: str, path: str, command: Sequence[str] = COMMAND, patience: float = PATIENCE + 5.0
) -> Done | Refused | Failed:
    """The helper's answer, or why there is none."""
    try:
        return outcome(lambda: _asked([*command, verb], path, patience))
    except _SilentError as silent:
        return Failed(f"the root helper cannot be asked: {silent}", errno.EPERM, path)


class _SilentError(Exception):
    """There is no helper, or it said nothing that is an answer."""


def _asked(command: list[str], path: str, patience: float) -> Done:
    with _started(command) as helper:
        try:
            out, err = helper.communicate(json.dumps({"path": path}).encode() + b"\n", patience)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(PermissionError):  # it is root's; its own alarm ends it
                os.killpg(helper.pid, 9)
            raise _SilentError(f"no answer in {patience:.0f} s") from None
    return _read(out[:_MOST], err[:_MOST])


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as error:
        raise _SilentError(f"{command[0]}: {error.strerror}") from None


def _read(out: bytes, err: bytes) -> Done:
    try:
        answer = json.loads(out)
        kind = answer.pop("kind")
        if kind == "refused":
            raise Refusal(str(answer["why"]))
        if kind == "failed":
            raise OSError(int(answer["errno"]), str(answer["why"]), str(answer["at"]))
        return Done(str(answer["what"]), bool(answer["changed"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        said = printable(err.decode(errors="replace")).strip().splitlines()
        why = said[0][:200] if said else "no answer"
        raise _SilentError(why) from None
