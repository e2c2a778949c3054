"""The unit, its drop-ins and the installer, judged by systemd's own tools."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
UNITS = CHECKOUT / "systemd"
INSTALL = CHECKOUT / "scripts" / "install_service.sh"

analyze = pytest.mark.needs("systemd-analyze")


def install(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [INSTALL, *words], capture_output=True, text=True, check=False, timeout=60
    )


def installed(root: Path, *words: str) -> Path:
    """The folder of units as the installer made it below `root`."""
    done = install("--apply", "--root", str(root), "--user", "daemon", *words)
    assert done.returncode == 0, done.stderr
    return root / "etc/systemd/system"


@analyze
def test_systemd_takes_the_unit_as_it_is_installed(tmp_path: Path) -> None:
    units = installed(tmp_path, "--home", "/var/lib/vigia")
    unit = (units / "vigia.service").read_text()
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)
    assert program
    for name in (
        "vigia.service",
        "vigia@.service",
    ):  # a Python that is there; no .venv is made here
        text = (units / name).read_text().replace(program[1], "/usr/bin/true")
        (units / name).write_text(text)
    (units / "vigia@x.service").symlink_to("vigia@.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", units / "vigia.service", units / "vigia@x.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "vigia" in line]
    assert (done.returncode, ours) == (0, [])


@analyze
def test_the_unit_is_exposed_no_more_than_it_has_to_be() -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", UNITS / "vigia.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout.splitlines()[-1:]


# systemd 252 does not know it; the installer leaves it out there.
FROM_253 = "notify-reload.conf"


@analyze
@pytest.mark.parametrize(
    "drop_in", sorted({p.name for p in (UNITS / "drop-ins").iterdir()} - {FROM_253})
)
def test_every_drop_in_is_read_without_a_complaint(drop_in: str, tmp_path: Path) -> None:
    unit = (UNITS / "vigia.service").read_text()
    unit = re.sub(r"^ExecStart=\S+", "ExecStart=/usr/bin/true", unit, flags=re.MULTILINE)
    (tmp_path / "vigia.service").write_text(
        re.sub(r"^(User|Group)=vigia", r"\1=daemon", unit, flags=re.MULTILINE)
    )
    folder = tmp_path / "vigia.service.d"
    folder.mkdir()
    (folder / drop_in).write_text((UNITS / "drop-ins" / drop_in).read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "vigia.service"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "vigia" in line] == []


def test_the_template_is_the_unit_with_a_home_for_each_instance() -> None:
    def settings(name: str) -> list[str]:
        text = (UNITS / name).read_text()
        return [line for line in text[text.index("[Unit]") :].splitlines() if line]

    one = [
        line.replace("/var/lib/vigia", "/var/lib/vigia/%i") for line in settings("vigia.service")
    ]
    one = ["Description=Vigía for %i" if line.startswith("Description") else line for line in one]
    assert settings("vigia@.service") == one


def test_without_being_told_to_the_installer_only_shows(tmp_path: Path) -> None:
    done = install("--home", str(tmp_path / "home"), "--with-root-help")
    assert done.returncode == 0
    assert not (tmp_path / "home").exists()
    assert f"| ExecStart={CHECKOUT}/.venv/bin/python" in done.stdout
    assert "+ useradd --system" in done.stdout
    assert "Nothing was done" in done.stdout


def test_it_installs_for_this_place_and_takes_away_what_it_put_there(tmp_path: Path) -> None:
    units = installed(tmp_path, "--home", "/home/ana/vigia", "--with-root-help")
    unit = (units / "vigia.service").read_text()
    assert "User=daemon" in unit
    assert "ReadWritePaths=/home/ana/vigia\n" in unit
    assert "/opt/vigia" not in unit
    assert "ProtectHome=read-only" in (units / "vigia.service.d/under-home.conf").read_text()
    sudoers = tmp_path / "etc/sudoers.d/vigia"
    assert sudoers.stat().st_mode & 0o777 == 0o440
    assert "daemon ALL=(root) NOPASSWD: VIGIA_ROOT" in sudoers.read_text()
    assert 'path = "/home/ana/vigia/modelos"' in (tmp_path / "etc/vigia/roots.toml").read_text()
    done = install("--apply", "--uninstall", "--root", str(tmp_path))
    assert done.returncode == 0, done.stderr
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert left == ["etc/vigia/roots.toml"]


@pytest.mark.parametrize(
    "words",
    [
        ("--user", "root; reboot"),
        ("--user", "-x"),
        ("--home", "relative"),
        ("--home", "/srv/a b"),
        ("--home", "/srv/a#b"),
        ("--home",),
        ("--only", "everything"),
        ("--frobnicate",),
    ],
)
def test_what_it_is_not_meant_to_take_is_refused(words: tuple[str, ...]) -> None:
    done = install(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("install_service.sh: ")
    assert done.stdout == ""
