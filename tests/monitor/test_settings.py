from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import Config
from monitor.settings import Bytes, Fault, Mode, Seconds, SettingsError, Source, read, setting

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


@dataclasses.dataclass(frozen=True, slots=True)
class Inner:
    depth: int = setting(1, "how deep")


@dataclasses.dataclass(frozen=True, slots=True)
class Outer:
    word: str = setting("w", "a word")
    count: int = setting(3, "a number")
    share: float = setting(0.5, "a share")
    loud: bool = setting(False, "loud or not")
    wait: Seconds = setting(1.0, "a wait")
    room: Bytes = setting(10, "a size")
    bits: Mode | None = setting(None, "permission bits")
    kind: Literal["a", "b"] = setting("a", "a choice")
    names: tuple[str, ...] = setting((), "a list")
    env: Mapping[str, str] = setting(MappingProxyType({}), "a mapping")
    inner: Inner = setting(Inner(), "a table")
    hidden: int = 7


def reads(**given: Any) -> Any:
    source = Source("x.toml", "")
    value = read(Outer, given, source)
    assert not source.faults, source.faults
    return value


def fault(**given: Any) -> str:
    source = Source("x.toml", "")
    assert read(Outer, given, source) == Outer(), "what does not fit keeps its default"
    (one,) = source.faults
    return one.what


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("word", "ñandú 🦤", "ñandú 🦤"),
        ("word", "", ""),
        ("count", -5, -5),
        ("share", 2, 2.0),
        ("share", 0.25, 0.25),
        ("loud", True, True),
        ("wait", 90, 90.0),
        ("wait", 0, 0.0),
        ("wait", 1.5, 1.5),
        ("wait", "250ms", 0.25),
        ("wait", "10s", 10.0),
        ("wait", " 10 s ", 10.0),
        ("wait", "1.5m", 90.0),
        ("wait", "2h", 7200.0),
        ("wait", "7d", 604800.0),
        ("room", 0, 0),
        ("room", 1048576, 1048576),
        ("room", "512B", 512),
        ("room", "512KB", 524288),
        ("room", "512KiB", 524288),
        ("room", "50MB", 52428800),
        ("room", "50 mb", 52428800),
        ("room", "1.5GB", 1610612736),
        ("room", "1TB", 1 << 40),
        ("bits", "027", 0o027),
        ("bits", "0o750", 0o750),
        ("bits", 0o22, 0o22),
        ("bits", "0", 0),
        ("kind", "b", "b"),
        ("names", ["x", "y"], ("x", "y")),
        ("names", [], ()),
        ("env", {"A": "1"}, {"A": "1"}),
        ("inner", {"depth": 9}, Inner(9)),
    ],
)
def test_every_kind_of_value_is_read(name: str, raw: Any, value: Any) -> None:
    found = getattr(reads(**{name: raw}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("word", 3, "word: must be text, not 3"),
        ("word", "a\0b", "NUL"),
        ("count", "3", 'count: must be a whole number, not "3"'),
        ("count", 3.0, "a whole number, not 3.0"),
        ("count", True, "a whole number, not True"),
        ("share", "x", "a number"),
        ("share", False, "a number, not False"),
        ("loud", 1, "true or false, not 1"),
        ("loud", "yes", "true or false"),
        ("wait", -1, "not -1"),
        ("wait", True, "not True"),
        ("wait", "10", "10s"),
        ("wait", "ten seconds", '"5m"'),
        ("wait", "10 parsecs", "parsecs"),
        ("wait", "", "seconds"),
        ("wait", "-5s", "-5s"),
        ("wait", float("inf"), "inf"),
        ("wait", float("nan"), "nan"),
        ("wait", "9" * 400 + "d", "seconds"),
        ("wait", ["1s"], "seconds"),
        ("room", -1, "bytes"),
        ("room", 1.5, "bytes"),
        ("room", "50", "50MB"),
        ("room", "50MBit", "50MB"),
        ("room", "9" * 400 + "GB", "bytes"),
        ("room", "9999999TB", "bytes"),
        ("room", 1 << 70, "bytes"),
        ("room", False, "bytes"),
        ("bits", "999", "permission bits"),
        ("bits", 0o1000, "permission bits"),
        ("bits", -1, "permission bits"),
        ("bits", "rwx", "permission bits"),
        ("bits", True, "permission bits"),
        ("kind", "c", 'must be one of "a", "b", not "c"'),
        ("kind", ["a"], 'must be one of "a", "b"'),
        ("names", "x", "must be a list"),
        ("names", [1], "names: must be text, not 1"),
        ("names", [["x"]], "must be text"),
        ("env", ["A=1"], "must be a table"),
        ("env", {"A": 1}, "must be text, not 1"),
        ("inner", 5, "inner: must be a table, not 5"),
    ],
)
def test_what_does_not_fit_is_a_fault_that_says_what_would(name: str, raw: Any, words: str) -> None:
    assert words in fault(**{name: raw})


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([f.name for f in dataclasses.fields(Outer)]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
            lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(max_size=4), x, max_size=2),
        ),
    )
)
def test_no_value_at_all_breaks_the_reading(given: dict[str, Any]) -> None:
    source = Source("x.toml", "")
    assert isinstance(read(Outer, given, source), Outer)


def test_an_unknown_key_is_refused_by_name_with_the_nearest_one() -> None:
    assert fault(wrod=1) == "'wrod' is not a setting of the top level; did you mean word?"
    what = fault(zzz=1)
    assert "known here: word, count" in what
    assert "hidden" not in what, "what cannot be set is not offered"


def test_a_field_that_is_no_setting_cannot_be_set() -> None:
    assert "'hidden' is not a setting" in fault(hidden=1)


def test_an_unknown_key_of_an_inner_table_is_named_with_its_table() -> None:
    assert fault(inner={"dept": 1}) == "'dept' is not a setting of [inner]; did you mean depth?"


def test_all_faults_are_found_at_once_each_with_its_line() -> None:
    import tomllib

    text = (
        "# a comment with \u2028 and \x85, which end no line of TOML\n"
        "word = 1\n"
        "colour = 'red'\n"
        "\n"
        "[env]\n"
        'GOOD = "1"\n'
        '"BAD" = 2\n'
        "[ inner ] # a table\n"
        "depth = 'low'\n"
    )
    source = Source("v.toml", text)
    read(Outer, tomllib.loads(text), source)
    assert [(f.line, f.what.split(":")[0].split()[0]) for f in source.faults] == [
        (2, "word"),
        (3, "'colour'"),
        (7, "env.BAD"),
        (9, "inner.depth"),
    ]
    assert str(source.faults[0]) == "v.toml:2: word: must be text, not 1"


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a = 1\n", ("a",), 1),
        ("a.b = 1\n", ("a", "b"), 1),
        ("[a]\nb = 1\n", ("a", "b"), 2),
        ("[a]\n[b]\nb=1\n[a.c]\nb = 1\n", ("a", "c", "b"), 5),
        ('["a"]\n"b" = 1\n', ("a", "b"), 2),
        ('[a."x.y"]\nz = 1\n', ("a", "x.y", "z"), 2),
        ("x = 1\na = { b = 1 }\n", ("a", "b"), 2),
        ("[[a]]\nb = 1\n", ("a", "b"), 2),
        ("[a]\nx = 1\n", ("a", "b"), 1),  # missing: where it should stand
        ("[a]\n[a.b]\nx = 1\n", ("a", "b", "c"), 2),
        ("x = 1\n", ("a", "b"), None),
        ("[ab]\nx = 1\n", ("a", "x"), None),
        ("a = 'x'\r\n[b]\r\nc = 1\r\n", ("b", "c"), 3),
    ],
)
def test_the_line_of_a_key_is_where_a_person_would_look(
    text: str, path: tuple[str, ...], line: int | None
) -> None:
    assert Source("f", text).line_of(path) == line


def test_the_error_says_all_its_faults() -> None:
    error = SettingsError((Fault("a", 1, "x"), Fault("b", None, "y")))
    assert str(error) == "a:1: x\nb: y"


# --- docs/settings.md --------------------------------------------------------------------------


def sections(cls: type, path: str = "") -> dict[str, list[str]]:
    """Each table of the configuration, and the rows that its documentation must have."""
    rows, below = [], {}
    hints = get_type_hints(cls, include_extras=True)
    for field in dataclasses.fields(cls):
        if not field.metadata:
            continue
        here = f"{path}.{field.name}" if path else field.name
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind):
            below |= sections(kind, here)  # type: ignore[arg-type]
            continue
        if of := table_in(kind):
            below |= sections(of, f"{here}.NAME")
            continue
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        listed = f" ({', '.join(f'`{choice}`' for choice in choices)})" if choices else ""
        rows.append(f"| `{field.name}` | {shown(kind, field)} | {field.metadata['doc']}{listed} |")
    return ({path or "The top level": rows} if rows else {}) | below


def table_in(kind: Any) -> type | None:
    """The table that a mapping holds, alone or as a list of them."""
    for arg in get_args(kind):
        if dataclasses.is_dataclass(arg):
            return arg  # type: ignore[return-value]
        if found := table_in(arg):
            return found
    return None


def shown(kind: Any, field: dataclasses.Field[Any]) -> str:
    """A default as one writes it in the file."""
    value = field.default
    if value is dataclasses.MISSING:
        assert callable(field.default_factory)
        value = field.default_factory()
    if value is None or value in ("", ()) or isinstance(value, Mapping):
        return "none"
    if kind == Seconds:
        return f"`{_largest(value, {'d': 86400, 'h': 3600, 'm': 60, 's': 1}, '0', above='s')}`"
    if kind == Bytes:
        return f"`{_largest(value, {'GB': 1 << 30, 'MB': 1 << 20, 'KB': 1 << 10}, str(value))}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _largest(value: float, units: dict[str, int], plain: str, above: str = "") -> str:
    """In the largest unit that leaves no fraction; one of anything is said in the next smaller."""
    for unit, size in units.items():
        if value and value % size == 0 and (value > size or unit == above):
            return f'"{value / size:g}{unit}"'
    return plain


def documented() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in DOCS.read_text().splitlines():
        if line.startswith("## "):
            rows = found.setdefault(line.removeprefix("## ").strip("`[]"), [])
        elif line.startswith("| `"):
            rows.append(line)
    return {name: rows for name, rows in found.items() if rows}


def test_every_setting_has_its_line_in_the_documentation_and_nothing_else_stands_there() -> None:
    wanted = sections(Config)
    written = documented()
    for name, rows in wanted.items():
        table = "\n".join(rows)
        assert written.get(name) == rows, f"docs/settings.md, [{name}] should say:\n\n{table}"
    assert list(written) == list(wanted)


def test_every_example_in_the_documentation_can_be_used(tmp_path: Path) -> None:
    import re

    from monitor.config import load

    examples = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(examples) == len(sections(Config))
    for number, example in enumerate(examples):
        home = tmp_path / str(number)
        home.mkdir()
        (home / "vigia.toml").write_text(example)
        given = dataclasses.replace(load(home, {}), home=tmp_path)
        assert given != load(tmp_path, {}), "an example that changes nothing shows nothing"
