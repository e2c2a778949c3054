"""The page says what is true: every setting with its default, and no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from pipeline.config import _FROM_FILE, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "pipeline.md").read_text()


def test_every_key_of_pipeline_toml_stands_on_the_page_with_its_default() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", PAGE, re.MULTILINE))
    true = {f.name: float(str(f.default)) for f in fields(Settings) if f.name in _FROM_FILE}
    assert {key: float(value) for key, value in told.items()} == true


def test_every_key_is_read_somewhere() -> None:
    code = "".join(p.read_text() for p in (Path(__file__).parents[2] / "pipeline").rglob("*.py"))
    for key in _FROM_FILE:
        assert f"settings.{key}" in code, key
