"""Small films made by libav, each different from the others."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import av


def film(seed: int = 0, frames: int = 25, side: int = 128, *, faststart: bool = True) -> bytes:
    """An MP4 of noise, so that its data is dense: about 8 kB a frame."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        _write(file.name, random.Random(seed), frames, side, faststart)
        return Path(file.name).read_bytes()


def _write(path: str, noise: random.Random, frames: int, side: int, faststart: bool) -> None:
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(path, "w", format="mp4", options=options) as container:
        stream: Any = container.add_stream("libx264", rate=25)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "ultrafast"}
        for number in range(frames):
            frame = av.VideoFrame(side, side, "yuv420p")
            for plane in frame.planes:
                plane.update(noise.randbytes(plane.buffer_size))
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def holed(data: bytes, size: int = 64 << 10) -> bytes:
    """With zeros in its middle, as some downloads have come."""
    middle = len(data) // 2
    return data[:middle] + bytes(size) + data[middle + size :]
