"""How well the rules know lines of real programs; the figures are printed with -s."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from monitor.understand.verdict import Judge, Verdict
from tests.monitor.classifying import rules

SHARED = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "lines.jsonl"
OTHER = Path(__file__).with_name("lines_other.jsonl")
PROGRAMS = Path(__file__).with_name("lines_programs.jsonl")  # rules were mended by these too
# Labelled before a rule was asked, and no rule is tuned to it.
THIRD = Path(__file__).with_name("lines_third.tsv")


def judged(path: Path) -> list[tuple[dict, Verdict]]:
    judge = Judge(rules())
    rows = [json.loads(row) for row in path.read_text("utf-8").splitlines()]
    return [(row, judge.event(row["line"])) for row in rows]


def macro_f1(found: list[tuple[dict, Verdict]]) -> float:
    right, said, meant = Counter[str](), Counter[str](), Counter[str]()
    for row, verdict in found:
        said[verdict.category.value] += 1
        meant[row["category"]] += 1
        right[row["category"]] += verdict.category.value == row["category"]
    return sum(2 * right[label] / (said[label] + meant[label]) for label in meant) / len(meant)


def subjects(found: list[tuple[dict, Verdict]]) -> float:
    return sum(verdict.subject == row["subject"] for row, verdict in found) / len(found)


def wrongly_told(found: list[tuple[dict, Verdict]]) -> float:
    ordinary = [verdict for row, verdict in found if row["category"] == "benign"]
    return sum(verdict.category.value != "benign" for verdict in ordinary) / len(ordinary)


@pytest.mark.skipif(not SHARED.exists(), reason=f"the corpus is not at {SHARED}")
def test_real_lines_are_understood() -> None:
    found = judged(SHARED)
    print(f"corpus: F1 {macro_f1(found):.4f}, subjects {subjects(found):.4f}")
    assert macro_f1(found) >= 0.97
    assert subjects(found) >= 0.95
    assert wrongly_told(found) < 0.005


def test_lines_of_other_programs_are_understood() -> None:
    found = judged(OTHER)
    print(f"others: F1 {macro_f1(found):.4f}, subjects {subjects(found):.4f}")
    assert macro_f1(found) >= 0.95
    assert subjects(found) >= 0.90
    assert wrongly_told(found) < 0.005


def test_lines_written_from_memory_of_many_programs_are_understood() -> None:
    found = judged(PROGRAMS)
    print(f"programs: F1 {macro_f1(found):.4f}, subjects {subjects(found):.4f}")
    assert macro_f1(found) >= 0.95
    assert subjects(found) >= 0.90
    assert wrongly_told(found) < 0.023  # two of 91: a DEBUG policy, and a user who quotes an error


def test_lines_at_first_contact_are_understood() -> None:
    judge = Judge(rules())
    found = []
    for row in THIRD.read_text("utf-8").splitlines():
        category, subject, line = row.split("\t", 2)
        named = None if subject == "-" else subject
        found.append(({"category": category, "subject": named}, judge.event(line)))
    print(f"first contact: F1 {macro_f1(found):.4f}, subjects {subjects(found):.4f}")
    assert macro_f1(found) >= 0.93
    assert subjects(found) >= 0.93
    assert wrongly_told(found) < 0.036  # one of 28: a user's words outside any quotes


def test_a_subject_is_printed_in_its_line() -> None:
    for row, verdict in judged(OTHER):
        assert verdict.subject is None or verdict.subject in row["line"]
