"""What goes out goes out once: to folders and to a played Telegram with its troubles."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.demo.botapi import BotApi, bot_api
from pipeline.ai.local import Local
from pipeline.config import Settings, read_settings
from pipeline.kit import Kit, Profiles
from pipeline.steps import publish
from pipeline.store import posts
from pipeline.store.base import Store, open_store
from pipeline.store.tables import Hold, Media, Post
from pipeline.targets.folder import Folder
from pipeline.targets.port import Parcel, UnknownError
from tests.monitor.vigia import until
from tests.pipeline.homes import Home, home
from tests.pipeline.telegram import at, lines

pytestmark = pytest.mark.slow


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path / "api") as api:
        yield api


@pytest.fixture
def here(tmp_path: Path, api: BotApi) -> Iterator[Home]:
    folder = tmp_path / "home"
    folder.mkdir()
    with home(folder, **at(api)) as h:
        chat = api.user("Canal")
        h.modelo("ana", posting={"targets": [f"telegram:{chat}"]})
        h.ready()
        yield h


def ledger(h: Home) -> list[Post]:
    store = Store(read_settings(h.folder, h.environ()).store_url)
    with store.read() as session:
        found = list(session.scalars(select(Post).order_by(Post.id)))
    store.close()
    return found


def wait_state(h: Home, state: str) -> Post:
    until(lambda: [p.state for p in ledger(h)] == [state], 30, h.text)
    return ledger(h)[0]


def test_a_photo_is_posted_with_its_caption_and_its_receipt_kept(here: Home, api: BotApi) -> None:
    here.drop("note.bin", b"some bytes")
    post = wait_state(here, "sent")
    (request,) = api.requests("sendDocument")
    assert post.receipt.isdigit()
    (shown,) = [m for m in api.messages() if m.message.get("document")]
    assert shown.message["caption"] == "Documento de ana"
    assert request["status"] == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_post_whose_reply_is_lost_is_unknown_and_never_sent_again(
    here: Home, api: BotApi, when: str
) -> None:
    api.fault("drop", method="sendDocument", when=when)
    here.drop("note.bin", b"some bytes")
    wait_state(here, "unknown")
    job = here.ask("GET", "/jobs")[1][0]["id"]
    looks = here.said("event=intake.took")
    here.drop("other.bin", b"other bytes")  # the poster looks again, and sends only this
    until(lambda: [p.state for p in ledger(here)] == ["unknown", "sent"], 30, here.text)
    assert looks == 1
    assert len(api.requests("sendDocument")) == 2
    assert here.job(job)["state"] == "succeeded"


def test_a_flood_is_waited_out_for_as_long_as_it_says(here: Home, api: BotApi) -> None:
    api.fault("flood", method="sendDocument", retry_after=2)
    here.drop("note.bin", b"some bytes")
    wait_state(here, "sent")
    first, second = (request["at"] for request in api.requests("sendDocument"))
    assert second - first >= 2
    assert lines(here, "post.waiting")


def test_a_chat_that_is_gone_fails_the_post_and_a_retry_of_its_job_posts_it(
    here: Home, api: BotApi
) -> None:
    api.fault("chat not found", method="sendDocument")
    here.drop("note.bin", b"some bytes")
    wait_state(here, "failed")
    job = here.ask("GET", "/jobs")[1][0]["id"]
    assert here.job(job)["state"] == "failed"
    assert "chat not found" in here.job(job)["words"].lower()
    here.ask("POST", f"/jobs/{job}/retry")
    wait_state(here, "sent")
    here.wait_job(job, "succeeded")


def test_a_person_decides_what_is_unknown_and_holds_posts_back(here: Home, api: BotApi) -> None:
    api.fault("drop", method="sendDocument", when="before")
    here.drop("note.bin", b"some bytes")
    post = wait_state(here, "unknown")
    assert here.run("posts", "hold", "ana").returncode == 0
    assert here.run("posts", "again", str(post.id)).returncode == 0
    assert f"{post.id}  " in here.run("posts", "list").stdout
    assert [p.state for p in ledger(here)] == ["pending"]
    assert here.run("posts", "lift").returncode == 0
    wait_state(here, "sent")
    refused = here.run("posts", "again", str(post.id))
    assert (refused.returncode, "is sent" in refused.stderr) == (1, True)


# --- without a process: what was half done when it died -------------------------------------------


@pytest.fixture
def kit(tmp_path: Path, database_url: str) -> Iterator[Kit]:
    settings = Settings(home=tmp_path, database_url=database_url)
    place = tmp_path / "modelos" / "ana"
    place.mkdir(parents=True)
    (place / "x.bin").write_bytes(b"x")
    store = open_store(settings)
    yield Kit(settings, store, "me", Profiles(settings.modelos), Local())
    store.close()


def half_sent(kit: Kit, target: str) -> int:
    with kit.store.write() as session:
        times = {"received_at": 0.0}
        media = Media(job="j", modelo="ana", kind="document", path="modelos/ana/x.bin", **times)
        session.add(media)
        session.flush()
        post = Post(media_id=media.id, modelo="ana", target=target, due_at=0.0, created_at=0.0)
        session.add(post)
        session.flush()
        number = post.id
    with kit.store.write() as session:
        assert posts.claim(session, number, "me", time.time())
    return number


def state(kit: Kit, number: int) -> str:
    with kit.store.read() as session:
        return session.get_one(Post, number).state


def test_a_post_is_claimed_once(kit: Kit) -> None:
    number = half_sent(kit, "folder:out")
    with kit.store.write() as session:
        assert not posts.claim(session, number, "other", time.time())


def test_a_place_that_can_be_asked_says_what_became_of_a_half_sent_post(kit: Kit) -> None:
    number = half_sent(kit, "folder:out")
    folder = Folder(kit.settings.modelos)
    publish.recover(kit, {"folder": folder})
    assert state(kit, number) == "pending"
    publish.run(kit, folder, number)
    with kit.store.write() as session:
        session.get_one(Post, number).state = "sending"
    publish.recover(kit, {"folder": folder})
    assert state(kit, number) == "sent"


class Silent:
    """A place that can be told and not asked."""

    def send(self, parcel: Parcel) -> str:
        raise UnknownError("no answer")

    def find(self, parcel: Parcel) -> str | None:
        raise UnknownError("cannot be asked")


def test_a_place_that_cannot_be_asked_leaves_it_unknown(kit: Kit) -> None:
    number = half_sent(kit, "telegram:@x")
    publish.recover(kit, {"telegram": Silent()})
    assert state(kit, number) == "unknown"
    publish.run(kit, Silent(), number)
    assert state(kit, number) == "unknown"


def test_what_another_process_is_sending_is_left_to_it(kit: Kit) -> None:
    number = half_sent(kit, "telegram:@x")
    with kit.store.write() as session:
        session.get_one(Post, number).owner = "another"
    publish.recover(kit, {"telegram": Silent()})
    assert state(kit, number) == "sending"


@pytest.mark.parametrize("scope", ["*", "ana"])
def test_a_held_modelo_posts_nothing_until_it_is_lifted(kit: Kit, scope: str) -> None:
    number = half_sent(kit, "folder:out")
    with kit.store.write() as session:
        session.get_one(Post, number).state = "pending"
        session.add(Hold(scope=scope, since=0.0))
    with kit.store.read() as session:
        assert posts.due(session, time.time()) == []
    with kit.store.write() as session:
        session.delete(session.get_one(Hold, scope))
    with kit.store.read() as session:
        assert [post.id for post in posts.due(session, time.time())] == [number]
