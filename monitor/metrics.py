"""The status as Prometheus reads it; pure text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from monitor.model import ChildState, IncidentState

# name: (kind, what it says)
_SERIES = {
    "vigia_up_seconds": ("gauge", "Seconds since the monitor was started."),
    "vigia_paused": ("gauge", "1 while a person has paused repairs."),
    "vigia_child_up": ("gauge", "1 while the child runs."),
    "vigia_child_state": ("gauge", "1 for the state the child is in."),
    "vigia_child_starts_total": ("counter", "Starts of the child since the monitor was started."),
    "vigia_child_up_seconds": ("gauge", "Seconds since the child was started."),
    "vigia_child_memory_bytes": ("gauge", "Resident memory of the child's whole process tree."),
    "vigia_child_cpu_ratio": ("gauge", "CPU of the child's whole process tree; 1 is one core."),
    "vigia_child_progress_age_seconds": ("gauge", "Seconds since the child last finished work."),
    "vigia_alerts_waiting": ("gauge", "Messages to people that are not sent yet."),
    "vigia_incidents": ("gauge", "Incidents that are open or need a person, by state."),
}

Sample = tuple[str, Mapping[str, str], float]


def rendered(status: Mapping[str, Any]) -> str:
    """The text exposition format, one block a series, in a fixed order."""
    values: dict[str, list[Sample]] = {name: [] for name in _SERIES}
    for sample in _samples(status):
        values[sample[0]].append(sample)
    return "".join(f"{line}\n" for name, found in values.items() for line in _block(name, found))


def _block(name: str, samples: Iterable[Sample]) -> Iterator[str]:
    kind, says = _SERIES[name]
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} {kind}"
    for _, labels, value in samples:
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
        yield f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _samples(status: Mapping[str, Any]) -> Iterator[Sample]:
    yield "vigia_up_seconds", {}, status["up"]
    yield "vigia_paused", {}, float(status["paused"] is not None)
    for child in status["children"]:
        yield from _of_child(child)
    yield "vigia_alerts_waiting", {}, status["alerts"]["waiting"]
    counts = Counter(one["state"] for one in status["incidents"])
    for state in IncidentState:
        yield "vigia_incidents", {"state": state.value}, counts[state.value]


def _of_child(child: Mapping[str, Any]) -> Iterator[Sample]:
    name, vitals = {"child": child["name"]}, child["vitals"]
    yield "vigia_child_up", name, float(child["state"] == ChildState.RUNNING)
    for state in ChildState:
        yield "vigia_child_state", name | {"state": state.value}, float(child["state"] == state)
    yield "vigia_child_starts_total", name, child["starts"]
    if child["pid"]:
        yield "vigia_child_up_seconds", name, child["up"]
    measured = {
        "vigia_child_memory_bytes": vitals["memory"],
        "vigia_child_cpu_ratio": vitals["cpu"],
        "vigia_child_progress_age_seconds": vitals["progress_age"],
    }
    for series, value in measured.items():
        if value is not None:
            yield series, name, value
