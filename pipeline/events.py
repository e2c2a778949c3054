"""How the pipeline speaks: one line an event, in words that the monitor's rules read by key."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

# httpx writes every URL, bot token included, at INFO; SQLAlchemy and alembic say what nobody asked.
_QUIET = ("httpx", "httpcore", "sqlalchemy", "alembic", "telegram", "asyncio")
_HIDDEN = "[hidden]"
_SECRETS = re.compile(
    r"(?<!\d)\d{6,12}(?::|%3A)[A-Za-z0-9_-]{30,}"
    r"|(?<=://)[^\s/:@\"']{0,64}:[^\s/?#\"'@]{1,256}(?=@)"
    r"|(?i:(?<=bearer )|(?<=key=)|(?<=token=))[\w.~+/=-]{12,}"
    r"|\bAIza[A-Za-z0-9_-]{30,}|\bsk-[A-Za-z0-9_-]{20,}|\beyJ[A-Za-z0-9_-]{15,}[\w.-]*"
)
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
    root = logging.getLogger()
    root.handlers[:] = [_Foreign()]
    root.setLevel(logging.WARNING)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # DBOS attaches a handler of its own, to stderr, unless there is one before it is made.
    durable = logging.getLogger("dbos")
    durable.propagate = False
    durable.handlers[:] = [_Foreign()]


def said(error: BaseException) -> str:
    """An exception in one line: what it is and what it says."""
    words = " ".join(str(error).split())
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"{name}: {words}" if words else name


def redacted(text: str) -> str:
    """The text without tokens, keys and passwords."""
    return _SECRETS.sub(_HIDDEN, text)


class _Foreign(logging.Handler):
    """What libraries log, in our own form; their tracebacks are told as the error they end with."""

    def emit(self, record: logging.LogRecord) -> None:
        if "background workflow" in record.getMessage():
            return  # a job that failed has said so itself, with path and cause
        say = structlog.get_logger(part=f"pipeline.{record.name}")
        error = record.exc_info[1] if record.exc_info else None
        say.log(
            record.levelno,
            "library.said",
            text=" ".join(record.getMessage().split())[:2000],
            error=said(error)[:2000] if error else None,
        )


def _line(logger: Any, method: str, event: structlog.typing.EventDict) -> str:
    moment = event.pop("timestamp").removesuffix("Z")[:-3] + "Z"
    level, part = event.pop("level").upper(), event.pop("part", "pipeline")
    known = {key: _flat(value) for key, value in event.items() if value is not None}
    line = redacted(f"{moment} {level} {part} {_tail(logger, method, known)}")
    return line if line.isprintable() else "".join(map(_shown, line))


def _shown(char: str) -> str:
    """Nothing that a terminal would obey."""
    return char if char.isprintable() else f"\\x{ord(char):02x}"


def _flat(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) and "\n" in value else value
