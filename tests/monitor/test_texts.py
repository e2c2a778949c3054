from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from monitor import texts
from monitor.model import ChildState, Told
from monitor.texts import ROOMS, SENTENCES, language, lasting, say, sentence, sized

MONITOR = Path(texts.__file__).parents[1]


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("kind", SENTENCES)
def test_both_languages_say_the_same_facts(kind: str) -> None:
    spanish, english = SENTENCES[kind]
    assert fields(spanish) == fields(english)
    assert spanish.strip() == spanish != ""
    assert english.strip() == english != ""


def test_no_kind_stands_in_two_rooms() -> None:
    assert sum(len(room.SENTENCES) for room in ROOMS) == len(SENTENCES)


def test_every_kind_that_is_told_has_its_sentence() -> None:
    told = set()
    for file in MONITOR.rglob("*.py"):
        told |= set(re.findall(r"\bTold\(\s*\"(\w+)\"", file.read_text()))
    assert told
    assert told <= SENTENCES.keys()


def test_every_sentence_is_said_somewhere() -> None:
    """Literally, or by the beginning of its kind: `means_{category}`."""
    code = (
        "".join(file.read_text() for file in MONITOR.rglob("*.py") if file.parent.name != "texts")
        + (MONITOR / "texts" / "__init__.py").read_text()
    )
    begins = set(re.findall(r"f\"(\w+_)\{", code))
    unsaid = {
        kind
        for kind in SENTENCES
        if not re.search(rf"[\"']{kind}[\"']", code)
        and not any(kind.startswith(begin) for begin in begins)
    }
    assert unsaid == set()


def test_every_state_of_a_child_has_its_word() -> None:
    assert {f"state_{state}" for state in ChildState} <= SENTENCES.keys()


@pytest.mark.parametrize("lang", ["es", "en"])
def test_facts_are_data_and_never_read_as_a_pattern(lang: str) -> None:
    # C 7
    evil = "{0.__class__} {child} %s <b>*_[x](y) {"
    told = Told("gap", facts=(("path", evil), ("why", "{path}")))
    assert sentence(told, lang) == f"{evil}: {{path}}"
    told = Told("child_given_up", evil, facts=(("why", evil),))
    assert sentence(told, lang).count(evil) == 3


def test_a_sentence_names_its_child() -> None:
    told = Told("child_stopped", "bot", facts=(("by", "ana"),))
    assert sentence(told, "en") == "bot stopped by ana"
    assert sentence(told, "es") == "bot detenido por ana"
    assert say("shutting_down", "es") == "apagándose"


@pytest.mark.parametrize(
    ("chosen", "environ", "expected"),
    [
        ("es", {"LANG": "en_GB.UTF-8"}, "es"),
        ("en", {"LANG": "es_ES.UTF-8"}, "en"),
        ("auto", {}, "en"),
        ("auto", {"LANG": "es_ES.UTF-8"}, "es"),
        ("auto", {"LANG": "ES"}, "es"),
        ("auto", {"LANG": "de_DE"}, "en"),
        ("auto", {"LANG": "es_ES", "LC_MESSAGES": "en_US"}, "en"),
        ("auto", {"LANG": "es_ES", "LC_ALL": "C"}, "en"),
        ("auto", {"LANG": "en_US", "LC_ALL": ""}, "en"),
        ("auto", {"LC_ALL": "C", "VIGIA_LANG": "es"}, "es"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_locale_s(
    monkeypatch: pytest.MonkeyPatch, chosen: str, environ: dict[str, str], expected: str
) -> None:
    for name in ("VIGIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert language(chosen) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.44, "0.4 s"),
        (1, "1 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (10, "10 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3599, "59 min"),
        (3600, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (172799, "47 h 59 min"),
        (172800, "2 d 00 h"),
        (356400, "4 d 03 h"),
    ],
)
def test_a_time_is_short(seconds: float, text: str) -> None:
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KB"),
        (1536, "1.5 KB"),
        (50 << 20, "50.0 MB"),
        (3 << 30, "3.0 GB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_a_size_is_short(count: int, text: str) -> None:
    assert sized(count) == text
