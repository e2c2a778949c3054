"""`vigia check`: what is wrong is named with what mends it, before anybody is woken at night."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.demo.botapi import bot_api
from monitor.preflight import machine
from monitor.preflight.finding import Finding, Standing, exit_code, off, ready, warning, wrong
from monitor.preflight.words import WORDS, said
from tests.monitor.vigia import vigia

TOKEN = "123456789:" + "A" * 35
FAST_CHILD = f'[children.kid]\ncommand = ["{sys.executable}", "-c", "pass"]\n'


def check(home: Path, *words: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit code, and each finding by its kind."""
    done = run(home, "--json", "--offline", *words)
    rows = json.loads(done.stdout)
    assert done.stderr == ""
    return done.returncode, {row["kind"]: row for row in rows}


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k not in ("TELEGRAM_TOKEN", "ADMIN_ID")}
    return subprocess.run(
        [sys.executable, "-m", "monitor", "check", "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environ | {"VIGIA_LANG": "en"},
        timeout=60,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which all is well."""
    for name in ("logs", "modelos", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "vigia.toml").write_text(FAST_CHILD + "[disk]\nwarn = 0\ncritical = 0\n")
    return tmp_path


def test_a_home_with_eight_faults_has_each_named_with_what_mends_it(home: Path) -> None:
    (home / "vigia.toml").write_text(
        "disk = {warn = 0, critical = 0}\n"
        + FAST_CHILD
        + '[children.lost]\ncommand = ["no-such-program"]\n'
        + '[children.nobodys]\ncommand = ["true"]\nuser = "no-such-user"\n'
    )
    (home / ".env").write_text(
        f"TELEGRAM_TOKEN={TOKEN}\nMONITOR_TELEGRAM_TOKEN={TOKEN}\nADMN_ID=7\n"
    )
    (home / ".env").chmod(0o644)
    (home / "modelos").rmdir()
    (home / "rules.d").mkdir()
    (home / "rules.d" / "mine.toml").write_text("[[rule]]\nname = 'mine.broken'\n")
    code, found = check(home)
    assert code == 2
    mends = {
        "folder_missing": f"mkdir -p {home}/modelos",
        "env_open": f"chmod 600 {home}/.env",
        "token_twice": "get another token from @BotFather for the monitor",
        "admin_off": "ask @userinfobot for your number and put it into .env: ADMIN_ID=123456789",
        "key_misspelt": f"sed -i '3s/ADMN_ID/ADMIN_ID/' {home}/.env",
        "child_program": "install it, or mend children.lost.command in vigia.toml",
        "child_user": "sudo useradd --system no-such-user",
        "rules_wrong": "vigia rules check",
    }
    assert {kind: found[kind]["mend"] for kind in mends if kind in found} == mends
    assert TOKEN not in json.dumps(found)


def test_all_faults_of_the_settings_are_said_and_the_rest_is_looked_at(home: Path) -> None:
    (home / "vigia.toml").write_text("colour = 'red'\n[disk]\nwarn = 'much'\n")
    done = run(home, "--offline")
    assert done.returncode == 2
    assert "vigia.toml:1: " in done.stdout
    assert "vigia.toml:3: " in done.stdout
    assert "rules are valid" in done.stdout


def test_a_home_in_order_is_ready(home: Path) -> None:
    code, found = check(home)
    trouble = {k: f for k, f in found.items() if f["standing"] in ("wrong", "warning")}
    assert set(trouble) <= {
        "clock_free",
        "few_files",
        "few_watches",
        "few_instances",
    }  # the machine's
    assert code == exit_code([Finding(Standing(f["standing"]), k) for k, f in found.items()])
    assert found["monitor_down"]["standing"] == "off"


def test_what_is_safe_is_mended_when_asked_and_only_then(home: Path) -> None:
    (home / ".env").write_text("ADMIN_ID=7\n")
    (home / ".env").chmod(0o644)
    (home / "logs").rmdir()
    check(home)
    assert not (home / "logs").exists()
    _, found = check(home, "--fix")
    assert "folder_missing" not in found
    assert (home / "logs").is_dir()
    assert (home / ".env").stat().st_mode & 0o777 == 0o600


def test_a_home_that_is_not_there_is_one_fault_and_can_be_made(tmp_path: Path) -> None:
    home = tmp_path / "with a space"
    code, found = check(home)
    assert code == 2
    assert found["folder_missing"]["mend"] == f"mkdir -p '{home}'"
    assert not home.exists()
    code, found = check(home, "--fix")
    assert "folder_missing" not in found
    assert (home / "modelos").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_that_the_childs_user_cannot_write_is_named(home: Path) -> None:
    (home / "vigia.toml").write_text(FAST_CHILD + 'user = "nobody"\n')
    for folder in (home, *home.parents):
        if folder.stat().st_uid == 0 and str(folder).startswith(str(home.parent.parent)):
            folder.chmod(0o755)
    (home / "modelos").chmod(0o700)
    _, found = check(home)
    assert "nobody cannot write in" in found["folder_closed"]["says"]
    assert found["folder_closed"]["mend"].startswith("sudo chown nobody ")


def test_a_running_monitor_is_seen(home: Path) -> None:
    (home / "vigia.toml").write_text(
        f'[children.kid]\ncommand = ["{sys.executable}", "-c", "import time; time.sleep(1000)"]\n'
    )
    with vigia(home) as v:
        v.start()
        v.wait_state("running", "kid")
        _, found = check(home)
        assert found["monitor_up"]["says"] == f"the monitor runs (pid {v.process.pid})"


def test_another_program_with_our_token_is_named_and_our_own_parents_are_not(home: Path) -> None:
    (home / ".env").write_text(f"TELEGRAM_TOKEN={TOKEN}\nADMIN_ID=7\n")
    code = "print('up', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={"BOT": TOKEN},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        _, found = check(home)
        assert f"(pid {other.pid})" in found["token_elsewhere"]["says"]
        other.communicate(b"\n")
    assert "token_elsewhere" not in check(home)[1]


def test_a_clock_from_before_we_were_made_is_wrong() -> None:
    (found,) = machine.clock(now=0.0)
    assert found.kind == "clock_behind"


def test_the_worst_finding_decides_the_exit_code() -> None:
    assert exit_code([ready("python"), off("env_missing")]) == 0
    assert exit_code([ready("python"), warning("clock_free")]) == 1
    assert exit_code([warning("clock_free"), wrong("no_engine")]) == 2


def test_every_finding_has_words_in_both_languages_and_hostile_facts_stay_data() -> None:
    for kind, words in WORDS.items():
        assert words.es
        assert words.en
        facts = dict.fromkeys(
            [
                "version",
                "names",
                "python",
                "count",
                "watches",
                "free",
                "now",
                "path",
                "why",
                "user",
                "root",
                "wanted",
                "home",
                "name",
                "command",
                "program",
                "says",
                "mend",
                "pid",
                "pids",
                "line",
                "meant",
                "bot",
                "server",
                "id",
                "seconds",
                "packages",
                "mode",
                "what",
            ],
            "{x!r} $(reboot)",
        )
        for lang in ("es", "en"):
            says, how = said(kind, lang, facts)
            assert "{version}" not in says + how
    says, how = said("folder_missing", "en", {"path": "/a/$(reboot)'"})
    assert how == """mkdir -p '/a/$(reboot)'"'"''"""


# --- asked over the network ----------------------------------------------------------------------


def online(home: Path, url: str, env: str) -> dict[str, dict[str, str]]:
    (home / ".env").write_text(f"USE_LOCAL_BOT_API=1\nTELEGRAM_BOT_API_LOCAL_URL={url}\n{env}")
    (home / ".env").chmod(0o600)
    done = run(home, "--json")
    tokens = re.findall(r"^TELEGRAM_TOKEN=(\S+)$", env, re.MULTILINE)
    assert not any(token in done.stdout + done.stderr for token in tokens)
    return {row["kind"]: row for row in json.loads(done.stdout)}


def test_the_bots_are_asked_who_they_are_and_whether_they_reach_the_admin(home: Path) -> None:
    with bot_api(home / "data" / "api") as api:
        ana, url = api.user("Ana"), api.url
        found = online(home, url, f"TELEGRAM_TOKEN={api.token}\nADMIN_ID={ana},999\n")
        assert found["token"]["standing"] == "ready"
        assert found["local_server"]["standing"] == "ready"
        assert found["admin"]["says"] == f"ADMIN_ID {ana} can be reached"
        assert found["admin_unreachable"]["says"].startswith(
            "the bot cannot write to ADMIN_ID 999: "
        )
        api.revoke()
        found = online(home, url, f"TELEGRAM_TOKEN={api.token}\nADMIN_ID={ana}\n")
        assert found["token_refused"]["standing"] == "wrong"
        assert "@BotFather" in found["token_refused"]["mend"]


def test_a_server_that_is_down_or_talks_nonsense_is_named(home: Path) -> None:
    with bot_api(home / "data" / "api") as api:
        url, env = api.url, f"TELEGRAM_TOKEN={api.token}\nADMIN_ID=7\n"
        api.fault("page", method="getMe", times=5)
        found = online(home, url, env)
        assert "not an answer of a Bot API server" in found["server_silent"]["says"]
    found = online(home, url, env)
    assert found["local_server_down"]["mend"] == "scripts/start_local_bot_api.sh"
    assert "Connection refused" in found["server_silent"]["says"]


def test_a_file_in_the_place_of_a_folder_is_named_with_what_mends_it(home: Path) -> None:
    (home / "logs").rmdir()
    (home / "logs").touch()
    code, found = check(home)
    assert code == 2
    assert found["folder_taken"]["mend"] == f"mv {home}/logs {home}/logs.old && mkdir {home}/logs"
