"""Finds the environment that Vigía runs in, has it made when it is not there, and becomes its Python.

A start that finds all in place reads three small files and imports next to nothing: it is gone in a
few milliseconds. What takes time is in `installing.py` and is imported only when there is work.
"""

from __future__ import annotations

import hashlib
import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from first_words import tell, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def ended(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """The exit code of a command whose faults are told in one line each."""
    try:
        return main(arguments)
    except NotReady as fault:
        tell(f"vigia: {fault}")
        return fault.code
    except KeyboardInterrupt:
        tell(words("vigia: interrumpido", "vigia: interrupted"))
        return INTERRUPTED


def become(python: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process, so that signals and systemd meet the program itself."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(python, [python, *arguments])  # noqa: S606 -- to become it is the point


def environment(extras: Sequence[str], log: str) -> str:
    """The Python of an environment that has these extras; made or brought up to date when needed."""
    venv = place()
    if not fits(venv, extras):
        import installing  # noqa: PLC0415 -- the fast start must not pay for it

        installing.install(venv, extras, log)
    return python_of(venv)


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


def make_home(home: str) -> None:
    """`logs`, `modelos` and `data`, there and writable."""
    for name in ("logs", "modelos", "data"):
        folder = os.path.join(home, name)
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            raise NotReady(unusable(home, folder, str(error.strerror)), WRONG) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise NotReady(unusable(home, folder, words("sin permiso", "no permission")), WRONG)


def unusable(home: str, folder: str, why: str) -> str:
    if home == CHECKOUT:
        return words(
            f"no se puede escribir en {folder} ({why}): elige otro sitio para los datos con --home DIR o VIGIA_HOME=DIR, y para el entorno con VIGIA_VENV=DIR",
            f"cannot write to {folder} ({why}): choose another place for the data with --home DIR or VIGIA_HOME=DIR, and for the environment with VIGIA_VENV=DIR",
        )
    return words(
        f"no se puede escribir en {folder} ({why}): da a --home (o VIGIA_HOME) una carpeta en la que pueda escribir este usuario",
        f"cannot write to {folder} ({why}): give --home (or VIGIA_HOME) a folder that this user can write to",
    )


def insist_on_what_is_here(extras: Sequence[str]) -> None:
    """For `--no-setup`: every package that is needed can be found by this Python, or it is named."""
    missing = missing_here(extras)
    if missing:
        target = CHECKOUT + (f"[{','.join(extras)}]" if extras else "")
        names = ", ".join(missing)
        raise NotReady(
            words(
                f"con --no-setup se usa {sys.executable} tal como está, y le falta {names}: instálalo con `{sys.executable} -m pip install -e '{target}'`, o arranca sin --no-setup",
                f"--no-setup uses {sys.executable} as it is, and it lacks {names}: install it with `{sys.executable} -m pip install -e '{target}'`, or start without --no-setup",
            ),
            WRONG,
        )


def missing_here(extras: Sequence[str]) -> list[str]:
    from configparser import ConfigParser  # noqa: PLC0415 -- the fast start must not pay for it
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415 -- as above

    settings = ConfigParser(interpolation=None)
    settings.read(os.path.join(CHECKOUT, "setup.cfg"), encoding="utf-8")
    asked = [settings.get("options", "install_requires", fallback="")]
    asked += [settings.get("options.extras_require", extra, fallback="") for extra in extras]
    missing = [] if find_spec("monitor") else ["vigia"]
    for line in "\n".join(asked).splitlines():
        # One with a condition is one of several that will do; the monitor says which it found.
        if not line.strip() or line.startswith("#") or ";" in line:
            continue
        name = line.split(";")[0]
        for sign in "[<>=!~ ":
            name = name.split(sign)[0]
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    return missing
