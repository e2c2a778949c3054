"""The container files name only what is there."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
INSTALLS = re.compile(r"(?:vigia|\.)\[([a-z,]+)\]")
TOLD = ("Dockerfile", "README.md", "README.es.md", "docs", "monitor", "pipeline", "scripts")


def extras() -> set[str]:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return set(setup["options.extras_require"])


def files() -> list[Path]:
    kinds = {".py", ".md", ".sh", ""}
    found = (each for name in TOLD for each in ((ROOT / name), *(ROOT / name).rglob("*")))
    return [each for each in found if each.is_file() and each.suffix in kinds]


def test_whatever_is_told_to_be_installed_exists() -> None:
    named = {
        (extra, file.name)
        for file in files()
        for words in INSTALLS.findall(file.read_text())
        for extra in words.split(",")
    }
    assert {extra for extra, file in named if file == "Dockerfile"} >= {"pipeline"}
    assert {(extra, file) for extra, file in named if extra not in extras()} == set()


def test_the_image_copies_only_what_is_there() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    for name in " ".join(copied).split():
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("service", ["vigia", "postgres", "bot-api"])
def test_each_service_gets_its_settings_from_keys_that_env_explains(service: str) -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    one = compose["services"][service]
    explained = (ROOT / ".env.example").read_text() + (ROOT / "compose.yaml").read_text().split(
        "services:"
    )[0]
    for key in re.findall(r"\$\{(\w+)", str(one)):
        assert key in explained, key
    for volume in one.get("volumes", []):
        assert volume.partition(":")[0] in compose["volumes"], volume
