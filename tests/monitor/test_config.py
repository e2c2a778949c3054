from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config import PIPELINE_KEYS, Config, child_environment, in_order, load, withheld_from
from monitor.options import Child, Health, Log, Restart, Stop
from monitor.settings import SettingsError


def read(home: Path, text: str, environ: dict[str, str] | None = None, **more: Any) -> Config:
    (home / "vigia.toml").write_text(text)
    return load(home, environ or {}, **more)


def faults(home: Path, text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(SettingsError) as wrong:
        read(home, text)
    return [(fault.line, fault.what) for fault in wrong.value.faults]


def only(home: Path, text: str) -> tuple[int | None, str]:
    (one,) = faults(home, text)
    return one


# --- what is read ------------------------------------------------------------------------------


def test_without_any_file_there_is_the_pipeline_that_ships(tmp_path: Path) -> None:
    config = load(tmp_path, {})
    assert dict(config.children) == {
        "pipeline": Child(command=(sys.executable, "-m", "pipeline"), pass_env=PIPELINE_KEYS)
    }
    assert config.home == tmp_path
    assert config.log_of("pipeline") == tmp_path / "logs" / "pipeline.log"
    assert (config.follow, config.lang, dict(config.secrets)) == ((), "en", {})


def test_a_file_with_every_setting_is_read_as_it_stands(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        """
        follow = ["/var/log/x.log", "more/*.log"]
        lang = "es"
        [children.bot]
        command = ["a", "b c"]
        directory = "d"
        env = { A = "1" }
        inherit_env = ["PATH", "LC_*"]
        pass_env = ["K"]
        user = "u"
        group = "g"
        umask = "027"
        nice = -3
        after = ["worker"]
        autostart = false
        [children.bot.restart]
        policy = "on-failure"
        delay = "2s"
        max_delay = "5m"
        stable = "1h"
        limit = 9
        period = "2h"
        probe_delay = "1m"
        give_up = "exit"
        [children.bot.stop]
        signal = "INT"
        timeout = "1m"
        orphans = "wait"
        [children.bot.log]
        file = "/var/log/bot.log"
        size = "1MB"
        age = "1d"
        keep = 2
        total = "3MB"
        [children.bot.health]
        every = "5s"
        hang_after = "1m"
        silence = "2m"
        heartbeat = "beat"
        memory = "1GB"
        memory_rest = "1h"
        [children.worker]
        command = "w"
        """,
    )
    assert config.children["bot"] == Child(
        command=("a", "b c"),
        directory="d",
        env={"A": "1"},
        inherit_env=("PATH", "LC_*"),
        pass_env=("K",),
        user="u",
        group="g",
        umask=0o027,
        nice=-3,
        after=("worker",),
        autostart=False,
        restart=Restart("on-failure", 2.0, 300.0, 3600.0, 9, 7200.0, 60.0, "exit"),
        stop=Stop("INT", 60.0, "wait"),
        log=Log("/var/log/bot.log", 1 << 20, 86400.0, 2, 3 << 20),
        health=Health(5.0, 60.0, 120.0, "beat", 1 << 30, 3600.0),
    )
    assert config.follow == ("/var/log/x.log", "more/*.log")
    assert config.lang == "es"
    assert config.log_of("bot") == Path("/var/log/bot.log")


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("python -m bot", ("python", "-m", "bot")),
        ("""run 'two words' "three more words" a\\\\ b""", ("run", "two words", "three more words", "a b")),
        ("echo $HOME; rm -rf *", ("echo", "$HOME;", "rm", "-rf", "*")),
    ],
)  # fmt: skip
def test_a_command_in_one_text_is_split_but_no_shell_reads_it(
    tmp_path: Path, text: str, argv: tuple[str, ...]
) -> None:
    config = read(tmp_path, f"[children.bot]\ncommand = '''{text.replace(chr(92) * 2, chr(92))}'''")
    assert config.children["bot"].command == argv


def test_a_command_on_the_command_line_stands_in_place_of_all_children(tmp_path: Path) -> None:
    text = "[children.bot]\ncommand = 'x'\n[children.other]\ncommand = 'y'"
    config = read(tmp_path, text, command=("my", "program"))
    assert dict(config.children) == {"pipeline": Child(command=("my", "program"))}
    assert config.children["pipeline"].pass_env == (), "a foreign program is given no token"


def test_without_children_there_is_only_what_is_followed(tmp_path: Path) -> None:
    text = "follow = ['a']\n[children.bot]\ncommand = 'x'"
    config = read(tmp_path, text, no_child=True, follow=("b",))
    assert dict(config.children) == {}
    assert config.follow == ("a", "b")


def test_a_table_for_the_pipeline_keeps_its_command_and_its_keys(tmp_path: Path) -> None:
    config = read(tmp_path, "[children.pipeline.stop]\ntimeout = 30")
    child = config.children["pipeline"]
    assert child.command == (sys.executable, "-m", "pipeline")
    assert child.pass_env == PIPELINE_KEYS
    assert child.stop.timeout == 30


def test_the_configuration_cannot_be_changed(tmp_path: Path) -> None:
    config = load(tmp_path, {})
    with pytest.raises(TypeError):
        config.children["x"] = Child()  # type: ignore[index]
    with pytest.raises(AttributeError):
        config.lang = "es"  # type: ignore[misc]


# --- what is refused ---------------------------------------------------------------------------


def test_all_faults_of_a_file_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        "folow = ['x']\n"  # 1
        "lang = 'fr'\n"
        "[children.bot]\n"
        "comand = 'x'\n"  # 4
        "nice = 50\n"
        "after = ['worker', 'nobody']\n"
        "[children.bot.restart]\n"
        "delay = 'soon'\n"  # 8
        "limit = 0\n"
        "[children.worker]\n"  # 10
        "command = 'unbalanced \"quote'\n"
        "[children.'a b']\n"  # 12
        "command = 'x'\n",
    )
    by_line = dict(told)
    assert sorted(line or 0 for line, _ in told) == [1, 2, 3, 4, 5, 6, 8, 9, 11, 12]
    assert by_line[1] == "'folow' is not a setting of the top level; did you mean follow?"
    assert "did you mean command?" in by_line[4]
    assert by_line[3] == "children.bot has no command"
    assert "-20 to 19" in by_line[5]
    assert by_line[6] == "children.bot.after names 'nobody': no child"
    assert by_line[8].startswith("children.bot.restart.delay: must be seconds")
    assert "no closing quotation" in by_line[11]
    assert "'a b' is not a name" in by_line[12]


def test_the_faults_name_the_file_that_they_are_in(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=rf"^{tmp_path}/vigia\.toml:1: 'x' is not a setting"):
        read(tmp_path, "x = 1")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("children = 3", 1, "children are tables"),
        ("[children]\nbot = 'x'", 2, "children.bot must be a table"),
        ("[children.bot]\ncommand = 3", 2, "must be a list"),
        ("[children.bot]\ncommand = ['x', 3]", 2, "must be text, not 3"),
        ("[children.bot]\ncommand = ''", 2, "no command"),
        ("[children.bot]\ncommand = ['']", 2, "no command"),
        ("[children.bot]\ncommand = []", 2, "no command"),
        ("[children.bot]\ncommand = ['x\\u0000y']".replace("'", '"'), 2, "NUL"),
        ("[children.bot]", 1, "no command"),
        ("[children.'../../etc']\ncommand = 'x'", 1, "is not a name"),
        ("[children.-x]\ncommand = 'x'", 1, "is not a name"),
        ("[children.'']\ncommand = 'x'", 1, "is not a name"),
        ("[children.niño]\ncommand = 'x'".replace("niño", "'niño'"), 1, "is not a name"),
        (f"[children.{'x' * 65}]\ncommand = 'x'", 1, "is not a name"),
        ("[children.monitor]\ncommand = 'x'\nlog.file = 'y'", 1, "the monitor's own"),
        ("[children.control]\ncommand = 'x'", 1, "the monitor's own"),
        ("[children.b]\ncommand = 'x'\nhealth.every = 0", 3, "every: must be > 0"),
        ("[children.b]\ncommand = 'x'\n[children.b.restart]\nstable = 0", 4, "stable: must be > 0"),
        ("[children.b]\ncommand = 'x'\nlog.file = 'logs/./monitor.log'", 3, "log of the monitor"),
        ("[children.b]\ncommand = 'x'\nafter = ['b']", 3, "leads back to itself"),
        ("[children.b]\ncommand = 'x'\nrestart = 3", 3, "must be a table"),
        ("[children.b]\ncommand = 'x'\nenv = { A = 1 }", 3, "env.A: must be text"),
        ("home = '/x'", 1, "'home' is not a setting"),
        ("secrets = { A = 'x' }", 1, "'secrets' is not a setting"),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    found, what = only(tmp_path, text)
    assert words in what
    assert found == line


def test_two_children_may_not_write_into_one_log(tmp_path: Path) -> None:
    # A 34's other side: two rotators of one file lose lines (B 44)
    text = "[children.a]\ncommand='x'\n[children.b]\ncommand='y'\nlog.file = 'logs/../logs/a.log'\n"
    line, what = only(tmp_path, text)
    assert line == 5
    assert what == "children.b would write into logs/a.log, the log of a"


def test_a_circle_of_three_is_found_and_each_one_of_it_named(tmp_path: Path) -> None:
    text = "".join(
        f"[children.{name}]\ncommand = 'x'\nafter = ['{after}']\n"
        for name, after in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    assert faults(tmp_path, text) == [
        (3, "children.a.after leads back to itself"),
        (6, "children.b.after leads back to itself"),
        (9, "children.c.after leads back to itself"),
    ]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"a = ", "is not TOML"),
        (b"a = 1\na = 2\n", "is not TOML"),
        (b"a = '\xff'", "cannot be read: 'utf-8' codec"),
        (b"a = " + b"9" * 5000, "is not TOML"),
        (b"a = " + b"[" * 100_000, "is not TOML"),
        (b"\0" * 100, "is not TOML"),
        (os.urandom(2000) + b"\xff", "vigia.toml"),
    ],
    ids=["half", "twice", "latin", "digits", "deep", "zeros", "noise"],
)
def test_a_file_that_is_no_toml_is_one_fault_and_no_traceback(
    tmp_path: Path, raw: bytes, words: str
) -> None:
    (tmp_path / "vigia.toml").write_bytes(raw)
    with pytest.raises(SettingsError, match=words):
        load(tmp_path, {})


def test_the_mark_that_some_editors_put_at_the_start_of_a_file_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "vigia.toml").write_bytes(b"\xef\xbb\xbflang = 'es'")
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfADMIN_ID=7\r\nTELEGRAM_TOKEN=x\r\n")
    config = load(tmp_path, {})
    assert config.lang == "es"
    assert dict(config.secrets) == {"ADMIN_ID": "7", "TELEGRAM_TOKEN": "x"}


@pytest.mark.parametrize("name", ["vigia.toml", ".env"])
def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    tmp_path.chmod(0o755)
    (tmp_path / name).chmod(0)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from monitor.config import load\n"
        "from monitor.settings import SettingsError\n"
        "if os.geteuid() == 0:\n"
        "    os.setuid(65534)\n"
        "try:\n"
        "    load(Path(sys.argv[1]), {})\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001 and os.geteuid() == 0:
            folder.chmod(0o755)
    done = subprocess.run(
        (sys.executable, "-c", code, str(tmp_path)), capture_output=True, text=True, check=True
    )
    assert done.stdout == (
        f"{tmp_path}/{name}: cannot be read: [Errno 13] Permission denied: '{tmp_path}/{name}'\n"
    )


def test_a_folder_in_place_of_the_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "vigia.toml").mkdir()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, {})


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=200))
def test_no_file_at_all_breaks_the_reading(raw: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as home:
        Path(home, "vigia.toml").write_bytes(raw)
        with contextlib.suppress(SettingsError):
            assert isinstance(load(Path(home), {}), Config)


# --- .env, and what a child is given -----------------------------------------------------------


def test_what_is_exported_wins_over_what_is_written_down(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "TELEGRAM_TOKEN=written\nADMIN_ID='7'\nEMPTY=\n# C=1\nexport E=x"
    )
    config = load(tmp_path, {"TELEGRAM_TOKEN": "exported", "DATABASE_URL": "db", "PATH": "/bin"})
    assert dict(config.secrets) == {
        "TELEGRAM_TOKEN": "exported",
        "ADMIN_ID": "7",
        "E": "x",
        "DATABASE_URL": "db",
    }


def test_secrets_do_not_show_when_the_configuration_is_printed(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TELEGRAM_TOKEN=canary")
    config = load(tmp_path, {})
    assert config.secrets["TELEGRAM_TOKEN"] == "canary"
    assert "canary" not in repr(config)


def test_an_env_that_is_not_utf_8_is_a_fault_of_that_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env: cannot be read"):
        load(tmp_path, {})


SECRET = {"TELEGRAM_TOKEN": "canary-1", "MONITOR_TELEGRAM_TOKEN": "canary-2"}
FROM_SYSTEMD = {
    "NOTIFY_SOCKET": "/run/x",
    "WATCHDOG_USEC": "1",
    "WATCHDOG_PID": "1",
    "LISTEN_PID": "1",
    "LISTEN_FDS": "1",
    "LISTEN_FDNAMES": "x",
}


def environment(child: Child, secrets: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    config = Config(home=Path("/h"), secrets=MappingProxyType(secrets))
    return child_environment("bot", child, config, environ)


def test_a_token_never_reaches_a_child_that_is_not_given_it() -> None:
    # B 37
    env = environment(Child(), SECRET, SECRET | {"PATH": "/bin"})
    assert "canary" not in str(env)
    assert env["PATH"] == "/bin"


def test_a_token_reaches_a_child_that_names_it_and_only_that_one() -> None:
    # B 37
    env = environment(Child(pass_env=("TELEGRAM_TOKEN", "NOT_SET")), SECRET, SECRET)
    assert env["TELEGRAM_TOKEN"] == "canary-1"
    assert "canary-2" not in str(env)
    assert "NOT_SET" not in env


def test_a_withheld_token_is_named_so_that_nobody_searches_for_long() -> None:
    assert withheld_from(Child(), SECRET) == ("TELEGRAM_TOKEN",)
    assert withheld_from(Child(pass_env=("TELEGRAM_TOKEN",)), SECRET) == ()
    assert withheld_from(Child(), {}) == ()


def test_what_systemd_says_to_us_never_reaches_a_child() -> None:
    # B 32
    env = environment(Child(inherit_env=("*", *FROM_SYSTEMD)), {}, FROM_SYSTEMD | {"A": "1"})
    assert not FROM_SYSTEMD.keys() & env.keys()
    assert env["A"] == "1"


def test_a_monitor_that_is_itself_a_child_does_not_pass_its_own_mark_on() -> None:
    env = environment(Child(), {}, {"VIGIA_CHILD": "/other:x", "VIGIA_CONTROL": "/other/s"})
    assert env["VIGIA_CHILD"] == "/h:bot"
    assert "VIGIA_CONTROL" not in env


def test_a_child_inherits_by_pattern() -> None:
    given = {"PATH": "/bin", "LC_ALL": "C", "LC_TIME": "C", "LANG": "es", "XLC_": "1", "PATHS": "1"}
    env = environment(Child(inherit_env=("PATH", "LC_*")), {}, given)
    assert env.keys() & given.keys() == {"PATH", "LC_ALL", "LC_TIME"}
    assert not environment(Child(inherit_env=()), {}, given).keys() & given.keys()


def test_its_own_variables_win_over_all_others_and_output_comes_without_delay() -> None:
    child = Child(env={"A": "own", "PYTHONUNBUFFERED": ""}, pass_env=("A", "B"))
    env = environment(
        child, {"A": "env-file", "B": "env-file"}, {"A": "inherited", "B": "inherited"}
    )
    assert (env["A"], env["B"]) == ("own", "env-file")
    assert env["PYTHONUNBUFFERED"] == ""
    assert environment(Child(), {}, {})["PYTHONUNBUFFERED"] == "1"


# --- order -------------------------------------------------------------------------------------


@given(st.integers(1, 7).flatmap(lambda n: st.lists(st.sets(st.integers(0, n - 1)), min_size=n, max_size=n)))  # fmt: skip
def test_each_child_stands_after_those_it_waits_for(after: list[set[int]]) -> None:
    """Only links to lower numbers, so that there is no circle; names in an order of their own."""
    children = {
        f"c{(number * 5) % 11}": Child(
            command=("x",),
            after=tuple(f"c{(other * 5) % 11}" for other in links if other < number),
        )
        for number, links in reversed(list(enumerate(after)))
    }
    order = in_order(children)
    assert sorted(order) == sorted(children)
    for name, child in children.items():
        assert all(order.index(other) < order.index(name) for other in child.after)


def test_children_that_wait_for_nobody_keep_the_order_of_the_file() -> None:
    assert in_order({name: Child() for name in "zax"}) == ("z", "a", "x")
