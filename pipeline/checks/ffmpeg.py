"""ffprobe and ffmpeg, as the machine has them: what is asked of them, and what they answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

_QUIET = ("-v", "error", "-protocol_whitelist", "file")  # a file that names another is not followed
_SHOWN = "stream=codec_type,nb_frames,nb_read_packets,duration,width,height"
# Neither says this; a shell and the loader do, of a program that cannot run here.
CANNOT = (126, 127)


def is_here() -> bool:
    return shutil.which("ffprobe") is not None and shutil.which("ffmpeg") is not None


def command(path: Path, how: str) -> list[str]:
    if how == "packets":
        asked = ("-count_packets", "-show_entries", _SHOWN, "-of", "json", f"file:{path}")
        return ["ffprobe", *_QUIET, *asked]
    strict = ("-nostdin", "-xerror", "-err_detect", "explode")
    first = ("-map", "0:V:0?", "-map", "0:a:0?", "-f", "null", "-")
    return ["ffmpeg", *_QUIET, *strict, "-i", f"file:{path}", *first]


def read(out: bytes) -> dict[str, Any]:
    """Of the picture, or of the sound where there is none. ffmpeg, which only decodes, says nothing
    when all is well.
    """
    if not out.strip():
        return {}
    streams = json.loads(out).get("streams", [])
    kinds = {one.get("codec_type"): one for one in reversed(streams)}
    one = kinds.get("video") or kinds.get("audio")
    if one is None:
        return {"error": "it has neither picture nor sound"}
    length = float(one.get("duration") or 0.0)
    return {
        "packets": int(one.get("nb_read_packets") or 0),
        "promised": int(one.get("nb_frames") or 0),
        "last": length,  # where its last packet ends is not told
        "duration": length,
        "width": int(one.get("width") or 0),
        "height": int(one.get("height") or 0),
    }
