# -*- coding: utf-8 -*-
# ruff: noqa: ANN001, ANN201, UP009, UP024, UP031, UP036, RUF005 -- all of these want what is newer than
# Python 2.7, and this must run on every Python since then
"""What is said while nothing is known yet about this Python, its language and its terminal."""

import os
import sys

NEEDED = (3, 11)
NEWEST = 20  # no need to look on PATH for a Python beyond 3.20


def words(es, en):
    # type: (str, str) -> str
    """The one of two texts that speaks the person's language."""
    names = ("VIGIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    wanted = [os.environ[name] for name in names if os.environ.get(name)]
    return es if wanted and wanted[0].lower().startswith("es") else en


def tell(text, where=2):
    # type: (str, int) -> None
    """One text for a person, in UTF-8 whatever the locale; nobody listening is no reason to fail."""
    try:
        if sys.version_info >= (3,):
            os.write(where, (text + "\n").encode("utf-8", "replace"))
        else:
            os.write(where, text + "\n")
    except (IOError, OSError):
        pass


def refuse_an_old_python():
    # type: () -> None
    """Say what is needed and end with 2, unless this Python is new enough."""
    if sys.version_info[:2] >= NEEDED:
        return
    found = "%s (%s)" % (sys.version.split()[0], sys.executable)
    newer = a_newer_python()
    if newer:
        again = " ".join(quoted(word) for word in [newer] + sys.argv)
        what = words("usa el que ya tienes:  ", "use the one you have:  ") + again
    else:
        what = words(
            "instala uno (Debian 12 o Ubuntu 24.04: apt install python3 python3-venv) y repite la orden con él",
            "install one (Debian 12 or Ubuntu 24.04: apt install python3 python3-venv) and repeat the command with it",
        )
    tell(
        words(
            "Vigía necesita Python %d.%d o posterior y este es Python %s: %s",
            "Vigía needs Python %d.%d or newer and this is Python %s: %s",
        )
        % (NEEDED + (found, what))
    )
    sys.exit(2)


def a_newer_python():
    # type: () -> str | None
    """The first Python on PATH that is new enough and really starts."""
    names = ["python3"] + ["python3.%d" % minor for minor in range(NEWEST, NEEDED[1] - 1, -1)]
    for name in names:
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            path = os.path.join(folder, name)
            if os.access(path, os.X_OK) and is_new_enough(path):
                return path
    return None


def is_new_enough(path):
    # type: (str) -> bool
    import subprocess  # noqa: PLC0415 -- a Python that is new enough never gets here

    test = "import sys; sys.exit(sys.version_info[:2] < (%d, %d))" % NEEDED
    # Started as an isolated Python: a PYTHONHOME that was meant for this one would break that one.
    with open(os.devnull, "r+b") as nothing:
        return subprocess.call([path, "-I", "-c", test], stdout=nothing, stderr=nothing) == 0


def quoted(word):
    # type: (str) -> str
    """The word as a shell takes it."""
    plain = all(letter.isalnum() or letter in "/.-_=" for letter in word)
    return word if plain else "'%s'" % word.replace("'", "'\\''")
