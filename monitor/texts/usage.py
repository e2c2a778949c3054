"""What the command line says of itself: help, and how it is not used."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    "already_running": (
        "ya hay un monitor en {home} (pid {pid}); mira: vigia status",
        "a monitor already runs in {home} (pid {pid}); see: vigia status",
    ),
    "how_to_run": ("arráncalo con: vigia run", "start it with: vigia run"),
    "no_such_command": (
        "vigia: no existe la orden {name!r}; arriba están todas",
        "vigia: there is no command {name!r}; all are listed above",
    ),
    "config_wrong": (
        "la configuración tiene {count} fallo(s); corrígelo(s) y vuelve a arrancar:",
        "the configuration has {count} fault(s); mend and start again:",
    ),
    "help_head": (
        "Vigía mantiene vivo un bot o un trabajador.  Uso: vigia ORDEN [--home DIR] [--help]",
        "Vigía keeps a bot or worker alive.  Usage: vigia COMMAND [--home DIR] [--help]",
    ),
    "help_foot": (
        "Cada orden explica sus opciones: vigia ORDEN --help",
        "Each command explains its options: vigia COMMAND --help",
    ),
    "help_home": (
        "dónde están .env, vigia.toml, logs/ y data/ (también VIGIA_HOME)",
        "where .env, vigia.toml, logs/ and data/ are (also VIGIA_HOME)",
    ),
    "help_run": (
        "arranca los hijos y los vigila, en primer plano",
        "start the children and watch over them, in the foreground",
    ),
    "help_status": (
        "qué corre, desde cuándo y cómo está",
        "what runs, since when, and how it fares",
    ),
    "help_start": (
        "arranca hijos detenidos o dados por perdidos",
        "start children that are stopped or given up",
    ),
    "help_stop": (
        "detiene hijos hasta que una persona los arranque",
        "stop children until a person starts them",
    ),
    "help_restart": ("detiene y arranca hijos", "stop and start children"),
    "help_reload": ("lee de nuevo la configuración", "read the configuration again"),
    "help_shutdown": (
        "detiene los hijos y el propio monitor",
        "stop the children and the monitor itself",
    ),
    "help_incidents": (
        "qué problemas hay; darse por enterado, cerrarlos o reintentar",
        "what trouble there is; acknowledge it, close it or try again",
    ),
    "help_pause": (
        "parar las reparaciones; se sigue vigilando y anotando",
        "stop repairs; watching and recording go on",
    ),
    "help_resume": ("reanudar las reparaciones", "let repairs go on"),
    "help_alert": (
        "prueba los avisos o muestra uno: test, preview INCIDENCIA",
        "try the alerts or show one: test, preview INCIDENT",
    ),
    "help_alert_test": ("envía un mensaje a cada destino", "send a message to each destination"),
    "help_alert_preview": (
        "cómo se vería el aviso de una incidencia",
        "what the alert of an incident would look like",
    ),
    "help_incident": ("la incidencia, como INC-17", "the incident, like INC-17"),
    "help_html": ("tal como se envía, en HTML", "as it is sent, in HTML"),
    "help_mute": (
        "nada nuevo de un hijo, una categoría o INC-17; los arreglos sí se avisan",
        "nothing new of a child, a category or INC-17; recoveries are still told",
    ),
    "help_mute_what": (
        "hijo, categoría o INC-17; todo si no se dice",
        "child, category or INC-17; all of them when not said",
    ),
    "help_mute_for": ("durante cuánto: 30m, 8h, 2d (1h)", "for how long: 30m, 8h, 2d (1h)"),
    "help_unmute": ("avisar de nuevo", "hear of it again"),
    "help_events": (
        "lee, sigue y comprueba logs/errors.json",
        "read, follow and verify logs/errors.json",
    ),
    "help_quarantine": (
        "ver, devolver o borrar ficheros apartados",
        "see, put back or delete files that were moved away",
    ),
    "help_classify": (
        "qué significan las líneas de un registro",
        "what the lines of a log mean",
    ),
    "help_rules": ("ver y comprobar las reglas", "list and check the rules"),
    "help_explain": (
        "qué significa una línea y por qué; qué pasó en un incidente (INC-12)",
        "what a line means and why; what happened in an incident (INC-12)",
    ),
    "help_replay": (
        "qué se habría decidido ante un registro de ayer, sin tocar nada",
        "what would have been decided about yesterday's log, touching nothing",
    ),
    "help_replay_file": (
        "registros, también .gz; - lee la entrada estándar",
        "logs, also .gz; - reads standard input",
    ),
    "help_replay_rules": (
        "reglas que se añaden a las de la casa; dos veces: las dos en su lugar, comparadas",
        "rules added to the home's; given twice: both in place of the home's, compared",
    ),
    "replay_two": (
        "se comparan dos juegos de reglas, no más",
        "two sets of rules are compared, no more",
    ),
    "help_names": ("los hijos; todos si no se dice", "the children; all of them when not said"),
    "help_log": (
        "el registro de un hijo, con lo que significan sus líneas",
        "a child's log, with what its lines mean",
    ),
    "help_log_name": (
        "el hijo, o `monitor` para el diario; el primero si no se dice",
        "the child, or `monitor` for the diary; the first one when not said",
    ),
    "help_log_follow": ("seguir mostrando lo que llega", "go on showing what comes"),
    "help_log_n": ("cuántas líneas del final (20)", "how many lines of the end (20)"),
    "help_watch": (
        "todo de un vistazo, al momento: hijos, incidentes, últimos registros",
        "all at a glance, live: children, incidents, the latest records",
    ),
    "help_every": ("segundos entre dos imágenes (1)", "seconds between two frames (1)"),
    "help_once": ("una imagen y terminar", "one frame, then end"),
    "help_check": (
        "mira si todo está listo para arrancar, y qué orden arregla lo que falta",
        "see whether all is ready for a start, and which command mends what is not",
    ),
    "help_fix": (
        "arregla lo que se puede arreglar sin riesgo (carpetas, permisos de .env)",
        "mend what can be mended safely (folders, the mode of .env)",
    ),
    "help_offline": ("sin preguntar a nadie por la red", "without asking anybody over the network"),
    "help_json": ("en JSON, para programas", "as JSON, for programs"),
    "help_quiet": (
        "no mostrar aquí las líneas de los hijos",
        "do not show the children's lines here",
    ),
    "help_dry_run": (
        "decidir y anotar qué se repararía, sin hacerlo",
        "decide and record what would be repaired, and do not do it",
    ),
    "help_no_child": (
        "no arrancar nada; solo seguir registros ajenos (con --follow)",
        "start nothing; only follow the logs of others (with --follow)",
    ),
    "help_follow": (
        "otro registro que seguir; ruta o patrón",
        "one more log to follow; path or glob",
    ),
    "help_command": (
        "-- ORDEN ARG…: vigilar ese programa en lugar de los configurados",
        "-- CMD ARG…: watch over that program instead of the configured ones",
    ),
    "help_for": ("acaba sola después de este tiempo", "it ends by itself after this time"),
    "help_why": ("por qué, para quien lo lea", "why, for whoever reads it"),
    "help_what": (
        "list y show miran; ack: estoy al tanto; resolve: está arreglado; retry: reparar de nuevo",
        "list and show look; ack: I have seen it; resolve: it is mended; retry: repair it again",
    ),
    "help_ids": ("INC-12, inc-12 o 12", "INC-12, inc-12 or 12"),
    "help_all": ("también los cerrados", "the closed ones too"),
    "help_last": ("solo los últimos N; 0 todos", "only the last N; 0 all"),
    "help_rules_what": (
        "list: todas; test: probarlas con sus ejemplos; check: solo sus fallos; unknown: lo que nadie conoce",
        "list: all; test: prove them by their samples; check: only their faults; unknown: what none knows",
    ),
    "help_rules_more": (
        "carpeta o archivo con más reglas; añaden, sustituyen o desactivan por su nombre",
        "a folder or file with more rules; they add, replace or disable by name",
    ),
    "help_classify_file": (
        "un registro, o - para la entrada estándar",
        "a log file, or - for standard input",
    ),
    "help_classify_json": (
        "un objeto JSON por cada línea que no es corriente",
        "one JSON object for each line that is not ordinary",
    ),
    "help_classify_jsonl": (
        "leer objetos JSON con id y line, y responder a cada uno con su clase",
        "read JSON objects with id and line, answer each with its category",
    ),
    "help_line": (
        "un incidente (INC-12 o 12) o una línea; - la lee de la entrada",
        "an incident (INC-12 or 12) or a line; - reads it from standard input",
    ),
    "no_such_child": ("no hay ningún hijo {name!r}", "there is no child {name!r}"),
    "shutting_down": ("apagándose", "shutting down"),
}
