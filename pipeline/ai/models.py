"""Captions by AI providers, asked one after the other; the only one that imports pydantic_ai."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from openai import AsyncOpenAI
from pydantic_ai import Agent, BinaryContent, PromptedOutput
from pydantic_ai.exceptions import AgentRunError, ModelHTTPError, UserError
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from pipeline.ai.local import LONGEST, Local
from pipeline.ai.port import Caption, Captioner, Facts
from pipeline.config import AiModel
from pipeline.events import redacted, said
from pipeline.model import Kind

say = structlog.get_logger(part="pipeline.caption")

_BUSY = (429, 503)  # of all answers, only these may change when the same is asked again
_PAUSE = 2.0
_INLINE = {"google": 18 << 20, "openai": 8 << 20, "ollama": 8 << 20}  # bytes of a file in a request
_LANGUAGES = {"es": "Spanish", "en": "English"}
_OLLAMA = "http://127.0.0.1:11434/v1"


@dataclass
class Written:
    """What a model has to answer."""

    caption: str


class Provided:
    """The first that answers wins; when none does within the limit, the local one writes it."""

    def __init__(self, models: Sequence[AiModel], limit: float) -> None:
        self._models = [(model, _model(model)) for model in models]
        self._limit = limit
        self._otherwise: Captioner = Local("fallback")

    def caption(self, facts: Facts) -> Caption:
        return asyncio.run(self._caption(facts))

    async def _caption(self, facts: Facts) -> Caption:
        """Each has its share of the time, so that one that hangs leaves some to the next."""
        end = time.monotonic() + self._limit
        for number, (known, model) in enumerate(self._models):
            share = (end - time.monotonic()) / (len(self._models) - number)
            try:
                async with asyncio.timeout(share):
                    text = await _asked(model, known, facts)
            except (TimeoutError, AgentRunError, UserError, OSError) as error:
                words = redacted(said(error))[:500]
                if isinstance(error, TimeoutError):
                    words = f"no answer within {share:.0f} s"
                say.warning("caption.fallback", provider=known.shown, why=words)
            else:
                return Caption(text[:LONGEST], known.shown)
        return self._otherwise.caption(facts)


async def _asked(model: GoogleModel | OpenAIChatModel, known: AiModel, facts: Facts) -> str:
    agent = Agent(model, output_type=PromptedOutput(Written), instructions=_instructions(facts))
    question = _question(known, facts)
    while True:
        try:
            answer = await agent.run(question)
        except ModelHTTPError as error:
            if error.status_code not in _BUSY:
                raise
            await asyncio.sleep(_PAUSE)
            continue
        text: str = answer.output.caption.strip()
        if text:
            return text
        raise AgentRunError("it wrote an empty caption")


def _instructions(facts: Facts) -> str:
    language = _LANGUAGES.get(facts.language, facts.language)
    return (
        f"You write the caption under a post of {facts.modelo}, in {language}, at most 300 "
        f"characters, without inventing what is not shown or said. {facts.prompt}"
    ).strip()


def _question(known: AiModel, facts: Facts) -> list[str | BinaryContent]:
    """The facts, and the file itself where this provider can look at it."""
    told = [f"A {facts.kind.value} named {facts.path.name}."]
    if facts.duration:
        told.append(f"It lasts {facts.duration:.0f} s.")
    if facts.text:
        told.append(f"Its sender wrote: {facts.text}")
    question: list[str | BinaryContent] = [" ".join(told)]
    seen = {Kind.PHOTO} | ({Kind.VIDEO, Kind.AUDIO} if known.provider == "google" else set())
    if facts.kind in seen and 0 < facts.size <= _INLINE[known.provider]:
        question.append(BinaryContent(facts.path.read_bytes(), media_type=_mime(facts)))
    return question


def _mime(facts: Facts) -> str:
    usual = {Kind.VIDEO: "video/mp4", Kind.PHOTO: "image/jpeg", Kind.AUDIO: "audio/ogg"}
    return facts.mime or usual.get(facts.kind, "application/octet-stream")


def _model(known: AiModel) -> GoogleModel | OpenAIChatModel:
    if known.provider == "google":
        where = {"base_url": known.url} if known.url else {}
        return GoogleModel(known.name, provider=GoogleProvider(api_key=known.key, **where))
    url = known.url or (_OLLAMA if known.provider == "ollama" else None)
    # Retries are ours: its own would repeat what must not be repeated, and hide it.
    client = AsyncOpenAI(api_key=known.key or "none", base_url=url, max_retries=0)
    return OpenAIChatModel(known.name, provider=OpenAIProvider(openai_client=client))
