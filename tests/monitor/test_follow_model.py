"""Hundreds of stories that nobody thought of; thousands with FOLLOW_STORIES=5000 and --timeout 0."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

from .follow_model import Story

STORIES = int(os.environ.get("FOLLOW_STORIES", "300"))
COMMON = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=25,
    print_blob=True,
    database=None,  # which inode a file gets is not in the hands of the story
)


class InotifyStory(Story):
    mode = "inotify"


class PollingStory(Story):
    mode = "polling"


TestAnyStory = Story.TestCase
TestAnyStory.settings = settings(COMMON, max_examples=STORIES)
TestAnyStoryWithInotify = InotifyStory.TestCase
TestAnyStoryWithInotify.settings = settings(COMMON, max_examples=max(5, STORIES // 30))
TestAnyStoryByPolling = PollingStory.TestCase
TestAnyStoryByPolling.settings = settings(COMMON, max_examples=max(3, STORIES // 100))
