"""The home: its settings, folders, rules, children, and who is already there."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from monitor.config import Config, child_environment
from monitor.heal.repairs import check_ladders, owner_of
from monitor.heal.room import Volume
from monitor.home import data_folder, rules_cache, socket_path
from monitor.options import Child
from monitor.preflight.finding import Finding, off, ready, warning, wrong
from monitor.safe import paths
from monitor.safe.privileged import HELPER
from monitor.settings import SettingsError
from monitor.supervise import lock
from monitor.texts import sized
from monitor.understand.loading import prepared
from monitor.understand.rule import PACKS, RulesError

FOLDERS = ("logs", "modelos", "data")


def home_itself(home: Path) -> Iterator[Finding]:
    """All else stands in it."""
    if not home.is_dir():
        yield wrong("folder_missing", path=home)


def folders(config: Config) -> Iterator[Finding]:
    """Each is there and can be written by the monitor and by every child's user."""
    people = {(os.geteuid(), os.getegid())}
    people |= {(o.uid, o.gid) for o in map(owner_of, config.children.values())}
    names = dict.fromkeys((*FOLDERS, *config.roots))
    try:
        roots = paths.roots_of(config.home, names, owners=[uid for uid, _ in people], kept=())
    except (ValueError, OSError) as error:
        yield wrong("root_unusable", why=error)
        return
    for root in roots.roots:
        faults = list(_faults_of_folder(root, people))
        yield from faults or [ready("folder", path=root.given)]


def _faults_of_folder(root: paths.Root, people: set[tuple[int, int]]) -> Iterator[Finding]:
    if not os.path.lexists(root.path):
        yield wrong("folder_missing", path=root.given)
        return
    if not os.path.isdir(root.path):
        yield wrong("folder_taken", path=root.given)
        return
    for uid, gid in sorted(people):
        proof = paths.prove_writable_directory(paths.Place(root, ()), uid, gid)
        if not isinstance(proof, paths.Done):
            at = (proof.at if isinstance(proof, paths.Failed) else "") or root.given
            yield wrong("folder_closed", path=at, user=_name(uid), why=proof.why, root=root.given)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def room(config: Config) -> Iterator[Finding]:
    """By the marks that the running monitor goes by."""
    space = paths.free_space(config.home)
    if isinstance(space, paths.Failed):
        yield wrong("room_unknown", why=space.why, home=config.home)
        return
    volume = Volume(str(config.home), space, config.disk)
    if volume.is_full:
        yield wrong("room_critical", why=volume.said, home=config.home)
    elif volume.is_low:
        yield warning("room_low", why=volume.said, home=config.home)
    else:
        yield ready("room", free=sized(space.bytes))


def rules(config: Config) -> Iterator[Finding]:
    """The rules load, with those of the home, and the ladders name strategies that exist."""
    own = [config.home / folder for folder in config.rules if (config.home / folder).is_dir()]
    try:
        known = prepared((PACKS, *own), rules_cache(config.home))
        check_ladders(config.ladders)
    except (RulesError, SettingsError) as error:
        for fault in error.faults:
            yield wrong("rules_wrong", why=fault)
    else:
        yield ready("rules", count=len(known.rules))


def children(config: Config) -> Iterator[Finding]:
    """Each can be started: program, folder, user."""
    for name, child in config.children.items():
        faults = list(_faults_of_child(name, child, config))
        yield from faults or [ready("child", name=name, command=" ".join(child.command))]


def _faults_of_child(name: str, child: Child, config: Config) -> Iterator[Finding]:
    directory = config.home / child.directory
    search = child_environment(name, child, config, os.environ).get("PATH", os.defpath)
    program = child.command[0]
    found = shutil.which(
        os.path.join(directory, program) if "/" in program else program, path=search
    )
    if found is None:
        yield wrong("child_program", name=name, program=program)
    if not directory.is_dir():
        yield wrong("child_directory", name=name, path=directory)
    if child.user and not _exists(child.user):
        yield wrong("child_user", name=name, user=child.user)
    elif child.user and os.geteuid() != 0 and pwd.getpwnam(child.user).pw_uid != os.geteuid():
        yield wrong("child_user_not_ours", name=name, user=child.user)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def monitor(config: Config) -> Iterator[Finding]:
    """Who holds the home just now, and whether he answers."""
    path = data_folder(config.home) / "lock"
    if not path.exists() or lock.is_free(path):
        yield off("monitor_down", home=config.home)
    elif socket_path(config.home, "control.sock").exists():
        yield ready("monitor_up", pid=lock.signed_by(path) or "?")
    else:
        yield warning("monitor_deaf", pid=lock.signed_by(path) or "?")


def root_help() -> Iterator[Finding]:
    """Whether what belongs to somebody else can be given back without a person."""
    if os.geteuid() == 0:
        yield ready("we_are_root")
        return
    command = ["sudo", "-n", "-l", HELPER, "take_ownership"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=2.0)
        allowed = done.returncode == 0 and os.access(HELPER, os.X_OK)
    except (OSError, subprocess.SubprocessError):
        allowed = False
    yield ready("root_helper") if allowed else off("root_helper_missing")


def env_file(home: Path) -> Iterator[Finding]:
    """Tokens stand in it, so nobody else may read it."""
    file = home / ".env"
    try:
        status = file.stat()
    except FileNotFoundError:
        yield off("env_missing", path=file)
        return
    except OSError as error:
        yield wrong("env_unreadable", path=file, why=error.strerror or error)
        return
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warning("env_open", path=file, mode=f"{status.st_mode & 0o777:o}")
    else:
        yield ready("env", path=file)
