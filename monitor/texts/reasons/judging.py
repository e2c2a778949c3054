"""Why a line means what it means."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    "no rule hits": "no salta ninguna regla",
    "only {rule} hits": "solo salta {rule}",
    "{rule} knows it as ordinary": "{rule} lo tiene por normal",
    "{rule} hits, but the line was logged as ordinary (info or debug)": (
        "salta {rule}, pero la línea se registró como normal (info o debug)"
    ),
    "{rule} beats {other}, as it says": "{rule} gana a {other}, como dice ella misma",
    "{rule} knows it as {weight}, {other} only as {less}": (
        "{rule} lo conoce con peso {weight}, {other} solo con peso {less}"
    ),
    "{category} goes before {other} (both {weight})": (
        "{category} va antes que {other} (ambas con peso {weight})"
    ),
    "{rule} and {other} say the same; the name decides": (
        "{rule} y {other} dicen lo mismo; decide el nombre"
    ),
}
