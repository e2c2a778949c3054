"""All looks in their order, and what may be mended without asking."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from monitor.config import Config, load
from monitor.preflight import bots, machine, place
from monitor.preflight.finding import Finding, Standing, ready, warning, wrong
from monitor.settings import SettingsError
from monitor.tell.channels import faults_of
from monitor.tongue import tongue

_CHILD_PATIENCE = 10.0


def look(home: Path, *, offline: bool) -> Iterator[Finding]:
    """One finding after the other; a home with wrong settings is looked at with the default ones."""
    yield from machine.python()
    if missing := list(place.home_itself(home)):
        yield from missing
        return
    try:
        config = load(home, os.environ)
        if faults := faults_of(config):
            raise SettingsError(tuple(faults))
        yield ready("settings")
    except SettingsError as error:
        for fault in error.faults:
            yield wrong("settings_wrong", why=fault)
        config = Config(home=home, lang=tongue(home, os.environ))
    yield from place.env_file(home)
    yield from place.folders(config)
    yield from place.room(config)
    yield from place.rules(config)
    yield from place.children(config)
    yield from place.root_help()
    yield from machine.limits()
    yield from machine.clock()
    yield from bots.written(config)
    if not offline:
        yield from bots.asked(config)
    yield from _own_checks(config, offline=offline)
    yield from place.monitor(config)


def _own_checks(config: Config, *, offline: bool) -> Iterator[Finding]:
    """What the pipeline says of its own needs: `python -m pipeline check --json`."""
    for name, child in config.children.items():
        if child.command[1:] != ("-m", "pipeline"):
            continue
        yield from machine.tools()
        command = [*child.command, "check", "--json", *(["--offline"] if offline else [])]
        environ = (
            dict(os.environ)
            | dict(config.secrets)
            | {"VIGIA_HOME": str(config.home), "VIGIA_LANG": config.lang}
        )
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                timeout=_CHILD_PATIENCE,
                cwd=config.home,
                env=environ,
            )
            rows = [
                (Standing(r["standing"]), str(r["says"]), str(r["mend"]))
                for r in json.loads(done.stdout)
            ]
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            yield warning(
                "child_cannot_say", name=name, why=type(error).__name__, command=" ".join(command)
            )
            continue
        for standing, says, mend in rows:
            kind = "child_note" if mend else "child_ready"
            facts = (("name", name), ("says", says), ("mend", mend))
            yield Finding(standing, kind, facts)


def mend(finding: Finding) -> bool:
    """Do what is safe to do without asking: make a folder, close a file with tokens to others."""
    path = dict(finding.facts).get("path", "")
    match finding.kind:
        case "folder_missing":
            Path(path).mkdir(mode=0o750, parents=True, exist_ok=True)
        case "env_open":
            Path(path).chmod(0o600)
        case _:
            return False
    return True
