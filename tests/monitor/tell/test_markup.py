from __future__ import annotations

import html as stdlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.tell.markup import MOST, Row, fitted, from_text, html, plain, row, to_text, units

ANY = st.text(st.characters(codec=None), max_size=3000)
ROWS = st.lists(
    st.builds(
        Row,
        st.lists(st.tuples(st.sampled_from(["", "b", "pre"]), ANY), min_size=1, max_size=3).map(
            tuple
        ),
        st.integers(0, 9),
    ),
    max_size=6,
)
TAG = re.compile(r"</?(?:b|pre|i)>")


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_whatever_is_said_fits_and_is_whole_markup(rows: list[Row]) -> None:
    kept = fitted(rows)
    assert units(plain(kept)) <= MOST
    made = html(kept)
    made.encode()
    open_tags: list[str] = []
    for tag in TAG.findall(made):
        if tag.startswith("</"):
            assert open_tags.pop() == tag.replace("/", "")
        else:
            open_tags.append(tag)
    assert open_tags == []
    assert stdlib.unescape(TAG.sub("", made)) == plain(kept) or "&" in plain(kept)


def test_the_line_of_the_log_is_cut_before_anything_a_person_must_know() -> None:
    rows = [row("head", "b", 9), row("😀" * 5000, "pre", 2), row("also open: 3", weight=8)]
    kept = fitted(rows)
    assert [one.text[:4] for one in kept] == ["head", "😀😀😀😀", "also"]
    assert units(plain(kept)) <= MOST
    assert kept[1].text.endswith("😀…")


def test_only_what_must_be_is_escaped() -> None:
    assert html([row("a <b> & 'c' \"d\" _e_ *f*")]) == "a &lt;b&gt; &amp; 'c' \"d\" _e_ *f*"


def test_half_a_character_does_not_stop_the_rest() -> None:
    assert plain(fitted([row("caf\udce9 ñ")])) == "caf? ñ"


@pytest.mark.parametrize(
    ("text", "long"), [("a", 1), ("ñ", 1), ("😀", 2), ("👨‍👩‍👧", 8), ("\ud800", 1)]
)
def test_length_is_what_telegram_counts(text: str, long: int) -> None:
    assert units(text) == long


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_rows_that_are_kept_come_back_as_they_were(rows: list[Row]) -> None:
    assert from_text(to_text(rows)) == rows
