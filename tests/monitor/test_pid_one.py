"""In a container the monitor is process 1: it reaps, passes signals on, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.monitor.vigia import until

pytestmark = pytest.mark.slow

# A child with a grandchild that leaves its session, and one whose parent dies at once.
FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
subprocess.run(["sh", "-c", "sleep 0.1 & exit 0"])
print("up", flush=True)
time.sleep(1000)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a namespace of processes here")
def test_as_process_one_it_ends_in_order(tmp_path: Path) -> None:
    (tmp_path / "kid.py").write_text(FAMILY)
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    command += [sys.executable, "-m", "monitor", "run", "--home", str(tmp_path)]
    command += ["--", sys.executable, str(tmp_path / "kid.py")]
    output = tmp_path / "output.txt"
    with output.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as outside:
        try:
            until(lambda: "up" in output.read_text().split(), 30, output.read_text)
            (monitor,) = (
                Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text().split()
            )
            status = Path(f"/proc/{monitor}/status").read_text()
            assert [
                line.split()[-1] for line in status.splitlines() if line.startswith("NSpid")
            ] == ["1"]
            os.kill(int(monitor), signal.SIGTERM)
            assert outside.wait(20) == 0
        finally:
            outside.kill()
    diary = (tmp_path / "logs" / "monitor.log").read_text()
    assert "Vigía stops" in diary or "Vigía se detiene" in diary
