"""What is written is what the schema and the page say."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from monitor.records.history import generations
from monitor.records.record import CHAIN, FIELDS, MARKS, STATES
from tests.monitor.records_story import opened, record, some

SCHEMA = json.loads((files("monitor.records") / "errors.schema.json").read_text())
ONE = SCHEMA["$defs"]["record"]
PAGE = (Path(__file__).parents[2] / "docs" / "records.md").read_text()


def faults(value):
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return [error.message for error in validator.iter_errors(value)]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_what_is_written_is_valid(tmp_path):
    path = tmp_path / "errors.json"
    with opened(path, size=4000, keep=9) as records:
        records.append(some(1, 3))
        records.append([{"seq": 9, "state": "alert_only", "timestamp": "2026-01-01T00:00:00.000Z"}])
        for state in STATES:
            seq = records.last_seq + 1
            records.append([record(seq, state=state)], carry=lambda: [record(1)])
    found = generations(path)
    assert len(found) > 1
    for each in found:
        assert faults(json.loads(each.read_bytes())) == []


@pytest.mark.parametrize(
    "wrong",
    [{"state": "fine"}, {"seq": 0}, {"timestamp": "yesterday"}, {"more": 1}, {"attempt": "one"}],
)
def test_what_is_wrong_is_not_valid(tmp_path, wrong):
    path = tmp_path / "errors.json"
    with opened(path) as records:
        records.append([record(1)])
    (one,) = json.loads(path.read_bytes())
    assert faults([one]) == []
    assert faults([one | wrong])


def test_schema_and_writer_know_the_same_fields_and_states():
    assert list(ONE["properties"]) == [*FIELDS, *MARKS, CHAIN]
    assert ONE["required"] == [*FIELDS, CHAIN]
    assert ONE["properties"]["state"]["enum"] == list(STATES)


def test_every_field_of_the_schema_stands_in_the_page_with_its_meaning():
    rows = dict(re.findall(r"^\| `([\w.]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    meant = {}
    for name, field in ONE["properties"].items():
        meant[name] = field["description"]
        for inner, part in field.get("properties", {}).items():
            meant[f"{name}.{inner}"] = part["description"]
    assert rows == meant


def test_the_example_of_the_page_is_valid_and_complete():
    (example,) = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)
    one = json.loads(example)
    assert faults([one]) == []
    assert list(one) == [*FIELDS, CHAIN]
    for name in ("outcome", "source", "child"):
        assert list(one[name]) == list(ONE["properties"][name]["properties"])
