"""Rules load whole or not at all, and say everything that is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.model import Category, Severity
from monitor.understand.loading import prepared
from monitor.understand.proving import load
from monitor.understand.rule import PACKS, Rules, RulesError
from monitor.understand.verdict import Judge

GOOD = """
[[rule]]
name = "own.flooded"
category = "disk_full"
patterns = ['the cellar is flooded']
match = ["ERROR: the cellar is flooded"]
no_match = ["the cellar is dry"]
"""


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def faults(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(RulesError) as caught:
        load([path])
    return [str(fault).replace(f"{path}:", "") for fault in caught.value.faults]


@pytest.fixture(scope="module")
def ours() -> Rules:
    return load()


def test_our_own_packs_load_and_every_sample_holds(ours: Rules) -> None:
    assert len(ours.rules) > 60
    assert {rule.name.split(".")[0] for rule in ours.rules} >= {
        "telegram", "python", "celery", "arq", "redis", "postgres", "sqlalchemy", "http", "ai",
        "media", "storage", "system", "vigia",
    }  # fmt: skip


def test_every_category_that_a_line_can_have_has_a_rule(ours: Rules) -> None:
    assert {rule.category for rule in ours.rules} == set(Category)


def test_every_pack_is_named_after_its_rules() -> None:
    for path in PACKS.glob("*.toml"):
        names = [
            row.split('"')[1] for row in path.read_text().splitlines() if row.startswith("name")
        ]
        assert names, path
        assert {name.split(".")[0] for name in names} == {path.stem}


def test_a_rule_without_samples_does_not_load(tmp_path: Path) -> None:
    assert faults(
        tmp_path, '[[rule]]\nname = "own.x"\ncategory = "tls"\npatterns = ["odd thing"]\n'
    ) == [
        "1: own.x: needs `match`: a list with at least one string",
        "1: own.x: needs `no_match`: a list with at least one string",
    ]


def test_a_sample_that_fails_is_named(tmp_path: Path) -> None:
    said = faults(tmp_path, GOOD.replace("ERROR: the cellar is flooded", "the cellar is fine"))
    assert said[0] == "2: own.flooded: its pattern does not match its sample `the cellar is fine`"


def test_a_sample_that_must_not_match_but_does_is_named(tmp_path: Path) -> None:
    said = faults(tmp_path, GOOD.replace("the cellar is dry", "no: the cellar is flooded"))
    assert said == ["2: own.flooded: wins its no_match sample `no: the cellar is flooded`"]


def test_a_rule_that_others_always_beat_can_never_win(tmp_path: Path) -> None:
    stronger = GOOD.replace("own.flooded", "own.stronger").replace("disk_full", "tls")
    said = faults(tmp_path, GOOD + stronger + 'beats = ["own.flooded"]\n')
    assert "2: own.flooded: can never win: others win each of its samples" in said


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"(a)\1 odd thing", "is not in the language of rules"),
        (r"odd (?=thing)", "only (?: and (?P<name>)"),
        (r"odd (?<!x)thing", "only (?: and (?P<name>)"),
        (r"odd thing(?", "only (?: and (?P<name>)"),
        (r"odd thing(", "`(` without `)`"),
        (r"odd thing)", "`)` without `(`"),
        (r"odd thing[a", "`[` without `]`"),
        (r"odd thing\pL", "is not in the language of rules"),
        (r"odd thing{1,9000}", "a repetition of more than"),
        (r"odd thing++", "a quantifier after a quantifier"),
        (r"odd thing[ñ]", "in a class"),
        (r"\d+\s\w+", "has no fixed text"),
        (r"odd (?P<colour>\w+)", "captures `colour`"),
    ],
)
def test_what_not_every_engine_reads_alike_is_refused(
    tmp_path: Path, pattern: str, why: str
) -> None:
    text = GOOD.replace("'the cellar is flooded'", f"'{pattern}'")
    assert any(why in fault for fault in faults(tmp_path, text))


def test_an_unknown_category_severity_weight_and_key_are_all_told_at_once(tmp_path: Path) -> None:
    text = (
        GOOD.replace("disk_full", "flood") + 'severity = "loud"\nweight = "heavy"\ncolour = "red"\n'
    )
    said = "\n".join(faults(tmp_path, text))
    assert "4: own.flooded: category `flood` is none of: timeout, permission" in said
    assert "8: own.flooded: severity `loud` is none of: info, warning, critical" in said
    assert "9: own.flooded: weight `heavy` is none of: look, hint, symptom, cause, exact" in said
    assert "10: own.flooded: unknown key `colour`" in said


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    written(tmp_path, GOOD.replace("disk_full", "flood"), "a.toml")
    written(tmp_path, GOOD.replace("own.flooded", "b"), "b.toml")
    written(tmp_path, "[[rule]\n", "c.toml")
    with pytest.raises(RulesError) as caught:
        load([tmp_path, tmp_path / "none"])
    assert [Path(fault.file).name for fault in caught.value.faults] == [
        "a.toml",
        "b.toml",
        "c.toml",
        "none",
    ]


def test_two_rules_of_one_name_do_not_load(tmp_path: Path) -> None:
    assert "the name is taken by" in faults(tmp_path, GOOD + GOOD)[0]


def test_a_rule_can_be_added_replaced_and_disabled_by_name(tmp_path: Path) -> None:
    base = written(tmp_path, GOOD, "a.toml")
    replaced = GOOD.replace("disk_full", "hang") + "replace = true\n"
    assert load([base, written(tmp_path, replaced, "b.toml")]).rules[0].category is Category.HANG
    other = GOOD.replace("own.flooded", "own.other").replace("cellar", "attic")
    off = written(tmp_path, 'disable = ["own.flooded"]\n' + other, "c.toml")
    assert [rule.name for rule in load([base, off]).rules] == ["own.other"]


def test_replacing_or_disabling_what_is_not_there_is_a_fault(tmp_path: Path) -> None:
    said = faults(tmp_path, 'disable = ["no.such"]\n' + GOOD + "replace = true\n")
    assert "1: disables `no.such`, which does not exist" in said
    assert any("replaces a rule that is not there" in fault for fault in said)


def test_a_rule_that_reads_what_users_write_does_not_load(tmp_path: Path) -> None:
    text = GOOD.replace("'the cellar is flooded'", "'text=\"(?:ERROR: )?the cellar'")
    text = text.replace('"ERROR: the cellar is flooded"', "'text=\"ERROR: the cellar is flooded'")
    assert any("a user can write it: in `" in fault for fault in faults(tmp_path, text))


def test_a_rule_that_hits_the_line_around_a_users_text_does_not_load(tmp_path: Path) -> None:
    text = GOOD.replace("the cellar is flooded", "bot message from ana")
    assert any("a user can write it: it hits `" in fault for fault in faults(tmp_path, text))


def test_a_rule_may_say_that_its_program_writes_the_quoted_field_itself(tmp_path: Path) -> None:
    text = GOOD.replace("'the cellar is flooded'", "'text=\"the cellar is flooded'")
    text = text.replace('"ERROR: the cellar is flooded"', "'pump text=\"the cellar is flooded\"'")
    assert load([written(tmp_path, text + "trusts = true\n")]).rules[0].trusts


def test_no_rule_of_ours_hears_what_a_user_wrote(ours: Rules) -> None:
    judge = Judge(ours)
    for rule in ours.rules:
        if rule.category in {Category.BENIGN, Category.UNKNOWN}:
            continue
        for sample in rule.match:
            quoted = sample.replace('"', '\\"').replace("\n", "\\n")
            for line in (
                f'2026-11-20 08:00:00 INFO bot event=message text="{quoted}"',
                f"2026-11-20 08:00:00 INFO bot message from ana: '{sample}'",
                f'2026-11-20 08:00:00 INFO bot user="{quoted}" said hello',
                f"bot: mensaje de luis: «{sample}»",
            ):
                found = judge.judge(line.encode())
                assert found.category is Category.BENIGN, (rule.name, line, found.rule)


def test_a_proved_set_of_rules_is_not_proved_again(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    first = prepared([path], tmp_path / "seen")
    (kept,) = (tmp_path / "seen").glob("*.rules")
    assert kept.stat().st_mode & 0o777 == 0o600
    before = kept.stat().st_ino
    assert prepared([path], tmp_path / "seen") == first == load([path])
    assert kept.stat().st_ino == before


def test_the_rules_in_use_stay_whatever_else_is_tried_out(tmp_path: Path) -> None:
    path, tried, cache = written(tmp_path, GOOD), tmp_path / "tried", tmp_path / "seen"
    tried.mkdir()
    prepared([path], cache)
    (kept,) = cache.glob("*.rules")
    before = kept.stat().st_ino
    for number in range(5):
        prepared([written(tried, GOOD.replace("own.", f"own{number}."))], cache)
        prepared([path], cache)
    assert kept.stat().st_ino == before
    assert len(list(cache.glob("*.rules"))) == 4


def test_what_others_could_have_written_is_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    prepared([path], tmp_path / "seen")
    (kept,) = (tmp_path / "seen").glob("*.rules")
    kept.chmod(0o666)
    kept.write_bytes(b"cos\nsystem\n(S'touch /tmp/never'\ntR.")
    assert prepared([path], tmp_path / "seen").rules[0].name == "own.flooded"


def test_a_wrong_set_says_so_through_the_process_that_prepares_it(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("category = ", "category = 'nonsense' # "))
    with pytest.raises(RulesError, match="nonsense"):
        prepared([path], tmp_path / "seen")
    assert not list((tmp_path / "seen").glob("*.rules"))


def test_severity_follows_the_category_unless_the_rule_says_otherwise(tmp_path: Path) -> None:
    assert load([written(tmp_path, GOOD)]).rules[0].severity is Severity.CRITICAL
    assert (
        load([written(tmp_path, GOOD + 'severity = "info"\n')]).rules[0].severity is Severity.INFO
    )


def test_the_order_in_a_file_decides_nothing(tmp_path: Path) -> None:
    other = GOOD.replace("own.flooded", "own.also").replace("disk_full", "tls")
    other = other.replace("ERROR: the cellar is flooded", "the cellar is flooded with tar")
    other = other.replace("'the cellar is flooded'", "'flooded with tar'") + 'weight = "exact"\n'
    line = b"the cellar is flooded with tar"
    for text in (GOOD + other, other + GOOD):
        verdict = Judge(load([written(tmp_path, text)])).judge(line)
        assert verdict.rule == "own.also"
        assert verdict.why == "own.also knows it as exact, own.flooded only as cause"
