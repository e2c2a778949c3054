"""Which captioner the configuration asks for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from pipeline.ai.local import Local
from pipeline.ai.port import Captioner
from pipeline.config import Settings
from pipeline.model import SettingsError


def captioner(settings: Settings) -> Captioner:
    """The providers in their order, or the local one when none is configured."""
    if not settings.ai:
        return Local()
    if find_spec("pydantic_ai") is None:
        why = "AI_PROVIDER is set and pydantic_ai is not installed: pip install 'vigia[ai]'"
        raise SettingsError((why,))
    provided: Captioner = import_module("pipeline.ai.models").Provided(
        settings.ai, settings.caption_limit
    )
    return provided
