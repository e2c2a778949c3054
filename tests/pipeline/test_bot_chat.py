"""A conversation with the bot, by the whole program."""

from __future__ import annotations

from pathlib import Path

from pipeline.store.tables import Batch, Inbox, Memory
from tests.pipeline.chats import chat, photo


def test_three_texts_and_four_photos_are_one_batch_with_one_answer(tmp_path: Path) -> None:
    with chat(tmp_path, "batch_window = 2") as c:
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
        assert c.said()[0].count("terminado") == 4
