"""Following as it happens: the bell wakes, the follower reads, the pace decides how to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from monitor.follow.follower import Follower
from monitor.follow.pace import GLANCE, Listen, Pace, Read, after, plan
from monitor.follow.wake import Bell
from monitor.model import Chunk, Gap

Deliver = Callable[[Sequence[Chunk | Gap]], None]


async def follow(
    follower: Follower,
    deliver: Deliver,
    *,
    inotify: bool = True,
    monotonic: Callable[[], float] = time.monotonic,
    wall: Callable[[], float] = time.time,
) -> None:
    """Hand over what is new, turn by turn, until cancelled; what `deliver` raises ends it."""
    bell = Bell(inotify=inotify)
    try:
        await _turns(follower, deliver, bell, monotonic, wall)
    finally:
        bell.close()


async def _turns(
    follower: Follower,
    deliver: Deliver,
    bell: Bell,
    monotonic: Callable[[], float],
    wall: Callable[[], float],
) -> None:
    pace, full, rang, listened = Pace(), True, False, False
    hung = float("-inf")  # when it was last made sure that every folder has its watch
    while True:
        turn = (follower.poll if full else follower.drain)(monotonic(), wall())
        if turn:
            deliver(turn)
            if listened:
                bell.heard(rang)
        now = monotonic()
        pace = after(pace, now, new=bool(turn), rang=rang, all=full)
        step = plan(pace, now, behind=follower.behind, deaf=bool(bell.deaf))
        full, rang, listened = True, False, False
        match step:
            case Listen(seconds):
                if now - hung >= GLANCE:
                    hung = now
                    if bell.arm(follower.directories()):
                        continue  # what came before the watch was on made no sound: look again
                rang, listened = await bell.wait(seconds), True
            case Read(seconds, all=full):
                bell.disarm()
                hung = float("-inf")
                await asyncio.sleep(seconds)
