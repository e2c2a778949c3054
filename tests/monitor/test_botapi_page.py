"""The chat page in a real browser, where there is one: what was written is text, whatever it says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.demo.botapi import BotApi, bot_api
from tests.monitor.botapi_raw import ask

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def drawn(api: BotApi, tmp_path: Path, query: str = "") -> str:
    """The page as the browser holds it once it has drawn the chat."""
    command = [
        str(CHROMIUM),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
    ]
    command += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [*command, f"{api.url}/?still{query}"],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    assert 'data-ready="yes"' in done.stdout
    return done.stdout


def test_a_chat_is_drawn_with_its_keyboard_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    with bot_api(tmp_path) as api:
        ana = api.user(HOSTILE)
        group = api.group(HOSTILE)
        api.write(ana, HOSTILE)
        api.send(ana, "document", data=b"x", name=f"{HOSTILE}.pdf", caption=HOSTILE)
        key = {"text": HOSTILE, "callback_data": "1"}
        text = "🔴 <b>Crítico</b> <i>a<u>b</u></i>\n<pre>uno\ndos</pre>\nfin"
        words = {"parse_mode": "HTML", "reply_markup": {"inline_keyboard": [[key]]}}
        sent = ask(api, "sendMessage", chat_id=ana, text="antes", **words)["result"]
        ask(api, "editMessageText", chat_id=ana, message_id=sent["message_id"], text=text, **words)
        ask(api, "sendMessage", chat_id=group, text=HOSTILE)
        api.write(ana, "borrado", chat=group)
        api.delete(ana, api.messages(group)[-1])
        page = drawn(api, tmp_path)
        assert "<title>Chats</title>" in page
        assert "<b>Crítico</b> <i>a<u>b</u></i>\n<pre>uno\ndos</pre>fin" in page
        assert "antes" not in page
        assert page.count("<script") == 1
        assert "<img" not in page
        assert '<button type="button">&lt;img' in page
        assert page.count("onerror") >= 4, "it stands there as text"
        assert "borrado" not in drawn(api, tmp_path, f"&chat={group}")
