"""The classic faults, each made for real; what heals them is the monitor, and a person where one must."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.demo.films import film
from monitor.demo.stage import CRASHER, Stage
from monitor.demo.story import Step, Tale, tell
from monitor.demo.words import say
from monitor.texts import reason

_UNDER_WAY = 20.0  # seconds until something is in the middle of happening
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """`plant` makes it and says by which words the job that meets it will be known."""

    name: str
    category: str
    plant: Callable[[Stage], str]
    does: Callable[[Stage], str]  # the word for what is planted
    prepare: Callable[[Stage], None] = lambda _: None
    needs: Callable[[Stage], str] = lambda _: ""  # why it cannot be tried here
    mend: Callable[[Stage], None] | None = None  # what the world, or a person, does about it
    when: Callable[[Stage], bool] = lambda _: True  # and when, once it was noticed
    look: Callable[[Stage, float], Tale] | None = None  # where no record tells of it

    def tale(self, stage: Stage, planted: float) -> Tale:
        if self.look is not None:
            return self.look(stage, planted)
        return tell(stage.records(), self.category, planted, stage.lang)

    def through(self, stage: Stage, caption: str) -> bool:
        return not caption or caption in stage.in_channel()


# --- folder removed ---


def _remove_folder(stage: Stage) -> str:
    shutil.rmtree(stage.path("modelos", "ana"))
    return stage.film(stage.ana)


# --- owner changed ---


def _close_folder(stage: Stage) -> str:
    folder = stage.path("modelos", "ana")
    if stage.ground.user:
        os.chown(folder, 0, 0)
        folder.chmod(0o700)
    else:
        folder.chmod(0)
    return stage.film(stage.ana)


def _needs_other_user(stage: Stage) -> str:
    why = stage.ground.no_user
    return say("lacks_user", stage.lang, why=why) if why else ""


# --- file cut ---


def _cut_file(stage: Stage) -> str:
    size = len(film(stage.sent + 1))
    stage.api.fault("blank", method="download", bytes=size // 2)
    return stage.film(stage.ana)


# --- server down ---


def _begin_download(stage: Stage) -> None:
    stage.api.fault("pace", method="download", pace=20_000)
    stage.film(stage.ana, more=200_000)
    stage.until(lambda: stage.is_downloading("ana"), _UNDER_WAY)


def _kill_server(stage: Stage) -> str:
    stage.api.kill()
    return f"video {stage.sent}"


def _was_looked_at(stage: Stage) -> bool:
    """The monitor has looked for itself and found nobody there."""
    return any(one["source"]["file"] == "check:bot_api" for one in stage.records())


# --- crash loop ---


def _start_crasher(stage: Stage) -> str:
    stage.vigia("start", CRASHER)
    return ""


def _mend_crasher(stage: Stage) -> None:
    stage.path("data", "crasher.conf").write_text("port = 8000\n")
    stage.vigia("start", CRASHER)


class _Crash:
    """A crash is no line of a log: what is known of it stands in `vigia status`."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}

    def __call__(self, stage: Stage, planted: float) -> Tale:
        now, child = time.time() - planted, stage.child(CRASHER)
        if child["state"] == "failed":
            self._note(
                "noticed", now, say("opened", stage.lang, why=reason(child["why"], stage.lang))
            )
        elif "noticed" in self._steps and child["state"] == "running":
            self._note("repaired", now, f"pid {child['pid']}")
            if child["up"] >= 3.0:
                self._note("proved", now, say("stable", stage.lang, up=f"{child['up']:.0f} s"))
        proved = "proved" in self._steps
        return Tale(tuple(self._steps.values()), (CRASHER,) if proved else (), not proved)

    def _note(self, kind: str, after: float, said: str) -> None:
        self._steps.setdefault(kind, Step(kind, after, said))


# --- disk full ---


def _fill_disk(stage: Stage) -> str:
    """Almost all of it by what is not ours, the rest by a download that somebody abandoned."""
    small = stage.ground.small
    left = small / "abandoned.mp4.part"
    left.write_bytes(b"\1" * (4 << 20))
    stage.ground.give(left)
    os.utime(left, (time.time() - 3 * _HOUR,) * 2)
    room = os.statvfs(small)
    (small / "holiday.bin").write_bytes(b"\1" * (room.f_bavail * room.f_bsize - (60 << 10)))
    return stage.film(stage.luis, more=300_000)


def _needs_disk(stage: Stage) -> str:
    why = stage.ground.no_disk
    if not why:
        return ""
    return (
        say("lacks_root", stage.lang) if why == "root" else say("lacks_mount", stage.lang, why=why)
    )


def _always(word: str) -> Callable[[Stage], str]:
    return lambda _: word


def all_faults() -> tuple[Fault, ...]:
    """In the order in which they are told."""
    return (
        Fault("folder", "missing_path", _remove_folder, _always("does_folder")),
        Fault(
            "owner",
            "permission",
            _close_folder,
            lambda stage: "does_owner" if stage.ground.user else "does_owner_mode",
            needs=_needs_other_user,
        ),
        Fault("cut", "corrupt_file", _cut_file, _always("does_cut")),
        Fault(
            "server",
            "server_down",
            _kill_server,
            _always("does_server"),
            prepare=_begin_download,
            mend=lambda stage: stage.api.start(),
            when=_was_looked_at,
        ),
        Fault(
            "crash",
            "crash",
            _start_crasher,
            _always("does_crash"),
            mend=_mend_crasher,
            look=_Crash(),
        ),
        Fault("disk", "disk_full", _fill_disk, _always("does_disk"), needs=_needs_disk),
    )


NAMES = tuple(fault.name for fault in all_faults())
