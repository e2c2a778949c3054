"""Command 2: `python scripts/run_tests.py`, and the `.ci/run` that calls it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from throwaway import REPOSITORY, Checkout, Ended, is_alive, old_pythons, run

pytestmark = pytest.mark.slow

HEALTHY = '"""All is well here."""\n'
UGLY = "import os\nx: int = 'one'\n"


@pytest.fixture
def project(checkout: Checkout) -> Checkout:
    """A throw-away checkout with little to check, quickly."""
    for name in ("first_words.py", "bootstrap.py", "venv_stamp.py", "installing.py"):
        shutil.copy(REPOSITORY / "scripts" / name, checkout.folder / "scripts")
    (checkout.folder / "build_on_command.py").unlink()
    (checkout.folder / "monitor" / "__main__.py").unlink()
    (checkout.folder / "monitor" / "__init__.py").write_text(HEALTHY)
    (checkout.folder / "setup.cfg").write_text(
        "[options.extras_require]\npipeline =\ntest =\n"
        "[mypy]\nfiles = monitor\n"
        "[importlinter]\nroot_package = monitor\n"
        "[importlinter:contract:1]\nname = downward\ntype = layers\nlayers =\n    monitor\n"
        "[tool:pytest]\nmarkers =\n    slow: long\n    needs(what): from the system\n"
    )
    (checkout.folder / "ruff.toml").write_text('line-length = 100\nextend-exclude = ["scripts"]\n')
    (checkout.folder / "tests").mkdir()
    return checkout


def write_tests(project: Checkout, text: str, **needs: tuple[str, str]) -> None:
    """Tests below the real conftest, which reads the table of needs."""
    script = project.folder / "scripts" / "run_tests.py"
    table = "NEEDS = {\n" + "".join(f"    {need!r}: {row!r},\n" for need, row in needs.items())
    script.write_text(re.sub(r"NEEDS = \{\n(    .*\n)*", lambda _: table, script.read_text()))
    shutil.copy(REPOSITORY / "tests" / "conftest.py", project.folder / "tests")
    (project.folder / "tests" / "test_it.py").write_text(text)


def run_tests(project: Checkout, *arguments: str, **more: str) -> Ended:
    """With the Python that runs us: it has the tools; `monitor` is the throw-away one."""
    script = str(project.folder / "scripts" / "run_tests.py")
    environ = project.environ(PYTHONPATH=str(project.folder), **more)
    return run([sys.executable, script, "--no-setup", *arguments], project.user, environ)


def run_pytest(project: Checkout, *arguments: str, **more: str) -> Ended:
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *arguments]
    return run(command, project.folder, project.environ(**more))


def headings(ended: Ended) -> list[str]:
    lines = [line for line in ended.out.splitlines() if line.startswith("== ")]
    return [re.sub(r", \d+\.\d s$", "", line) for line in lines]


def test_when_all_is_well_every_stage_says_so_and_pytest_has_the_last_word(project: Checkout):
    write_tests(project, "def test_one():\n    pass\n")
    ended = run_tests(project, "-q")
    assert headings(ended) == [
        "== ruff check: ok",
        "== ruff format --check: ok",
        "== mypy: ok",
        "== lint-imports: ok",
        "== pytest",
    ]
    assert ended.code == 0, ended
    assert re.fullmatch(r"1 passed in .*s", ended.out.splitlines()[-1])


def test_a_failing_stage_hides_none_of_the_later_ones(project: Checkout):
    (project.folder / "monitor" / "ugly.py").write_text(UGLY)
    write_tests(project, "def test_one():\n    pass\n")
    ended = run_tests(project, "-q")
    assert ended.code == 1
    assert headings(ended) == [
        "== ruff check: FAILED",
        "== ruff format --check: FAILED",
        "== mypy: FAILED",
        "== lint-imports: ok",
        "== pytest (failed before it: ruff check, ruff format --check, mypy)",
    ]
    assert "`os` imported but unused" in ended.out
    assert re.fullmatch(r"1 passed in .*s", ended.out.splitlines()[-1])


def test_what_it_does_not_know_is_for_pytest_and_fast_leaves_the_slow_out(project: Checkout):
    write_tests(
        project,
        "import pytest\n\n\ndef test_one():\n    pass\n\n\n"
        "@pytest.mark.slow\ndef test_two():\n    pass\n\n\ndef test_three():\n    raise SystemError\n",
    )
    ended = run_tests(project, "-q", "--fast", "-k", "not three")
    assert (ended.code, "1 passed, 2 deselected" in ended.out) == (0, True), ended
    ended = run_tests(project, "-q")
    assert (ended.code, "1 failed, 2 passed" in ended.out) == (1, True), ended


@pytest.mark.parametrize(("language", "says"), [("es", "Uso:"), ("en", "Usage:")])
def test_its_help_names_the_packages_and_needs_no_set_up(checkout, language: str, says: str):
    ended = run(
        checkout.command("--help", script="run_tests.py"),
        checkout.user,
        checkout.environ(VIGIA_LANG=language),
    )
    assert (ended.code, ended.err, ended.out.startswith(says)) == (0, "", True)
    assert "logrotate" in ended.out
    assert not checkout.venv.exists()


NEEDING = """\
import pytest


@pytest.mark.needs("there")
def test_there():
    pass


@pytest.mark.needs("lacking")
def test_lacking():
    pass
"""


@pytest.mark.parametrize(
    ("ci", "code", "summary"),
    [("", 0, "1 passed, 1 skipped"), ("true", 1, "1 passed, 1 error")],
)
def test_what_the_system_lacks_is_skipped_here_and_fails_there(project, ci, code, summary):
    there, lacking = ("sh", "dash"), ("no-such-program", "no-such-package")
    write_tests(project, NEEDING, there=there, lacking=lacking)
    ended = run_pytest(project, CI=ci)
    assert (ended.code, summary in ended.out) == (code, True), ended
    assert "no-such-program is not installed: apt install no-such-package" in ended.out


def test_a_need_that_is_in_no_table_fails(project: Checkout):
    write_tests(project, NEEDING, there=("sh", "dash"))
    ended = run_pytest(project)
    assert ended.code == 1
    assert "needs('lacking') is not in the table of scripts/run_tests.py" in ended.out


def test_a_process_that_outlives_the_tests_fails_them_and_is_ended(project: Checkout):
    write_tests(
        project,
        "import subprocess\n\n\n"
        "def test_leaves_one():\n"
        '    subprocess.run(["setsid", "sh", "-c", "sleep 600 & echo $! > pid"], check=True)\n',
    )
    ended = run_pytest(project)
    assert ended.code == 1
    assert "processes outlived the tests:" in ended.out
    assert "sleep 600 (started by tests/test_it.py::test_leaves_one (call))" in ended.out
    assert not is_alive(int((project.folder / "pid").read_text()))


def stand_in(checkout: Checkout) -> Path:
    """A `.ci/run` whose run_tests.py says by whom it was called, and how."""
    (checkout.folder / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "run", checkout.folder / ".ci")
    says = 'import os, sys; print(sys.version_info[:2] >= (3, 11), os.environ["CI"], sys.argv[1:])'
    (checkout.folder / "scripts" / "run_tests.py").write_text(says)
    return checkout.folder / ".ci" / "run"


def test_the_ci_calls_the_tests_with_what_it_was_given(checkout: Checkout):
    ended = run([str(stand_in(checkout)), "--fast"], checkout.user, checkout.environ())
    assert (ended.code, ended.out) == (0, "True true ['--fast']\n")


def test_the_ci_finds_a_newer_python_beside_an_old_one(checkout: Checkout, tmp_path: Path):
    old = [path for version, path in old_pythons().items() if version != "2.7"]
    if not old:
        pytest.skip("there is no Python here that is too old")
    (tmp_path / "bin").mkdir()
    new = f"python3.{sys.version_info.minor}"
    for name, target in (("python3", old[-1]), (new, sys.executable)):
        # A script, because a Python looks for its library where its link stands.
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\nexec "{target}" "$@"\n')
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path}/bin{os.pathsep}/usr/bin{os.pathsep}/bin"
    ended = run([str(stand_in(checkout))], checkout.user, checkout.environ(PATH=path))
    assert (ended.code, ended.out) == (0, "True true []\n"), ended


@pytest.mark.slow
def test_the_bootstrap_brings_the_tools_and_comes_back_as_the_same_process(checkout: Checkout):
    """The stages are another test's; here they need only be tried inside the environment."""
    script = checkout.folder / "scripts" / "run_tests.py"
    text = re.sub(r"CHECKS = \[\n(    .*\n)*", "CHECKS = [\n", script.read_text())
    # Nothing is needed either: a test does not install packages on the machine that it runs on.
    script.write_text(re.sub(r"NEEDS = \{\n(    .*\n)*", "NEEDS = {\n", text))
    where = checkout.command("-q", script="run_tests.py")
    process = subprocess.run(
        where,
        cwd=checkout.user,
        env=checkout.environ(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1
    assert f"{checkout.venv}/bin/python: No module named pytest" in process.stderr
    assert (checkout.venv / "vigia-stamp").read_text().splitlines()[2] == "pipeline test"
    assert checkout.run().code == 0
    assert checkout.builds == 1


APT = """\
#!/bin/sh
echo "$@" >> "$STAGE/apt"
test "$1" = update || { echo "E: Unable to locate package"; exit 100; }
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages without being asked")
def test_missing_packages_are_asked_for_once_and_what_could_not_be_had_is_told(project: Checkout):
    """The package manager is played: a real one would change the machine that the test runs on."""
    write_tests(
        project, "def test_one():\n    pass\n", lacking=("no-such-program", "no-such-package")
    )
    (project.folder / "bin").mkdir()
    (project.folder / "bin" / "apt-get").write_text(APT)
    (project.folder / "bin" / "apt-get").chmod(0o755)
    path = f"{project.folder}/bin{os.pathsep}{os.environ['PATH']}"
    ended = run_tests(project, "-q", PATH=path)
    assert (project.stage / "apt").read_text().splitlines() == [
        "-q update",
        "-q install -y --no-install-recommends no-such-package",
    ]
    assert "vigia: installing with apt-get: no-such-package" in ended.err
    assert "vigia: apt-get install: E: Unable to locate package" in ended.err
    assert (ended.code, "1 passed" in ended.out) == (0, True), ended
