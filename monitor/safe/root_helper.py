#!/usr/bin/python3 -I
"""What may be done to a file that hostile text names: no link followed, inside a root, one at a time.

It imports nothing of ours: a root-owned copy of this one file is what `sudo` runs, and whoever
grants that can read all of it (docs/safety.md). `monitor.safe.paths` uses the same functions.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import importlib
import json
import os
import re
import signal
import stat
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

TABLE = "/etc/vigia/roots.toml"
PATIENCE = 30  # seconds after which the helper ends itself, whatever it waits for
MOST_BYTES = 4096
MOST_NAMES = 64  # folders on one way; each is a descriptor while it is walked
MOST_NEW = 8  # folders made for one line

# No root is one of these or lies in one; the second list: may hold a root, is none itself.
SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr")
TOO_WIDE = (
    *("home", "media", "mnt", "opt", "root", "run", "srv", "tmp", "var"),
    *("var/backups", "var/cache", "var/lib", "var/log", "var/mail", "var/spool", "var/tmp"),
)

# Text that was to become something else: %s and %2e, $HOME and $(x), `x`, \n as two letters.
_STANDS_FOR = re.compile(r"%[0-9A-Za-z(]|\$[({A-Za-z_]|`|\\")
_DOTS = str.maketrans(dict.fromkeys("\u2024\u3002\uff61\ufe52\u00b7\u0701\u0702", "."))


# --- the words -----------------------------------------------------------------------------------


class Refusal(Exception):  # noqa: N818 -- it is an answer, and leaves this file as a `Refused`
    """We will not: the reason names the thing."""


@dataclass(frozen=True, slots=True)
class Refused:
    """We decided against it, and asking again changes nothing until somebody changes the thing."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The system said no."""

    why: str
    errno: int = 0
    at: str = ""  # the path that stands in the way, where it is known


@dataclass(frozen=True, slots=True)
class Done:
    """It holds now; `changed` is False when it held before."""

    what: str
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a thing becomes, and what he and others may at least do with it."""

    uid: int
    gid: int
    file_mode: int = 0o640
    folder_mode: int = 0o750


@dataclass(frozen=True, slots=True)
class Root:
    """A folder in which repairs are allowed."""

    path: str  # absolute and without a link in it
    given: str = ""  # as it was configured, and as log lines may print it
    owners: frozenset[int] = frozenset()  # besides root and ourselves
    kept: tuple[str, ...] = ()  # paths in it that are not to be touched, with all below them


@dataclass(frozen=True, slots=True)
class Place:
    """Names below a root, not a promise: every use walks them again by descriptors."""

    root: Root
    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in self.parts:
            if part in {"", ".", ".."} or "/" in part or "\0" in part:
                raise ValueError(f"{part!r} is not a name")

    @property
    def path(self) -> str:
        return "/".join((self.root.path.rstrip("/"), *self.parts))


def outcome(action: Callable[[], T], at: str = "") -> T | Refused | Failed:
    """What came of it, as a value."""
    try:
        return action()
    except Refusal as refusal:
        return Refused(str(refusal))
    except OSError as error:
        at = at or str(error.filename or "")
        return Failed(f"{at}: {error.strerror or error}", error.errno or 0, at)


# --- names ---------------------------------------------------------------------------------------


def parts_of(text: str) -> tuple[str, ...]:
    """The names in a path as it was printed; refuses what no path of ours has."""
    if not text:
        raise Refusal("the path is empty")
    if (size := len(text.encode(errors="surrogatepass"))) > MOST_BYTES:
        raise Refusal(f"{shown(text)} is a path of {size} bytes")
    if not text.isprintable():
        char = next(c for c in text if not c.isprintable())
        raise Refusal(f"{shown(text)} has the character U+{ord(char):04X}")
    if found := _STANDS_FOR.search(text):
        raise Refusal(f"{shown(text)} has {found[0]!r}, which stands for something else")
    parts = tuple(part for part in text.split("/") if part not in {"", "."})
    if len(parts) > MOST_NAMES:
        raise Refusal(f"{shown(text)} is {len(parts)} folders deep")
    for part in parts:
        _check_name(part)
    return parts


def _check_name(part: str) -> None:
    # A megabyte of tables, which only names beyond ASCII need.
    tables = importlib.import_module("unicodedata") if not part.isascii() else None
    plain = (tables.normalize("NFKC", part) if tables else part).translate(_DOTS)
    if not plain.strip("."):
        raise Refusal(f"{shown(part)} leads upward, or is only dots")
    if "/" in plain:
        raise Refusal(f"{shown(part)} has a letter that looks like a slash")
    if part.startswith("~"):
        raise Refusal(f"{shown(part)} stands for a home folder")
    if part != part.strip():
        raise Refusal(f"{shown(part)} begins or ends with a space")
    if (size := len(part.encode())) > 255:
        raise Refusal(f"{shown(part)} is a name of {size} bytes")


def shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")


def names(path: str) -> tuple[str, ...]:
    return tuple(filter(None, path.split("/")))


def place_of(text: str, roots: Iterable[Root], home: str = "") -> Place:
    """The place a text speaks of, in the innermost root that holds it."""
    parts = parts_of(text)
    if not text.startswith("/"):
        if not home:
            raise Refusal(f"{shown(text)} is not absolute")
        parts = (*names(home), *parts)
    ways = [(names(way), root) for root in roots for way in (root.path, root.given) if way]
    inside = [(way, root) for way, root in ways if parts[: len(way)] == way]
    if not inside:
        raise Refusal(f"{shown(text)} is outside the roots")
    way, root = max(inside, key=lambda pair: len(pair[0]))
    place = Place(root, parts[len(way) :])
    kept = next((kept for kept in root.kept if _is_below(place.path, kept)), None)
    if kept is not None:
        raise Refusal(f"{shown(text)} is not to be touched: it is the monitor's own")
    return place


def _is_below(path: str, folder: str) -> bool:
    return names(path)[: len(names(folder))] == names(folder)


def check_root(path: str) -> None:
    """Refuse a root that belongs to the system, or that holds more than one product."""
    parts = names(path)
    if not parts or parts[0] in SYSTEM or "/".join(parts) in TOO_WIDE:
        raise Refusal(f"{path} cannot be a root: it is the system's")


# --- the walk ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Walked:
    """Where a walk ended: descriptors that stay on what they were opened on, whatever is renamed."""

    place: Place
    folder: int  # the last folder on the way
    missing: tuple[str, ...]  # the names that are not there; empty when all are
    thing: int = -1  # the thing itself (O_PATH: nothing was really opened); -1 when missing

    @property
    def found(self) -> os.stat_result:
        """What the thing is, now."""
        if self.missing:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.place.path)
        return os.fstat(self.thing)

    @property
    def handle(self) -> str:
        """A name for exactly the thing that is held."""
        return f"/proc/self/fd/{self.thing}"


@contextlib.contextmanager
def walked(place: Place) -> Iterator[Walked]:
    """Go from / to the place name by name; every folder on the way is one that we trust."""
    way, trusted = names(place.root.path), place.root.owners | {0, os.geteuid()}
    every, kept = (*way, *place.parts), _identities(place.root.kept)
    with contextlib.ExitStack() as held:
        folder = thing = held.enter_context(_closing(os.open("/", os.O_PATH | os.O_DIRECTORY)))
        for index, name in enumerate(every):
            check_folder(os.fstat(thing), "/" + "/".join(every[:index]), trusted)
            folder = thing
            try:
                thing = step(folder, name, inside=index >= len(way))
            except FileNotFoundError as error:
                if index < len(way) - 1:  # a root may be missing, its surroundings not
                    error.filename = "/" + "/".join(every[: index + 1])
                    raise
                yield Walked(place, folder, every[index:])
                return
            except OSError as error:
                error.filename = "/" + "/".join(every[:index])  # it does not let us in
                raise
            held.enter_context(_closing(thing))
            found = os.fstat(thing)
            if (found.st_dev, found.st_ino) in kept:
                raise Refusal(f"{shown(place.path)} is not to be touched: the monitor's own")
        yield Walked(place, folder, (), thing)


@contextlib.contextmanager
def _closing(fd: int) -> Iterator[int]:
    try:
        yield fd
    finally:
        os.close(fd)


def _identities(paths: Iterable[str]) -> set[tuple[int, int]]:
    found = set()
    for path in paths:
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            found.add((status.st_dev, status.st_ino))
    return found


def check_folder(found: os.stat_result, path: str, trusted: Iterable[int]) -> None:
    """Refuse a folder in which a stranger can put something else in the place of what we look for."""
    if stat.S_ISLNK(found.st_mode):
        raise Refusal(f"{shown(path)} is a link")
    if not stat.S_ISDIR(found.st_mode):
        raise Refusal(f"{shown(path)} is not a folder")
    if found.st_uid not in trusted:
        raise Refusal(f"{shown(path)} belongs to uid {found.st_uid}, a stranger")
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        raise Refusal(f"everybody may write in {shown(path)}")


def step(folder: int, name: str, *, inside: bool) -> int:
    """A descriptor of one name in a folder; below a root no other file system is entered."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
    if not inside:
        return os.open(name, flags, dir_fd=folder)
    if has_openat2():
        try:
            return _openat2(folder, name, flags)
        except OSError as error:
            if error.errno == errno.EXDEV:
                raise _another(name) from None
            raise
    fd = os.open(name, flags, dir_fd=folder)
    found = os.fstat(fd)
    # Of folders only: an overlay gives files the device of the layer they lie in.
    if stat.S_ISDIR(found.st_mode) and found.st_dev != os.fstat(folder).st_dev:
        os.close(fd)
        raise _another(name)
    return fd


def _another(name: str) -> Refusal:
    return Refusal(f"another file system begins at {shown(name)}: it has to be a root itself")


class _How(ctypes.Structure):
    _fields_ = [
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    ]


_OPENAT2 = 437  # on every architecture that Debian builds for
_CONFINED = 0x01 | 0x02 | 0x04 | 0x08  # NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _openat2(folder: int, name: str, flags: int) -> int:
    how = _How(flags, 0, _CONFINED)
    fd: int = _libc().syscall(
        ctypes.c_long(_OPENAT2),
        ctypes.c_int(folder),
        ctypes.c_char_p(os.fsencode(name)),
        ctypes.byref(how),
        ctypes.c_size_t(ctypes.sizeof(how)),
    )
    if fd < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return fd


@functools.cache
def has_openat2() -> bool:
    """Whether this kernel has it and no sandbox forbids it."""
    try:
        root = os.open("/", os.O_PATH | os.O_DIRECTORY)
        with _closing(root):
            os.close(_openat2(root, ".", os.O_PATH | os.O_CLOEXEC))
    except OSError:
        return False
    return True


# --- two repairs ---------------------------------------------------------------------------------


def check_thing(at: Walked) -> os.stat_result:
    """What is held, when it is a folder or a file that only this name leads to; refuses all else."""
    found, path = at.found, shown(at.place.path)
    if stat.S_ISLNK(found.st_mode):
        raise Refusal(f"{path} is a link")
    if found.st_uid not in at.place.root.owners | {0, os.geteuid()}:
        raise Refusal(f"{path} belongs to uid {found.st_uid}, a stranger")
    if stat.S_ISDIR(found.st_mode):
        return found
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{path} is neither a file nor a folder")
    if found.st_nlink != 1:
        raise Refusal(f"{path} has {found.st_nlink} names: it may be somebody else's file")
    if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
        raise Refusal(f"{path} runs with its owner's rights (mode {found.st_mode & 0o7777:04o})")
    return found


def take_ownership(place: Place, owner: Owner) -> Done:
    """That one file or folder is the owner's and he may use it; nothing below it changes."""
    with walked(place) as at:
        found = check_thing(at)
        mode = _granted(found, owner)
        moves = (found.st_uid, found.st_gid) != (owner.uid, owner.gid)
        if moves and stat.S_ISREG(found.st_mode) and found.st_uid != owner.uid:
            _insist_on_protected_links()
        if moves:
            os.chown(at.handle, owner.uid, owner.gid)
        if moves or mode != stat.S_IMODE(found.st_mode):
            os.chmod(at.handle, mode)
    before = f"{found.st_uid}:{found.st_gid} {stat.S_IMODE(found.st_mode):04o}"
    after = f"{owner.uid}:{owner.gid} {mode:04o}"
    return Done(f"{place.path}: {before} -> {after}", before != after)


def _granted(found: os.stat_result, owner: Owner) -> int:
    """What was allowed stays so and the owner's part is added; nobody else may write."""
    had = stat.S_IMODE(found.st_mode) & ~stat.S_IWOTH
    return had | (owner.folder_mode if stat.S_ISDIR(found.st_mode) else owner.file_mode)


def _insist_on_protected_links() -> None:
    """Where anybody can hard-link a foreign file, one name does not show whose file it was."""
    with contextlib.suppress(OSError):
        if Path("/proc/sys/fs/protected_hardlinks").read_text().strip() == "0":
            raise Refusal("fs.protected_hardlinks is 0: no file is given away on such a system")


def make_directory(place: Place, owner: Owner) -> Done:
    """The folder is there, with the missing ones above it, each the owner's."""
    with walked(place) as at, contextlib.ExitStack() as held:
        if not at.missing:
            check_folder(at.found, place.path, place.root.owners | {0, os.geteuid()})
            return Done(f"{place.path} is there", changed=False)
        if len(at.missing) > MOST_NEW:
            raise Refusal(f"{shown(place.path)} would need {len(at.missing)} new folders")
        if os.geteuid() not in {0, owner.uid}:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), place.path)
        folder = at.folder
        for name in at.missing:
            folder = held.enter_context(_closing(_made(folder, name, owner, place)))
    return Done(f"{place.path}: {len(at.missing)} new, {owner.uid}:{owner.gid}")


def _made(folder: int, name: str, owner: Owner, place: Place) -> int:
    """A descriptor of a new folder that is proved to be the one we made: ours, closed and empty."""
    os.mkdir(name, 0o700, dir_fd=folder)
    made = step(folder, name, inside=True)
    try:
        found = os.fstat(made)
        ours = (os.geteuid(), 0o40700)
        if (found.st_uid, found.st_mode & ~stat.S_ISGID) != ours or os.listdir(_as_folder(made)):
            raise Refusal(f"{shown(place.path)} was exchanged while it was made")
        os.chown(f"/proc/self/fd/{made}", owner.uid, owner.gid)
        os.chmod(f"/proc/self/fd/{made}", owner.folder_mode | (found.st_mode & stat.S_ISGID))
    except BaseException:
        os.close(made)
        raise
    return made


def _as_folder(fd: int) -> str:
    return f"/proc/self/fd/{fd}/."


# --- the helper: fixed verbs, its own table ------------------------------------------------------

VERBS = {"take_ownership": take_ownership, "make_directory": make_directory}
_KEYS = {"path", "uid", "gid", "file_mode", "folder_mode", "owners", "kept"}


def answer_to(verb: str, line: bytes, table: str) -> Done | Refused | Failed:
    """What came of one request; all but the path comes from root's own table."""

    def act() -> Done:
        if verb not in VERBS:
            raise Refusal(f"{shown(verb)} is not a verb")
        rows = read_table(table)
        place = place_of(_path_in(line), [root for root, _ in rows])
        return VERBS[verb](place, dict(rows)[place.root])

    return outcome(act)


def _path_in(line: bytes) -> str:
    try:
        asked = json.loads(line)
    except ValueError:
        raise Refusal("the request is not one line of JSON") from None
    if not isinstance(asked, dict) or set(asked) != {"path"} or not isinstance(asked["path"], str):
        raise Refusal("the request is not {path: text}")
    return asked["path"]


def read_table(table: str) -> list[tuple[Root, Owner]]:
    """The rows of a table that nobody but root could have written."""
    folder, name = os.path.split(table)
    with walked(Place(Root(folder), (name,))) as at:
        found = at.found
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise Refusal(f"{table} is not a file of its own")
        insist_on_root(table)
        try:
            rows = tomllib.loads(Path(at.handle).read_text())
        except ValueError as error:
            raise Refusal(f"{table} is not TOML: {error}") from None
    if set(rows) != {"root"} or not isinstance(rows["root"], list):
        raise Refusal(f"{table} is not a list of [[root]]")
    return [_row(row, table) for row in rows["root"]]


def insist_on_root(path: str) -> None:
    """Refuse what anybody but root can change, on the whole way to it."""
    for part in (Path(path), *Path(path).parents):
        found = part.lstat()
        sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
        if found.st_uid != 0 or stat.S_ISLNK(found.st_mode):
            raise Refusal(f"{part} is not root's own")
        if found.st_mode & 0o022 and not sticky:
            raise Refusal(f"others than root may write {part}")


def _row(row: Any, table: str) -> tuple[Root, Owner]:
    if not isinstance(row, dict) or not {"path", "uid", "gid"} <= set(row) <= _KEYS:
        raise Refusal(f"{table}: a root has path, uid, gid and of {sorted(_KEYS)} no other keys")
    owners, kept = row.get("owners", []), row.get("kept", [])
    if (
        not isinstance(owners, list)
        or not isinstance(kept, list)
        or not all(str(path).startswith("/") for path in kept)
    ):
        raise Refusal(f"{table}: {row['path']}: owners are numbers, kept are absolute paths")
    numbers = [row["uid"], row["gid"], *owners]
    modes = [row.get("file_mode", 0o640), row.get("folder_mode", 0o750)]
    if not all(type(number) is int and 0 <= number < 2**32 - 1 for number in numbers + modes):
        raise Refusal(f"{table}: {row['path']}: ids and modes are numbers")
    if row["uid"] == 0 or any(mode & ~0o775 for mode in modes):
        raise Refusal(f"{table}: {row['path']}: nothing is given to root, or to everybody")
    if not str(row["path"]).startswith("/") or ".." in names(row["path"]):
        raise Refusal(f"{table}: {row['path']} is not absolute")
    check_root(row["path"])
    root = Root(row["path"], "", frozenset((row["uid"], *owners)), tuple(kept))
    return root, Owner(row["uid"], row["gid"], *modes)


def main(arguments: list[str]) -> int:
    """Answer one request on stdin with one line of JSON; 0 done, 1 refused, 2 failed."""
    signal.alarm(PATIENCE)
    os.umask(0o077)
    os.chdir("/")
    ready = outcome(lambda: _ready(arguments))
    line = sys.stdin.buffer.readline(4 * MOST_BYTES)
    result = answer_to(arguments[0], line, TABLE) if isinstance(ready, Done) else ready
    kind = {Done: "done", Refused: "refused", Failed: "failed"}[type(result)]
    told = {field: getattr(result, field) for field in result.__dataclass_fields__}
    print(json.dumps({"kind": kind, **told}))
    return ("done", "refused", "failed").index(kind)


def _ready(arguments: list[str]) -> Done:
    if len(arguments) != 1:
        raise Refusal("one verb, and the path on stdin")
    insist_on_root(os.path.abspath(__file__))
    return Done("ready")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
