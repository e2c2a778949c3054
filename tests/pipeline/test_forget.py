"""Forgotten is forgotten: the words, the file, the job, and what would have been posted of it."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from pipeline.bot.forgetting import forget
from pipeline.config import read_settings
from pipeline.store.base import Store
from pipeline.store.tables import Inbox, Media, Memory, Post
from tests.pipeline.chats import Chat, chat, photo

pytestmark = pytest.mark.slow


def held(c: Chat, *users: int) -> None:
    """Ana's posts wait until somebody lifts it."""
    c.home.modelo("ana", telegram_user_id=[c.ana, *users])
    c.home.env["ADMIN_ID"] = str(c.ana)
    c.home.ready()
    c.api.write(c.ana, "/pause")
    c.wait_said("Ya no se publica")


def memory(c: Chat, place: int = 0) -> Memory:
    return [one for one in c.rows(Memory) if one.source or one.job][place]


def gone(c: Chat) -> bool:
    return all(one.job is None for one in c.rows(Memory) if one.forgotten_at)


def test_a_forgotten_file_is_deleted_with_its_job_its_words_and_its_post(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, DATABASE_URL=database_url) as c:
        held(c)
        c.api.send(c.ana, "photo", data=photo(1), caption="mi secreto")
        c.wait_said("terminado")
        (kept,) = c.home.kept()
        broken = kept.parent / "broken" / f"{kept.stem}.1{kept.suffix}"
        broken.parent.mkdir()
        broken.write_bytes(b"what came first")
        one = memory(c)
        c.api.write(c.ana, f"/forget {one.id}")
        c.wait_said("su archivo se borra del disco")
        c.wait(lambda: gone(c))
        assert not kept.exists()
        assert not broken.exists()
        assert c.home.ask("GET", f"/jobs/{one.job}")[0] == 404
        assert [(m.state, m.text, m.caption) for m in c.rows(Media)] == [("forgotten", "", "")]
        assert [p.state for p in c.rows(Post)] == ["cancelled"]
        assert not [row for row in c.rows(Inbox) if "secreto" in row.raw]
        c.api.send(c.ana, "photo", data=photo(1), caption="otra vez")  # and it may come again
        c.wait(lambda: len(c.home.kept()) == 1)


def test_a_file_that_was_sent_twice_stays_for_who_has_not_forgotten_it_and_is_posted(
    tmp_path: Path,
) -> None:
    with chat(tmp_path) as c:
        eva = c.api.user("Eva", language_code="en")
        held(c, eva)
        c.api.send(c.ana, "photo", data=photo(1), caption="mía")
        c.wait_said("terminado")
        c.api.send(eva, "photo", data=photo(1), caption="mine")
        c.wait_said("the same as another", eva)
        c.api.write(c.ana, f"/forget {memory(c).id}")
        c.wait_said("El archivo se queda")
        c.wait(lambda: gone(c))
        (kept,) = c.home.kept()
        assert [m.state for m in c.rows(Media)] == ["forgotten", "stored"]
        c.api.write(c.ana, "/resume")
        c.wait(c.home.posted)
        assert '"mine"' in c.home.posted()[0].with_suffix(".json").read_text()
        c.api.write(eva, f"/forget {memory(c).id}")
        c.wait_said("its file is deleted", eva)
        c.wait(lambda: not kept.exists())
        assert len(c.home.posted()) == 1
        assert [p.state for p in c.rows(Post)] == ["cancelled", "sent"]


def test_what_was_forgotten_when_the_process_died_is_deleted_by_the_next(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.send(c.ana, "photo", data=photo(1), caption="x")
        c.wait_said("terminado")
        c.home.end(signal.SIGKILL)
        store = Store(read_settings(c.home.folder, c.home.environ()).store_url)
        with store.write() as session:
            forget(session, session.get_one(Memory, memory(c).id), time.time())
        store.close()
        assert c.home.kept()
        c.home.ready()
        c.wait(lambda: gone(c))
        assert not c.home.kept()


def test_a_file_that_cannot_be_deleted_is_named_for_who_can_mend_it(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.send(c.ana, "photo", data=photo(1), caption="x")
        c.wait_said("terminado")
        (kept,) = c.home.kept()
        kept.unlink()
        kept.mkdir()
        c.api.write(c.ana, f"/forget {memory(c).id}")
        c.wait(lambda: "event=forget.failed file=modelos/ana/" in c.home.text())
        assert not gone(c)


def test_a_job_at_work_is_forgotten_when_its_step_has_ended(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.fault("wait", method="download", **{"for": 4})
        c.api.send(c.ana, "document", data=b"x" * 1000, name="a.bin", caption="x")
        c.wait(lambda: c.home.ask("GET", "/health")[1]["running"])
        c.api.write(c.ana, f"/forget {memory(c).id}")
        c.wait_said("su archivo se borra")
        c.wait(lambda: gone(c))
        assert not c.home.kept()
        assert not list(c.home.folder.rglob("*.part"))
