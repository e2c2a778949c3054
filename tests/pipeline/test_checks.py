"""What is whole is taken for whole, what is broken for broken; real files of each kind."""

from __future__ import annotations

import io
import os
import random
import struct
import tracemalloc
import zlib
from pathlib import Path

import av
import pytest

from pipeline import checks
from pipeline.checks import probe, zeros
from pipeline.model import BrokenFileError
from tests.pipeline.films import film, holed


def look(path: Path, data: bytes, size: int = 0) -> checks.Found:
    path.write_bytes(data)
    return checks.check(path, size, 60.0, lambda: None)


def picture(codec: str) -> bytes:
    out, noise = io.BytesIO(), random.Random(1)
    with av.open(out, "w", format="image2pipe") as container:
        pixels = "yuvj420p" if codec == "mjpeg" else "rgb24"
        stream = container.add_stream(codec, rate=1)
        stream.width = stream.height = 64
        stream.pix_fmt = pixels
        frame = av.VideoFrame(64, 64, pixels)
        for plane in frame.planes:
            plane.update(noise.randbytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\nxref\n0 1\ntrailer<</Root 1 0 R>>\nstartxref\n40\n%%EOF\n"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


def wav() -> bytes:
    data = random.Random(2).randbytes(40_000)
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    inner = (
        b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    )
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


WHOLE = {
    "film.mp4": film(),
    "last.mp4": film(faststart=False),
    "photo.jpg": picture("mjpeg"),
    "shot.png": picture("png"),
    "paper.pdf": PDF,
    "dot.gif": GIF,
    "sound.wav": wav(),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_is_whole(tmp_path: Path, name: str) -> None:
    found = look(tmp_path / name, WHOLE[name], len(WHOLE[name]))
    assert found.level == ("packets" if name[-3:] in {"mp4", "wav"} else "container")


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_cut_at_60_percent_is_broken_also_when_nobody_said_its_size(
    tmp_path: Path, name: str
) -> None:
    data = WHOLE[name]
    with pytest.raises(BrokenFileError, match="truncated or invalid"):
        look(tmp_path / name, data[: len(data) * 6 // 10])


@pytest.mark.parametrize("name", WHOLE)
def test_something_else_under_its_name_is_broken(tmp_path: Path, name: str) -> None:
    with pytest.raises(BrokenFileError, match="truncated or invalid"):
        look(tmp_path / name, b"<html><body>502 Bad Gateway</body></html>" * 20)


def test_a_file_of_another_size_than_declared_is_broken(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="truncated: it has 5 bytes of 9"):
        look(tmp_path / "any.bin", b"12345", 9)


def test_an_empty_file_is_broken(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="empty"):
        look(tmp_path / "any.bin", b"")


def test_what_a_film_is_comes_out_of_it(tmp_path: Path) -> None:
    found = look(tmp_path / "film.mp4", WHOLE["film.mp4"])
    assert (found.width, found.height, round(found.duration, 1)) == (128, 128, 1.0)


def test_a_hole_of_64_kb_in_a_film_is_found_by_decoding_it(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="zeros in a row, and"):
        look(tmp_path / "film.mp4", holed(WHOLE["film.mp4"]))


@pytest.mark.needs("ffmpeg")
def test_where_libav_is_not_installed_ffprobe_and_ffmpeg_of_the_machine_look_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "find_spec", lambda _: None)
    whole = film(7, frames=50)
    found = look(tmp_path / "film.mp4", whole)
    assert found == checks.Found("packets", found.duration, 128, 128)
    assert 1.9 < found.duration < 2.1
    assert look(tmp_path / "sound.wav", WHOLE["sound.wav"]).level == "packets"
    with pytest.raises(BrokenFileError, match="zeros in a row, and looking inside"):
        look(tmp_path / "film.mp4", holed(whole))
    with pytest.raises(BrokenFileError, match=r"truncated: \d+ of 50 frames"):
        look(tmp_path / "film.mp4", emptied(whole))


def emptied(data: bytes) -> bytes:
    """Its index promises frames that lie beyond its end; its boxes are whole all the same."""
    at = data.index(b"mdat") - 4
    kept = 8 + 6000
    return data[:at] + struct.pack(">I", kept) + data[at + 4 : at + kept]


def test_a_program_that_cannot_run_here_is_no_word_against_a_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ffprobe", "ffmpeg"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(probe, "find_spec", lambda _: None)
    assert look(tmp_path / "film.mp4", WHOLE["film.mp4"]).level == "container"


def test_a_hole_is_found_also_where_nobody_can_look_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look(tmp_path / "film.mp4", WHOLE["film.mp4"]).level == "container"
    with pytest.raises(BrokenFileError, match="zeros in a row in its data"):
        look(tmp_path / "film.mp4", holed(WHOLE["film.mp4"]))


def test_sound_with_long_silence_is_whole(tmp_path: Path) -> None:
    data = WHOLE["sound.wav"]
    assert (
        look(tmp_path / "sound.wav", data[:100] + bytes(39_000) + data[39_100:]).level == "packets"
    )


@pytest.mark.parametrize("at", [0, 5000, zeros.BLOCK - 20_000, zeros.BLOCK * 2 - 50_000])
def test_the_longest_run_is_measured_wherever_it_lies(tmp_path: Path, at: int) -> None:
    data = bytearray(b"\1" * zeros.BLOCK * 2)
    data[at : at + 50_000] = bytes(50_000)
    (tmp_path / "f").write_bytes(data)
    assert zeros.longest(tmp_path / "f", [(0, len(data))], lambda: None) == 50_000
    assert zeros.longest(tmp_path / "f", [(0, at)], lambda: None) == 0


def test_a_run_over_several_blocks_counts_as_one(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\1" + bytes(zeros.BLOCK * 3) + b"\1")
    size = zeros.BLOCK * 3 + 2
    assert zeros.longest(tmp_path / "f", [(0, size)], lambda: None) == zeros.BLOCK * 3


def test_a_png_with_one_changed_byte_is_broken(tmp_path: Path) -> None:
    data = bytearray(WHOLE["shot.png"])
    data[len(data) // 2] ^= 1
    with pytest.raises(BrokenFileError, match="checksum"):
        look(tmp_path / "shot.png", bytes(data))


def test_a_png_of_one_long_chunk_is_not_held_in_memory(tmp_path: Path) -> None:
    head = WHOLE["shot.png"][:33]
    kind, data = b"IDAT", random.Random(5).randbytes(40 << 20)
    end = b"\0\0\0\0IEND\xaeB`\x82"
    crc = struct.pack(">I", zlib.crc32(kind + data))
    (tmp_path / "x.png").write_bytes(head + struct.pack(">I", len(data)) + kind + data + crc + end)
    del data
    tracemalloc.start()
    assert checks.check(tmp_path / "x.png", 0, 5.0, lambda: None).level == "container"
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_no_bytes_make_the_checks_fail_in_another_way(tmp_path: Path) -> None:
    """Cut, changed and stretched at random: whole or broken, never an error of ours."""
    noise = random.Random(7)
    for name, whole in WHOLE.items():
        if name.endswith(("mp4", "wav")):
            continue  # those start a process each
        for _ in range(200):
            data = bytearray(whole[: noise.randrange(1, len(whole) + 1)])
            for _ in range(noise.randrange(4)):
                data[noise.randrange(len(data))] = noise.randrange(256)
            try:
                look(tmp_path / name, bytes(data))
            except BrokenFileError:
                continue


def test_no_bytes_make_the_reading_of_an_mp4_fail_in_another_way(tmp_path: Path) -> None:
    noise, whole = random.Random(8), WHOLE["last.mp4"]
    path = tmp_path / "film.mp4"
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(noise.randrange(1, 6)):
            data[noise.choice((noise.randrange(60), -noise.randrange(1, 900)))] = noise.randrange(
                256
            )
        path.write_bytes(data)
        try:
            checks.containers.check(path)
        except BrokenFileError:
            continue
