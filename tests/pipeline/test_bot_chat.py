"""A conversation with the bot, by the whole program."""

from __future__ import annotations

import itertools
import signal
from collections import Counter
from pathlib import Path

import pytest

from pipeline.store.tables import Batch, Inbox, Media, Memory, Reply
from tests.pipeline.chats import Chat, chat, photo
from tests.pipeline.telegram import lines

pytestmark = pytest.mark.slow


def test_three_texts_and_four_photos_are_one_batch_with_one_answer(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, "batch_window = 2", DATABASE_URL=database_url) as c:
        c.home.ready()
        for number in range(4):
            c.api.send(c.ana, "photo", data=photo(number))
            if number:
                c.api.write(c.ana, f"texto {number}")
        c.wait_said("3 textos y 4 fotos")
        c.wait(lambda: [b.state for b in c.rows(Batch)] == ["done"])
        assert len(c.said()) == 1
        assert [m.kind for m in c.rows(Memory)].count("photo") == 4
        assert {row.state for row in c.rows(Inbox)} == {"done"}
        assert len(c.home.kept()) == 4
        c.wait(lambda: c.said()[0].count("terminado") == 4)


def test_what_is_said_while_one_batch_is_answered_is_the_next_one(tmp_path: Path) -> None:
    with chat(tmp_path, "batch_most = 3") as c:
        for number in range(7):
            c.api.write(c.ana, f"{number}")
        c.home.ready()
        c.wait(lambda: len(c.said()) == 3)
        assert [b.count for b in c.rows(Batch)] == [3, 3, 1]
        assert [m.text for m in c.rows(Memory)] == [str(n) for n in range(7)]


def test_an_open_batch_outlives_a_kill(tmp_path: Path) -> None:
    with chat(tmp_path, "batch_window = 600\nbatch_longest = 600") as c:
        c.home.ready()
        c.api.write(c.ana, "uno")
        c.wait(lambda: [b.state for b in c.rows(Batch)] == ["open"])
        c.home.end(signal.SIGKILL)
        c.api.write(c.ana, "dos")
        c.set("batch_window = 0.4")
        c.home.ready()
        c.wait_said("2 textos")


def test_an_album_is_one_batch_and_its_words_are_for_all_of_it(tmp_path: Path) -> None:
    with chat(tmp_path, "batch_most = 2") as c:
        c.home.ready()
        items = [{"kind": "photo", "data": photo(n)} for n in range(4)]
        c.api.album(c.ana, [items[0] | {"caption": "la playa"}, *items[1:]])
        c.wait_said("4 fotos")
        c.wait(lambda: [m.caption for m in c.rows(Media)] == ["la playa"] * 4)
        assert len(c.said()) == 1
        assert "?" not in c.said()[0]


def test_photos_without_a_word_are_asked_about_and_the_answer_is_kept_with_them(
    tmp_path: Path,
) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.send(c.ana, "photo", data=photo(1))
        c.api.send(c.ana, "photo", data=photo(2))
        c.wait_said("¿De qué se trata?")
        c.api.write(c.ana, "es la playa de Cádiz")
        c.wait_said("Lo anoto")
        contexts = [m.context for m in c.rows(Memory) if m.kind == "photo"]
        assert contexts == ["es la playa de Cádiz"] * 2
        c.wait(lambda: "¿De qué" not in c.said()[0])
        c.api.write(c.ana, "y otra cosa")
        c.wait_said("Queda guardado")
        assert [m.context for m in c.rows(Memory) if m.kind == "photo"] == contexts


def test_only_who_sent_something_may_add_to_it(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        eva = c.api.user("Eva", language_code="en")
        c.home.modelo("eva", telegram_user_id=eva)
        group = c.api.group("Equipo", status="administrator")
        c.home.ready()
        first = c.api.write(c.ana, "mi nota", chat=group)
        c.wait_said("un texto", group)
        c.api.write(eva, "no es tuya", chat=group, reply_to=first.id)
        c.wait_said("Only who sent that", group)
        c.api.write(c.ana, "y esto", chat=group, reply_to=first.id)
        c.wait_said("Lo anoto", group)
        assert [m.context for m in c.rows(Memory)] == ["y esto", "", ""]


def test_an_edited_message_changes_its_memory_and_the_caption_of_a_post_that_waits(
    tmp_path: Path,
) -> None:
    with chat(tmp_path) as c:
        never = {"targets": ["folder:posted"], "hours": "00:00-23:59"}
        c.home.modelo("ana", telegram_user_id=c.ana, posting=never)
        c.home.env["ADMIN_ID"] = str(c.ana)
        c.home.ready()
        c.api.write(c.ana, "/pause")
        c.wait_said("Ya no se publica: todo")
        shown = c.api.send(c.ana, "photo", data=photo(1), caption="la plaia")
        c.wait_said("terminado")
        c.api.edit(c.ana, shown, "la playa")
        c.wait(lambda: [m.text for m in c.rows(Memory)] == ["la playa"])
        assert [m.caption for m in c.rows(Media)] == ["la playa"]
        assert not c.home.posted()
        c.api.write(c.ana, "/resume")
        c.wait(c.home.posted)
        assert '"la playa"' in c.home.posted()[0].with_suffix(".json").read_text()


def test_a_stranger_is_told_once_and_what_was_held_is_treated_when_the_modelo_is_there(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, DATABASE_URL=database_url) as c:
        leo = c.api.user("Leo", language_code="en")
        c.home.ready()
        c.api.write(leo, "hello")
        c.wait_said(f"Your number is {leo}", leo)
        c.api.send(leo, "photo", data=photo(1), caption="mine")
        c.wait(lambda: [one.state for one in c.rows(Inbox)] == ["held", "held"])
        assert len(c.said(leo)) == 1
        c.home.modelo("leo", telegram_user_id=leo)
        c.wait_said("a text and a photo", leo)
        c.wait(lambda: len(c.home.kept("leo")) == 1)
        assert {one.state for one in c.rows(Inbox)} == {"done"}


def test_a_flood_of_a_stranger_is_bounded(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        leo = c.api.user("Leo")
        for number in range(60):
            c.api.write(leo, f"{number}")
        c.home.ready()
        c.wait(lambda: len(c.rows(Inbox)) == 60 and "new" not in states(c))
        assert Counter(states(c)) == {"held": 50, "dropped": 10}
        c.wait(lambda: c.said(leo))
        assert len(c.said(leo)) == 1


def states(c: Chat) -> list[str]:
    return [one.state for one in c.rows(Inbox)]


def test_memories_are_listed_and_forgotten_by_their_owner_alone(
    tmp_path: Path, database_url: str
) -> None:
    with chat(tmp_path, DATABASE_URL=database_url) as c:
        eva = c.api.user("Eva", language_code="en")
        c.home.modelo("eva", telegram_user_id=eva)
        c.home.ready()
        c.api.write(c.ana, "un \0secreto")
        c.wait_said("un texto")
        number = c.rows(Memory)[0].id
        c.api.write(eva, f"/forget {number}")
        c.wait_said(f"There is no memory {number} of yours", eva)
        c.api.write(eva, "/memories")
        c.wait_said("I remember nothing of yours", eva)
        c.api.write(c.ana, "/memories")
        c.wait_said(f"{number} · texto · un secreto")
        c.api.write(c.ana, f"/forget {number}")
        c.wait_said("Olvidado")
        assert [m.text for m in c.rows(Memory)] == [""]


def test_orders_of_an_admin_are_refused_to_others_and_done_for_an_admin(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        boss = c.api.user("Jefa", language_code="es")
        c.home.env["ADMIN_ID"] = str(boss)
        later = {"targets": ["folder:posted"], "timezone": "Europe/Madrid"}
        c.home.modelo("ana", telegram_user_id=c.ana, posting=later)
        c.home.ready()
        for word in ("reload", "pause", "resume", "posts", "reschedule 1 now", "jobs", "retry x"):
            c.api.write(c.ana, f"/{word}")
        c.wait(lambda: c.said().count("Eso solo puede quien lleva el bot.") == 7)
        c.api.write(boss, "/pause ana")
        c.wait_said("Ya no se publica: ana", boss)
        c.api.send(c.ana, "photo", data=photo(1), caption="x")
        c.wait_said("terminado")
        c.api.write(boss, "/posts")
        c.wait_said("ana · folder:posted", boss)
        c.api.write(boss, "/reschedule 1 2099-12-24 18:30")
        c.wait_said("El 1 sale desde 2099-12-24 18:30", boss)
        c.api.write(boss, "/resume")
        c.wait_said("Se vuelve a publicar: todo", boss)
        c.api.write(boss, "/status")
        c.wait_said("0 en cola", boss)
        assert not c.home.posted()
        c.api.write(boss, "/reschedule 1 now")
        c.wait(c.home.posted)
        c.api.write(boss, "/jobs")
        job = c.rows(Media)[0].job
        c.wait_said(job, boss)
        c.api.write(boss, f"/retry {job}")
        c.wait_said(f"{job} empieza otra vez", boss)
        (c.home.folder / "modelos/ana/config.json").write_text("{")
        c.api.write(boss, "/reload")
        c.wait_said("Mal: modelos/ana/config.json: is no JSON", boss)
        c.api.write(c.ana, "sigo siendo yo")
        c.wait_said("un texto")


def test_a_file_that_is_too_big_is_answered_with_why_and_how(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.fault("file too big", method="getFile")
        c.api.send(c.ana, "document", data=b"x" * 100, name="a.bin", caption="c")
        c.wait_said("no se pudo: el archivo es demasiado grande")
        assert "USE_LOCAL_BOT_API=1" in c.said()[0]
        assert len(c.said()) == 1
        (line,) = lines(c.home, "download.rejected")
        assert "the file is too big" in line


def test_progress_is_shown_by_edits_that_are_not_too_many(tmp_path: Path) -> None:
    with chat(tmp_path, "progress_every = 1") as c:
        c.home.ready()
        c.api.fault("pace", method="download", pace=200_000)
        c.api.send(c.ana, "document", data=bytes(range(250)) * 2400, name="a.bin", caption="c")
        c.wait_said("terminado", seconds=90)
        (answer,) = c.api.said(c.ana)
        assert "descargando" in str(answer.history)
        edits = [one["at"] for one in c.api.requests("editMessageText")]
        assert all(b - a >= 0.95 for a, b in itertools.pairwise(edits))


def test_other_front_ends_hand_in_batches_and_the_same_update_is_one(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        person = {"id": c.ana, "is_bot": False, "first_name": "Ana"}
        base = {"from": person, "chat": {"id": c.ana, "type": "private"}, "date": 1}
        updates = [
            {"update_id": n, "message": base | {"message_id": 900 + n, "text": f"t{n}"}}
            for n in (1, 2)
        ]
        body = {"user_id": c.ana, "updates": updates}
        assert c.home.ask("POST", "/webhook/batch", body) == (202, {"kept": 2, "known": 0})
        assert c.home.ask("POST", "/webhook/batch", body) == (202, {"kept": 0, "known": 2})
        c.wait_said("2 textos")
        assert [m.text for m in c.rows(Memory)] == ["t1", "t2"]
        foreign = {"user_id": 1, "updates": updates}
        assert c.home.ask("POST", "/webhook/batch", foreign)[0] == 400
        assert c.home.ask("POST", "/webhook/batch", [1])[0] == 400


def test_all_of_a_batch_may_be_forgotten_while_its_file_is_on_its_way(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.api.fault("hang", method="getFile")
        c.home.ready()
        c.api.send(c.ana, "photo", data=photo(1), caption="x")
        c.wait_said("una foto")
        c.api.write(c.ana, f"/forget {c.rows(Memory)[0].id}")
        c.wait_said("Olvidado")
        c.wait(lambda: [b.state for b in c.rows(Batch)] == ["done"])
        assert "una foto" in c.said()[0]


def test_telegram_offers_the_commands_in_both_languages(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        c.home.ready()
        c.api.wait_requests("setMyCommands", 2)
        assert {r["status"] for r in c.api.requests("setMyCommands")} == {200}


def test_a_hundred_commands_of_one_person_do_not_make_a_hundred_answers(tmp_path: Path) -> None:
    with chat(tmp_path) as c:
        for _ in range(100):
            c.api.write(c.ana, "/help")
        c.api.fault("flood", method="sendMessage", retry_after=3)
        c.home.ready()
        c.wait(lambda: states(c) == ["done"] * 100, 90)
        assert len(c.rows(Reply)) <= 40
        c.wait(lambda: {one.state for one in c.rows(Reply)} == {"sent"}, 90)
