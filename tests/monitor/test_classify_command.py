"""`vigia classify`, `vigia rules` and `vigia explain` as an operator uses them."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.commands import classify, explain, rules

LOG = "ok\n2026 ERROR x: PermissionError: [Errno 13] Permission denied: '/srv/a'\nok\n"


def call(module: Any, home: Path, *argv: str, lang: str = "en") -> int:
    parser = argparse.ArgumentParser()
    module.arguments(parser, lang)
    asked = parser.parse_args(argv)
    asked.home, asked.lang = home, lang
    return module.run(asked)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def typed(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def test_a_log_is_shown_without_its_ordinary_lines(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "a.log"
    log.write_text(LOG)
    assert call(classify, home, str(log)) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("permission")
    assert "[/srv/a]" in first
    assert last == "-- permission 1"


def test_json_gives_one_object_for_each_match(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, LOG.encode())
    assert call(classify, home, "--json") == 0
    (found,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (found["category"], found["subject"], found["start"]) == ("permission", "/srv/a", 3)


def test_jsonl_answers_every_line_ordinary_ones_too(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        "all well",
        'Traceback (most recent call last):\n  File "a", line 1\nTimeoutError: timed out',
    ]
    rows = [json.dumps({"id": n, "line": line}) for n, line in enumerate(lines)]
    typed(
        monkeypatch, "\n".join([*rows, "", json.dumps({"id": "s", "line": "a\ud800 odd"})]).encode()
    )
    assert call(classify, home, "--jsonl") == 0
    found = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [set(row) for row in found] == [{"id", "category", "rule", "subject", "captures"}] * 3
    assert [(row["id"], row["category"]) for row in found] == [
        (0, "benign"),
        (1, "timeout"),
        ("s", "benign"),
    ]


@pytest.mark.parametrize(
    "bad", [b"nope", b"[1]", b'{"id": 1}', b'{"id": 1, "line": 2}', b'"line"', b"\xff"]
)
def test_input_that_is_not_what_it_should_be_is_one_clear_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], bad: bytes
) -> None:
    typed(monkeypatch, bad)
    assert call(classify, home, "--jsonl") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "line 1" in said


def test_a_file_that_is_not_there_is_one_clear_line(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(classify, home, "/no/such.log") == 2
    assert capsys.readouterr().err == "vigia: /no/such.log: No such file or directory\n"


def test_no_control_byte_of_a_log_reaches_the_terminal(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b]0;x\x07\u009b31m\u202e No space left on device: '/srv/\x1b[2J'"
    for module, argv in (
        (classify, ()),
        (classify, ("--json",)),
        (explain, ("-",)),
        (explain, ("--json", "-")),
    ):
        typed(monkeypatch, hostile.encode() + b"\n")
        assert call(module, home, *argv) == 0
        out = capsys.readouterr().out
        assert "disk_full" in out
        assert not {"\x1b", "\x07", "\u009b", "\u202e"} & set(out), argv


def test_a_secret_in_a_log_is_not_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"
    typed(monkeypatch, f"ERROR https://api.telegram.org/bot{token}/getMe: timed out\n".encode())
    assert call(classify, home, "--json") == 0
    assert token not in capsys.readouterr().out


def test_a_line_is_explained(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(explain, home, "ERROR:", "No space left on device") == 0
    out = capsys.readouterr().out
    assert "disk_full (critical): no space or quota left" in out
    assert "system.disk_full knows it as cause, unknown.level_word only as look" in out
    assert call(explain, home, "--json", "all well") == 0
    assert json.loads(capsys.readouterr().out)["category"] == "benign"


def test_nothing_to_explain_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(explain, home, " ") == 2
    assert "no line to explain" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["list", "test", "check"])
def test_our_rules_are_listed_and_hold(
    home: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    assert call(rules, home, what) == 0
    assert capsys.readouterr().out
    assert call(rules, home, what, "--json") == 0
    json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_the_rules_of_the_home_and_of_the_command_line_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules.d").mkdir()
    text = '[[rule]]\nname = "own.x"\ncategory = "hang"\npatterns = ["the {} sleeps"]\n'
    text += 'match = ["the {} sleeps"]\nno_match = ["awake"]\n'
    (tmp_path / "rules.d" / "a.toml").write_text(text.replace("{}", "cat"))
    (tmp_path / "b.toml").write_text(text.replace("{}", "dog").replace("own.x", "own.y"))
    assert (
        call(explain, tmp_path, "--rules", str(tmp_path / "b.toml"), "--json", "the dog sleeps")
        == 0
    )
    assert json.loads(capsys.readouterr().out)["rule"] == "own.y"
    assert call(explain, tmp_path, "--json", "the cat sleeps") == 0
    assert json.loads(capsys.readouterr().out)["rule"] == "own.x"


@pytest.mark.parametrize("module", [classify, rules, explain])
def test_wrong_rules_are_named_with_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], module: Any
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('[[rule]]\nname = "own.x"\ncategory = "flood"\n')
    argv = ["x"] if module is explain else []
    assert call(module, tmp_path, *argv, "--rules", str(bad)) == 2
    assert f"{bad}:3: own.x: category `flood`" in capsys.readouterr().err


def test_shapes_that_no_rule_knows_are_counted_in_the_summary(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "".join(f"ERROR pump {number} is in the wrong house\n" for number in (3, 4, 5))
    typed(monkeypatch, (odd + "ERROR the moon is green\n").encode())
    assert call(classify, home) == 0
    told = capsys.readouterr().out.partition("-- unknown 4\n")[2].splitlines()
    assert [row.split(" x ")[0].strip() for row in told] == ["3", "1"]
    assert "wrong house" in told[0]


def test_a_person_who_reads_spanish_is_told_all_of_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(
        monkeypatch,
        b"Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'x'\nok\n",
    )
    assert call(classify, home, lang="es") == 0
    assert "(+2 líneas)" in capsys.readouterr().out
    typed(monkeypatch, b"ok\n")
    assert call(classify, home, lang="es") == 0
    assert capsys.readouterr().out == "-- solo líneas corrientes\n"
    typed(monkeypatch, b'{"id": 1, "line": 2}\n')
    assert call(classify, home, "--jsonl", lang="es") == 2
    assert capsys.readouterr().err == "vigia: -: línea 1: `line` no es un texto\n"
    assert call(explain, home, " ", lang="es") == 2
    assert capsys.readouterr().err == "vigia: no hay ninguna línea que explicar\n"
    wrong = tmp_path / "w.toml"
    wrong.write_text(
        "[[rule]]\nname = 'a.b'\ncategory = 'crash'\npatterns = ['a{2}']\nmatch = ['x']\n"
    )
    assert call(rules, home, "check", "--rules", str(wrong), lang="es") == 2
    told = capsys.readouterr().err
    assert f"vigia: {wrong}:1: a.b: le falta `no_match`: una lista con al menos un texto\n" in told
    assert "no tiene ningún texto fijo de " in told
