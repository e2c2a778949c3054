"""`python -m pipeline.checks.inside FILE packets|decode`: what libav finds inside, as JSON.

A process of its own: a hostile file may crash or hold it, and nobody else.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import av
import av.container
import av.error


def main(path: str, how: str) -> int:
    try:
        with av.open(path) as container:
            found = _packets(container) if how == "packets" else _decode(container)
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        found = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
    print(json.dumps(found))
    return 0


def _packets(container: av.container.InputContainer) -> dict[str, Any]:
    stream: Any = next(iter(container.streams.video or container.streams.audio), None)
    if stream is None:
        return {"error": "it has neither picture nor sound"}
    count, last = 0, 0.0
    for packet in container.demux(stream):
        if packet.size:
            count += 1
            if packet.pts is not None:
                last = max(last, float((packet.pts + (packet.duration or 0)) * stream.time_base))
    start = float((stream.start_time or 0) * stream.time_base)
    length = float(stream.duration * stream.time_base) if stream.duration else 0.0
    picture = stream.type == "video"
    return {
        "packets": count,
        "promised": stream.frames,
        "last": last - start,
        "duration": length,
        "width": stream.width if picture else 0,
        "height": stream.height if picture else 0,
    }


def _decode(container: av.container.InputContainer) -> dict[str, Any]:
    stream: Any = next(iter(container.streams.video or container.streams.audio))
    stream.codec_context.options = {"err_detect": "explode"}
    stream.thread_type = "AUTO"
    count = sum(1 for _ in container.decode(stream))
    if stream.frames and count < stream.frames * 0.98:
        return {"error": f"only {count} of {stream.frames} frames can be decoded"}
    return {"packets": count}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
