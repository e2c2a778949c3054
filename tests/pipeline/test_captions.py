"""Who writes captions: the sender, a provider on loopback, the next one, or nobody but us."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pipeline.ai.choose import captioner
from pipeline.ai.local import Local
from pipeline.ai.port import Caption, Captioner, Facts
from pipeline.config import read_settings
from pipeline.model import Kind, SettingsError
from pipeline.store.tables import Memory
from tests.conftest import lacking
from tests.pipeline.chats import chat
from tests.pipeline.chats import photo as jpeg

PHOTO = b"\xff\xd8\xff\xe0 the bytes of a photo"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"duration": 42.4, "width": 1280, "height": 720}, "Vídeo de Ana, 0:42, 720p"),
        ({"duration": 42.4, "width": 720, "height": 1280}, "Vídeo de Ana, 0:42, 720p"),
        ({"language": "en", "duration": 3725.0}, "Video of Ana, 62:05"),
        ({"kind": Kind.PHOTO}, "Foto de Ana"),
    ],
)
def test_without_a_provider_the_plain_facts_are_said(given: dict[str, Any], expected: str) -> None:
    facts = Facts(
        **{"modelo": "Ana", "language": "es", "prompt": "", "kind": Kind.VIDEO} | given,
        path=Path("x"),
    )
    assert Local().caption(facts) == Caption(expected, "local")


def test_what_the_sender_wrote_is_the_caption() -> None:
    facts = Facts("Ana", "es", "", Kind.VIDEO, Path("x"), text=" Mi playa ")
    assert Local().caption(facts) == Caption("Mi playa", "sender")


def test_a_provider_that_is_not_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="AI_PROVIDER must be google:MODEL"):
        read_settings(tmp_path, {"AI_PROVIDER": "skynet:t800"})


class Provider:
    """Speaks as OpenAI's and Google's servers do; answers as the test has told it to."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: list[int] = []  # statuses, before all is well
        self.hold = threading.Event()
        self.hold.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.hold.wait(30)
                status = outer.answers.pop(0) if outer.answers else 200
                google = "generateContent" in self.path
                data = json.dumps(_well(google) if status == 200 else _ill(status)).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()


SAID = json.dumps({"caption": "Atardecer en la playa"})


def _well(google: bool) -> dict[str, Any]:
    if google:
        parts = {"parts": [{"text": SAID}], "role": "model"}
        return {"candidates": [{"content": parts, "finishReason": "STOP"}], "modelVersion": "m"}
    message = {"role": "assistant", "content": SAID}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m"} | {
        "choices": [choice],
        "usage": usage,
    }


def _ill(status: int) -> dict[str, Any]:
    return {"error": {"message": "not now", "code": status, "status": "UNAVAILABLE"}}


@pytest.fixture
def provider() -> Iterator[Provider]:
    if find_spec("pydantic_ai") is None:
        lacking("pydantic_ai is not installed: pip install 'vigia[ai]'")
    one = Provider()
    yield one
    one.close()


def configured(tmp_path: Path, provider: str, limit: float = 20) -> Captioner:
    (tmp_path / "pipeline.toml").write_text(f"caption_limit = {limit}\n")
    return captioner(read_settings(tmp_path, {"AI_PROVIDER": provider, "AI_API_KEY": "k"}))


def photo(tmp_path: Path) -> Facts:
    (tmp_path / "x.jpg").write_bytes(PHOTO)
    return Facts("Ana", "es", "Be kind.", Kind.PHOTO, tmp_path / "x.jpg", size=len(PHOTO))


@pytest.mark.parametrize("kind", ["openai:gpt@{}/v1", "ollama:llava@{}/v1", "google:gemini@{}"])
def test_a_provider_sees_the_photo_and_its_words_are_the_caption(
    tmp_path: Path, provider: Provider, kind: str
) -> None:
    written = configured(tmp_path, kind.format(provider.url)).caption(photo(tmp_path))
    assert written == Caption("Atardecer en la playa", kind.partition("@")[0])
    asked = json.dumps(provider.asked[0])
    assert "Be kind." in asked
    assert "/9j/4CB0aGUgYnl0ZXM" in asked or "_9j_4CB0aGUgYnl0ZXM" in asked


def test_a_busy_provider_is_asked_again_and_a_refusing_one_is_not(
    tmp_path: Path, provider: Provider
) -> None:
    provider.answers = [503, 200, 400]
    writes = configured(tmp_path, f"openai:gpt@{provider.url}/v1")
    assert writes.caption(photo(tmp_path)).source == "openai:gpt"
    assert len(provider.asked) == 2
    assert writes.caption(photo(tmp_path)) == Caption("Foto de Ana", "fallback")
    assert len(provider.asked) == 3


def test_when_the_first_is_down_the_next_one_writes(tmp_path: Path, provider: Provider) -> None:
    chain = f"openai:gone@http://127.0.0.1:1/v1, openai:here@{provider.url}/v1"
    assert configured(tmp_path, chain).caption(photo(tmp_path)).source == "openai:here"


def test_one_that_hangs_costs_its_share_of_the_time_and_no_more(
    tmp_path: Path, provider: Provider
) -> None:
    provider.hold.clear()
    written = configured(tmp_path, f"openai:slow@{provider.url}/v1", 1).caption(photo(tmp_path))
    assert written == Caption("Foto de Ana", "fallback")


def test_what_a_provider_saw_is_remembered_with_the_photo(
    tmp_path: Path, provider: Provider
) -> None:
    ai = {"AI_PROVIDER": f"openai:gpt@{provider.url}/v1", "AI_API_KEY": "k"}
    with chat(tmp_path, **ai) as c:
        c.home.ready()
        c.api.send(c.ana, "photo", data=jpeg(1))
        c.wait_said("terminado")
        (one,) = c.rows(Memory)
        assert (one.text, one.description) == ("", "Atardecer en la playa")
        c.api.write(c.ana, "/memories")
        c.wait_said(f"{one.id} · foto · Atardecer en la playa")
