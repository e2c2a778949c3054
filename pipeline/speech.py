"""How the pipeline speaks: one line an event, in words that the monitor's rules read by key."""

from __future__ import annotations

import sys
from typing import Any

import structlog

_tail = structlog.processors.LogfmtRenderer(key_order=["event"], drop_missing=True)


def speak_logfmt() -> None:
    """`2026-11-20T08:00:00.123Z ERROR pipeline.download event=download.failed job=J …`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%dT%H:%M:%S.%fZ", utc=True),
            _line,
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _line(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
    moment = event.pop("timestamp").removesuffix("Z")[:-3] + "Z"
    level, part = event.pop("level").upper(), event.pop("part", "pipeline")
    return f"{moment} {level} {part} {_tail(logger, method, event)}"
