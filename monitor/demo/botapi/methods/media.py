"""Files that a bot sends, and files that it fetches."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from monitor.demo.botapi import limits
from monitor.demo.botapi.attachment import attachment
from monitor.demo.botapi.call import Call
from monitor.demo.botapi.files import PHOTO
from monitor.demo.botapi.methods.sending import deliver, reply
from monitor.demo.botapi.refusal import UNAVAILABLE, bad
from monitor.demo.botapi.rows import Row
from monitor.demo.botapi.world import say

MOST_IN_ALBUM = 10


def send_photo(call: Call) -> Row:
    return _send(call, "photo")


def send_video(call: Call) -> Row:
    return _send(call, "video")


def send_document(call: Call) -> Row:
    return _send(call, "document")


def send_audio(call: Call) -> Row:
    return _send(call, "audio")


def send_voice(call: Call) -> Row:
    return _send(call, "voice")


def send_animation(call: Call) -> Row:
    return _send(call, "animation")


def _send(call: Call, kind: str) -> Row:
    caption, entities = limits.formatted(
        call.word("caption"),
        call.word("parse_mode"),
        call.word("caption_entities"),
        limits.CAPTION,
        "message caption",
    )
    call.place()  # a chat that is not there is said before the file is taken
    file = _file(call, kind, kind)
    content = attachment(call.world.files, file, call.said.words)
    return deliver(call, content | {"caption": caption, "caption_entities": entities})


def _file(call: Call, field: str, kind: str, word: str | None = None) -> Row:
    """The file that a word means: an upload, an id, a page of the web, or a path of this machine."""
    word = call.word(field) if word is None else word
    name = word.removeprefix("attach://") if word.startswith("attach://") else field
    if name in call.said.taken:  # one upload may stand in an album twice
        taken: Row = call.said.taken[name]
        return taken
    if upload := call.said.uploads.get(name):
        if not upload.size:
            raise bad("file must be non-empty")
        if kind == "photo" and upload.size > PHOTO:
            raise bad("file is too big for a photo")
        kept = call.world.files.keep(upload.path, kind, upload.name, upload.type)
        call.said.taken[name] = kept
        return kept
    if not word or word.startswith("attach://"):
        raise bad(f"there is no {kind} in the request")
    if word.startswith("file://") and call.world.local:
        return _from_disk(call, Path(unquote(urlsplit(word).path)), kind)
    if word.startswith(("http://", "https://")):
        raise bad("failed to get HTTP URL content")
    file = call.world.files.find(call.bot["id"], word)
    if file is None:
        raise bad("wrong file identifier/HTTP URL specified")
    if file["kind"] != kind:
        raise bad("type of file mismatch")
    return file


def _from_disk(call: Call, path: Path, kind: str) -> Row:
    try:
        info = path.stat()
    except OSError:
        raise bad("wrong file identifier/HTTP URL specified") from None
    if not stat.S_ISREG(info.st_mode):
        raise bad("wrong file identifier/HTTP URL specified")
    if not info.st_size:
        raise bad("file must be non-empty")
    if info.st_size > call.world.files.most:
        raise bad("file is too big")
    handle, copy = tempfile.mkstemp(dir=call.world.files.incoming)
    os.close(handle)
    shutil.copyfile(path, copy)
    return call.world.files.keep(Path(copy), kind, path.name, "")


def send_media_group(call: Call) -> list[Row]:
    items = call.json("media", "media")
    if not isinstance(items, list):
        raise bad("expected an Array of InputMedia")
    if not items:
        raise bad("there are no messages to send")
    if len(items) > MOST_IN_ALBUM:
        raise bad("too many messages to send as an album")
    place = call.place()
    kinds = {item.get("type") for item in items if isinstance(item, dict)}
    if len(kinds) > 1 and not kinds <= {"photo", "video"}:
        raise bad("can't use the media of the specified type in the album")
    group = str(secrets.randbits(53))
    shared = {"media_group_id": group} | reply(call, place)
    contents = [_item(call, item) | shared for item in items]
    return [say(call.world, call.bot, place, content)["message"] for content in contents]


def _item(call: Call, item: Any) -> Row:
    if not isinstance(item, dict):
        raise bad("can't parse InputMedia: expected an Object")
    kind = item.get("type")
    if kind not in {"photo", "video", "document", "audio"}:
        raise bad(f'can\'t parse InputMedia: type "{kind}" is unsupported')
    file = _file(call, "media", kind, str(item.get("media", "")))
    words = {k: str(v) for k, v in item.items() if isinstance(v, (str, int, float))}
    given = item.get("caption_entities")
    spoken = json.dumps(given) if given else ""
    caption, entities = limits.formatted(
        words.get("caption", ""),
        words.get("parse_mode", ""),
        spoken,
        limits.CAPTION,
        "message caption",
    )
    content = attachment(call.world.files, file, words)
    content |= {"caption": caption, "caption_entities": entities}
    return {key: value for key, value in content.items() if value not in (None, [], "")}


def get_file(call: Call) -> Row:
    file_id = call.word("file_id")
    if not file_id:
        raise bad("file_id not specified")
    file = call.world.files.find(call.bot["id"], file_id)
    if file is None:
        raise bad("invalid file_id")
    if not call.world.files.place(file).exists():
        raise bad(UNAVAILABLE)
    return call.world.files.answer(call.bot, file)
