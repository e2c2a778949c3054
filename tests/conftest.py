"""What holds for every test: what it needs is there or it says so, and it leaves no process behind."""

from __future__ import annotations

import os
import runpy
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

RUN_TESTS = runpy.run_path(str(Path(__file__).parents[1] / "scripts" / "run_tests.py"))
NEEDS: dict[str, tuple[str, str]] = RUN_TESTS["NEEDS"]
SYSTEM_PATH: str = RUN_TESTS["SYSTEM_PATH"]

# Every process that a test starts inherits it, and also the name of its test, which pytest puts there.
SESSION = "VIGIA_TEST_SESSION"
GRACE = 2.0  # seconds for what is ending to end


# How long an example takes says how busy the machine is; a machine that judges plays the same each time.
settings.register_profile(
    "house",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI", "").lower() in {"1", "true"},
    print_blob=True,
)
settings.load_profile("house")


def pytest_configure() -> None:
    os.environ[SESSION] = uuid.uuid4().hex
    # Started in the background of a shell or by nohup, all that we start would be deaf to these.
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    # Every monitor that a test starts would prove and compile the same rules for seconds.
    os.environ.setdefault("VIGIA_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "rules"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            if need not in NEEDS:
                pytest.fail(f"needs({need!r}) is not in the table of scripts/run_tests.py")
            needed(need)


def needed(need: str) -> str:
    """Where the program is that a test needs."""
    program, package = NEEDS[need]
    found = shutil.which(program, path=SYSTEM_PATH)
    if not found:
        lacking(f"{program} is not installed: apt install {package}")
    return str(found)


def lacking(why: str) -> None:
    """Skips here, where a person reads the reason; fails where a machine would overlook it."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """After the last test and its session's fixtures, nothing that was started may live."""
    yield
    if nextitem is None:
        left = strays(os.environ[SESSION])
        if left:
            pytest.fail("processes outlived the tests:\n" + "\n".join(left), pytrace=False)


def strays(session: str) -> list[str]:
    """Ends what still lives of this session after a grace, and says what it was and whose."""
    wait_until(lambda: not alive(session), GRACE)
    said = []
    for process in alive(session):
        said.append(describe(process))
        with suppress(ProcessLookupError):
            os.kill(int(process.name), signal.SIGKILL)
    return said


def wait_until(holds: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def alive(session: str) -> list[Path]:
    """The folders in /proc of this session's processes; the dead that nobody has buried yet have no words."""
    mark = f"{SESSION}={session}"
    return [
        process
        for process in Path("/proc").iterdir()
        if process.name.isdigit()
        and int(process.name) != os.getpid()
        and mark in words_of(process, "environ")
        and "multiprocessing.resource_tracker" not in " ".join(words_of(process, "cmdline"))
    ]


def words_of(process: Path, name: str) -> list[str]:
    try:
        return (process / name).read_text(errors="replace").split("\0")
    except OSError:  # it ended meanwhile, or is somebody else's
        return []


def describe(process: Path) -> str:
    environ = dict(word.partition("=")[::2] for word in words_of(process, "environ"))
    test = environ.get("PYTEST_CURRENT_TEST", "no test")
    return f"  {process.name} {' '.join(words_of(process, 'cmdline')).strip()} (started by {test})"
