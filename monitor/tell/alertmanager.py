"""News as the JSON that Prometheus Alertmanager posts to its webhooks (version 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from monitor.tell.alerts import is_recovered
from monitor.tell.wording import Reader, title
from monitor.tell.words import News
from monitor.texts import reason, result_word


def payload(told: Sequence[News], reader: Reader, post: int) -> dict[str, Any]:
    """One notification about all of them; it fires until all are over."""
    alerts = [_alert(news, reader) for news in told]
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": f"vigia:{reader.host}:{post}",
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "vigia",
        "groupLabels": {"instance": reader.host},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": alerts,
    }


def plain_payload(text: str, kind: str, reader: Reader, post: int) -> dict[str, Any]:
    """A message that is about no trouble, as a resolved alert: nothing is left on."""
    labels = {"alertname": f"Vigia{kind.capitalize()}", "severity": "info", "instance": reader.host}
    moment = _stamp(reader.wall)
    alert = {
        "status": "resolved",
        "labels": labels,
        "annotations": {"summary": text.split("\n", 1)[0], "description": text},
        "startsAt": moment,
        "endsAt": moment,
        "generatorURL": "",
        "fingerprint": _fingerprint(labels),
    }
    return payload([], reader, post) | {"alerts": [alert], "commonLabels": labels}


def _alert(news: News, reader: Reader) -> dict[str, Any]:
    over = is_recovered(news, reader.wall)
    labels = {
        "alertname": news.category or news.kind,
        "severity": str(news.severity),
        "instance": reader.host,
        "child": news.child,
        "incident": news.subject,
    }
    return {
        "status": "resolved" if over else "firing",
        "labels": labels,
        "annotations": {
            "summary": title(news, reader),
            "description": reason(news.why, reader.lang) or news.line,
            "state": news.state,
            "done": "; ".join(
                f"{step.do}: {result_word(step.result, reader.lang)}" for step in news.steps
            ),
        },
        "startsAt": _stamp(news.opened),
        "endsAt": _stamp(news.last) if over else "0001-01-01T00:00:00Z",
        "generatorURL": "",
        "fingerprint": _fingerprint({"incident": news.subject, "instance": reader.host}),
    }


def _common(labels: Sequence[dict[str, str]]) -> dict[str, str]:
    if not labels:
        return {}
    first = labels[0]
    return {k: v for k, v in first.items() if all(one.get(k) == v for one in labels)}


def _fingerprint(labels: dict[str, str]) -> str:
    return sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16]


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
