"""Finds the environment that Vigía runs in, has it made when it is not there, and becomes its Python.

A start that finds all in place reads three small files and imports next to nothing: it is gone in a
few milliseconds. What takes time is in `installing.py` and is imported only when there is work.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from first_words import tell, words
from venv_stamp import CHECKOUT, INTERRUPTED, WRONG, NotReady, fits, place, python_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


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
