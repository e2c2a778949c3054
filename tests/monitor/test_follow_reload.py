"""What was being put together when the rules changed is not lost with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.monitor import programs
from tests.monitor.test_run import one
from tests.monitor.vigia import records, until, vigia

# A second traceback hangs on the first, and its end does not come.
ENDLESS = """
import time
print("Traceback (most recent call last):")
print('  File "/srv/a.py", line 3, in x')
print("    open(name)")
print("PermissionError: [Errno 13] Permission denied: '/srv/modelos/ana'")
print()
print("During handling of the above exception, another exception occurred:")
print()
print("Traceback (most recent call last):", flush=True)
while True:
    print('  File "/srv/b.py", line 9, in y', flush=True)
    time.sleep(0.02)
"""
RULE = """
[[rule]]
name = "pump.overheated"
category = "hang"
patterns = ['pump \\w+ overheated']
match = ["ERROR pump p7 overheated"]
no_match = ["pump p7 is warm"]
"""


@pytest.mark.slow
def test_an_event_that_is_open_while_the_rules_change_is_told(tmp_path: Path) -> None:
    with vigia(tmp_path) as v:
        v.configure(one(programs.python(ENDLESS)))
        v.start()
        until(lambda: "b.py" in v.text(), what=v.text)
        (tmp_path / "rules.d").mkdir()
        (tmp_path / "rules.d" / "own.toml").write_text(RULE)
        assert v.run("reload").returncode == 0
        assert "read again: rules" in v.diary()
        until(lambda: records(v.home), what=v.text)
        assert {one["category"] for one in records(v.home)} == {"permission"}
        assert "Traceback" in records(v.home)[0]["source"]["line"]
