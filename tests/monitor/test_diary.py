from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.diary import Diary
from monitor.model import FileId


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def words(path: Path) -> list[str]:
    """What was said, without when and how loudly."""
    return [line.split(maxsplit=2)[2] for line in lines(path)]


def test_an_entry_is_one_line_with_its_time_and_level(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "logs" / "monitor.log")
    said = diary.write("INFO", "started")
    diary.write("WARNING", "careful")
    first, second = lines(tmp_path / "logs" / "monitor.log")
    assert said == first
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO    started", first)
    assert second.endswith("Z WARNING careful")
    diary.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("two\nlines", "two\\nlines"),
        ("dos\r\nlines\r", "dos\\x0d\\nlines\\x0d"),
        ("x\u2028y\x85z\x0bw\x0cv", "x\\u2028y\\x85z\\x0bw\\x0cv"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\x00b", "a\\x00b"),
        ("ñandú 🦤", "ñandú 🦤"),
        ("\udcff from a file name", "\\udcff from a file name"),
        ("password=correct-horse", "password=[hidden]"),
        ("bot123456789:" + "Ab-_9" * 7, "bot[hidden]"),
    ],
)
def test_no_text_makes_more_than_one_line_or_tells_a_secret(
    tmp_path: Path, text: str, line: str
) -> None:
    # C 8, C 9, C 29
    diary = Diary(tmp_path / "d")
    diary.write("INFO", text)
    diary.close()
    assert (tmp_path / "d").read_bytes().count(b"\n") == 1
    assert words(tmp_path / "d") == [line]


@pytest.mark.parametrize("how", ["rename", "delete", "replace"])
def test_a_file_that_is_moved_or_deleted_a_hundred_times_stops_nothing(
    tmp_path: Path, how: str
) -> None:
    # B 43
    path = tmp_path / "d"
    diary = Diary(path)
    open_before = len(os.listdir("/proc/self/fd"))
    seen = []
    for number in range(100):
        diary.write("INFO", f"before {number}")
        seen += words(path)
        if how == "rename":
            path.rename(tmp_path / f"d.{number}")
        elif how == "delete":
            path.unlink()
        else:
            (tmp_path / "new").touch()
            (tmp_path / "new").replace(path)
        diary.write("INFO", f"after {number}")
        assert words(path)[-1] == f"after {number}"
        seen += words(path)
        path.unlink()
    assert seen == [f"{when} {n}" for n in range(100) for when in ("before", "after")]
    assert diary.missed == 0
    assert len(os.listdir("/proc/self/fd")) == open_before + 1
    diary.close()


def test_a_folder_that_was_deleted_is_made_again(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "logs" / "d")
    diary.write("INFO", "one")
    (tmp_path / "logs" / "d").unlink()
    (tmp_path / "logs").rmdir()
    diary.write("INFO", "two")
    assert words(tmp_path / "logs" / "d") == ["two"]
    diary.close()


def test_it_is_rotated_by_size_and_keeps_so_many(tmp_path: Path) -> None:
    path = tmp_path / "d"
    diary = Diary(path, size=200, keep=3)
    for number in range(60):
        diary.write("INFO", f"entry {number:02}")
    diary.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d", "d.1", "d.2", "d.3"]
    kept = [entry for name in ("d.3", "d.2", "d.1", "d") for entry in words(tmp_path / name)]
    assert kept == [f"entry {number:02}" for number in range(60 - len(kept), 60)]
    assert len(kept) > 15
    assert all(p.stat().st_size < 300 for p in tmp_path.iterdir())


def test_a_rotation_that_cannot_be_done_loses_no_line(tmp_path: Path) -> None:
    # B 44
    path = tmp_path / "d"
    (tmp_path / "d.1").mkdir()
    (tmp_path / "d.1" / "x").touch()
    (tmp_path / "d.2").touch()  # so that d.1 cannot be moved there
    diary = Diary(path, size=100, keep=2)
    for number in range(20):
        diary.write("INFO", str(number))
    assert diary.missed == 0
    assert words(path) == [str(number) for number in range(20)]
    diary.close()


def test_generations_may_disappear_while_it_rotates(tmp_path: Path) -> None:
    # B 44
    path = tmp_path / "d"
    diary = Diary(path, size=50, keep=3)
    over = threading.Event()

    def vandal() -> None:
        while not over.is_set():
            for number in (1, 2, 3):
                with contextlib.suppress(FileNotFoundError):
                    (tmp_path / f"d.{number}").unlink()

    thread = threading.Thread(target=vandal)
    thread.start()
    try:
        for number in range(500):
            diary.write("INFO", str(number))
    finally:
        over.set()
        thread.join()
    assert diary.missed == 0
    assert words(path)[-1] == "499"
    diary.close()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "d").symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("mine\n")
    diary = Diary(tmp_path / "d")
    diary.write("INFO", "x")
    assert (tmp_path / "precious").read_text() == "mine\n"
    assert diary.missed == 1
    assert diary.id is None
    diary.close()


def test_a_link_put_in_its_place_later_is_not_followed(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "d")
    diary.write("INFO", "x")
    (tmp_path / "d").unlink()
    (tmp_path / "d").symlink_to(tmp_path / "elsewhere")
    diary.write("INFO", "y")
    assert diary.missed == 1
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "d").unlink()
    diary.write("INFO", "z")
    assert words(tmp_path / "d") == ["z"]
    diary.close()


@pytest.mark.timeout(20)
def test_a_pipe_or_a_folder_in_its_place_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        diary = Diary(tmp_path / name)
        said = diary.write("INFO", "x")
        assert said.endswith("x"), "who asked still gets the line"
        assert diary.missed == 1


def test_it_says_which_file_it_is_so_that_nobody_follows_it(tmp_path: Path) -> None:
    # A 34
    diary = Diary(tmp_path / "d")
    assert diary.id is None
    diary.write("INFO", "x")
    status = (tmp_path / "d").stat()
    assert diary.id == FileId(status.st_dev, status.st_ino)
    diary.close()
    assert diary.id is None


def test_others_cannot_read_it(tmp_path: Path) -> None:
    # B 38
    before = os.umask(0)
    try:
        diary = Diary(tmp_path / "d")
        diary.write("INFO", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "d").stat().st_mode & 0o777 == 0o640
    diary.close()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size; only root can have one."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "vigia-test", str(folder))
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted only by root, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(("umount", "-l", str(folder)), check=True)


def test_a_full_disk_is_counted_leaves_no_half_line_and_goes_on_when_there_is_room(
    tmp_path: Path,
) -> None:
    # B 42
    with small_disk(tmp_path / "small", "64k") as small:
        diary = Diary(small / "d", size=1 << 20)
        number = 0
        while not diary.missed:
            diary.write("INFO", f"{number:04} " + "x" * 100)
            number += 1
            assert number < 2000
        for _ in range(3):
            diary.write("INFO", "lost " + "x" * 100)
        assert diary.missed == 4
        text = (small / "d").read_text()
        assert text.endswith("x\n"), "no half line stays behind"
        assert text.count("\n") == number - 1
        (small / "d").rename(small / "old")
        (small / "old").unlink()
        diary.write("INFO", "there is room again")
        assert words(small / "d") == ["there is room again"]
        diary.close()


def test_a_disk_that_takes_only_half_a_line_is_asked_to_forget_it(tmp_path: Path) -> None:
    # B 42, without being root: the limit of a file's size cuts a write as a full disk does
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from monitor.diary import Diary\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "diary = Diary(Path(sys.argv[1]))\n"
        "for _ in range(5): diary.write('INFO', 'some words')\n"
        "print(diary.missed)\n"
    )
    path = tmp_path / "d"
    done = subprocess.run(
        (sys.executable, "-c", code, str(path)), capture_output=True, text=True, check=True
    )
    assert words(path) == ["some words"] * 2
    assert done.stdout == "3\n"
