"""Says, in the pipeline's own voice, each event it is given: JSON lines in, log lines out."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import sys
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError

from pipeline.events import redacted, said, speak_logfmt
from pipeline.model import BrokenFileError, WorldError


def error_of(given: dict[str, Any]) -> Exception:
    """The exception as the pipeline would have caught it."""
    match given["kind"]:
        case "os":
            number = getattr(errno, given["errno"])
            return OSError(number, os.strerror(number), given.get("path"))
        case "world":
            return WorldError(given["why"], given.get("after", 0.0), given.get("url", ""))
        case "broken":
            return BrokenFileError(given["path"], given["why"])
        case "sql":
            return OperationalError("UPDATE media", {}, sqlite3.OperationalError(given["why"]))
        case "builtin":
            made: Exception = getattr(__builtins__, given["name"])(given["why"])
            return made
    raise ValueError(given)


def main() -> None:
    speak_logfmt()
    for line in sys.stdin:
        event = json.loads(line)
        say = structlog.get_logger(part=event["part"])
        keys = dict(event.get("keys", {}))
        if given := event.get("error"):
            error = error_of(given)
            world = isinstance(error, WorldError)
            keys |= {
                "file": getattr(error, "path", None) or getattr(error, "filename", None),
                "url": getattr(error, "url", None) or None,
                "retry_after": getattr(error, "after", 0.0) or None,
                "error": redacted(str(error) if world else said(error)),
            }
        getattr(say, event["level"])(event["event"], **keys)


main()
