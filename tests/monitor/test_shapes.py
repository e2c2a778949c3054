"""Unknown lines are grouped by what stays the same in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.understand.shapes import Shapes, words_of


def test_numbers_paths_addresses_and_quotes_vary() -> None:
    one = "2026-11-20 08:00:00,123 ERROR job 12 of 'ana' at /srv/a.mp4 via http://x/y failed"
    other = "2026-11-21 09:10:10,456 ERROR job 7 of 'luis' at /srv/b.mp4 via http://z/w failed"
    assert words_of(one) == words_of(other)
    assert words_of(one) == (
        "<*>",
        "ERROR",
        "job",
        "<*>",
        "of",
        "<*>",
        "at",
        "<*>",
        "via",
        "<*>",
        "failed",
    )


def test_the_key_of_a_field_stays() -> None:
    assert words_of("level=error job=12 user=ana") == ("level=error", "job=<*>", "user=ana")


def test_lines_that_differ_in_one_word_become_one_shape() -> None:
    shapes = Shapes()
    first, new = shapes.add("ERROR the pump of the cellar is broken", 1.0)
    second, again = shapes.add("ERROR the pump of the attic is broken", 2.0)
    assert (new, again) == (True, False)
    assert second is first
    assert second.text == "ERROR the pump of the <*> is broken"
    assert (second.count, second.first, second.last) == (2, 1.0, 2.0)
    assert second.sample == "ERROR the pump of the cellar is broken"


def test_lines_of_another_kind_are_another_shape() -> None:
    shapes = Shapes()
    shapes.add("ERROR the pump is broken", 1.0)
    assert shapes.add("ERROR nobody answers the door", 1.0)[1]


def test_memory_is_bounded_and_what_is_forgotten_is_counted() -> None:
    shapes = Shapes(most=10)
    for number in range(100):
        shapes.add(
            " ".join(chr(97 + number % 26) * (number // 26 + 1) for _ in range(5)) + " end", 1.0
        )
    assert len(shapes.most_seen(1000)) == 10
    assert shapes.forgotten == 90


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=30))
def test_any_text_has_a_shape_and_every_line_is_counted(lines: list[str]) -> None:
    shapes = Shapes(most=1000)
    for line in lines:
        shapes.add(line, 0.0)
    assert sum(shape.count for shape in shapes.most_seen(1000)) == len(lines)
