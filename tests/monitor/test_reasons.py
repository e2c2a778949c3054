"""A reason is decided in English; a person who reads Spanish is told it in Spanish, all of it."""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import monitor
from monitor.model import Told
from monitor.texts import reason, sentence
from monitor.texts.reasons import ROOMS, Form, pairs
from monitor.understand.proof import QUOTED
from tests.monitor.faults import QUICK, of, wait_for
from tests.monitor.test_run import one
from tests.monitor.vigia import Vigia, records, until, vigia

MONITOR = Path(monitor.__file__).parent
SOURCES = (
    *("heal", "safe", "supervise", "follow", "tell"),
    *("state.py", "ask.py", "settings.py", "config.py", "understand/verdict.py"),
    *(f"understand/{name}.py" for name in ("packs", "proof", "pattern", "syntax", "loading")),
    *(f"records/{name}.py" for name in ("writer", "ending", "record", "chain")),
)
SENTENCES = MONITOR / "tell" / "phrases.py"  # has both languages itself
SQL = re.compile(r"\s*(SELECT|INSERT|REPLACE|UPDATE|DELETE|PRAGMA|BEGIN|CREATE|ALTER)\b")
NAMES = re.compile(r"HTTP|INC-|Telegram|pid|vigia")  # no words of a language
WORD = re.compile(r"[a-z]{2}")

# What stands in those files and is said to no person.
SAID_TO_NOBODY: dict[tuple[str, ...], str] = {
    ("vigia resume",): "an order",
    ("mute 1h",): "an order",
    ("mute 8h",): "an order",
    ("two strategies have one name",): "stops the program when it is built wrong",
    ("nobody says ", ""): "a question of ours that cannot come",
    ("known are: ", ""): "a question of a program that cannot come",
    ("", " is not a name"): "a place that nothing of ours makes",
    ("seq is ", ", not a number from 1 on"): "a record that nothing of ours makes",
    ("GET / HTTP/1.0\r\nHost: ", "\r\n\r\n"): "HTTP",
    ("", " ", " HTTP/1.0\r\nHost: child\r\nContent-Length: 0\r\n\r\n"): "HTTP",
    (r"^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 ",): "a pattern",
    ("frozen 1",): "a line of the kernel",
    ("tuple[int, ...]",): "a type",
    ("child ", ""): "the name of a task",
    ("alerts.", ": ", ""): "the name of a setting, before what is wrong with it",
    ("children.", ".command: ", ""): "the same",
    ("the monitor",): "whose log that is",
    ("a rule without a name",): "a name",
    (r"line (\d+)",): "a pattern",
    **dict.fromkeys(((line,) for line in QUOTED), "lines of programs"),
    ("not a number",): "a heartbeat that is none",
}
HOSTILE = (
    "",
    "{0.__class__} {why} {} }{ %s",
    r"(a+)+$ [x] \d .* ^",
    "<b>*_[x](y)</b> `z`",
    "two\nlines\x1b[31m\x00",
    "ñ\u202e\ud800…",
    "x" * 100_000,
)


def literals_of(node: ast.Constant | ast.JoinedStr) -> tuple[str, ...]:
    """The fixed texts, with a hole between each two of them."""
    if isinstance(node, ast.Constant):
        return (str(node.value),)
    fixed = [""]
    for part in node.values:
        if isinstance(part, ast.Constant):
            fixed[-1] += str(part.value)
        else:
            fixed.append("")
    return tuple(fixed)


def texts_in(file: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Each text of a file but its docstrings and what its asserts say."""
    tree, passed = ast.parse(file.read_text()), set[ast.AST]()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant()):
                passed.add(node.value)
            case ast.JoinedStr():
                passed.update(node.values)
            case ast.Assert(msg=ast.expr() as said):
                passed.add(said)
            case ast.Call(func=ast.Name(id="setting")):  # its line of documentation
                passed.update(node.args)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and not isinstance(node.value, str):
            continue
        if isinstance(node, ast.Constant | ast.JoinedStr) and node not in passed:
            yield node.lineno, literals_of(node)


def is_said(literals: tuple[str, ...]) -> bool:
    """Whether it has words, several of them, or stands with a value."""
    text = "".join(literals)
    several = " " in text.strip() or (len(literals) > 1 and " " in text)
    return bool(several and WORD.search(NAMES.sub("", text)) and not SQL.match(text))


def files() -> list[Path]:
    found = itertools.chain.from_iterable(
        sorted(place.rglob("*.py")) if place.is_dir() else [place]
        for place in (MONITOR / name for name in SOURCES)
    )
    return [file for file in found if file != SENTENCES]


PAIRS = pairs()
FORMS = {english: Form.of(english, spanish) for english, spanish in PAIRS.items()}


def test_every_reason_that_a_person_may_read_has_its_spanish_pair() -> None:
    known = {form.literals for form in FORMS.values()} | SAID_TO_NOBODY.keys()
    without = [
        f"{file.relative_to(MONITOR)}:{line}: {literals}"
        for file in files()
        for line, literals in texts_in(file)
        if is_said(literals) and literals not in known
    ]
    assert without == [], "each needs a pair in monitor/texts/reasons"


def test_what_is_said_to_nobody_is_still_there() -> None:
    there = {literals for file in files() for _, literals in texts_in(file)}
    assert SAID_TO_NOBODY.keys() - there == set()


def test_no_pair_is_kept_for_what_nobody_says() -> None:
    code = "\x00".join(
        text
        for file in MONITOR.rglob("*.py")
        if "texts" not in file.parts
        for _, literals in texts_in(file)
        for text in literals
    )
    unsaid = [
        english
        for english, form in FORMS.items()
        if not all(text.strip(" :") in code for text in form.literals)
    ]
    assert unsaid == []


def test_no_pair_stands_in_two_rooms() -> None:
    rooms = [import_module(f"monitor.texts.reasons.{name}") for name in ROOMS]
    assert sum(len(room.PAIRS) for room in rooms) == len(PAIRS)


def test_both_languages_name_the_same_values() -> None:
    for english, spanish in PAIRS.items():
        assert set(Form.of(spanish, "").names) == set(FORMS[english].names), english
        assert "" != english == english.strip()
        assert "" != spanish == spanish.strip()


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_values_stay_exactly_as_they_are(value: str) -> None:
    for english, spanish in PAIRS.items():
        values = dict.fromkeys(FORMS[english].names, value)
        assert reason(english.format_map(values), "es") == spanish.format_map(values), english


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_no_pair_knows_stays_as_it_is(text: str) -> None:
    assert reason(text, "es") == text
    assert reason(f"{text} of nobody", "es") == f"{text} of nobody"


def test_english_stays_english() -> None:
    assert [reason(english, "en") for english in PAIRS] == list(PAIRS)


@pytest.mark.parametrize(
    "text",
    [
        "only " * 20_000,
        ": " * 50_000,
        "; " * 50_000,
        "it is down; " * 5 + "x" * 100_000,
        "; ".join(["/x is there: it is down"] * 6) + ": only only only " * 6_000,
        "; nothing is left to try" * 4_000,
        "ended with exit code " * 5_000,
        " of  are free on " * 6_000,
        "'" + "a is a link; " * 8_000,
        "x: y: z: it is down; " * 6 + "x: y: z",
        "v: a: must be text, not 3; " * 7 + "x",
        "x: it is down\n" * 99,
        "x: it is down\n" * 20_000,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    reason("", "es")
    began = time.process_time()
    assert isinstance(reason(text, "es"), str)
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        (
            "ended 5 times in 10 minutes; last: was killed by SIGKILL",
            "terminó 5 veces en 10 minutos; la última: muerto por SIGKILL",
        ),
        (
            "10.0.0.7:6379: no answer within 3 s; nothing is left to try",
            "10.0.0.7:6379: sin respuesta en 3 s; no queda nada por intentar",
        ),
        (
            "10.0.0.7:6379: Connection refused; nothing is left to try",
            "10.0.0.7:6379: Connection refused; no queda nada por intentar",
        ),
        (
            "the line names no job; watching whether it comes back; please check",
            "la línea no nombra ningún trabajo; se vigila si vuelve a pasar; compruébalo",
        ),
        (
            "raised its limit of open files from 64 to 128; the limit reads 128",
            "subido su límite de ficheros abiertos de 64 a 128; el límite es ahora 128",
        ),
        (
            "moved to quarantine as 7f; to put it back: vigia quarantine restore 7f; it is down",
            "movido a la cuarentena como 7f; para devolverlo: vigia quarantine restore 7f; está parado",
        ),
        (
            "only 1.5 MB of 8.0 MB are free on /data",
            "solo hay 1.5 MB de 8.0 MB libres en /data",
        ),
        (
            "the monitor ended while it was at note: h:80: no answer within 3 s; please check",
            "el monitor terminó en plena ejecución de note: h:80: sin respuesta en 3 s; compruébalo",
        ),
        (
            "bot did not come up: cannot execute ./run; x: Permission denied",
            "bot no llegó a arrancar: no se puede ejecutar ./run; x: Permission denied",
        ),
        ("free_disk: OSError: nothing of ours", "free_disk: OSError: nothing of ours"),
        (
            "v.toml:3: a.nice: must be a number, not [1]; v.toml:5: 'x' is not a setting of [a]",
            "v.toml:3: a.nice: debe ser un número, no [1]; v.toml:5: 'x' no es un ajuste de [a]",
        ),
        (
            "r.toml:7: b.c: its sample `no: /x` goes to a.b: a.b knows it as cause, b.c only as hint",
            "r.toml:7: b.c: su ejemplo `no: /x` se lo lleva a.b: a.b lo conoce con peso cause, b.c solo con peso hint",
        ),
        (
            "v:1: 'x' is not a setting of [a]; known here: b, c; v:2: a.b: must be text, not 3; v:3: a.c: must be a list, not 3",
            "v:1: 'x' no es un ajuste de [a]; aquí se conocen: b, c; v:2: a.b: debe ser un texto, no 3; v:3: a.c: debe ser una lista, no 3",
        ),
        ("a: it is down\nb: must be >= 1\nc", "a: it is down\nb: must be >= 1\nc"),
        (
            "v.toml:3: a.nice: must be text, not 3\nv.toml:5: alerts.zone: holds a NUL character",
            "v.toml:3: a.nice: debe ser un texto, no 3\nv.toml:5: alerts.zone: contiene un carácter NUL",
        ),
    ],
)
def test_a_reason_of_several_is_said_part_by_part(english: str, spanish: str) -> None:
    assert reason(english, "es") == spanish


def test_a_line_that_is_quoted_stays_as_its_program_wrote_it() -> None:
    line = "the child is down"
    facts = {"id": "INC-1", "category": "hang", "subject": "x", "why": line}
    told = Told("incident_detected", "bot", facts=tuple((facts | {"quoted": line}).items()))
    assert sentence(told, "es") == f"INC-1 hang en x: {line}"
    told = Told("incident_detected", "bot", facts=tuple(facts.items()))
    assert sentence(told, "es") == "INC-1 hang en x: el hijo está parado"


LADDERS = "[ladders]\nserver_down = [{do = 'probe_server', attempts = 1, delay = 0.1}]\n"
SAYS = "ERROR redis: Error 111 connecting to 127.0.0.1:1. Connection refused."


def shown_to_people(v: Vigia) -> str:
    """All that a person of that home may look at, and all that was written for one."""
    looks = (
        *(("status",), ("incidents", "--all"), ("incidents", "show", "INC-1"), ("events",)),
        *(("explain", "INC-1"), ("alert", "preview", "INC-1"), ("watch", "--once")),
    )
    screens = [v.run(*words).stdout for words in looks]
    assert all(screens)
    return "\n".join((v.diary(), v.text(), *screens))


def test_a_home_that_speaks_spanish_shows_no_reason_in_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIGIA_LANG", "es")
    monkeypatch.setenv("COLUMNS", "500")
    says = one(("/bin/sh", "-c", f"echo '{SAYS}'; sleep 60"))
    ends = one(("/bin/sh", "-c", "exit 3"), "[children.bad.restart]\nlimit = 2\ndelay = 0.1", "bad")
    with vigia(tmp_path) as v:
        v.configure(QUICK + LADDERS + says + ends)
        v.start(env={"VIGIA_LANG": "es"})
        failed = wait_for(v, category="server_down", state="failed")
        v.wait_state("failed", "bad")
        until(lambda: "queda en pausa" in v.diary())
        shown = shown_to_people(v)
        given = {str(failed["message"]), str(v.child("bad")["why"]), v.child("bad")["last_exit"]}
        given |= {r["outcome"]["detail"] for r in of(tmp_path, incident="INC-1") if r["outcome"]}
        given |= {r["verdict"]["why"] for r in records(tmp_path)}
    assert failed["message"] == "127.0.0.1:1: Connection refused; nothing is left to try"
    assert {why for why in given if reason(why, "es") not in shown} == set()
    told = {why for why in given if reason(why, "es") != why}
    assert len(told) >= 4
    assert {why for why in told if why in shown} == set()
    assert SAYS in shown


WRONG = """lang = 'es'
folow = ['x']
[alerts]
quiet = 'noche'
[children.kid]
comand = 'x'
nice = 'alto'
restart = {policy = 'siempre', delay = 'pronto', limit = 0}
"""
WRONG_RULES = """[[rule]]
name = 'x'
category = 'hangs'
patterns = ['(a', 'x*', 'b[[:alpha:]]']
match = []
"""


def test_what_is_wrong_with_files_is_told_in_the_language_of_the_home(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        (tmp_path / "vigia.toml").write_text(WRONG)
        for words in (("run",), ("check", "--offline")):
            ended = v.run(*words)
            said = ended.stdout + ended.stderr
            assert f"{tmp_path}/vigia.toml:2: 'folow' no es un ajuste del nivel superior" in said
            assert "'comand' no es un ajuste de [children.kid]; ¿querías decir command?" in said
            assert 'children.kid.nice: debe ser un número entero, no "alto"' in said
            assert 'policy: debe ser uno de "always", "on-failure", "never", no "siempre"' in said
            assert "children.kid.restart.limit: debe ser >= 1" in said
            assert "must be" not in said
        (tmp_path / "vigia.toml").write_text("lang = 'es'\nrules = ['mine']\n")
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "x.toml").write_text(WRONG_RULES)
        said = v.run("rules", "check").stderr
        assert "x: le falta un `name` como paquete.lo_que_paso" in said
        assert "category `hangs` no es ninguno de: timeout" in said
        assert "patrón `(a`: columna 3: `(` sin `)`" in said
        assert "una clase POSIX" in said
        (tmp_path / "mine" / "x.toml").unlink()
        assert "todo se cumple" in v.run("rules", "check").stdout
        log = tmp_path / "logs" / "errors.json"
        log.parent.mkdir(exist_ok=True)
        log.write_text('[\n{"seq":1},\nalgo\n]\n')
        said = v.run("events", "verify").stdout
        assert f"{log}:3: esta línea no está como se escribió" in said
