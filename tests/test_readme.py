"""What README and docs say is so: their runnable blocks run, and what they name exists."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("README.*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```sh run\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall(page.read_text()), 1)
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_that_is_marked_as_runnable_runs(block: str, tmp_path: Path) -> None:
    environ = {k: v for k, v in os.environ.items() if k != "VIGIA_HOME"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block],
        cwd=ROOT,
        env=environ | {"PATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_readme_names_every_command_and_no_other() -> None:
    from monitor.cli import COMMANDS

    named = set(re.findall(r"`vigia ([a-z]+)", (ROOT / "README.md").read_text()))
    listed = re.findall(r"`vigia start`, `stop`, `restart`", (ROOT / "README.md").read_text())
    assert named | ({"stop", "restart"} if listed else set()) == set(COMMANDS)


def test_every_key_of_the_example_is_known_and_every_known_key_is_there() -> None:
    from monitor.config import OWN_KEYS, PIPELINE_KEYS, SCRIPT_KEYS, WITHHELD

    keys = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(keys) == sorted({*PIPELINE_KEYS, *WITHHELD, *SCRIPT_KEYS, *OWN_KEYS})


def test_every_command_has_its_file_and_every_file_its_command() -> None:
    from monitor.cli import COMMANDS

    files = {p.stem for p in (ROOT / "monitor" / "commands").glob("*.py")} - {
        "__init__",
        "length",
        "orders",
        "retelling",
    }
    assert files == set(COMMANDS)
