"""A kept file as it stands in a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from monitor.demo.botapi.files import Files
from monitor.demo.botapi.picture import dimensions
from monitor.demo.botapi.rows import Row

_HEAD = 64 * 1024


def attachment(files: Files, file: Row, words: Mapping[str, Any]) -> Row:
    """The member of a message that holds the file; what nobody said of it is made plausible."""
    kind = file["kind"]
    core = {"file_id": file["id"], "file_unique_id": file["unique"], "file_size": file["size"]}
    named = core | {"file_name": file["name"], "mime_type": file["mime"]}
    duration = max(0, _whole(words.get("duration"), 1))
    match kind:
        case "photo":
            with files.place(file).open("rb") as opened:
                width, height = dimensions(opened.read(_HEAD)) or (1280, 720)
            return {"photo": [core | {"width": width, "height": height}]}
        case "video" | "animation":
            shape = {
                "width": _whole(words.get("width"), 1280),
                "height": _whole(words.get("height"), 720),
                "duration": duration,
            }
            held = {kind: named | shape}
            return held | ({"document": named} if kind == "animation" else {})
        case "audio":
            tags = {key: words[key] for key in ("performer", "title") if words.get(key)}
            return {"audio": named | {"duration": duration} | tags}
        case "voice":
            return {"voice": core | {"mime_type": "audio/ogg", "duration": duration}}
    return {"document": named}


def _whole(value: Any, otherwise: int) -> int:
    try:
        return int(float(value)) or otherwise
    except (TypeError, ValueError):
        return otherwise
