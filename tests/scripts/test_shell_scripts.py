"""The shell scripts: read by shellcheck, and clear about what they lack."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
BOT_API = SCRIPTS / "start_local_bot_api.sh"


def bot_api(home: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if k not in ("API_ID", "API_HASH")}
    return subprocess.run(
        [BOT_API, *words, "--home", home],
        capture_output=True,
        text=True,
        check=False,
        env=environ | env,
        timeout=60,
    )


@pytest.mark.needs("shellcheck")
@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.sh")))
def test_shellcheck_finds_nothing(script: str) -> None:
    done = subprocess.run(
        ["shellcheck", SCRIPTS / script], capture_output=True, text=True, check=False
    )
    assert done.stdout == ""


@pytest.mark.parametrize("script", sorted(path.name for path in SCRIPTS.glob("*.sh")))
def test_every_script_explains_itself(script: str, tmp_path: Path) -> None:
    assert os.access(SCRIPTS / script, os.X_OK)
    if "usage()" not in (SCRIPTS / script).read_text():
        return  # it only passes on to a command that has its own help
    done = subprocess.run(
        [SCRIPTS / script, "--help"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ")
    assert list(tmp_path.iterdir()) == []


def test_the_status_of_a_bot_api_server_is_what_answers_on_its_port(tmp_path: Path) -> None:
    class NotFound(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotFound) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = str(server.server_port)
        try:
            done = bot_api(tmp_path, "status", VIGIA_BOT_API_PORT=port)
            assert (done.returncode, done.stderr) == (0, "")
        finally:
            server.shutdown()
            thread.join()
    done = bot_api(tmp_path, "status", VIGIA_BOT_API_PORT=port)
    assert done.returncode == 1
    assert f"nothing answers on http://127.0.0.1:{port}" in done.stderr


def test_without_an_engine_or_a_key_it_says_what_to_do(tmp_path: Path) -> None:
    done = bot_api(tmp_path, "start")
    assert done.returncode == 2
    assert re.search(
        "docker is missing: sudo apt|systemctl start docker|API_ID and API_HASH are", done.stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_a_word_it_does_not_know_is_refused(tmp_path: Path) -> None:
    done = bot_api(tmp_path, "begin")
    assert done.returncode == 2
    assert "unknown word begin" in done.stderr


def test_verify_monitor_is_vigia_check(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPTS / "verify_monitor.sh", "--home", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"VIGIA_VENV": str(tmp_path / "none")},
    )
    assert done.returncode == 2
    assert "start it once: python3 " in done.stderr
