"""What an environment was made from, and whether it still is what the checkout asks for.

It is read at every start, so it imports next to nothing.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from first_words import words

if TYPE_CHECKING:
    from collections.abc import Sequence

CHECKOUT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
FAILED, WRONG, INTERRUPTED = 1, 2, 130
STAMP = "vigia-stamp"


class NotReady(Exception):  # noqa: N818 -- it is what came of the set-up; not always an error
    """What stands in the way and what to do about it, with the exit code."""

    def __init__(self, why: str, code: int = FAILED) -> None:
        super().__init__(why)
        self.code = code


class Stamp(NamedTuple):
    """What an environment was made from; written when all of it is there, taken away before any change."""

    place: str  # its folder and the interpreter behind its `python`: anything else needs a new one
    wanted: str  # a hash of the checkout's place and of what its files ask for
    extras: frozenset[str]


def place() -> str:
    return os.path.abspath(os.environ.get("VIGIA_VENV") or default_place())


def default_place() -> str:
    return os.path.join(CHECKOUT, ".venv")


def python_of(venv: str) -> str:
    return os.path.join(venv, "bin", "python")


def fits(venv: str, extras: Sequence[str]) -> bool:
    """Whether it is whole, was made from what the checkout asks for now, and has these extras."""
    stamp = read_stamp(venv)
    return stamp is not None and stamp.wanted == wanted() and stamp.extras.issuperset(extras)


def read_stamp(venv: str) -> Stamp | None:
    """The stamp of a whole environment; None for a half-made, moved or dead one.

    An intact environment is used whichever Python starts this script: a start from a shell with
    another Python must not take the environment away from a monitor that runs in it.
    """
    try:
        with open(os.path.join(venv, STAMP), encoding="utf-8") as file:
            where, hashed, extras = file.read().splitlines()
    except (OSError, ValueError):
        return None
    stamp = Stamp(where, hashed, frozenset(extras.split()))
    return stamp if stamp.place == identity(venv) and os.access(python_of(venv), os.X_OK) else None


def identity(venv: str) -> str:
    return f"{venv} {os.path.realpath(python_of(venv))}"


def wanted() -> str:
    """A hash of everything that decides what has to be installed."""
    total = hashlib.sha256(CHECKOUT.encode(errors="surrogateescape"))
    for name in ("setup.cfg", "pyproject.toml"):
        try:
            with open(os.path.join(CHECKOUT, name), "rb") as file:
                total.update(b"\0" + file.read())
        except OSError as error:
            raise NotReady(
                words(
                    f"no se puede leer {error.filename} ({error.strerror}): la copia está incompleta, clónala de nuevo",
                    f"cannot read {error.filename} ({error.strerror}): the checkout is incomplete, clone it again",
                ),
                WRONG,
            ) from None
    return total.hexdigest()
