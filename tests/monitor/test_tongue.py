"""In which language a home is spoken of: by its monitor and by every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.tongue import tongue
from tests.monitor import programs
from tests.monitor.test_run import one
from tests.monitor.vigia import until, vigia

SPANISH = {"LANG": "es_ES.UTF-8"}


@pytest.mark.parametrize(
    ("toml", "written", "environ", "expected"),
    [
        ("", "", {}, "en"),
        ("", "", SPANISH, "es"),
        ("", "VIGIA_LANG=es\n", {"LANG": "C.UTF-8"}, "es"),
        ("", "VIGIA_LANG=en\n", SPANISH, "en"),
        ("", "VIGIA_LANG=\n", SPANISH, "es"),
        ("", "VIGIA_LANG=en\n", {"VIGIA_LANG": "es"}, "es"),
        ("lang = 'es'", "VIGIA_LANG=en\n", {"VIGIA_LANG": "en"}, "es"),
        ("lang = 'auto'", "VIGIA_LANG=es\n", {}, "es"),
        ("lang = 7", "VIGIA_LANG=es\n", {}, "es"),  # whoever reads the settings will say so
        ("lang = ", "", SPANISH, "es"),
        ("", b"\xff\xfeVIGIA_LANG", SPANISH, "es"),
    ],
)
def test_the_home_s_word_goes_before_what_is_exported_and_that_before_the_locale(
    tmp_path: Path, toml: str, written: str | bytes, environ: dict[str, str], expected: str
) -> None:
    (tmp_path / "vigia.toml").write_text(toml)
    (tmp_path / ".env").write_bytes(written if isinstance(written, bytes) else written.encode())
    assert tongue(tmp_path, environ) == expected


def test_its_monitor_and_its_commands_speak_it_alike(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("VIGIA_LANG=es\n")
    with vigia(tmp_path) as v:
        assert "no hay ningún monitor" in v.run("status").stderr
        assert "segundos entre dos imágenes" in v.run("watch", "--help").stdout
        assert "una pausa dura más de 0 s" in v.run("pause", "--for", "0").stderr
        v.configure(one(programs.SLEEPS))
        v.start()
        v.wait_state("running", "kid")
        assert "estado" in v.run("status").stdout
        until(lambda: "vigila" in (tmp_path / "logs" / "monitor.log").read_text(), what=v.text)
        (tmp_path / ".env").write_text("VIGIA_LANG=en\n")
        v.run("reload")
        assert "state" in v.run("status").stdout
        assert v.end() == 0
