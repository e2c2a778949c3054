"""Makes the environment and installs the checkout in it, as a person watches and may interrupt."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import venv_stamp
from first_words import tell, words
from venv_stamp import FAILED, STAMP, WRONG, NotReady

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

MARK = "vigia-made-this"  # stands in the folder from its first moment: it is ours to empty
TICK = 0.2  # seconds: how soon a request to stop is seen, how often the live line changes
NOTE_EVERY = 5.0  # seconds between plain lines about the same step
PATIENCE = 3.0  # seconds for pip to tidy up before it is killed
SCARCE = 1 << 20  # bytes: with less than this free, that is why it failed

NO_NETWORK = (
    "NewConnectionError",
    "NameResolutionError",
    "ConnectTimeoutError",
    "Max retries exceeded",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "No route to host",
    "Read timed out",
    "ProxyError",
)


def install(venv: str, extras: Sequence[str], log: str) -> None:
    """Make `venv` whole for these extras; killed at any moment, the next call makes it whole."""
    with ExitStack() as stack:
        bell = stack.enter_context(listening())
        lock = stack.enter_context(alone(venv, bell))
        if venv_stamp.fits(venv, extras):  # made by the one that we waited for
            return
        insist_on_venv_modules()
        if os.geteuid() == 0:
            tell(
                words(
                    "vigia: esto corre como root. Funciona, pero es mejor un usuario propio: adduser --system vigia",
                    "vigia: this runs as root. It works, but a user of its own is better: adduser --system vigia",
                )
            )
        wanted = (
            venv_stamp.wanted()
        )  # before pip reads the files: a change meanwhile is seen next time
        before = venv_stamp.read_stamp(venv)
        steps = Steps(venv, stack.enter_context(log_file(log)), lock, bell)
        try:
            if before is None:
                make(venv, steps)
            # The stamp goes first and comes last: in between, whoever looks sees a half-made one.
            remove(os.path.join(venv, STAMP))
            both = sorted(before.extras.union(extras)) if before else extras
            fill(venv, both, steps)
            stamp(venv, wanted, both)
        except OSError as error:
            raise NotReady(unwritable(error, venv)) from None
        steps.done()


def make(venv: str, steps: Steps) -> None:
    """A new environment in an empty folder."""
    clear(venv)
    # The interpreter below any environment that we were started from.
    base = getattr(sys, "_base_executable", "") or sys.executable
    making = words(f"creo el entorno {venv}", f"making the environment {venv}")
    steps.run(making, [base, "-I", "-m", "venv", "--without-pip", venv])
    # Apart from `venv`, which would swallow what ensurepip says when it fails.
    python = venv_stamp.python_of(venv)
    steps.run(making, [python, "-I", "-m", "ensurepip", "--default-pip"])


def fill(venv: str, extras: Sequence[str], steps: Steps) -> None:
    """What the checkout asks for, and the checkout itself."""
    target = "." + (f"[{','.join(extras)}]" if extras else "")
    command = [venv_stamp.python_of(venv), "-I", "-m", "pip", "install", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "off"]
    # One line in a .pth instead of a finder that every start of Python pays for.
    command += ["--config-settings", "editable_mode=compat", "-e", target]
    installing = words("instalo lo que falta", "installing what is missing")
    steps.run(installing, command, source(venv))


def stamp(venv: str, wanted: str, extras: Sequence[str]) -> None:
    """Says that it is whole; all of it or nothing of it is there."""
    os.sync()  # a power cut must not leave a stamp on files that never reached the disk
    path = os.path.join(venv, STAMP)
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(f"{venv_stamp.identity(venv)}\n{wanted}\n{' '.join(extras)}\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def source(venv: str) -> str:
    """The checkout, or, when it cannot be written to, a folder of links to it: the build makes notes there."""
    if os.access(venv_stamp.CHECKOUT, os.W_OK):
        return venv_stamp.CHECKOUT
    folder = os.path.join(venv, "checkout")
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    for name in os.listdir(venv_stamp.CHECKOUT):
        if not name.startswith("."):
            os.symlink(os.path.join(venv_stamp.CHECKOUT, name), os.path.join(folder, name))
    return folder


def clear(venv: str) -> None:
    """An empty folder that carries our mark; somebody else's folder is left alone."""
    if os.path.islink(venv) and not os.path.exists(venv):
        os.unlink(venv)
    try:
        os.makedirs(venv, exist_ok=True)
        names = set(os.listdir(venv))
    except (FileExistsError, NotADirectoryError):
        raise NotReady(
            words(
                f"{venv} no es una carpeta: bórralo, o da otra con VIGIA_VENV=DIR",
                f"{venv} is not a folder: delete it, or give another with VIGIA_VENV=DIR",
            ),
            WRONG,
        ) from None
    if names and venv != venv_stamp.default_place() and not names & {MARK, "pyvenv.cfg"}:
        raise NotReady(
            words(
                f"VIGIA_VENV={venv} contiene otra cosa y no se toca: da una carpeta vacía o nueva",
                f"VIGIA_VENV={venv} holds something else and is left alone: give an empty or a new folder",
            ),
            WRONG,
        )
    with open(os.path.join(venv, MARK), "w", encoding="utf-8"):
        pass
    for name in names - {MARK}:
        remove(os.path.join(venv, name))


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def insist_on_venv_modules() -> None:
    missing = [name for name in ("venv", "ensurepip") if not find_spec(name)]
    if missing:
        raise NotReady(
            words(
                f"a {sys.executable} le falta el módulo {missing[0]}: instálalo con `apt install python3-venv` (como root) y arranca otra vez",
                f"{sys.executable} lacks the module {missing[0]}: install it with `apt install python3-venv` (as root) and start again",
            )
        )


class Bell:
    """Remembers that we were asked to stop, so that it never happens between two halves of a step."""

    def __init__(self) -> None:
        self.rung = 0

    def ring(self, number: int, _frame: FrameType | None) -> None:
        self.rung = self.rung or number

    def heed(self) -> None:
        if self.rung:
            raise NotReady(
                words(
                    "instalación interrumpida; el siguiente arranque la hace de nuevo",
                    "set-up interrupted; the next start makes it anew",
                ),
                128 + self.rung,
            )


@contextmanager
def listening() -> Iterator[Bell]:
    """Ctrl+C and its relatives ring a bell; one that we were told to ignore stays ignored."""
    bell = Bell()
    before = {
        number: signal.signal(number, bell.ring)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield bell
        bell.heed()
    finally:
        # Whoever was asked to stop is stopping: asking again must not cut the last words short.
        # None may come just between, or Python would complain of one that nobody takes.
        signal.pthread_sigmask(signal.SIG_BLOCK, before)
        for number, action in before.items():
            signal.signal(number, signal.SIG_IGN if bell.rung else action)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, before)


@contextmanager
def alone(venv: str, bell: Bell) -> Iterator[int]:
    """One set-up at a time. pip holds the lock too, so one that outlives a killed start is waited for."""
    try:
        os.makedirs(os.path.dirname(venv), exist_ok=True)
        lock = os.open(venv + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise NotReady(unwritable(error, venv)) from None
    try:
        told = False
        while not taken(lock):
            if not told:
                tell(
                    words(
                        f"vigia: otro arranque está preparando {venv}; espero a que termine",
                        f"vigia: another start is setting up {venv}; waiting for it to end",
                    )
                )
                told = True
            bell.heed()
            time.sleep(TICK)
        yield lock
    finally:
        os.close(lock)


def taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def log_file(path: str) -> Iterator[int]:
    """Where all of pip's words go; anywhere is better than nowhere."""
    try:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError:
        log, path = tempfile.mkstemp(prefix="vigia-setup-", suffix=".log")
    try:
        yield log
    finally:
        os.close(log)


class Steps:
    """Runs one command after the other and shows what it does now."""

    def __init__(self, venv: str, log: int, lock: int, bell: Bell) -> None:
        self._venv, self._log, self._lock, self._bell = venv, log, lock, bell
        self._began = time.monotonic()
        self._noted = self._began
        self._live = sys.stderr.isatty()
        self._title = self._doing = ""
        self._words: deque[str] = deque(maxlen=400)

    def run(self, title: str, command: Sequence[str], folder: str = "/") -> None:
        """One command to its end; everything it started ends with it."""
        self._bell.heed()
        if title != self._title and not self._live:
            tell(f"vigia: {title}…")
        self._title, self._doing = title, ""
        self._words.clear()
        self._write(f"$ {' '.join(command)}\n".encode(errors="replace"))
        with subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            pass_fds=(self._lock,),
        ) as process:
            try:
                self._follow(process)
            except BaseException:
                end(process)
                raise
            finally:
                self._wipe()
        if process.returncode:
            raise NotReady(self._why(process.returncode), FAILED)

    def done(self) -> None:
        took = f"{time.monotonic() - self._began:.0f} s"
        tell(words(f"vigia: entorno listo en {took}", f"vigia: environment ready in {took}"))

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        pipe, rest = process.stdout.fileno(), b""
        ready = select.poll()
        ready.register(pipe, select.POLLIN)
        while True:
            self._bell.heed()
            if ready.poll(TICK * 1000):
                data = os.read(pipe, 65536)
                if not data:
                    return
                self._write(data)
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._hear(line.decode(errors="replace").strip())
            self._show()

    def _hear(self, line: str) -> None:
        if line:
            self._words.append(line)
            self._doing = meaning(line) or self._doing

    def _show(self) -> None:
        now = time.monotonic()
        if self._live:
            line = f"{now - self._began:4.0f} s  {self._title}: {self._doing}".rstrip(": ")
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{line[:width]}")
            sys.stderr.flush()
        elif self._doing and now - self._noted >= NOTE_EVERY:
            self._noted = now
            tell(f"vigia: {now - self._began:.0f} s, {self._doing}")

    def _wipe(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _write(self, data: bytes) -> None:
        # On a full disk the last words are still in memory, and they are what is shown.
        with suppress(OSError):
            os.write(self._log, data)

    def _why(self, code: int) -> str:
        where = os.readlink(f"/proc/self/fd/{self._log}")
        said = "\n".join(self._words)
        if "No space left on device" in said or shutil.disk_usage(self._venv).free < SCARCE:
            return full(self._venv)
        if any(sign in said for sign in NO_NETWORK):
            return words(
                f"no hay red o el índice de paquetes no responde, y hace falta para instalar: revisa la conexión (o PIP_INDEX_URL y el proxy) y arranca otra vez. Todo lo que dijo pip: {where}",
                f"no network, or the package index does not answer, and installing needs it: check the connection (or PIP_INDEX_URL and the proxy) and start again. All that pip said: {where}",
            )
        tail = "\n".join(f"  | {line}" for line in last_words(self._words))
        return words(
            f"la instalación falló (código {code}); lo último que dijo:\n{tail}\nvigia: corrige eso y arranca otra vez. Todo lo que dijo: {where}",
            f"the set-up failed (code {code}); the last it said:\n{tail}\nvigia: correct that and start again. All it said: {where}",
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, then insist; the whole group, so that no build is left behind."""
    # Not reaped until the group is gone: its number cannot belong to anybody else meanwhile.
    os.killpg(process.pid, signal.SIGINT)
    until = time.monotonic() + PATIENCE
    state = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while os.waitid(os.P_PID, process.pid, state) is None and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def meaning(line: str) -> str | None:
    """What pip does now, in the person's words; None when the line says nothing new."""
    first, _, rest = line.partition(" ")
    thing = rest.split(" (from ")[0].split(";")[0].strip()
    match first:
        case "Collecting" | "Obtaining":
            return words(f"busco {thing}", f"looking for {thing}")
        case "Downloading" | "Using":
            name = os.path.basename(thing.removeprefix("cached ").split(" ")[0])
            size = thing[thing.find("(") :] if "(" in thing else ""
            return words(f"descargo {name} {size}", f"downloading {name} {size}").strip()
        case "Installing" if rest.startswith("collected packages"):
            count = len(rest.partition(":")[2].split(","))
            return words(f"copio {count} paquetes", f"copying {count} packages")
        case "Installing" | "Preparing" | "Building" | "Getting":
            return words("preparo Vigía", "preparing Vigía")
    return None


def last_words(said: Sequence[str]) -> list[str]:
    """The end of what was said, without the empty talk."""
    idle = ("[notice]", "WARNING: Retrying", "[end of output]", "note: This error originates")
    return [line for line in said if not line.startswith(idle)][-8:]


def full(venv: str) -> str:
    places = (venv, tempfile.gettempdir())
    free = ", ".join(f"{place}: {shutil.disk_usage(place).free >> 20} MB" for place in places)
    return words(
        f"el disco está lleno (libre en {free}): deja libres unos 500 MB y arranca otra vez",
        f"the disk is full (free on {free}): make about 500 MB free and start again",
    )


def unwritable(error: OSError, venv: str) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full(os.path.dirname(venv))
    what = error.filename or venv
    return words(
        f"no se puede escribir {what} ({error.strerror}): da permiso a este usuario, o pon el entorno en otro sitio con VIGIA_VENV=DIR",
        f"cannot write {what} ({error.strerror}): give this user permission, or put the environment elsewhere with VIGIA_VENV=DIR",
    )
