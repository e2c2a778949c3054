from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator

import pytest

from monitor.echo import Echo


class Terminal:
    """The other end of a pipe: reads only when it is told to."""

    def __init__(self, *, colour: bool = False) -> None:
        self.read_end, self.write_end = os.pipe()
        self.echo = Echo(self.write_end, colour=colour)

    def all(self) -> str:
        """What was written, after the echo has ended."""
        said = bytearray()
        reader = threading.Thread(target=self._read, args=(said,))
        reader.start()
        self.echo.close(30.0)
        os.close(self.write_end)
        reader.join()
        return said.decode()

    def _read(self, into: bytearray) -> None:
        while data := os.read(self.read_end, 65536):
            into += data


@contextlib.contextmanager
def terminal(*, colour: bool = False) -> Iterator[Terminal]:
    it = Terminal(colour=colour)
    try:
        yield it
    finally:
        for fd in (it.read_end, it.write_end):
            with contextlib.suppress(OSError):
                os.close(fd)


def shown(data: bytes, *, name: str = "", colour: bool = False) -> str:
    with terminal(colour=colour) as it:
        it.echo.show(name, data)
        return it.all()


def test_lines_come_in_the_order_in_which_they_were_given() -> None:
    with terminal() as it:
        for number in range(2000):
            it.echo.show("ab"[number % 2], f"{number}\n".encode())
        lines = it.all().splitlines()
    assert lines == [f"{'ab'[number % 2]} │ {number}" for number in range(2000)]


def test_the_name_stands_before_each_line_of_several() -> None:
    assert shown(b"one\ntwo\n", name="bot") == "bot │ one\nbot │ two\n"
    assert shown(b"one\ntwo\n") == "one\ntwo\n"
    assert shown(b"\n") == "\n"
    assert shown(b"no end") == "no end\n"
    assert shown(b"dos\r\n") == "dos\n"


def test_a_terminal_that_nobody_reads_never_holds_anybody_up() -> None:
    # B 12
    block = b"".join(b"%07d\n" % n for n in range(8192))  # 64 KiB, as much as the pipe takes
    with terminal() as it:
        longest = 0.0
        for _ in range(200):  # 13 MB, far more than there is room for
            before = time.thread_time()
            it.echo.show("", block)
            longest = max(longest, time.thread_time() - before)
        before = time.monotonic()
        it.echo.close(0.05)
        assert time.monotonic() - before < 5, "closing waits no longer than it was allowed to"
        assert longest < 0.5


def test_what_is_not_shown_is_counted_and_said_where_it_is_missing() -> None:
    lines = 8192
    blocks = [b"".join(b"%03d.%03d\n" % (b, n % 1000) for n in range(lines)) for b in range(100)]
    with terminal() as it:
        for block in blocks:
            it.echo.show("", block)
        said = it.all().splitlines()
    notes = [(place, line) for place, line in enumerate(said) if "not shown" in line]
    ((place, note),) = notes
    missed = int(note.split()[1].replace(",", ""))
    assert missed > 0
    assert missed + len(said) - 1 == lines * len(blocks), "each line is shown or counted"
    assert place == len(said) - 1, "the end is missing, so it is said at the end"
    assert said[:place] == b"".join(blocks).decode().splitlines()[:place]


def test_after_a_gap_it_goes_on_and_the_gap_is_said_before_the_next_line() -> None:
    block = b"x\n" * (1 << 19)
    with terminal() as it:
        for _ in range(4):
            it.echo.show("", block)
        # The writer holds the first block until somebody reads: two fit, or three.
        it.echo.show("", b"y\n" * 600_000)
        reader = threading.Thread(target=_read_until, args=(it.read_end, b"not shown here"))
        reader.start()
        reader.join(30)
        assert not reader.is_alive(), "what is missing is said although no further line comes"
        it.echo.show("", b"later\n")
        assert it.all().endswith("later\n")


def _read_until(fd: int, words: bytes) -> None:
    tail = b""
    while words not in tail:
        tail = (tail + os.read(fd, 65536))[-70_000:]


def test_colour_comes_only_when_it_is_asked_for() -> None:
    line = b"2026-11-20 08:00:00 ERROR x\n"
    assert shown(line) == line.decode()
    assert shown(line, colour=True) == f"\x1b[31m{line.decode().strip()}\x1b[0m\n"
    assert shown(b"INFO x\n", colour=True) == "INFO x\n"


@pytest.mark.parametrize(
    ("line", "colour"),
    [
        ("CRITICAL x", 31),
        ("2026 [FATAL] x", 31),
        ("a WARNING b", 33),
        ("a WARN b", 33),
        ("AVISO: b", 33),
        ("DEBUG b", 90),
        ("TRACE b", 90),
        ("TERRORS b", None),
        ("an error b", None),
        ("x" * 90 + " ERROR", None),
    ],
)
def test_the_colour_follows_the_level(line: str, colour: int | None) -> None:
    said = shown(f"{line}\n".encode(), colour=True)
    assert said == (f"\x1b[{colour}m{line}\x1b[0m\n" if colour else f"{line}\n")


def test_a_child_cannot_command_our_terminal() -> None:
    # C 9
    said = shown(b"\x1b]0;title\x07\x1b[2Jgone\rback \xff\xc2\x9b1m \xe2\x80\xae\n", colour=True)
    assert "\x1b" not in said
    assert said == "\\x1b]0;title\\x07\\x1b[2Jgone\\x0dback \ufffd\\x9b1m \\u202e\n"


def test_secrets_do_not_reach_the_terminal() -> None:
    # C 29
    said = shown(b"POST https://api.telegram.org/bot123456789:" + b"Ab-_9" * 7 + b"/getMe\n")
    assert said == "POST https://api.telegram.org/bot[hidden]/getMe\n"


def test_a_terminal_that_went_away_is_no_error() -> None:
    with terminal() as it:
        os.close(it.read_end)
        for number in range(100):
            it.echo.show("", b"%d\n" % number)
        it.echo.close(10.0)
        assert not it.echo._thread.is_alive()
        it.echo.show("", b"nobody hears it\n")


def test_a_terminal_set_to_non_blocking_gets_everything() -> None:
    with terminal() as it:
        os.set_blocking(it.write_end, False)
        for number in range(40):
            it.echo.show("", b"%05d\n" % number * 5000)
        assert it.all().count("\n") == 200_000
