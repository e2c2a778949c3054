#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# ruff: noqa: ANN001, ANN201, RUF005 -- newer than Python 2.7, and this must parse on all since then
"""Run all that says whether the code is good: lint, format, types, import contracts, tests."""

import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # also for `python -P` and `-I`

from first_words import refuse_an_old_python, tell, words

# What tests need from the system: the program to look for, and the Debian package that brings it.
# A test says `@pytest.mark.needs("logrotate")`; without it the test is skipped, and fails when CI=true.
NEEDS = {
    "cc": ("cc", "gcc"),
    "chromium": ("chromium", "chromium"),
    "ffmpeg": ("ffmpeg", "ffmpeg"),
    "initdb": ("initdb", "postgresql"),
    "logrotate": ("logrotate", "logrotate"),
    "shellcheck": ("shellcheck", "shellcheck"),
    "strace": ("strace", "strace"),
    "systemd-analyze": ("systemd-analyze", "systemd"),
    "visudo": ("visudo", "sudo"),
}

# Debian keeps some of them off a user's PATH; of PostgreSQL the newest comes first.
SYSTEM_PATH = os.pathsep.join(
    [os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]
    + sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
)

# A name for the heading, and what follows `python`.
CHECKS = [
    ("ruff check", ["-m", "ruff", "check", "."]),
    ("ruff format --check", ["-m", "ruff", "format", "--check", "."]),
    ("mypy", ["-m", "mypy"]),
    ("lint-imports", ["-c", "from importlinter.cli import lint_imports_command as run; run()"]),
]

HELP_ES = """\
Uso: python scripts/run_tests.py [--fast] [--no-setup] [opciones de pytest...]

Prepara el entorno si hace falta (como start_with_monitor.py, con las herramientas de prueba) y
ejecuta, por este orden: ruff check, ruff format --check, mypy, lint-imports y pytest. Un paso que
falla no oculta los siguientes. Como root, o con sudo sin contraseña, instala antes los paquetes de
Debian que falten (%s).

  --fast       deja fuera las pruebas largas (-m "not slow")
  --no-setup   usa este Python tal como está
  --help, -h   esta ayuda; las de pytest: python scripts/run_tests.py --no-setup -- --help

Con CI=true, a una prueba no le puede faltar nada del sistema: en vez de saltarse, falla.
Al salir: 0 todo bien, 1 algo falló, 2 algo está mal configurado, 130 Ctrl+C.

Ejemplos:
  python scripts/run_tests.py --fast
  python scripts/run_tests.py tests/monitor -k rotation -x
"""

HELP_EN = """\
Usage: python scripts/run_tests.py [--fast] [--no-setup] [pytest options...]

Makes the environment when needed (as start_with_monitor.py does, with the tools for testing) and
runs, in this order: ruff check, ruff format --check, mypy, lint-imports and pytest. A step that
fails does not hide the later ones. As root, or with a sudo that asks no password, it first installs
the Debian packages that are missing (%s).

  --fast       leaves out the long tests (-m "not slow")
  --no-setup   uses this Python as it is
  --help, -h   this help; pytest's own: python scripts/run_tests.py --no-setup -- --help

With CI=true no test may lack anything from the system: it fails instead of being skipped.
It ends with: 0 all well, 1 something failed, 2 something is configured wrongly, 130 Ctrl+C.

Examples:
  python scripts/run_tests.py --fast
  python scripts/run_tests.py tests/monitor -k rotation -x
"""


def main(arguments):
    # type: (list[str]) -> int
    import bootstrap  # after the check of the Python: it needs a new one
    from venv_stamp import CHECKOUT, place

    own, rest = split_at_dashes(arguments)
    if "--help" in own or "-h" in own:
        packages = ", ".join(sorted(package for _, package in NEEDS.values()))
        tell((words(HELP_ES, HELP_EN) % packages).rstrip(), 1)
        return 0
    if "--no-setup" in own:
        own.remove("--no-setup")
        bootstrap.insist_on_what_is_here(["pipeline", "test"])
    else:
        bring_venv()
        log = os.path.join(CHECKOUT, "logs", "setup.log")
        python = bootstrap.environment(["pipeline", "test"], log)
        if os.path.realpath(sys.prefix) != os.path.realpath(place()):
            return bootstrap.become(python, [os.path.abspath(__file__)] + arguments)
    if "--fast" in own:
        own[own.index("--fast") : own.index("--fast") + 1] = ["-m", "not slow"]
    bring([need for need in NEEDS if not is_here(need)])
    failed = [name for name, command in CHECKS if not passes(name, command, CHECKOUT)]
    tell("== pytest%s" % (" (failed before it: %s)" % ", ".join(failed) if failed else ""), 1)
    result = python_ends_with(["-m", "pytest"] + own + rest, CHECKOUT)
    return result or (1 if failed else 0)


def split_at_dashes(arguments):
    # type: (list[str]) -> tuple[list[str], list[str]]
    """Ours and pytest's mixed, and what is pytest's alone."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def passes(name, command, folder):
    # type: (str, list[str], str) -> bool
    """Whether a check finds nothing to say; what it found stands under its heading."""
    import subprocess
    import time

    began = time.monotonic()
    ran = subprocess.run(
        [sys.executable] + command,
        cwd=folder,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    well = ran.returncode == 0
    tell("== %s: %s, %.1f s" % (name, "ok" if well else "FAILED", time.monotonic() - began), 1)
    if not well:
        tell(ran.stdout.decode("utf-8", "replace").rstrip(), 1)
    return well


def python_ends_with(command, folder):
    # type: (list[str], str) -> int
    """The exit code of a Python that speaks for itself; Ctrl+C is for it, and we wait for its last words."""
    import subprocess

    with subprocess.Popen([sys.executable] + command, cwd=folder) as process:
        while True:
            try:
                code = process.wait()
                return code if code >= 0 else 128 - code
            except KeyboardInterrupt:
                continue


def is_here(need):
    # type: (str) -> bool
    import shutil

    return shutil.which(NEEDS[need][0], path=SYSTEM_PATH) is not None


def bring_venv():
    # type: () -> None
    """Debian keeps `ensurepip` in a package of its own; without it there is no environment to run in."""
    from importlib.util import find_spec

    if not find_spec("ensurepip"):
        install(["python3-venv"])


def bring(needs):
    # type: (list[str]) -> None
    if needs:
        install([NEEDS[need][1] for need in needs])


def install(packages):
    # type: (list[str]) -> None
    """Debian's packages, when we may; what could not be had is told, and the tests decide."""
    import subprocess

    apt = apt_get()
    names = " ".join(packages)
    if not apt:
        tell("vigia: " + words("no puedo instalar ", "cannot install ") + names)
        return
    tell("vigia: " + words("instalo con apt-get: ", "installing with apt-get: ") + names)
    for command in (["update"], ["install", "-y", "--no-install-recommends"] + packages):
        ran = subprocess.run(
            apt + command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if ran.returncode:
            said = ran.stdout.decode("utf-8", "replace").strip().splitlines()[-3:]
            tell("vigia: apt-get %s: %s" % (command[0], " / ".join(said)))


def apt_get():
    # type: () -> list[str]
    """How this user may install packages; empty when not at all."""
    import shutil
    import subprocess

    if not shutil.which("apt-get"):
        return []
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    if os.geteuid() == 0:
        return quiet
    if not shutil.which("sudo"):
        return []
    silent = subprocess.DEVNULL
    asked = subprocess.run(["sudo", "-n", "true"], check=False, stdout=silent, stderr=silent)
    return ["sudo", "-n"] + quiet if asked.returncode == 0 else []


if __name__ == "__main__":
    refuse_an_old_python()
    try:
        from bootstrap import ended
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(ended(main, sys.argv[1:]))
