"""Any story that can happen to a log, and what a follower must have made of it.

The oracle: a line written to a file that stayed reachable until the follower looked is seen exactly
once; nothing is seen twice, nothing that was not written is seen. What nobody could read any more may
be missing, and then a Gap has said so: after a kill too, for what was decided and how far was read are
one. Lines are unique, so that a copy of one is never taken for another.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from .follow_story import Reader, reader

LINES = st.integers(1, 4)


class Story(RuleBasedStateMachine):
    """Acts on one log in one folder, with a follower that is now and then stopped or killed."""

    mode = "core"

    @initialize(
        pattern=st.sampled_from(["log", "log*"]), there=st.booleans(), attentive=st.booleans()
    )
    def begin(self, pattern: str, there: bool, attentive: bool) -> None:
        self.attentive = attentive  # looks after every act, or is too busy to look before it must
        self.top = Path(tempfile.mkdtemp(prefix="story-"))
        self.folder = self.top / "logs"
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.pattern = self.folder / pattern
        self.count = 0
        self.fresh = False  # the log was born since the follower last looked
        self.must: list[str] = []  # written where it can be read
        self.may: set[str] = set()  # written, but taken away before anyone looked
        self.half = ""
        self.unread: list[str] = []  # written since the follower last caught up
        self.writer = -1
        self.saved = []
        self.seen_before: list[str] = []
        self.file = 0  # which one the writer writes, counted
        self.file_of: dict[str, int] = {}
        self.known = 0  # the file of which something was read when the follower ended
        self.owed: set[str] = set()  # taken away unread from that file: read all the same, or told
        self.seen: Reader | None = None
        if there:
            self.open_writer()
        self.start()

    # --- the follower --------------------------------------------------------------------------

    def start(self) -> None:
        self.seen = reader(
            self.pattern, mode=self.mode, positions=self.saved, from_start=not self.saved
        )
        self.fresh = False  # a live one looks before it is ready
        self.catch_up()

    def catch_up(self) -> None:
        if self.seen is None:
            return
        wanted = set(self.must)
        self.seen.wait(lambda: wanted <= {*self.seen_before, *self.seen.lines})
        if self.mode == "core" or self.file in {self.file_of[line] for line in self.unread}:
            self.fresh = False  # a live one need not have looked when there was nothing to wait for
        self.unread.clear()
        self.check()
        if self.log.exists():  # only what comes in its place shows that a file is gone for good
            lost = self.owed - {*self.seen_before, *self.seen.lines}
            assert not lost or self.seen.gaps, lost
            self.owed.clear()

    def check(self) -> None:
        seen = [*self.seen_before, *(line for line in self.seen.lines if line)]
        whole = [line for line in seen if line.endswith(".")]
        twice = sorted({line for line in whole if whole.count(line) > 1})
        assert not twice, (twice, whole)
        unknown = set(whole) - set(self.must) - self.may
        assert not unknown, unknown
        missing = set(self.must) - set(whole)
        assert not missing, missing

    @precondition(lambda self: self.seen is not None)
    @rule()
    def look(self) -> None:
        self.catch_up()

    @precondition(lambda self: self.seen is not None)
    @rule()
    def stop(self) -> None:
        """A stop in good order: all was read, and where is known."""
        self.catch_up()
        self.end()

    @precondition(lambda self: self.seen is not None)
    @rule(reading=st.booleans())
    def kill(self, reading: bool) -> None:
        """Whatever is unread stays so, and what was read but not yet written down was not read."""
        self.end(reading=reading)

    def end(self, *, reading: bool = False) -> None:
        if self.seen.gaps:
            self.owed.clear()
        positions, lines = self.seen.kill(reading=reading)
        kept = {one.id: one for one in self.saved if one.id not in {new.id for new in positions}}
        self.saved = [*kept.values(), *positions]  # as the state keeps them
        self.seen_before += [line for line in lines if line.endswith(".")]
        self.unread = [line for line in self.unread if line not in self.seen_before]
        of_it = (line for line, file in self.file_of.items() if file == self.file)
        self.known = self.file if set(self.seen_before).intersection(of_it) else 0
        self.seen = None

    @precondition(lambda self: self.seen is None)
    @rule()
    def start_again(self) -> None:
        self.start()

    # --- the writer ----------------------------------------------------------------------------

    def open_writer(self) -> None:
        self.file += not self.is_current()
        if self.writer >= 0:
            os.close(self.writer)
        self.fresh = self.fresh or not self.log.exists()
        self.writer = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, text: str) -> None:
        os.write(self.writer, text.encode())

    def line(self) -> str:
        self.count += 1
        line = f"line {self.count} of this story."
        self.file_of[line] = self.file
        return line

    @precondition(lambda self: self.log.parent.is_dir())
    @rule(count=LINES)
    def append(self, count: int) -> None:
        if self.writer < 0 or not self.log.exists():
            self.finish_half()
            self.open_writer()
        self.finish_half()
        for _ in range(count):
            line = self.line()
            self.write(f"{line}\n")
            self.must.append(line)
            self.unread.append(line)

    @precondition(lambda self: self.writer >= 0 and not self.half)
    @rule()
    def partial(self) -> None:
        self.half = self.line()
        self.write(self.half[:5])

    def finish_half(self) -> None:
        if self.half and self.writer >= 0:
            self.write(f"{self.half[5:]}\n")
            self.must.append(self.half)
            self.unread.append(self.half)
        self.half = ""

    def is_current(self) -> bool:
        """Whether the writer's file is the one under the name of the log."""
        with contextlib.suppress(OSError):
            there, mine = os.stat(self.log), os.fstat(self.writer)
            return there.st_ino == mine.st_ino
        return False

    def lose_unread(self) -> None:
        """What nobody looked at is taken away: it may have been read, and it may not."""
        self.may |= set(self.unread)
        unread = {line for line in self.unread if self.file_of[line] == self.known}
        if self.pattern == self.log or (self.is_current() and self.known == self.file):
            self.owed |= unread  # else it is a log of its own by its new name
        self.must = [line for line in self.must if line not in self.may]
        self.unread.clear()
        self.half = ""

    # --- what happens to the log ---------------------------------------------------------------

    @precondition(lambda self: self.log.is_file() and self.writer >= 0)
    @precondition(lambda self: not self.log.is_symlink())
    @rule(reopen=st.booleans())
    def rename(self, reopen: bool) -> None:
        """Rotation; the writer finishes its line in the old file and then opens the new one."""
        if self.seen is not None and self.fresh:
            self.append(1)  # between its birth and its first rotation there is time for a look
            self.catch_up()
        if self.seen is None and self.fresh:
            self.lose_unread()  # born and rotated while nobody was there
            os.rename(self.log, f"{self.log}.1")
            os.close(self.writer)
            self.writer = -1
            return
        for number in range(8, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{self.log}.{number}", f"{self.log}.{number + 1}")
        os.rename(self.log, f"{self.log}.1")
        self.finish_half()
        if reopen:
            self.open_writer()

    @precondition(lambda self: self.log.is_file() and self.is_current())
    @rule(copy=st.booleans())
    def copytruncate(self, copy: bool) -> None:
        if self.half:
            self.finish_half()
        self.catch_up()
        if copy:
            for number in range(8, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{self.log}.{number}", f"{self.log}.{number + 1}")
            shutil.copy2(self.log, f"{self.log}.1")
        if self.seen is None:
            self.lose_unread()
        os.truncate(self.log, 0)
        self.file += 1  # of an empty file nothing tells that it is the same

    @precondition(lambda self: self.log.is_file() and self.writer >= 0)
    @precondition(lambda self: not self.log.is_symlink())
    @rule()
    def replace(self) -> None:
        """An editor saves the file again with one more line."""
        self.finish_half()
        self.catch_up()
        if self.seen is None:
            self.lose_unread()
        line = self.line()
        new = self.folder / "new"
        shutil.copy(self.log, new)
        with open(new, "a") as file:
            file.write(f"{line}\n")
        os.replace(new, self.log)
        if self.seen is None:
            self.may.add(line)
            self.fresh = True
        else:
            self.must.append(line)
        self.open_writer()
        self.catch_up()

    @precondition(lambda self: self.log.is_file() and self.writer >= 0)
    @rule()
    def delete(self) -> None:
        """The writer keeps it and writes its last line into the file without a name."""
        if self.seen is None:
            self.lose_unread()
        else:
            self.finish_half()
            self.catch_up()
        os.unlink(self.log)
        os.close(self.writer)
        self.writer = -1

    @precondition(lambda self: self.log.is_file())
    @rule()
    def swap_link(self) -> None:
        """The log becomes a link to a file elsewhere, swapped in one step."""
        self.finish_half()
        self.catch_up()
        if self.seen is None:
            self.lose_unread()
        self.count += 1
        target = self.top / f"target{self.count}"
        target.touch()
        link = self.folder / "link"
        link.symlink_to(target)
        os.replace(link, self.log)
        self.open_writer()

    @precondition(lambda self: self.folder.is_dir())
    @rule()
    def remove_folder(self) -> None:
        self.finish_half()
        self.catch_up()
        if self.seen is None:
            self.lose_unread()
        shutil.rmtree(self.folder)
        if self.writer >= 0:
            os.close(self.writer)
        self.writer = -1
        self.catch_up()
        self.folder.mkdir()

    @precondition(lambda self: self.log.is_file())
    @rule()
    def forbid(self) -> None:
        """For root nothing is forbidden; for others what is open stays open."""
        self.log.chmod(0)
        self.catch_up()
        self.log.chmod(0o644)

    @rule()
    def touch(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.utime(self.log)

    @invariant()
    def nothing_is_seen_twice(self) -> None:
        if getattr(self, "seen", None) is not None and self.mode == "core" and self.attentive:
            self.seen.poll()
            whole = [line for line in self.seen.lines if line.endswith(".")]
            assert len(whole) == len(set(whole)), whole

    def teardown(self) -> None:
        try:
            if getattr(self, "seen", None) is not None:
                self.finish_half()
                self.catch_up()
        finally:
            if getattr(self, "seen", None) is not None:
                self.seen.close()
            if getattr(self, "writer", -1) >= 0:
                os.close(self.writer)
            if hasattr(self, "top"):
                shutil.rmtree(self.top)
