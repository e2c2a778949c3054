"""Three engines, one answer; no line is slow; the compiled form is kept on disk."""

from __future__ import annotations

import random
import re
import stat
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Category
from monitor.understand.anchors import anchors
from monitor.understand.core import Stretch, Way
from monitor.understand.matcher import Matcher
from monitor.understand.pattern import needed, read
from monitor.understand.rule import Rules, Text
from monitor.understand.verdict import Judge
from tests.monitor.classifying import folder, rules

TIERS = ("hyperscan", "re2", "reference")


@cache
def matcher(tier: str) -> Matcher:
    return Matcher(rules(), tier, folder())


@cache
def samples() -> tuple[str, ...]:
    return tuple(line for rule in rules().rules for line in (*rule.match, *rule.no_match))


@cache
def literals() -> tuple[bytes, ...]:
    """Every fixed text without which some pattern cannot match."""
    watched = (rule for rule in rules().rules if rule.category is not Category.BENIGN)
    ways = [way for rule in watched for pattern in rule.patterns for way in needed(pattern)]
    return tuple(sorted({text for way in ways for text in texts_in(way) if len(text) > 5}))


def texts_in(way: Way) -> Iterator[bytes]:
    for part in way:
        if isinstance(part, Stretch):
            yield from part.texts
        else:
            for inner in part.ways:
                yield from texts_in(inner)


def found(tier: str, data: bytes) -> list[tuple[int, int, tuple[str, ...], bool]]:
    return [
        (hit.start, hit.end, tuple(sorted({f"{r.name}/{p.text}" for r, p in hit.seen})), hit.head)
        for hit in matcher(tier).find(data)
    ]


def same(data: bytes) -> None:
    expected = found("reference", data)
    assert found("hyperscan", data) == expected
    assert found("re2", data) == expected


@st.composite
def log_lines(draw: st.DrawFn) -> bytes:
    """Samples, cut and glued, texts of rules in a row, and bytes of any kind."""
    parts = draw(
        st.lists(
            st.one_of(
                st.sampled_from(samples()).map(str.encode),
                st.sampled_from(literals()),
                st.binary(max_size=12),
                st.sampled_from([b" ", b"\r", b": ", b"\0", b"'", b'text="', b"\xc3", b"ERROR "]),
            ),
            max_size=5,
        )
    )
    line = b"".join(parts)
    start = draw(st.integers(0, 8))
    return line[start:] if draw(st.booleans()) else line.swapcase()


@settings(max_examples=150, deadline=None)
@given(st.lists(log_lines(), max_size=6), st.booleans())
def test_all_engines_give_the_same_answer(lines: list[bytes], ended: bool) -> None:
    same(b"\n".join(lines) + (b"\n" if ended else b""))


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.lists(log_lines(), max_size=8), st.booleans())
def test_all_engines_give_the_same_answer_to_hundreds(lines: list[bytes], ended: bool) -> None:
    same(b"\n".join(lines) + (b"\n" if ended else b""))


@pytest.mark.campaign
@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=3000, deadline=None)
@given(st.lists(log_lines(), max_size=8), st.booleans())
def test_all_engines_give_the_same_answer_in_a_long_campaign(
    lines: list[bytes], ended: bool
) -> None:
    same(b"\n".join(lines) + (b"\n" if ended else b""))


def test_all_samples_in_one_chunk_are_found_alike() -> None:
    same("\n".join(samples()).encode())
    same("\r\n".join(samples()).encode())


def test_a_match_without_its_vague_edge_is_looked_for_too() -> None:
    same(b"\nO SUCH FILE OR DIRECTORY: '7Z'\n")


def test_an_empty_chunk_holds_nothing() -> None:
    same(b"")
    same(b"\n\n\n")
    assert found("hyperscan", b"") == []


def test_a_hit_is_its_whole_line_and_nothing_else() -> None:
    data = b"ok\nx: No space left on device\nok\n"
    ((start, end, _, head),) = found("hyperscan", data)
    assert data[start:end] == b"x: No space left on device"
    assert not head


def test_the_first_and_the_last_line_of_a_chunk_are_not_missed() -> None:
    for data in (
        b"error: odd",
        b"error: odd\nx",
        b"x\nerror: odd",
        b"x\nread timeout",
        b"x\nread timeout\n",
    ):
        same(data)
        assert len(found("hyperscan", data)) == 1, data


def test_where_a_pattern_matches_one_of_the_texts_looked_for_stands() -> None:
    judge = Judge(rules())
    for rule in rules().rules:
        for pattern in rule.patterns:
            for line in rule.match:
                for row in line.encode().split(b"\n"):
                    if rule.category is not Category.BENIGN and judge._search(pattern.exact).hit(
                        row
                    ):
                        assert stands(rules().texts, row), (rule.name, pattern.text)


def stands(texts: tuple[Text, ...], row: bytes) -> bool:
    framed = b"\n" + row + b"\n"
    return any(text in (framed if case else framed.lower()) for text, case in texts)


LETTERS = "abx "
PIECES = st.one_of(
    st.text(LETTERS, min_size=1, max_size=4),
    st.sampled_from([".", "[ab]", "[^a]", "\\w", "\\b", "^", "$", ".{0,3}", "\\S+"]),
)


@st.composite
def any_pattern(draw: st.DrawFn, depth: int = 2) -> str:
    """A pattern of literals, classes, anchors and groups within groups."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        if depth and draw(st.booleans()):
            inner = [draw(any_pattern(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
            found.append(f"(?:{'|'.join(inner)}){draw(st.sampled_from(['', '?', '+', '*']))}")
        else:
            found.append(draw(PIECES))
    return "".join(found)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(any_pattern(), st.booleans()), min_size=1, max_size=4),
    st.text("abxABX .", max_size=24),
)
def test_no_match_of_any_patterns_is_without_one_of_their_texts(
    sources: list[tuple[str, bool]], line: str
) -> None:
    patterns = [read(text, case=case) for text, case in sources]
    patterns = [pattern for pattern in patterns if pattern.fixed]
    texts = anchors(patterns)
    for pattern in patterns:
        if re.search(pattern.detect, line.encode()):
            assert stands(texts, line.encode()), (pattern.text, texts)


def test_anchors_that_meet_are_one_line_end() -> None:
    for source in ("ab$$", "ab(?:$)$", "^^ab"):
        pattern = read(source)
        assert stands(anchors([pattern]), b"ab"), source


def test_patterns_that_share_a_text_are_looked_for_by_one() -> None:
    shared = ["zorgle quxfrobbed", "quxfrobbed by (?:x|y)", "(?:very |quite )?quxfrobbed"]
    assert len(anchors(read(text) for text in shared)) == 1


def test_ordinary_words_are_not_what_is_looked_for() -> None:
    ((text, _),) = anchors([read("the request to server (?:was )?zygomatic")])
    assert text in b"zygomatic"


def test_the_same_patterns_are_always_looked_for_by_the_same_texts() -> None:
    patterns = [pattern for rule in few().rules for pattern in rule.patterns]
    assert anchors(patterns) == anchors(list(patterns))


def hostile(chance: random.Random, size: int) -> bytes:
    """A line made to be slow: what patterns look for, again and again, never quite finished."""
    seed = chance.choice(literals()).strip(b"\n")
    kind = chance.randrange(6)
    if kind == 0:
        unit = seed + b" "
    elif kind == 1:
        unit = seed[:-1] + b"'"
    elif kind == 2:
        unit = b"a" * chance.randrange(1, 50) + seed
    elif kind == 3:
        unit = chance.choice(
            [b"/a", b"a.", b'="', b"://a/", b"text='", b"(", b" at ", b"1 ", b"'", b'"', b": "]
        )
    elif kind == 4:
        unit = seed + chance.choice(literals()).strip(b"\n") + b" /x/y.z: '"
    else:
        unit = chance.choice(samples()).encode().replace(b"\n", b" ")
    line = chance.choice([b"ERROR ", b"2026-11-20 08:00:00 INFO ", b"", b'text="']) + unit * (
        size // len(unit) + 1
    )
    return line[: size - len(seed)] + seed


def slowest(count: int, seed: int) -> tuple[float, bytes]:
    chance = random.Random(seed)
    judge, engine = Judge(rules()), matcher("hyperscan")
    worst = (0.0, b"")
    for _ in range(count):
        line = hostile(chance, chance.choice([2_000, 16_000, 65_536]))
        cost = min(_cost(judge, engine, line) for _ in range(2))
        worst = max(worst, (cost, line))
    return worst


def _cost(judge: Judge, engine: Matcher, line: bytes) -> float:
    before = time.process_time()
    for hit in engine.find(line):
        judge.judge(line[hit.start : hit.end], hit.seen)
    return time.process_time() - before


def test_no_hostile_line_costs_more_than_50_ms() -> None:
    cost, line = slowest(150, seed=1)
    assert cost < 0.05, line[:200]


@pytest.mark.slow
def test_none_of_10_000_hostile_lines_costs_more_than_50_ms() -> None:
    cost, line = slowest(10_000, seed=2)
    assert cost < 0.05, line[:200]


def few() -> Rules:
    return Rules(tuple(rule for rule in rules().rules if rule.category is Category.TLS), "few")


def test_the_compiled_form_is_kept_for_us_only_and_found_again(tmp_path: Path) -> None:
    Matcher(few(), "hyperscan", tmp_path / "cache")
    files = sorted((tmp_path / "cache").iterdir())
    assert len(files) == 1
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    before = [file.stat().st_ino for file in files]
    Matcher(few(), "hyperscan", tmp_path / "cache")
    assert [file.stat().st_ino for file in files] == before


def test_a_compiled_form_is_loaded_within_milliseconds() -> None:
    matcher("hyperscan")
    assert min(_loading() for _ in range(5)) < 0.05


def _loading() -> float:
    before = time.process_time()
    Matcher(rules(), "hyperscan", folder())
    return time.process_time() - before


@pytest.mark.parametrize("damage", [b"", b"odd", b"\0" * 4096])
def test_a_damaged_compiled_form_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    Matcher(few(), "hyperscan", tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(damage)
    again = Matcher(few(), "hyperscan", tmp_path)
    assert again.find(few().rules[0].match[0].encode())
    assert all(file.stat().st_size > 1000 for file in tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_costs_only_speed(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    assert Matcher(few(), "hyperscan", taken / "below").find(few().rules[0].match[0].encode())


def test_without_a_wheel_the_reference_serves_with_one_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("monitor.understand.hyper.hyperscan", None)
    monkeypatch.setattr("monitor.understand.linear.re2", None)
    with pytest.warns(RuntimeWarning, match="neither hyperscan nor google-re2"):
        plain = Matcher(few())
    assert plain.tier == "reference"
    assert plain.find(few().rules[0].match[0].encode())


def test_no_pattern_is_missed_in_lines_made_to_be_hard() -> None:
    chance = random.Random(5)
    for _ in range(12):
        line = hostile(chance, chance.choice([500, 3000])) + b" : MONOCHAT DEACTIVATED"
        same(line)


def test_a_tempting_log_is_answered_as_any_other() -> None:
    """The engine that asks about many lines at once finds what the one that asks about each finds."""
    tempting = [
        b"INFO %d: failed=0 rejected=0 limit=9, error handler ready" % n for n in range(9000)
    ]
    tempting[1::1801] = [b"2026 ERROR x: PermissionError: [Errno 13] Permission denied"] * 5
    tempting[4500] = b"y" * 20_000 + b" Permission denied"
    chunk = b"\n".join(tempting) + b"\n"
    quick, plain = (Matcher(rules(), tier, folder()) for tier in ("hyperscan", "re2"))
    for _ in range(2):
        found = [(hit.start, hit.end) for hit in quick.find(chunk)]
        assert found == [(hit.start, hit.end) for hit in plain.find(chunk)]
        assert len(found) == 5
