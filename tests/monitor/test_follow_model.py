"""Hundreds of stories that nobody thought of; thousands with FOLLOW_STORIES=5000 and --timeout 0."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable
from typing import Any, cast

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RULE_MARKER, precondition, rule

from .follow_model import Story

STORIES = int(os.environ.get("FOLLOW_STORIES", "300"))
COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=25,
    print_blob=True,
    database=None,  # which inode a file gets is not in the hands of the story
)


# A live reader is waited for in real time: on a busy machine fewer stories happen, not longer ones.
SECONDS = 30.0 * max(1, STORIES // 300)


class LiveStory(Story):
    """When its time is over nothing happens any more in which one would have to wait."""

    began = 0.0

    def has_time(self) -> bool:
        type(self).began = self.began or time.monotonic()
        return time.monotonic() - self.began < SECONDS


def in_time(name: str, ruled: Any) -> Callable[..., None]:
    """The same rule, drawn the same whatever the time is: what may be drawn must not depend on it."""

    def does(self: LiveStory, **drawn: Any) -> None:
        if self.has_time():
            ruled.function(self, **drawn)

    does.__name__ = name
    made = rule(**ruled.arguments)(does)
    for condition in ruled.preconditions:
        made = precondition(condition)(made)
    return cast("Callable[..., None]", made)


for name, method in inspect.getmembers(Story, lambda one: hasattr(one, RULE_MARKER)):
    if name != "touch":
        setattr(LiveStory, name, in_time(name, getattr(method, RULE_MARKER)))


class InotifyStory(LiveStory):
    mode = "inotify"


class PollingStory(LiveStory):
    mode = "polling"


TestAnyStory = Story.TestCase
TestAnyStory.settings = settings(COMMON, max_examples=STORIES)
TestAnyStoryWithInotify = InotifyStory.TestCase
TestAnyStoryWithInotify.settings = settings(COMMON, max_examples=max(5, STORIES // 30))
TestAnyStoryByPolling = PollingStory.TestCase
TestAnyStoryByPolling.settings = settings(COMMON, max_examples=max(3, STORIES // 100))
