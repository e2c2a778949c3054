"""A second opinion on the Bot API that nobody here wrote: aiogram's models."""

from __future__ import annotations

import functools
import json
from typing import Any

from aiogram import methods
from pydantic import TypeAdapter, ValidationError

# What stands in a request as JSON text; everything else is a word as it is.
_JSON = ("[", "{")


def opinion(side: str, method: str, value: Any) -> str | None:
    """What is wrong with a request's words, or with what was answered to it."""
    known = _models().get(method.lower())
    if known is None:
        return "there is no such method"
    try:
        if side == "request":
            known.model_validate({name: _read(word) for name, word in value.items()})
        else:
            _answers(known).validate_python(value)
    except ValidationError as error:
        return str(error)
    return None


@functools.cache
def _models() -> dict[str, Any]:
    return {name.lower(): getattr(methods, name) for name in methods.__all__}


@functools.cache
def _answers(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model.__returning__)


def _read(word: Any) -> Any:
    if isinstance(word, str) and word.startswith(_JSON):
        try:
            return json.loads(word)
        except ValueError:
            return word
    return word
