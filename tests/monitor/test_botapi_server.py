"""The Bot API server as bytes, limits, disk and neighbours see it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlencode

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.demo.botapi import BotApi, bot_api
from monitor.demo.botapi import body as bodies
from monitor.demo.botapi.body import Said
from monitor.demo.botapi.wire import BadRequestError, Body, Head
from tests.monitor.botapi_raw import ask, http_ask, post, raw

FORM = "application/x-www-form-urlencoded"
MB = 1024 * 1024


@pytest.fixture
def api(tmp_path: Path) -> Iterator[BotApi]:
    with bot_api(tmp_path) as api:
        yield api
        assert api.complaints() == []


# --- how a request is read -----------------------------------------------------------------------


def test_the_four_ways_to_say_it_say_the_same(api: BotApi) -> None:
    ana = api.user("Ana")
    keyboard = {"inline_keyboard": [[{"text": "ñ", "callback_data": "1"}]]}
    words = {"chat_id": str(ana), "text": "año 🔴 & más", "reply_markup": json.dumps(keyboard)}
    parts = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{word}\r\n'
        for name, word in words.items()
    )
    answers = [
        post(api, "sendMessage", urlencode(words).encode(), FORM),
        post(api, "sendMessage", f"{parts}--B--\r\n".encode(), "multipart/form-data; boundary=B"),
        ask(api, "sendMessage", chat_id=ana, text=words["text"], reply_markup=keyboard),
        post(api, "SENDMESSAGE", b"", query="?" + urlencode(words)),
    ]
    for number, answer in enumerate(answers, 1):
        assert answer["status"] == 200, answer
        assert answer["result"]["text"] == words["text"]
        assert answer["result"]["reply_markup"] == keyboard
        assert answer["result"]["message_id"] == number


async def read(head: Head, pieces: list[bytes], folder: Path) -> Said:
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return await bodies.read(head, Body(head, reader, None, 10 * MB), folder)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(
    content=st.binary(max_size=400)
    | st.sampled_from([b"\r\n--B", b"\r\n--Bx", b"--B--", b"\r\n\r\n"]),
    cuts=st.lists(st.integers(1, 40), max_size=20),
    chunked=st.booleans(),
)
def test_a_multipart_body_is_the_same_however_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int], chunked: bool
) -> None:
    if b"\r\n--B" in b"\r\n" + content:
        content = content.replace(b"--B", b"--C")
    body = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nuno\r\n--B\r\n'
    body += (
        b'Content-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
        + content
        + b"\r\n--B--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=B", "content-length": str(len(body))}
    pieces, at = [], 0
    for cut in [*cuts, len(body)]:
        if piece := body[at : at + cut]:
            pieces.append(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        at += cut
    if chunked:
        headers["transfer-encoding"] = "chunked"
        pieces.append(b"0\r\n\r\n")
    folder = tmp_path_factory.mktemp("incoming")
    said = asyncio.run(read(Head("POST", "/", "", headers, True), pieces, folder))
    assert said.words == {"a": "uno"}
    assert said.uploads["f"].path.read_bytes() == content
    said.discard()
    assert list(folder.iterdir()) == []


@settings(deadline=None, max_examples=60)
@given(
    st.binary(max_size=300),
    st.sampled_from(["multipart/form-data; boundary=B", "application/json"]),
)
def test_any_body_is_read_or_refused_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, type: str
) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n' + garbage
    headers = {"content-type": type, "content-length": str(len(body))}
    folder = tmp_path_factory.mktemp("incoming")
    with suppress(BadRequestError):
        asyncio.run(read(Head("POST", "/", "", headers, True), [body], folder)).discard()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"hola\r\n\r\n", b"400"),
        (b"GET http://x/ HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 70000 + b"\r\n\r\n", b"431"),
        (b"POST /botx/getMe HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST /botx/getMe HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST /botx/getMe HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (
            b"POST /botx/a HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n[",
            b"400",
        ),
        (b"GET /bot1:x/getMe HTTP/1.1\r\n\r\n", b"401"),
        (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", b"404"),
    ],
)
def test_what_is_not_a_request_of_ours_is_refused(api: BotApi, sent: bytes, status: bytes) -> None:
    assert raw(api, sent).split(b" ")[1] == status


def test_one_connection_serves_many_requests_and_many_connections_are_served(api: BotApi) -> None:
    line = f"GET /bot{api.token}/getMe HTTP/1.1\r\n\r\n".encode()
    assert raw(api, line * 50).count(b'"ok":true') == 50
    with ExitStack() as held:
        for _ in range(300):
            held.enter_context(socket.create_connection(("127.0.0.1", api.port)))
        assert ask(api, "getMe")["ok"]


# --- what the server refuses ---------------------------------------------------------------------

REFUSED = [
    ("sendMessage", {"text": "x"}, 400, "Bad Request: chat_id is empty"),
    ("sendMessage", {"chat_id": 5, "text": "x"}, 400, "Bad Request: chat not found"),
    ("sendMessage", {"chat_id": "@nadie", "text": "x"}, 400, "Bad Request: chat not found"),
    ("sendMessage", {"chat_id": "ANA"}, 400, "Bad Request: message text is empty"),
    ("sendMessage", {"chat_id": "ANA", "text": " \n "}, 400, "Bad Request: message text is empty"),
    (
        "sendMessage",
        {"chat_id": "ANA", "text": "x" * 4097},
        400,
        "Bad Request: message is too long",
    ),
    (
        "sendMessage",
        {"chat_id": "ANA", "text": "x", "parse_mode": "rtf"},
        400,
        "Bad Request: unsupported parse_mode",
    ),
    (
        "sendMessage",
        {"chat_id": "ANA", "text": "x", "reply_parameters": {"message_id": 99}},
        400,
        "Bad Request: message to be replied not found",
    ),
    (
        "editMessageText",
        {"chat_id": "ANA", "message_id": 99, "text": "x"},
        400,
        "Bad Request: message to edit not found",
    ),
    (
        "editMessageText",
        {"chat_id": "ANA", "text": "x"},
        400,
        "Bad Request: message identifier is not specified",
    ),
    (
        "editMessageText",
        {"chat_id": "ANA", "message_id": 1, "text": "x"},
        400,
        "Bad Request: message can't be edited",
    ),
    (
        "deleteMessage",
        {"chat_id": "ANA", "message_id": 99},
        400,
        "Bad Request: message to delete not found",
    ),
    ("sendVideo", {"chat_id": "ANA"}, 400, "Bad Request: there is no video in the request"),
    (
        "sendVideo",
        {"chat_id": "ANA", "video": "BAACnadie"},
        400,
        "Bad Request: wrong file identifier/HTTP URL specified",
    ),
    ("getFile", {}, 400, "Bad Request: file_id not specified"),
    ("getFile", {"file_id": "x"}, 400, "Bad Request: invalid file_id"),
    ("sendChatAction", {"chat_id": "ANA"}, 400, "Bad Request: wrong parameter action in request"),
    ("sendNothing", {}, 404, "Not Found: method not found"),
    ("", {}, 404, "Not Found: method not found"),
]


@pytest.mark.parametrize(("method", "words", "status", "said"), REFUSED)
def test_a_request_is_refused_in_the_servers_words(
    api: BotApi, method: str, words: dict[str, object], status: int, said: str
) -> None:
    ana = api.user("Ana")
    api.write(ana, "hola")
    told = {key: ana if word == "ANA" else word for key, word in words.items()}
    answer = ask(api, method, **told)
    assert (answer["status"], answer["error_code"], answer["description"]) == (status, status, said)
    assert not answer["ok"]


def test_who_never_wrote_is_not_found_and_who_writes_opens_the_door(api: BotApi) -> None:
    eva = api.user("Eva", met=False)
    assert ask(api, "sendMessage", chat_id=eva, text="x")["description"].endswith("chat not found")
    api.write(eva, "/start")
    assert ask(api, "sendMessage", chat_id=eva, text="x")["ok"]


def test_each_bot_has_its_own_chats_updates_and_file_ids(api: BotApi) -> None:
    ana, other = api.user("Ana"), api.add_bot("otro_bot")
    api.send(ana, "document", data=b"x", name="a.txt")
    api.write(ana, "para el otro", bot=other.id)
    (mine,) = ask(api, "getUpdates")["result"]
    (theirs,) = ask(api, "getUpdates", other.token)["result"]
    assert theirs["message"]["text"] == "para el otro"
    assert mine["message"]["message_id"] == theirs["message"]["message_id"] == 1
    file_id = mine["message"]["document"]["file_id"]
    assert ask(api, "getFile", file_id=file_id)["ok"]
    assert ask(api, "getFile", other.token, file_id=file_id)["description"].endswith(
        "invalid file_id"
    )
    assert [m.text for m in api.messages(ana, bot=other.id)] == ["para el otro"]


def test_only_the_kinds_that_were_asked_for_are_kept_from_then_on(api: BotApi) -> None:
    ana = api.user("Ana")
    first = api.write(ana, "uno")
    ask(api, "getUpdates", offset=-1, allowed_updates=["edited_message"])
    api.write(ana, "dos")
    api.edit(ana, first, "uno y medio")
    kinds = [set(u) - {"update_id"} for u in api.pending()]
    assert kinds == [{"message"}, {"edited_message"}]


def test_a_webhook_shuts_the_updates_off_until_it_is_deleted(api: BotApi) -> None:
    assert ask(api, "setWebhook", url="https://a.es/x")["ok"]
    refused = ask(api, "getUpdates")
    assert (refused["status"], "webhook is active" in refused["description"]) == (409, True)
    api.write(api.user("Ana"), "x")
    assert ask(api, "getWebhookInfo")["result"]["pending_update_count"] == 1
    assert ask(api, "deleteWebhook", drop_pending_updates=True)["ok"]
    assert ask(api, "getUpdates")["result"] == []


# --- files ---------------------------------------------------------------------------------------


def test_the_cloud_hands_out_20_mb_and_takes_50(api: BotApi) -> None:
    ana = api.user("Ana")
    for size, ok in ((20 * MB, True), (20 * MB + 1, False)):
        file = api.send(ana, "video", size=size, name="x.mp4").message["video"]
        update = ask(api, "getUpdates", offset=-1)["result"][0]
        answer = ask(api, "getFile", file_id=update["message"]["video"]["file_id"])
        assert answer["ok"] is ok, file
    assert answer["description"] == "Bad Request: file is too big"
    too_much = b'--B\r\nContent-Disposition: form-data; name="video"; filename="x"\r\n\r\n'
    too_much += bytes(53 * MB) + b"\r\n--B--\r\n"
    head = f"POST /bot{api.token}/sendVideo HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    refused = raw(api, f"{head}Content-Length: {len(too_much)}\r\n\r\n".encode() + too_much)
    assert refused.startswith(b"HTTP/1.1 413")
    assert b"Request Entity Too Large" in refused


def test_under_local_a_file_is_a_path_and_nothing_is_served(tmp_path: Path) -> None:
    source = tmp_path / "vídeo de ayer.mp4"
    source.write_bytes(b"x" * 1000)
    with bot_api(tmp_path, local=True) as api:
        ana = api.user("Ana")
        api.send(ana, "video", size=21 * MB, name="grande.mp4")
        (update,) = ask(api, "getUpdates")["result"]
        file = ask(api, "getFile", file_id=update["message"]["video"]["file_id"])["result"]
        path = Path(file["file_path"])
        assert path.is_absolute()
        assert path.stat().st_size == file["file_size"] == 21 * MB
        assert http_ask(api, "GET", f"/file/bot{api.token}/{path}")[0] == 404
        assert http_ask(api, "GET", f"/file/bot{api.token}/videos/file_0.mp4")[0] == 404
        path.unlink()  # a bot may delete what it has used
        again = ask(api, "getFile", file_id=file["file_id"])["result"]
        assert Path(again["file_path"]).stat().st_size == 21 * MB
        sent = ask(api, "sendVideo", chat_id=ana, video=source.as_uri())
        assert sent["result"]["video"]["file_name"] == source.name
        assert ask(api, "sendVideo", chat_id=ana, video="file:///nowhere")["status"] == 400
        assert ask(api, "sendVideo", chat_id=ana, video=f"file://{tmp_path}")["status"] == 400
    assert source.read_bytes() == b"x" * 1000


def test_no_path_leads_out_of_the_files(api: BotApi, tmp_path: Path) -> None:
    (tmp_path / "secreto").write_text("x")
    api.send(api.user("Ana"), "document", data=b"y", name="../../../secreto.txt")
    for path in ("../secreto", "%2e%2e/secreto", f"/{tmp_path}/secreto", "..%2f..%2fsecreto", ""):
        assert http_ask(api, "GET", f"/file/bot{api.token}/{path}")[0] == 404
        assert http_ask(api, "GET", f"/control/file/{path}")[0] in {400, 404}
    assert http_ask(api, "GET", f"/file/bot{api.token}/documents/file_0.txt")[2] == b"y"
    assert http_ask(api, "GET", "/file/bot1:x/documents/file_0.txt")[0] == 401


def test_two_gigabytes_flow_without_filling_the_memory(tmp_path: Path) -> None:
    with bot_api(tmp_path, local=True, process=True) as api:
        before = psutil.Process(api.pid).memory_info().rss
        sent = api.send(api.user("Ana"), "video", size=2 * 10**9, name="x.mp4").message["video"]
        path = f"/control/file/{sent['file_unique_id']}"
        with closing(socket.create_connection(("127.0.0.1", api.port), timeout=20)) as to:
            to.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            head = to.recv(1000)
            assert b"Content-Length: 2000000000" in head
            got, room = len(head), bytearray(MB)
            while got < 300 * MB:
                got += to.recv_into(room)
        assert psutil.Process(api.pid).memory_info().rss - before < 30 * MB


CUTS = [
    ({"framing": "length", "bytes": 700}, 700, "100000"),
    ({"framing": "close", "bytes": 700}, 700, None),
    ({"framing": "close"}, 100_000, None),
]


@pytest.mark.parametrize(("order", "size", "declared"), CUTS)
def test_a_download_is_cut_in_the_framing_that_was_ordered(
    api: BotApi, order: dict[str, object], size: int, declared: str | None
) -> None:
    api.send(api.user("Ana"), "document", data=b"y" * 100_000, name="a.bin")
    api.fault("cut", method="download", **order)
    request = f"GET /file/bot{api.token}/documents/file_0.bin HTTP/1.1\r\n\r\n".encode()
    head, _, body = raw(api, request).partition(b"\r\n\r\n")
    assert len(body) == size
    lengths = [
        line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Content-L")
    ]
    assert lengths == ([declared.encode()] if declared else [])
    assert len(raw(api, request[:-2] + b"Connection: close\r\n\r\n")) > 100_000


def test_a_file_of_this_machine_is_copied_and_no_path_is_followed(
    api: BotApi, tmp_path: Path
) -> None:
    source, ana = tmp_path / "acta.pdf", api.user("Ana")
    source.write_bytes(b"x" * 300)
    sent = api.send(ana, "document", path=source, size=1000)
    assert (sent.message["document"]["file_name"], sent.message["document"]["file_size"]) == (
        "acta.pdf",
        1000,
    )
    assert source.read_bytes() == b"x" * 300
    items = [{"kind": "photo", "path": source}, {"kind": "video", "data": b"y", "caption": "dos"}]
    first, second = api.album(ana, items)
    assert first.message["media_group_id"] == second.message["media_group_id"]
    assert (first.message["photo"][0]["file_size"], second.text) == (300, "dos")
    for name in ("/etc/passwd", "../world.jsonl", "0" * 32):
        order = json.dumps({"user": ana, "handed": name}).encode()
        refused = http_ask(
            api, "POST", "/control/send", order, {"Content-Type": "application/json"}
        )
        assert refused[0] == 400
    assert list((tmp_path / "botapi" / "handed").iterdir()) == []


# --- troubles ------------------------------------------------------------------------------------


def test_a_fault_meets_just_the_requests_it_was_ordered_for(api: BotApi) -> None:
    ana, eva, other = api.user("Ana"), api.user("Eva"), api.add_bot("otro_bot")
    api.fault("blocked", method="send*", chat=str(ana), token=api.token, skip=1, times=2)

    def send(chat: int, token: str = "") -> int:
        return int(ask(api, "sendMessage", token, chat_id=chat, text="x")["status"])

    assert ask(api, "getMe")["ok"]
    assert (send(eva), send(ana, other.token)) == (200, 200)
    assert [send(ana) for _ in range(4)] == [200, 403, 403, 200]
    assert api.faults()[0]["seen"] == 2


def test_a_fault_that_was_ordered_for_a_time_ends_with_it(api: BotApi) -> None:
    api.fault("server error", seconds=0.3)
    assert ask(api, "getMe")["status"] == 500
    api.wait(lambda: ask(api, "getMe")["ok"], 5)
    assert {r["status"] for r in api.requests("getMe")} == {200, 500}


def test_a_flood_says_when_to_come_again_in_the_header_too(api: BotApi) -> None:
    api.fault("flood", retry_after=17)
    status, headers, body = http_ask(api, "GET", f"/bot{api.token}/getMe")
    assert (status, headers["retry-after"]) == (429, "17")
    assert json.loads(body)["parameters"] == {"retry_after": 17}


def test_a_slow_answer_comes_late_and_a_held_one_never(api: BotApi) -> None:
    api.fault("wait", **{"for": 0.4})
    began = time.monotonic()
    assert ask(api, "getMe")["ok"]
    assert time.monotonic() - began >= 0.4
    api.fault("hang")
    with closing(socket.create_connection(("127.0.0.1", api.port), timeout=0.3)) as to:
        to.sendall(f"GET /bot{api.token}/getMe HTTP/1.1\r\n\r\n".encode())
        with pytest.raises(TimeoutError):
            to.recv(1)
    assert ask(api, "getMe")["ok"]


def test_an_answer_may_trickle_and_may_break_between_its_chunks(api: BotApi) -> None:
    request = f"GET /bot{api.token}/getMe HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    api.fault("pace", pace=1000)
    began = time.monotonic()
    assert raw(api, request).endswith(b"}}")
    assert time.monotonic() - began >= 0.2  # more than 200 bytes, 100 every tenth of a second
    api.fault("cut", framing="chunked", bytes=10)
    assert raw(api, request).endswith(b'\r\n\r\na\r\n{"ok":true\r\n')
    api.fault("cut", framing="chunked")
    assert raw(api, request).endswith(b"\r\n0\r\n\r\n")


def test_a_connection_may_wait_or_break_before_anything_is_read(api: BotApi) -> None:
    request = f"GET /bot{api.token}/getMe HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
    api.fault("wait", when="connect", **{"for": 0.3})
    began = time.monotonic()
    assert raw(api, request).endswith(b"}}")
    assert time.monotonic() - began >= 0.3
    api.fault("drop", when="connect")
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        raw(api, request, end=False)
    assert raw(api, request).endswith(b"}}")
    assert len(api.requests("getMe")) == 2


def test_pollers_that_end_each_other_are_slowed_down(api: BotApi) -> None:
    """As the real server does it: else two of them would turn in circles as fast as they can."""
    request = f"GET /bot{api.token}/getUpdates?timeout=50 HTTP/1.1\r\n\r\n".encode()
    with ExitStack() as held:
        pollers = []
        for _ in range(3):
            poller = held.enter_context(socket.create_connection(("127.0.0.1", api.port), 20))
            poller.sendall(request)
            pollers.append(poller)
            api.wait(
                lambda: len([r for r in api.requests("getUpdates") if r["params"]]) == len(pollers)
            )
        assert pollers[0].recv(1000).startswith(b"HTTP/1.1 409")
        began = time.monotonic()
        assert pollers[1].recv(1000).startswith(b"HTTP/1.1 409")
        second, third = (r["clock"] for r in api.requests("getUpdates")[1:])
        assert time.monotonic() - began > 1 or third - second > 2, "it was late itself"
        api.write(api.user("Ana"), "al tercero")
        answer = b""
        while b"al tercero" not in answer:  # the head may come before the body
            piece = pollers[2].recv(10000)
            assert piece, answer
            answer += piece


def test_an_unknown_fault_is_not_ordered(api: BotApi) -> None:
    with pytest.raises(ValueError, match="unknown fault 'earthquake'"):
        api.fault("earthquake")


# --- its own life --------------------------------------------------------------------------------


def test_what_it_knew_is_there_after_a_kill(tmp_path: Path) -> None:
    with bot_api(tmp_path, process=True) as api:
        ana = api.user("Ana")
        api.write(ana, "uno")
        api.send(ana, "document", data=b"y", name="a.txt")
        sent = ask(api, "sendMessage", chat_id=ana, text="dos")["result"]
        ask(api, "editMessageText", chat_id=ana, message_id=sent["message_id"], text="tres")
        token, pending = api.token, api.pending()
        api.kill()
        with pytest.raises(ConnectionRefusedError):
            ask(api, "getMe", token)
        with (tmp_path / "botapi" / "world.jsonl").open("a") as torn:
            torn.write('["messages","x",{"room"')
        api.start()
        assert (api.token, api.pending()) == (token, pending)
        assert [m.text for m in api.messages(ana)] == ["uno", "", "tres"]
        assert api.messages(ana)[2].history[0]["text"] == "dos"
        ask(api, "getUpdates", offset=pending[-1]["update_id"] + 1)
        api.write(ana, "cuatro")
        assert api.pending()[0]["update_id"] == pending[-1]["update_id"] + 1


def test_it_ends_at_once_though_clients_wait(tmp_path: Path) -> None:
    with bot_api(tmp_path, process=True) as api:
        poll = threading.Thread(target=lambda: _poll(api))
        poll.start()
        api.wait(lambda: api.requests("getUpdates"))
        os.kill(api.pid, signal.SIGTERM)
        began = time.monotonic()
        poll.join(10)
        assert not poll.is_alive()
        assert time.monotonic() - began < 5


def _poll(api: BotApi) -> None:
    token = api.token
    raw(api, f"GET /bot{token}/getUpdates?timeout=50 HTTP/1.1\r\n\r\n".encode(), end=False)


def test_a_second_server_on_the_same_port_says_so(api: BotApi, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="in use"), BotApi(tmp_path / "two", port=api.port):
        pass


@pytest.mark.parametrize("token", ["", "x", "1:", "0:x", "1:a/../b", "1:a b", "7000000001:other"])
def test_a_token_that_is_none_makes_no_bot(api: BotApi, token: str) -> None:
    order = json.dumps({"token": token or "-"}).encode()
    answer = http_ask(api, "POST", "/control/bots", order, {"Content-Type": "application/json"})
    assert answer[0] == 400
    assert len(api.bots()) == 1


def test_started_by_hand_it_says_where_it_is_or_why_it_is_not(api: BotApi, tmp_path: Path) -> None:
    for words, said in (
        (["--port", str(api.port)], "in use"),
        (["--port", "0", "--bot", "nonsense"], "a token is a number"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "monitor.demo.botapi", "--data", str(tmp_path / "two"), *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert said in done.stderr
        assert "Traceback" not in done.stderr


# --- neighbours ----------------------------------------------------------------------------------


def test_strangers_neither_read_nor_order(api: BotApi) -> None:
    ana = api.user("Ana")
    order = json.dumps({"user": ana, "text": "x"}).encode()
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"127.0.0.1.evil.example:{api.port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ):
        json_too = headers | {"Content-Type": "application/json"}
        assert http_ask(api, "POST", "/control/write", order, json_too)[0] == 403
        assert http_ask(api, "GET", "/control/state", None, headers)[0] == 403
        assert http_ask(api, "GET", "/", None, headers)[0] == 403
    own = {"Origin": f"http://127.0.0.1:{api.port}", "Content-Type": "application/json"}
    assert http_ask(api, "POST", "/control/write", order, own)[0] == 200
    assert len(api.messages(ana)) == 1


def test_it_listens_on_loopback_only(api: BotApi) -> None:
    held = {
        c.laddr.ip
        for c in psutil.Process().net_connections("tcp4")
        if c.laddr and c.laddr.port == api.port
    }
    assert held == {"127.0.0.1"}


def test_the_page_takes_nothing_from_elsewhere_and_reads_no_markup(api: BotApi) -> None:
    for path in ("/", "/chat.js", "/chat.css"):
        status, headers, body = http_ask(api, "GET", path)
        assert status == 200
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]
        assert b"http://" not in body
        assert b"https://" not in body
        for way in (b"innerHTML", b"outerHTML", b"insertAdjacentHTML", b"document.write", b"eval("):
            assert way not in body
        assert b"onclick=" not in body
        assert b"style=" not in body


def test_a_file_is_shown_in_place_only_when_it_is_a_picture(api: BotApi) -> None:
    ana = api.user("Ana")
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\1\0"
    for content, type, kept in (
        (png, "image/png", False),
        (b"<svg onload=alert(1)>", "application/octet-stream", True),
        (b"<script>alert(1)</script>", "application/octet-stream", True),
    ):
        photo = api.send(ana, "photo", data=content, name="x.png").message["photo"][0]
        _, headers, body = http_ask(api, "GET", f"/control/file/{photo['file_unique_id']}")
        assert (headers["content-type"], body) == (type, content)
        assert (headers.get("content-disposition") == "attachment") is kept
        assert headers["x-content-type-options"] == "nosniff"
    assert (api.messages(ana)[0].message["photo"][0]["width"]) == 512
