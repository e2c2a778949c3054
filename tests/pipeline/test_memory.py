"""A file of any size passes through without being held."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

GROWTH = 60 << 20

# It says how much its memory grew while the file came; in a process of its own, which did nothing else.
PROGRAM = """
import resource, sys
from pathlib import Path
from pipeline import files
from pipeline.bot_api import BotApi
from pipeline.config import Settings

api = BotApi(Settings(home=Path("/"), token="1:t", api=sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
part = Path(sys.argv[2])
with api.fetch("x", 0) as (begins, whole, pieces):
    size = files.append(part, pieces, begins, lambda _: None)
files.sha256(part, lambda _: None)
files.copy(part, part.with_name("copy"), lambda _: None)
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10)
"""


class Endless(BaseHTTPRequestHandler):
    size = 0

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(self.size))
        self.end_headers()
        block, left = os.urandom(1 << 20), self.size
        while left:
            left -= self.wfile.write(block[:left])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Sized", (Endless,), {"size": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "url",
    [
        pytest.param(200 << 20, id="200MB"),
        pytest.param(2 << 30, id="2GB", marks=(pytest.mark.slow, pytest.mark.campaign)),
    ],
    indirect=True,
)
def test_the_memory_stays_flat_while_a_file_is_fetched_summed_and_copied(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    part = tmp_path / "x.part"
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, url, str(part)],
            capture_output=True,
            text=True,
            check=True,
        )
        size, grew = map(int, done.stdout.split())
        assert size == request.node.callspec.params["url"]
        assert grew < GROWTH
    finally:
        for path in tmp_path.iterdir():
            path.unlink()
