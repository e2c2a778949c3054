"""Command 1: `python scripts/start_with_monitor.py`, as people call it."""

from __future__ import annotations

import ast
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from throwaway import PYTHON, REPOSITORY, Checkout, old_pythons, run

ENTRANCES = ("start_with_monitor.py", "run_tests.py", "first_words.py")


def test_a_first_start_makes_all_it_needs_in_a_path_with_spaces(built: Checkout):
    assert " " in str(built.folder)
    assert (built.venv / "bin" / "python").exists()
    assert [name for name in ("logs", "modelos", "data") if (built.folder / name).is_dir()] == [
        "logs",
        "modelos",
        "data",
    ]
    assert "pip install" in (built.folder / "logs" / "setup.log").read_text()


def test_a_second_start_says_nothing_and_installs_nothing(built: Checkout):
    before = built.builds
    ended = built.run()
    assert (ended.code, ended.err, built.builds) == (0, "", before)


def test_the_monitor_takes_the_place_of_the_process_that_was_started(built: Checkout):
    process = built.begin()
    out, _ = process.communicate()
    assert f'"pid": {process.pid}' in out


def test_what_it_does_not_know_is_passed_on_as_it_is(built: Checkout):
    asked = ["--quiet", "--follow", "a log", "--", "prog", "--home", "x", "--no-setup", "-h", "--"]
    ended = built.run(*asked)
    assert ended.monitor["arguments"] == ["run", "--home", str(built.folder), *asked]
    assert ended.monitor["cwd"] == str(built.user)


@pytest.mark.parametrize("way", ["--home DIR", "--home=DIR", "VIGIA_HOME", "last wins"])
def test_the_home_can_be_elsewhere(built: Checkout, tmp_path: Path, way: str):
    home = tmp_path / "new" / "mi casa"
    asked, environ = {
        "--home DIR": (["--home", str(home)], {}),
        "--home=DIR": ([f"--home={os.path.relpath(home, built.user)}"], {}),
        "VIGIA_HOME": ([], {"VIGIA_HOME": str(home)}),
        "last wins": (["--home", "no", "--home", str(home)], {"VIGIA_HOME": "/no"}),
    }[way]
    ended = built.run(*asked, **environ)
    assert ended.monitor["arguments"] == ["run", "--home", str(home)]
    assert sorted(path.name for path in home.iterdir()) == ["data", "logs", "modelos"]


def test_a_folder_called_monitor_where_the_person_stands_is_not_ours(built: Checkout, tmp_path):
    (tmp_path / "monitor.py").write_text("raise SystemExit('the wrong one')")
    ended = run(built.command(), tmp_path, built.environ())
    assert ended.monitor["cwd"] == str(tmp_path)


def test_started_by_the_python_of_its_own_environment_it_is_the_same(built: Checkout):
    own = str(built.venv / "bin" / "python")
    ended = run([own, *built.command()[1:]], built.user, built.environ())
    assert (ended.code, ended.monitor["prefix"]) == (0, str(built.venv))


@pytest.mark.parametrize("option", ["-P", "-I"])
def test_a_python_that_does_not_look_beside_the_script_finds_the_rest(built: Checkout, option):
    ended = run([PYTHON, option, *built.command()[1:]], built.user, built.environ())
    assert ended.code == 0, ended


def test_finding_that_all_is_in_place_costs_little(built: Checkout):
    """In time of the processor, so that a busy machine does not count."""
    target = [str(built.venv / "bin" / "python"), "-P", "-m", "monitor", "run"]
    alone = cost([PYTHON, "-c", "pass"], built) + cost(target, built)
    assert cost(built.command(), built) - alone < 0.1


def cost(command: list[str], checkout: Checkout) -> float:
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(command, checkout.user, checkout.environ())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(costs)


@pytest.mark.needs("strace")
def test_a_second_start_starts_no_other_process(built: Checkout, tmp_path: Path):
    trace = tmp_path / "trace"
    strace = ["strace", "-f", "-o", str(trace), "-e", "trace=execve,clone,clone3,fork,vfork"]
    ended = run([*strace, *built.command()], built.user, built.environ())
    calls = [line for line in trace.read_text().splitlines() if "+++" not in line]
    assert ended.code == 0, ended
    assert [line.split("(")[0].split()[-1] for line in calls] == ["execve", "execve"]


@pytest.mark.parametrize(("language", "says"), [("es", "Ejemplos:"), ("en", "Examples:")])
def test_the_help_needs_no_set_up(checkout: Checkout, language: str, says: str):
    ended = checkout.run("--quiet", "--help", VIGIA_LANG=language)
    assert (ended.code, ended.err) == (0, "")
    assert says in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100
    assert not checkout.venv.exists()
    assert not (checkout.folder / "logs").exists()


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"LANG": "es_ES.UTF-8"}, "Uso:"),
        ({"LANG": "es_ES.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "Usage:"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "es_MX.UTF-8"}, "Uso:"),
        ({"LC_ALL": "es_MX.UTF-8", "VIGIA_LANG": "en"}, "Usage:"),
        ({"LC_ALL": "C"}, "Usage:"),
        ({}, "Usage:"),
    ],
)
def test_the_language_is_ours_or_else_that_of_the_system(checkout: Checkout, environ, says: str):
    ended = checkout.run("--help", **({"VIGIA_LANG": ""} | environ))
    assert ended.out.startswith(says)


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.9", "3.10"])
@pytest.mark.parametrize("script", ["start_with_monitor.py", "run_tests.py"])
def test_an_old_python_is_told_what_to_do(checkout: Checkout, version: str, script: str):
    python = old_pythons().get(version)
    if not python:
        pytest.skip(f"there is no Python {version} here")
    path = checkout.folder / "scripts" / script
    again = [python, str(path), "--quiet", "--", "it's", "a b"]
    environ = checkout.environ(PATH=str(Path(PYTHON).parent), VIGIA_LANG="es")
    ended = run(again, checkout.user, environ)
    assert (ended.code, ended.out) == (2, "")
    assert f"Vigía necesita Python 3.11 o posterior y este es Python {version}." in ended.line
    assert f"{path}' --quiet -- 'it'\\''s' 'a b'" in ended.line
    offered = ended.line.partition(":  ")[2].split(" ")[0]
    assert os.path.dirname(offered) == str(Path(PYTHON).parent)


def test_an_old_python_without_a_newer_one_is_told_to_install_it(checkout: Checkout):
    old = old_pythons()
    too_old = [version for version in ("2.7", "3.8", "3.10") if version in old]
    if not too_old:
        pytest.skip("there is no Python here that is too old")
    command = [old[too_old[0]], *checkout.command()[1:]]
    ended = run(command, checkout.user, checkout.environ(PATH=str(checkout.user)))
    assert ended.code == 2
    assert "apt install python3" in ended.line


@pytest.mark.parametrize("script", ENTRANCES)
def test_the_entrances_hold_nothing_that_an_old_python_cannot_read(script: str):
    source = (REPOSITORY / "scripts" / script).read_text()
    assert "coding: utf-8" in "".join(source.splitlines()[:2])
    for node in ast.walk(ast.parse(source, feature_version=(3, 7))):
        assert not isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.AsyncFunctionDef)
        if isinstance(node, ast.arguments):
            assert node.kwonlyargs + node.posonlyargs == []
        if isinstance(node, ast.arg):
            assert node.annotation is None
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not source_has_u_prefix(source, node)


def source_has_u_prefix(source: str, node: ast.Constant) -> bool:
    """Python 3.0 to 3.2 cannot read u"..."."""
    line = source.splitlines()[node.lineno - 1].encode()[node.col_offset :]
    return line[:1] in b"uU" and line[1:2] in b"'\""


def test_without_set_up_a_python_that_has_all_is_used_as_it_is(checkout: Checkout):
    ended = checkout.run("--no-setup", "--quiet", PYTHONPATH=str(checkout.folder))
    assert ended.monitor["prefix"] == sys.base_prefix
    assert ended.monitor["arguments"] == ["run", "--home", str(checkout.folder), "--quiet"]
    assert not checkout.venv.exists()


def test_without_set_up_what_is_lacking_is_named_with_both_ways_out(checkout: Checkout):
    settings = checkout.folder / "setup.cfg"
    lines = (
        "install_requires =\n    pip>=1\n    no-such-thing>=6,<8\n    other; python_version > '3'\n"
    )
    settings.write_text(
        settings.read_text()
        .replace("install_requires =\n", lines)
        .replace("pipeline =\n", "pipeline =\n    nor-this[fast]>=2\n")
    )
    ended = checkout.run("--no-setup")
    assert ended.code == 2
    assert "lacks vigia, no-such-thing, nor-this:" in ended.line
    assert f"-m pip install -e '{checkout.folder}[pipeline]'" in ended.line
    assert "start without --no-setup" in ended.line
    assert "lacks vigia, no-such-thing:" in checkout.run("--no-setup", "--", "true").line


@pytest.mark.slow
def test_only_what_is_needed_is_installed_and_more_satisfies_less(checkout: Checkout):
    stamp = checkout.venv / "vigia-stamp"
    assert checkout.run("--", "true").code == 0
    assert stamp.read_text().splitlines()[2] == ""
    assert checkout.run().code == 0
    assert (checkout.builds, stamp.read_text().splitlines()[2]) == (2, "pipeline")
    assert checkout.run("--no-child").code == 0
    assert checkout.builds == 2


@pytest.mark.slow
def test_a_changed_setup_cfg_brings_the_environment_up_to_date_without_a_new_one(
    checkout: Checkout,
):
    assert checkout.run().code == 0
    (checkout.venv / "witness").touch()
    with (checkout.folder / "setup.cfg").open("a") as file:
        file.write("# changed\n")
    assert checkout.run().code == 0
    assert checkout.builds == 2
    assert (checkout.venv / "witness").exists()
    assert checkout.run().err == ""


@pytest.mark.slow
def test_a_moved_checkout_gets_a_new_environment(checkout: Checkout):
    assert checkout.run().code == 0
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("elsewhere"))
    ended = checkout.run()
    assert ended.monitor["prefix"] == str(checkout.venv)
    assert checkout.builds == 2


@pytest.mark.slow
def test_the_real_setup_cfg_installs(checkout: Checkout):
    """From the package index, as on a machine where the product is new."""
    for name in ("setup.cfg", "pyproject.toml", "LICENSE", "README.md", "monitor/__init__.py"):
        if (REPOSITORY / name).exists():
            (checkout.folder / name).write_bytes((REPOSITORY / name).read_bytes())
    indexes = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environ = checkout.environ()
    del environ["PIP_NO_INDEX"], environ["PIP_CONFIG_FILE"]
    environ |= indexes | {"HOME": os.environ["HOME"]}
    ended = run(checkout.command(), checkout.user, environ)
    assert ended.code == 0, ended
    python = str(checkout.venv / "bin" / "python")
    probe = "import watchdog, telegram, dotenv, psutil, tenacity, orjson, structlog, dbos, alembic"
    subprocess.run([python, "-P", "-c", probe], check=True)
    assert (checkout.venv / "bin" / "vigia").exists()
