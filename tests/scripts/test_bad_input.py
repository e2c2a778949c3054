"""What stands in the way of a set-up ends in one clear line, and the next start recovers by itself."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from throwaway import (
    AS_ANYBODY,
    Checkout,
    is_alive,
    run,
)

pytestmark = pytest.mark.slow

READ_ONLY = 0o555


def recovers(checkout: Checkout) -> bool:
    ended = checkout.run()
    assert ended.code == 0, ended
    return ended.monitor["prefix"] == str(checkout.venv)


# --- nothing was begun yet ---------------------------------------------------------------------


def test_a_python_without_ensurepip_names_the_package(checkout: Checkout, tmp_path: Path):
    """As Debian ships it: the same interpreter, its library without that one module."""
    library = f"lib/python3.{sys.version_info.minor}"
    home = tmp_path / "debian"
    (home / library).mkdir(parents=True)
    for path in (Path(sys.base_prefix) / library).iterdir():
        if path.name != "ensurepip":
            (home / library / path.name).symlink_to(path)
    ended = checkout.run(PYTHONHOME=str(home))
    assert ended.code == 1
    assert "lacks the module ensurepip: install it with `apt install python3-venv`" in ended.line


@pytest.mark.parametrize("kind", ["a file", "below a file", "read-only"])
@pytest.mark.parametrize("way", ["--home", "VIGIA_HOME"])
def test_a_home_that_cannot_be_one_is_refused(checkout: Checkout, tmp_path, kind: str, way: str):
    home = tmp_path / "home"
    if kind == "read-only":
        home.mkdir(mode=READ_ONLY)
    else:
        home.touch()
        home = home / "below" if kind == "below a file" else home
    asked = ["--home", str(home)] if way == "--home" else []
    environ = {"VIGIA_HOME": str(home)} if way == "VIGIA_HOME" else {}
    ended = checkout.run(*asked, before=AS_ANYBODY, **environ)
    assert (ended.code, ended.out) == (2, "")
    assert f"cannot write to {home}/logs (" in ended.line
    assert "give --home (or VIGIA_HOME) a folder that this user can write to" in ended.line
    assert not checkout.venv.exists()


def test_a_home_with_folders_of_somebody_else_is_refused(checkout: Checkout, tmp_path: Path):
    for name in ("logs", "modelos", "data"):
        (tmp_path / "home" / name).mkdir(parents=True)
    (tmp_path / "home" / "data").chmod(READ_ONLY)
    ended = checkout.run("--home", str(tmp_path / "home"), before=AS_ANYBODY)
    assert ended.code == 2
    assert f"{tmp_path}/home/data (no permission)" in ended.line


@pytest.mark.parametrize("asked", [["--home"], ["--home="], ["--home", "--quiet"], ["--home", ""]])
def test_a_home_that_is_not_said_is_asked_for(checkout: Checkout, asked: list[str]):
    ended = checkout.run(*asked)
    assert (ended.code, ended.line) == (
        2,
        "vigia: --home needs a folder, for example: --home /var/lib/vigia",
    )


def test_a_checkout_without_its_setup_cfg_is_said_to_be_incomplete(checkout: Checkout):
    (checkout.folder / "setup.cfg").unlink()
    (checkout.venv).mkdir()
    (checkout.venv / "vigia-stamp").write_text("a\nb\nc\n")
    ended = checkout.run()
    assert ended.code == 2
    assert "the checkout is incomplete" in ended.line


def test_a_read_only_checkout_is_told_both_ways_out(checkout: Checkout):
    checkout.folder.chmod(READ_ONLY)
    ended = checkout.run(before=AS_ANYBODY)
    assert ended.code == 2
    assert "--home DIR or VIGIA_HOME=DIR" in ended.line
    assert "VIGIA_VENV=DIR" in ended.line
    ended = checkout.run(before=AS_ANYBODY, VIGIA_HOME=str(checkout.user))
    assert ended.code == 1
    assert f"cannot write {checkout.venv}.lock (Permission denied)" in ended.line
    assert "VIGIA_VENV=DIR" in ended.line


def test_a_read_only_checkout_runs_with_its_environment_elsewhere(checkout: Checkout, tmp_path):
    before = sorted(checkout.folder.rglob("*"))
    for path in (checkout.folder, checkout.folder / "scripts", checkout.folder / "monitor"):
        path.chmod(READ_ONLY)
    venv, home = tmp_path / "else where" / "venv", tmp_path / "home"
    for start in (1, 2):
        ended = checkout.run(before=AS_ANYBODY, VIGIA_VENV=str(venv), VIGIA_HOME=str(home))
        assert (ended.code, checkout.builds) == (0, 1), (start, ended)
        assert ended.monitor["prefix"] == str(venv)
    assert sorted(checkout.folder.rglob("*")) == before


def test_a_folder_that_holds_something_else_is_never_emptied(checkout: Checkout, tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear").write_text("keep me")
    ended = checkout.run(VIGIA_VENV=str(tmp_path / "letters"))
    assert ended.code == 2
    assert f"VIGIA_VENV={tmp_path}/letters holds something else and is left alone" in ended.line
    assert [path.read_text() for path in (tmp_path / "letters").iterdir()] == ["keep me"]


def test_a_file_where_the_environment_goes_is_named(checkout: Checkout):
    checkout.venv.write_text("what is this")
    ended = checkout.run()
    assert ended.code == 2
    assert f"{checkout.venv} is not a folder: delete it" in ended.line


# --- it failed on the way ----------------------------------------------------------------------


def test_without_a_network_it_says_so_and_the_next_start_recovers(checkout: Checkout):
    closed = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "1"}
    ended = checkout.run(**closed, REQUIRES="something")
    assert (ended.code, ended.out) == (1, "")
    assert "no network, or the package index does not answer" in ended.line
    log = Path(ended.line.rpartition(": ")[2])
    assert log == checkout.folder / "logs" / "setup.log"
    assert "127.0.0.1" in log.read_text()
    assert recovers(checkout)


def test_a_failing_pip_shows_the_end_of_what_it_said(checkout: Checkout):
    (checkout.stage / "broken").write_text("this build is broken on purpose")
    ended = checkout.run(VIGIA_LANG="es")
    assert (ended.code, ended.out) == (1, "")
    assert "la instalación falló (código 1); lo último que dijo:" in ended.err
    assert "  | this build is broken on purpose" in ended.err
    assert ended.err.rstrip().endswith(f"Todo lo que dijo: {checkout.folder}/logs/setup.log")
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_a_package_that_does_not_exist_is_named(checkout: Checkout):
    ended = checkout.run(REQUIRES="no-such-package")
    assert ended.code == 1
    assert "No matching distribution found for no-such-package" in ended.err
    assert recovers(checkout)


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [1, 12])
def test_a_full_disk_is_called_by_its_name(checkout: Checkout, tmp_path: Path, megabytes: int):
    disk = tmp_path / "disk"
    disk.mkdir()
    small = f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"'
    namespace = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if run([*namespace, "sh", "-c", small, str(disk), "true"], tmp_path, checkout.environ()).code:
        pytest.skip("this machine lets nobody mount a small disk")
    before = [*namespace, "sh", "-c", small, str(disk)]
    ended = checkout.run(before=before, VIGIA_VENV=str(disk / "venv"))
    assert ended.code == 1, ended
    assert "the disk is full (free on " in ended.line
    assert "make about 500 MB free" in ended.line


# --- it was interrupted ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_interrupted_it_takes_pip_along_and_the_next_start_recovers(
    checkout: Checkout, number: signal.Signals, code: int
):
    checkout.hold()
    process = checkout.begin()
    grandchild = checkout.held()
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert err.endswith("vigia: set-up interrupted; the next start makes it anew\n")
    assert "Traceback" not in err
    assert not is_alive(grandchild)
    checkout.forget_hold()
    assert recovers(checkout)


@pytest.mark.slow
def test_a_second_control_c_changes_nothing(checkout: Checkout):
    checkout.hold()
    process = checkout.begin()
    grandchild = checkout.held()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert not is_alive(grandchild)
    checkout.forget_hold()


@pytest.mark.slow
def test_control_c_while_waiting_for_another_start_ends_only_the_wait(checkout: Checkout):
    checkout.hold()
    first = checkout.begin()
    checkout.held()
    second = checkout.begin()
    assert second.stderr
    assert "waiting for it to end" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    assert second.wait(timeout=30) == 130
    second.communicate()
    checkout.let_go()
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_two_starts_at_once_make_one_environment(checkout: Checkout):
    checkout.hold()
    first = checkout.begin()
    checkout.held()
    second = checkout.begin()
    assert second.stderr
    said = second.stderr.readline()
    assert f"vigia: another start is setting up {checkout.venv}; waiting for it to end" in said
    checkout.let_go()
    for process in (first, second):
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert str(checkout.venv) in out
    assert checkout.builds == 1


@pytest.mark.slow
def test_killed_with_its_pip_still_at_work_the_next_start_waits_for_that_too(checkout: Checkout):
    checkout.hold()
    process = checkout.begin()
    checkout.held()
    process.kill()
    process.communicate()
    following = checkout.begin()
    assert following.stderr
    assert "waiting for it to end" in following.stderr.readline()
    checkout.let_go()
    out, err = following.communicate(timeout=60)
    assert following.returncode == 0, err
    assert str(checkout.venv) in out
    assert checkout.builds == 2


@pytest.mark.slow
def test_killed_at_any_moment_the_next_start_recovers(checkout: Checkout):
    """Each round is killed later, until one comes through; every one starts from the ruins of the last."""
    killed, patience = 0, 0.1
    while True:
        process = checkout.begin()
        try:
            _, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed, patience = killed + 1, patience * 1.3
            continue
        break
    assert process.returncode == 0, err
    assert killed > 3
    assert checkout.run().err == ""


# --- what an earlier start left ----------------------------------------------------------------


def half_made(checkout: Checkout, how: str) -> None:
    stamp, python = checkout.venv / "vigia-stamp", checkout.venv / "bin" / "python"
    match how:
        case "empty":
            checkout.venv.mkdir()
        case "somebody's ruins":
            (checkout.venv / "lib").mkdir(parents=True)
            (checkout.venv / "lib" / "junk").touch()
        case "a link to nowhere":
            checkout.venv.symlink_to(checkout.folder / "nowhere")
        case "without a stamp":
            assert checkout.run().code == 0
            stamp.unlink()
        case "with half a stamp":
            assert checkout.run().code == 0
            stamp.write_text(stamp.read_text()[:40])
        case "its python is gone":
            assert checkout.run().code == 0
            python.unlink()
            python.symlink_to("/usr/bin/no-such-python")
        case "its python is another":
            assert checkout.run().code == 0
            python.unlink()
            python.symlink_to(shutil.which("true") or "/bin/true")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("somebody's ruins", marks=pytest.mark.slow),
        pytest.param("its python is gone", marks=pytest.mark.slow),
        pytest.param("empty", marks=pytest.mark.slow),
        pytest.param("a link to nowhere", marks=pytest.mark.slow),
        pytest.param("without a stamp", marks=pytest.mark.slow),
        pytest.param("with half a stamp", marks=pytest.mark.slow),
        pytest.param("its python is another", marks=pytest.mark.slow),
    ],
)
def test_a_half_made_environment_is_made_anew(checkout: Checkout, how: str):
    half_made(checkout, how)
    before = checkout.builds
    assert recovers(checkout)
    assert checkout.builds == before + 1


# --- what a person sees ------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is advised to be somebody else")
def test_root_is_advised_once(built: Checkout):
    assert built.first
    advice = "vigia: this runs as root. It works, but a user of its own is better"
    assert built.first.err.count(advice) == 1
    assert built.run().err == ""


@pytest.mark.slow
def test_a_terminal_sees_one_live_line_with_the_seconds(checkout: Checkout):
    checkout.hold()
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        checkout.command(),
        cwd=checkout.user,
        env=checkout.environ(COLUMNS="60"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    seen = ""
    held = False
    while True:
        try:
            seen += os.read(ours, 4096).decode()
        except OSError:  # the other end is closed: it ended
            break
        if not held and "installing what is missing: preparing Vigía" in seen:
            checkout.held()
            checkout.let_go()
            held = True
    os.close(ours)
    assert process.wait() == 0
    live = [line for line in seen.split("\r\x1b[2K") if "installing what is missing" in line]
    assert all(line.split()[0].isdigit() and line.split()[1] == "s" for line in live)
    assert all(len(line) < 60 for line in live)
    assert "vigia: environment ready in" in seen.splitlines()[-1]


def test_output_that_nobody_reads_does_not_stop_the_start(built: Checkout):
    process = built.begin("--home", str(built.folder / "setup.cfg"))
    assert process.stderr
    process.stderr.close()
    assert process.wait(timeout=30) == 2
    assert process.stdout
    process.stdout.close()
