"""Where alerts go, from what stands in the files: said clearly when it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import load
from monitor.preflight.looks import look
from monitor.settings import SettingsError
from monitor.tell.channels import Channels, channels_of
from tests.monitor.tell.botapi import TOKEN

SECOND = "987654321:BBH-second-second-second-second-second"


def channels(home: Path, toml: str = "", **env: str) -> Channels:
    (home / "vigia.toml").write_text(toml)
    (home / ".env").write_text("".join(f"{name}={value}\n" for name, value in env.items()))
    return channels_of(load(home, {}))


def faults(home: Path, toml: str = "", **env: str) -> str:
    with pytest.raises(SettingsError) as wrong:
        channels(home, toml, **env)
    return str(wrong.value)


def test_several_admins_get_each_message_once(tmp_path: Path) -> None:
    to = channels(tmp_path, TELEGRAM_TOKEN=TOKEN, ADMIN_ID=" 7, -1001234567890,7 ,")
    assert to.lanes == ("telegram:7", "telegram:-1001234567890")
    assert to.who == {"token": TOKEN, "base_url": ""}
    assert to.off == ""


def test_the_monitors_own_bot_sends_when_there_is_one(tmp_path: Path) -> None:
    to = channels(tmp_path, TELEGRAM_TOKEN=TOKEN, MONITOR_TELEGRAM_TOKEN=SECOND, ADMIN_ID="7")
    assert to.token == SECOND
    assert TOKEN not in to.hidden(f"a {TOKEN} b {SECOND}")
    assert SECOND not in to.hidden(f"a {TOKEN} b {SECOND}")


def test_a_server_of_ones_own_is_used_only_when_it_is_switched_on(tmp_path: Path) -> None:
    known = {"TELEGRAM_TOKEN": TOKEN, "ADMIN_ID": "7"}
    url = {"TELEGRAM_BOT_API_LOCAL_URL": "http://127.0.0.1:9999/"}
    assert channels(tmp_path, **known, **url).base_url == ""
    to = channels(tmp_path, **known, **url, USE_LOCAL_BOT_API="1")
    assert to.base_url == "http://127.0.0.1:9999"
    url = {"TELEGRAM_BOT_API_LOCAL_URL": "localhost:8081"}
    assert "must be a URL" in faults(tmp_path, **known, **url, USE_LOCAL_BOT_API="1")


def test_other_channels_work_without_telegram(tmp_path: Path) -> None:
    toml = "[alerts]\nwebhook = 'http://127.0.0.1:1/x'\napprise = ['ntfy://a', 'json://b']\n"
    to = channels(tmp_path, toml)
    assert to.lanes == ("webhook:0", "apprise:0", "apprise:1")
    assert to.off == "alerts_need_token"


def test_all_that_is_wrong_is_said_at_once_and_no_secret_with_it(tmp_path: Path) -> None:
    toml = (
        "[alerts]\nwebhook = 'ftp://x'\napprise = ['mail']\n"
        "quiet = '23-7'\nzone = 'Mars'\ndigest = '9am'\n"
    )
    said = faults(tmp_path, toml, TELEGRAM_TOKEN="7", ADMIN_ID=f"{TOKEN},0,ana")  # swapped
    for name in ("webhook", "apprise", "quiet", "zone", "digest"):
        assert f"alerts.{name}: must be" in said
    assert 'not "[hidden]", "0", "ana"' in said
    assert TOKEN not in said


def test_a_check_before_the_start_finds_the_same(tmp_path: Path) -> None:
    (tmp_path / "vigia.toml").write_text("[alerts]\nzone = 'Mars'\n")
    found = [f for f in look(tmp_path, offline=True) if f.kind == "settings_wrong"]
    assert ["IANA zone" in str(f.facts) for f in found] == [True]
