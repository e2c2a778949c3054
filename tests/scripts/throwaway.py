"""A checkout to throw away: the real scripts, a monitor that says who it is, and a build that obeys the test.

Its build needs nothing but the standard library, so that a real pip makes a real environment
without a network. Through the folder `stage` the test holds the build, breaks it and counts it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SCRIPTS = (
    "first_words.py",
    "bootstrap.py",
    "venv_stamp.py",
    "installing.py",
    "start_with_monitor.py",
    "run_tests.py",
)
# The interpreter below the environment that runs the tests.
PYTHON = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
# Root may write anywhere; a root that lacks this right is stopped by modes like everybody else.
AS_ANYBODY = (
    ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
)

SETUP_CFG = """\
[metadata]
name = vigia
[options]
install_requires =
[options.extras_require]
pipeline =
test =
"""

PYPROJECT = """\
[build-system]
requires = []
build-backend = "build_on_command"
backend-path = ["."]
"""

BUILD = """\
import os, pathlib, subprocess, zipfile

STAGE = pathlib.Path(os.environ["STAGE"])
REQUIRES = "".join("Requires-Dist: " + name + "\\n" for name in os.environ.get("REQUIRES", "").split())
FILES = {
    "vigia.pth": os.path.realpath("monitor/..") + "\\n",
    "vigia-0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: vigia\\nVersion: 0\\n"
    "Provides-Extra: pipeline\\nProvides-Extra: test\\n" + REQUIRES,
    "vigia-0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "vigia-0.dist-info/RECORD": "",
}

def write(folder, names):
    for name in names:
        path = pathlib.Path(folder, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(FILES[name])

def get_requires_for_build_editable(config_settings=None):
    return []

def prepare_metadata_for_build_editable(metadata_directory, config_settings=None):
    write(metadata_directory, [name for name in FILES if "/" in name])
    return "vigia-0.dist-info"

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    with (STAGE / "builds").open("a") as file:
        file.write("built\\n")
    if (STAGE / "broken").exists():
        raise SystemExit((STAGE / "broken").read_text())
    if (STAGE / "hold").exists():
        helper = subprocess.Popen(["sleep", "600"])
        (STAGE / "held.new").write_text(str(helper.pid))
        (STAGE / "held.new").rename(STAGE / "held")
        (STAGE / "hold").read_text()  # a FIFO: until the test opens it, too
        helper.kill()
        helper.wait()
    with zipfile.ZipFile(pathlib.Path(wheel_directory, "vigia-0-py3-none-any.whl"), "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
    return "vigia-0-py3-none-any.whl"
"""

MONITOR = """\
import json, os, sys
print(json.dumps({"pid": os.getpid(), "arguments": sys.argv[1:], "prefix": sys.prefix, "cwd": os.getcwd()}))
"""


class Checkout:
    """One throw-away checkout and the processes that a test starts in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "a checkout"
        self.stage = folder / "stage"
        self.user = folder / "user"
        self.first: Ended | None = (
            None  # how a first start ended, where it was made before the test
        )
        for new in (self.folder / "scripts", self.folder / "monitor", self.stage, self.user):
            new.mkdir(parents=True)
        for name in SCRIPTS:
            shutil.copy(REPOSITORY / "scripts" / name, self.folder / "scripts")
        (self.folder / "setup.cfg").write_text(SETUP_CFG)
        (self.folder / "pyproject.toml").write_text(PYPROJECT)
        (self.folder / "build_on_command.py").write_text(BUILD)
        (self.folder / "monitor" / "__init__.py").touch()
        (self.folder / "monitor" / "__main__.py").write_text(MONITOR)

    @property
    def venv(self) -> Path:
        return self.folder / ".venv"

    @property
    def builds(self) -> int:
        counted = self.stage / "builds"
        return len(counted.read_text().splitlines()) if counted.exists() else 0

    def command(self, *arguments: str, script: str = "start_with_monitor.py") -> list[str]:
        return [PYTHON, str(self.folder / "scripts" / script), *arguments]

    def environ(self, **more: str) -> dict[str, str]:
        """What a person's shell has: nothing that leads Python, pip or us astray, and no index."""
        ours = ("PIP_", "PYTHON", "VIGIA_", "LC_", "LANG", "CI", "STAGE", "REQUIRES")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(ours) or name == "VIGIA_TEST_SESSION"
        }
        kept |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "VIGIA_LANG": "en"}
        return kept | {"HOME": str(self.user), "STAGE": str(self.stage)} | more

    def run(self, *arguments: str, before: list[str] | None = None, **more: str) -> Ended:
        return run([*(before or []), *self.command(*arguments)], self.user, self.environ(**more))

    def begin(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.user,
            env=self.environ(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def hold(self) -> None:
        """From now on a build waits, with a child of its own, until it is let go."""
        os.mkfifo(self.stage / "hold")

    def held(self) -> int:
        """Waits for the build to be held; the number of its child."""
        wait_until((self.stage / "held").exists)
        return int((self.stage / "held").read_text())

    def let_go(self) -> None:
        (self.stage / "hold").write_text("")
        (self.stage / "hold").unlink()

    def forget_hold(self) -> None:
        (self.stage / "hold").unlink()


class Ended:
    """How a command ended, and what it said."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def __repr__(self) -> str:
        return f"ended with {self.code}\n{self.out}\n{self.err}"

    @property
    def monitor(self) -> dict[str, object]:
        """What the stand-in monitor said of itself."""
        said = json.loads(self.out)
        assert isinstance(said, dict)
        return said

    @property
    def line(self) -> str:
        """The one line that it said, after what was progress or advice."""
        progress = re.compile(r"vigia: (this runs as root|making|installing|\d+ s, )")
        lines = [line for line in self.err.splitlines() if not progress.match(line)]
        assert len(lines) == 1, self
        return lines[0]


def run(command: list[str], folder: Path, environ: dict[str, str]) -> Ended:
    ran = subprocess.run(
        command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return Ended(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether it runs; one that ended and was not buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def old_pythons() -> dict[str, str]:
    """Pythons that are too old, by their X.Y: what pyenv has, and what the system has."""
    found = {}
    for folder in sorted(Path.home().glob(".pyenv/versions/*/bin")):
        version = folder.parent.name.rpartition(".")[0]
        found[version] = str(folder / "python")
    for minor in range(11):
        path = shutil.which(f"python3.{minor}", path="/usr/bin:/usr/local/bin")
        if path:
            found[f"3.{minor}"] = path
    return {version: path for version, path in found.items() if Path(path).exists()}
