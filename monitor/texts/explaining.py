"""How an incident is explained from its records."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    "explain_incident": (
        "incidente",
        "incident",
    ),
    "explain_category": (
        "clase",
        "category",
    ),
    "explain_line": (
        "línea",
        "line",
    ),
    "explain_where": (
        "dónde",
        "where",
    ),
    "explain_rule": (
        "regla",
        "rule",
    ),
    "explain_why": (
        "por qué",
        "why",
    ),
    "explain_also": (
        "también",
        "also hit",
    ),
    "explain_about": (
        "sobre",
        "about",
    ),
    "explain_captured": (
        "captura",
        "captured",
    ),
    "explain_then": (
        "entonces",
        "then",
    ),
    "explain_today": (
        "hoy",
        "today",
    ),
    "explain_root": (
        "se debe a",
        "follows from",
    ),
    "explain_seen": (
        "visto",
        "seen",
    ),
    "explain_acked": (
        "al tanto",
        "seen by",
    ),
    "explain_tried": (
        "intento",
        "tried",
    ),
    "explain_told": (
        "dicho",
        "told",
    ),
    "explain_nothing": (
        "nada",
        "nothing",
    ),
    "explain_counted": (
        "se cuenta por su forma",
        "counted by its shape",
    ),
    "explain_told_only": (
        "se avisa",
        "it is told",
    ),
    "explain_at": (
        "{file}, inodo {inode}, byte {offset}; {child} (pid {pid})",
        "{file}, inode {inode}, byte {offset}; {child} (pid {pid})",
    ),
    "explain_span": (
        "{count} vez/veces, de {opened} a {last}",
        "{count} time(s), from {opened} to {last}",
    ),
    "explain_no_end": (
        "nadie vio su final",
        "nobody has seen its end",
    ),
    "today_same_rules": (
        "las reglas son las de entonces",
        "the rules are those of then",
    ),
    "today_same_meaning": (
        "las reglas han cambiado desde entonces; dicen lo mismo: {rule} ({why})",
        "the rules have changed since; they say the same: {rule} ({why})",
    ),
    "today_other_meaning": (
        "las reglas han cambiado desde entonces; ahora sería {category}: {rule} ({why})",
        "the rules have changed since; now it would be {category}: {rule} ({why})",
    ),
    "today_unknown": (
        "las reglas de hoy no se pueden leer: {why}",
        "today's rules cannot be read: {why}",
    ),
    "no_such_record": (
        "no hay registros de {id}: nunca existió, o es más antiguo que los ficheros que se guardan",
        "there are no records of {id}: it never was, or is older than the files that are kept",
    ),
}
