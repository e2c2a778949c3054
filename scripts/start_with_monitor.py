#!/usr/bin/env python3
# -*- coding: utf-8 -*-
# ruff: noqa: ANN001, ANN201, RUF005 -- newer than Python 2.7, and this must parse on all since then
"""Start Vigía; on a machine with nothing but Python and git it first makes what it needs."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # also for `python -P` and `-I`

from first_words import refuse_an_old_python, tell, words

HELP_ES = """\
Uso: python scripts/start_with_monitor.py [--home DIR] [--no-setup] [OPCIÓN...] [-- ORDEN ARG...]

Arranca Vigía: el monitor y, como hijo suyo, el pipeline incluido (o la ORDEN que des tras --).
La primera vez crea un entorno propio (.venv) e instala en él lo que falta: necesita red y
alrededor de un minuto. Después arranca al momento y no toca la red hasta que cambie setup.cfg.
No hace falta nada más: ni token, ni .env, ni servidor. Lo que quede apagado se dice al arrancar.

  --home DIR   dónde viven .env, vigia.toml, logs/, modelos/ y data/ (por defecto, esta copia;
               también VIGIA_HOME). Se crea lo que falte.
  --no-setup   no crea ni instala nada: usa este Python tal como está (un entorno ya activado,
               un contenedor). Si le falta algún paquete, se dice cuál.
  --only-set-up  prepara el entorno y las carpetas, y termina.
  --demo       Vigía en un minuto, sin token ni nada que preparar: en una carpeta de usar y tirar
               se provocan fallos de verdad y se ve cómo se reparan. Con --keep la carpeta se
               conserva; --only FALLO (folder, owner, cut, server, crash, disk) prueba solo ese;
               --lang es|en. Acaba con 0 si todo lo probado ha sanado, y no deja nada.
  -- ORDEN     vigila otro programa en lugar del pipeline incluido.
  --help, -h   esta ayuda; no necesita red ni instala nada.
Las demás opciones pasan tal cual a `vigia run`:
  --quiet                       no repite en la terminal las líneas del hijo
  --no-child --follow LOG...    no arranca nada: sigue los logs de un programa ajeno

Dónde está cada cosa:
  .venv               el entorno. VIGIA_VENV=DIR lo pone en otro sitio. Se puede borrar sin
                      miedo: el siguiente arranque lo rehace. Solo se usa este; un entorno
                      activado se ignora, salvo con --no-setup.
  logs/setup.log      todo lo que dijo pip la última vez
  logs/pipeline.log   lo que escribe el hijo
  logs/monitor.log    lo que hizo el monitor

Idioma: VIGIA_LANG=es o en; si no, el del sistema (LC_ALL, LANG).
Al salir: 0 bien, 1 la instalación o el monitor falló, 2 algo está mal configurado, 3 se ha
desistido de todos los hijos, 100 ya hay un monitor en esa carpeta, 130 Ctrl+C al instalar.

Ejemplos:
  python scripts/start_with_monitor.py
  python scripts/start_with_monitor.py --demo
  python scripts/start_with_monitor.py --home /var/lib/vigia
  python scripts/start_with_monitor.py -- python mi_bot.py --verbose
"""

HELP_EN = """\
Usage: python scripts/start_with_monitor.py [--home DIR] [--no-setup] [OPTION...] [-- CMD ARG...]

Starts Vigía: the monitor and, as its child, the pipeline that ships with it (or the CMD after --).
The first time it makes an environment of its own (.venv) and installs what is missing there: that
needs the network and about a minute. After that it starts at once and leaves the network alone
until setup.cfg changes. Nothing else is needed: no token, no .env, no server. What is off is said.

  --home DIR   where .env, vigia.toml, logs/, modelos/ and data/ live (this checkout by default;
               also VIGIA_HOME). What is missing there is made.
  --no-setup   makes and installs nothing: uses this Python as it is (an activated environment,
               a container). If it lacks a package, the package is named.
  --only-set-up  makes the environment and the folders, and ends.
  --demo       Vigía in a minute, without a token or anything to prepare: in a throw-away home real
               faults are made, and you see them repaired. --keep leaves that home;
               --only FAULT (folder, owner, cut, server, crash, disk) tries that one alone;
               --lang es|en. It ends with 0 when all that was tried healed, and leaves nothing.
  -- CMD       supervises another program instead of the pipeline.
  --help, -h   this help; needs no network and installs nothing.
All other options go to `vigia run` as they are:
  --quiet                       does not repeat the child's lines on the terminal
  --no-child --follow LOG...    starts nothing: follows the logs of somebody else's program

Where things are:
  .venv               the environment. VIGIA_VENV=DIR puts it elsewhere. It can be deleted without
                      fear: the next start makes it again. It is the only one that is used; an
                      activated environment is ignored, except with --no-setup.
  logs/setup.log      all that pip said the last time
  logs/pipeline.log   what the child writes
  logs/monitor.log    what the monitor did

Language: VIGIA_LANG=es or en; else that of the system (LC_ALL, LANG).
It ends with: 0 well, 1 the set-up or the monitor failed, 2 something is configured wrongly, 3 every
child was given up, 100 a monitor already runs in that home, 130 Ctrl+C during the set-up.

Examples:
  python scripts/start_with_monitor.py
  python scripts/start_with_monitor.py --demo
  python scripts/start_with_monitor.py --home /var/lib/vigia
  python scripts/start_with_monitor.py -- python my_bot.py --verbose
"""


def main(arguments):
    # type: (list[str]) -> int
    import bootstrap  # after the check of the Python: it needs a new one
    from venv_stamp import CHECKOUT

    own, command = split_at_dashes(arguments)
    if "--help" in own or "-h" in own:
        tell(words(HELP_ES, HELP_EN).rstrip(), 1)
        return 0
    home, own = take_home(own)
    home = os.path.abspath(os.path.expanduser(home or CHECKOUT))
    bootstrap.make_home(home)
    extras = [] if command or "--no-child" in own else ["pipeline"]
    if "--no-setup" in own:
        own.remove("--no-setup")
        bootstrap.insist_on_what_is_here(extras)
        python = sys.executable
    else:
        python = bootstrap.environment(extras, os.path.join(home, "logs", "setup.log"))
    if "--only-set-up" in own:
        return 0
    if "--demo" in own:
        own.remove("--demo")
        return bootstrap.become(python, ["-P", "-m", "monitor.demo"] + own + command)
    # -P: a folder called `monitor` where the person happens to stand is not our monitor.
    return bootstrap.become(python, ["-P", "-m", "monitor", "run", "--home", home] + own + command)


def split_at_dashes(arguments):
    # type: (list[str]) -> tuple[list[str], list[str]]
    """Ours, and the command with its `--`, which is nobody's business but the child's."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at:]


def take_home(own):
    # type: (list[str]) -> tuple[str | None, list[str]]
    """The last --home, else VIGIA_HOME; and what is left."""
    from venv_stamp import WRONG, NotReady

    home, rest, words_left = os.environ.get("VIGIA_HOME"), [], iter(own)
    for word in words_left:
        if word != "--home" and not word.startswith("--home="):
            rest.append(word)
            continue
        home = next(words_left, "") if word == "--home" else word[len("--home=") :]
        if not home or home.startswith("--"):
            raise NotReady(
                words(
                    "--home necesita una carpeta, por ejemplo: --home /var/lib/vigia",
                    "--home needs a folder, for example: --home /var/lib/vigia",
                ),
                WRONG,
            )
    return home, rest


if __name__ == "__main__":
    refuse_an_old_python()
    try:
        from bootstrap import ended
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(ended(main, sys.argv[1:]))
