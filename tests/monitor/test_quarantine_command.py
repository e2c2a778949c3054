"""`vigia quarantine` works with no monitor running, and no file name speaks to the terminal."""

from __future__ import annotations

import json
import os
import re

import pytest

from monitor import cli
from monitor.commands import quarantine as command
from monitor.safe.quarantine import Quarantine
from monitor.safe.root_helper import Place
from tests.monitor.paths_story import a_home


@pytest.fixture
def story():
    with a_home() as story:
        story.quarantine = Quarantine(command.folder(story.home))
        story.entry = story.quarantine.put(story.find(story.video), "truncated", "I-7")
        yield story


@pytest.fixture
def vigia(story, capsys, monkeypatch):
    def run(*words, lang="en"):
        monkeypatch.setenv("VIGIA_LANG", lang)
        code = cli.run(["quarantine", "--home", str(story.home), *words])
        told = capsys.readouterr()
        return code, told.out + told.err

    return run


def test_the_list_shows_what_is_there(story, vigia):
    code, told = vigia("list")
    assert code == 0
    assert told.splitlines()[0].split() == ["ID", "STATE", "SIZE", "CAUSE", "FILE"]
    assert told.splitlines()[1].split() == [
        story.entry.id,
        "kept",
        "5",
        "B",
        "truncated",
        str(story.video),
    ]
    assert vigia("list", lang="es")[1].splitlines()[1].split()[1] == "guardado"


def test_one_is_shown_with_all_that_is_known(story, vigia):
    code, told = vigia("show", story.entry.id)
    assert code == 0
    for fact in (story.entry.sha256, "I-7", "truncated", str(story.video), "0644"):
        assert fact in told
    assert json.loads(vigia("show", story.entry.id, "--json")[1])["incident"] == "I-7"
    assert [entry["id"] for entry in json.loads(vigia("list", "--json")[1])] == [story.entry.id]


def test_it_comes_back(story, vigia):
    assert vigia("restore", story.entry.id) == (0, f"Back where it was: {story.video}\n")
    assert story.video.read_bytes() == b"video"
    assert vigia("list") == (0, "The quarantine is empty.\n")
    assert vigia("list", lang="es") == (0, "La cuarentena está vacía.\n")


def test_it_does_not_come_back_over_another(story, vigia):
    story.video.write_bytes(b"new")
    code, told = vigia("restore", story.entry.id)
    assert (code, story.video.read_bytes()) == (1, b"new")
    assert "nothing is overwritten" in told


def test_it_is_purged_by_id_or_by_age(story, vigia):
    assert vigia("purge", "--older-than", "30d") == (0, "Nothing is that old.\n")
    assert vigia("purge", "--older-than", "0s")[1].startswith("Removed for good: ")
    assert vigia("purge", story.entry.id)[0] == 1
    for span in ("soon", "-1d", "1y", "9999999d"):
        code, told = vigia("purge", f"--older-than={span}")
        assert (code, "is not a time" in told) == (1, True)


def test_purge_says_what_it_needs(vigia):
    with pytest.raises(SystemExit) as ended:
        vigia("purge")
    assert ended.value.code == 2


@pytest.mark.parametrize("id", ["../../../etc/passwd", "nothing", "\x1b]0;x\x07"])
def test_an_unknown_id_is_told_without_its_control_characters(vigia, id):
    code, told = vigia("show", id)
    assert code == 1
    assert "is not in the quarantine" in told
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", told)


def test_no_name_and_no_cause_reaches_the_terminal_as_an_order(story, vigia):
    name = "\x1b]0;owned\x07\u202e\n[2J.mp4"
    (story.victor / name).write_bytes(b"")
    place = Place(story.find("modelos").root, ("victor", name))
    entry = story.quarantine.put(place, "\x1b[31mbad\r\nnext line 123456789:" + "A" * 35)
    for words in (("list",), ("list", "--json"), ("show", entry.id), ("restore", entry.id)):
        code, told = vigia(*words)
        assert code == 0
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", told)
    assert os.path.exists(story.victor / name)
    for words in (("list",), ("show", story.entry.id)):
        assert "AAAAA" not in vigia(*words)[1]


def test_a_home_without_a_quarantine_has_an_empty_one(vigia, story, tmp_path):
    from argparse import Namespace

    told = command.run(Namespace(home=tmp_path, lang="en", verb="list", json=False))
    assert told == 0
    assert not (tmp_path / "data").exists()
