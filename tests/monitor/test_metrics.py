"""`GET /metrics` and `/healthz`: for who looks from outside, on this machine alone."""

from __future__ import annotations

import re
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from monitor.config import load
from monitor.metrics import rendered
from monitor.settings import SettingsError
from tests.monitor.vigia import until, vigia

_SAMPLE = re.compile(
    r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"(,[a-z]+="(?:[^"\\\n]|\\.)*")*\})? -?[0-9.e+-]+'
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
        text: str = reply.read().decode()
        return text


def test_a_running_monitor_is_scraped(tmp_path: Path) -> None:
    port = free_port()
    with vigia(tmp_path) as v:
        v.configure(
            f'metrics = "127.0.0.1:{port}"\n[children.kid]\n'
            f'command = ["{sys.executable}", "-c", "import time; time.sleep(1000)"]\n'
        )
        v.start()
        v.wait_state("running", "kid")
        assert get(port, "/healthz") == "ok\n"
        lines = get(port, "/metrics").splitlines()
        assert 'vigia_child_up{child="kid"} 1' in lines
        assert 'vigia_child_starts_total{child="kid"} 1' in lines
        assert all(line.startswith("# ") or _SAMPLE.fullmatch(line) for line in lines)
        v.run("stop", "kid")
        until(lambda: 'vigia_child_up{child="kid"} 0' in get(port, "/metrics"))
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(port, "/")
        with socket.create_connection(("127.0.0.1", port)) as rude:
            rude.sendall(b"DELETE /metrics HTTP/1.1\r\n\r\n")
            assert b" 405 " in rude.recv(100)
            with socket.create_connection(("127.0.0.1", port)) as hostile:
                hostile.sendall(b"G" * 100_000)
                assert get(port, "/healthz") == "ok\n"


def test_an_address_that_is_taken_is_said_and_nothing_else_suffers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, vigia(tmp_path) as v:
        v.configure(f'metrics = "127.0.0.1:{other.getsockname()[1]}"\n')
        v.start("--", sys.executable, "-c", "import time; time.sleep(1000)")
        v.wait_state("running")
        assert "Address already in use" in v.diary() or "address already in use" in v.diary()


@pytest.mark.parametrize(
    "address", ["0.0.0.0:9464", "9464", "example.org:80", "127.0.0.1:x", "[::]:1"]
)
def test_an_address_that_others_reach_is_refused(tmp_path: Path, address: str) -> None:
    (tmp_path / "vigia.toml").write_text(f'metrics = "{address}"\n')
    with pytest.raises(SettingsError, match="loopback"):
        load(tmp_path, {})


def test_hostile_names_stay_inside_their_quotes() -> None:
    child = {
        "name": 'a"b\\c\nvigia_child_up 7',
        "state": "running",
        "pid": 1,
        "up": 1.0,
        "starts": 1,
        "vitals": {"memory": None, "cpu": None, "progress_age": None},
    }
    text = rendered(
        {"up": 1.0, "paused": None, "children": [child], "incidents": [], "alerts": {"waiting": 0}}
    )
    assert all(line.startswith("# ") or _SAMPLE.fullmatch(line) for line in text.splitlines())
