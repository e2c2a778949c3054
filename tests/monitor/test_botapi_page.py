"""The chat page in a real browser: what was written is text, whatever it says."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.demo.botapi import BotApi, bot_api
from tests.monitor.botapi_raw import ask

pytestmark = pytest.mark.needs("chromium")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


def drawn(api: BotApi, tmp_path: Path, query: str = "") -> str:
    """The page as the browser holds it once it has drawn the chat."""
    command = [
        "chromium",
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


class Tab:
    """A page that is open in a browser, and can be asked and told things in its own language."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self._wire = wire
        self._number = 0

    async def run(self, script: str) -> Any:
        self._number += 1
        words = {"expression": script, "returnByValue": True}
        order = {"id": self._number, "method": "Runtime.evaluate", "params": words}
        await self._wire.send_json(order)
        while True:
            answer = json.loads((await self._wire.receive(timeout=30)).data)
            if answer.get("id") == self._number:
                return answer["result"]["result"].get("value")

    async def wait(self, script: str) -> None:
        async with asyncio.timeout(30):
            while not await self.run(script):
                await asyncio.sleep(0.05)


@asynccontextmanager
async def tab(url: str, profile: Path) -> AsyncIterator[Tab]:
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
    ]
    command += [f"--user-data-dir={profile}", "--remote-debugging-port=0", url]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    browser = await asyncio.create_subprocess_exec(*command, **quiet)
    try:
        place = profile / "DevToolsActivePort"
        async with asyncio.timeout(30):
            while not place.exists() or not place.read_text().strip():
                await asyncio.sleep(0.05)
        port = place.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            found = await (await session.get(f"http://127.0.0.1:{port}/json")).json()
            page = next(target for target in found if target["type"] == "page")
            async with session.ws_connect(page["webSocketDebuggerUrl"]) as wire:
                yield Tab(wire)
    finally:
        browser.terminate()
        await browser.wait()


def test_a_person_presses_writes_and_sees_edits_as_they_come(tmp_path: Path) -> None:
    async def story(api: BotApi, ana: int) -> None:
        key = {"text": "Visto", "callback_data": "seen"}
        markup = {"inline_keyboard": [[key]]}
        sent = ask(api, "sendMessage", chat_id=ana, text="¿visto?", reply_markup=markup)["result"]
        async with tab(f"{api.url}/", tmp_path / "profile") as page:
            await page.wait("document.querySelector('.keys button') !== null")
            await page.run("document.querySelector('.keys button').click()")
            await asyncio.to_thread(api.wait, api.presses)
            (press,) = api.presses()
            assert (press["query"]["data"], press["query"]["from"]["id"]) == ("seen", ana)
            words = {"callback_query_id": press["query"]["id"], "text": "anotado"}
            assert ask(api, "answerCallbackQuery", **words)["ok"]
            await page.wait("document.getElementById('toast').textContent === 'anotado'")
            edit = {"chat_id": ana, "message_id": sent["message_id"], "text": "ya visto"}
            assert ask(api, "editMessageText", **edit)["ok"]
            await page.wait("document.querySelector('.bubble').textContent.startsWith('ya visto')")
            assert not await page.run("document.querySelector('.keys button')")
            await page.run("document.getElementById('text').value = '<b>hola</b>'")
            await page.run("document.querySelector('#write button').click()")
            await asyncio.to_thread(api.wait, lambda: len(api.messages(ana)) == 2)
            await page.wait("document.querySelectorAll('article.mine').length === 1")
            assert api.pending()[-1]["message"]["text"] == "<b>hola</b>"
            assert not await page.run("document.querySelector('.mine b')")

    with bot_api(tmp_path) as api:
        asyncio.run(story(api, api.user("Ana")))
