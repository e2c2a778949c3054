"""Every sentence for people, in Spanish and in English."""

from __future__ import annotations

import os
from collections.abc import Mapping

from monitor.model import Told

# kind: (Spanish, English). What stands in braces are facts, put in as they are, once.
_SENTENCES: dict[str, tuple[str, str]] = {
    "monitor_started": (
        "Vigía {version} vigila {home} (pid {pid})",
        "Vigía {version} watches {home} (pid {pid})",
    ),
    "monitor_stopped": ("Vigía se detiene: {why}", "Vigía stops: {why}"),
    "reloaded": ("Configuración leída de nuevo: {what}", "Configuration read again: {what}"),
    "reload_refused": (
        "La configuración nueva no sirve y sigue la anterior: {why}",
        "The new configuration is wrong, the old one stays: {why}",
    ),
    "child_started": ("{child} arrancado (pid {pid})", "{child} started (pid {pid})"),
    "child_ended": (
        "{child}: {why}; estuvo activo {ran}; nuevo arranque en {delay}",
        "{child} {why}; it was up for {ran}; starting again in {delay}",
    ),
    "child_stopped": ("{child} detenido por {by}", "{child} stopped by {by}"),
    "child_slow_to_stop": (
        "{child} no terminó en {patience} s: se le ha matado",
        "{child} did not end within {patience} s and was killed",
    ),
    "child_swept": (
        "{child} dejó procesos atrás: se han terminado {count}",
        "{child} left processes behind: {count} ended",
    ),
    "child_finished": ("{child} ha terminado: {why}", "{child} has finished: {why}"),
    "child_given_up": (
        "{child} no se volverá a arrancar: {why}. Corrígelo y usa: vigia start {child}",
        "{child} will not be started again: {why}. Mend it, then: vigia start {child}",
    ),
    "breaker_opened": (
        "{child} queda en pausa: {why}. Próximo intento en {delay}",
        "{child} is left down: {why}. One more try in {delay}",
    ),
    "breaker_closed": (
        "{child} vuelve a estar estable tras {ran}",
        "{child} is stable again after {ran}",
    ),
    "child_stable": ("{child} es estable tras {ran}", "{child} is stable after {ran}"),
    "child_daemonised": (
        "{child} se fue a segundo plano; arráncalo en primer plano (opción --foreground o similar)",
        "{child} went into the background; start it in the foreground (--foreground or the like)",
    ),
    "means_lacking": (
        "{child}: al monitor le falta algo ({why}); lo intenta de nuevo",
        "{child}: the monitor itself is short of something ({why}); it tries again",
    ),
    "child_sick": ("{child} se reinicia: {why}", "{child} is restarted: {why}"),
    "orphans_ended": (
        "{child}: terminada una copia anterior que seguía viva (pid {pids})",
        "{child}: ended an earlier copy that was still running (pid {pids})",
    ),
    "orphans_awaited": (
        "{child}: espero a que acabe una copia anterior (pid {pids})",
        "{child}: waiting for an earlier copy to end (pid {pids})",
    ),
    "log_rotated": (
        "{child}: registro rotado ({size}), escritura en pausa {paused} ms",
        "{child}: log rotated ({size}), writing paused for {paused} ms",
    ),
    "log_not_rotated": (
        "{child}: el registro no se pudo rotar; se intentará más tarde",
        "{child}: the log could not be rotated; another try later",
    ),
    "incident_detected": (
        "{id} {category} en {subject}: {why}",
        "{id} {category} at {subject}: {why}",
    ),
    "incident_fixing": (
        "{id} {category} en {subject}: se intenta {do} ({attempt})",
        "{id} {category} at {subject}: trying {do} ({attempt})",
    ),
    "attempt_ended": (
        "{id} {do} ({attempt}): {result}; {detail} {proof}",
        "{id} {do} ({attempt}): {result}; {detail} {proof}",
    ),
    "incident_retrying": (
        "{id} {category} en {subject}: debe seguir bien",
        "{id} {category} at {subject}: it must stay well",
    ),
    "incident_resolved": (
        "{id} {category} en {subject}: resuelto ({why})",
        "{id} {category} at {subject}: resolved ({why})",
    ),
    "incident_failed": (
        "{id} {category} en {subject}: hace falta una persona ({why})",
        "{id} {category} at {subject}: a person is needed ({why})",
    ),
    "incident_alert_only": (
        "{id} {category} en {subject}: solo se avisa ({why})",
        "{id} {category} at {subject}: told only ({why})",
    ),
    "incident_acked": (
        "{id} {category} en {subject}: {by} está al tanto",
        "{id} {category} at {subject}: {by} has seen it",
    ),
    "repairs_paused": (
        "Reparaciones en pausa por {by} hasta {until} ({why}); se sigue vigilando y anotando",
        "Repairs paused by {by} until {until} ({why}); watching and recording go on",
    ),
    "repairs_resumed": ("Reparaciones reanudadas por {by}", "Repairs resumed by {by}"),
    "pause_over": (
        "La pausa de {by} ha terminado: se repara de nuevo",
        "The pause of {by} is over: repairs go on",
    ),
    "alerts_need_token": (
        "Avisos apagados: pon TELEGRAM_TOKEN y ADMIN_ID en .env (docs/alerts.md)",
        "Alerts are off: put TELEGRAM_TOKEN and ADMIN_ID into .env (docs/alerts.md)",
    ),
    "alerts_token_malformed": (
        "Avisos por Telegram apagados: el token no tiene la forma 123456789:AbC… de @BotFather",
        "Alerts by Telegram are off: the token has not the form 123456789:AbC… of @BotFather",
    ),
    "alerts_need_admin": (
        "Avisos apagados: hay token, falta ADMIN_ID en .env (tu id numérico de Telegram)",
        "Alerts are off: there is a token, but no ADMIN_ID in .env (your numeric Telegram id)",
    ),
    "alerts_on": ("Avisos a: {to}", "Alerts go to: {to}"),
    "alerts_halted": (
        "{to} pide esperar {seconds} s; los avisos esperan",
        "{to} asks to wait {seconds} s; alerts wait",
    ),
    "alerts_unreachable": (
        "No se llega a {to}; los avisos esperan: {why}",
        "{to} cannot be reached; alerts wait: {why}",
    ),
    "alerts_reachable": ("Se llega de nuevo a {to}", "{to} can be reached again"),
    "alerts_refused": (
        "{to} nos rechaza; por ahí no sale ningún aviso: {why}. Corrige .env o vigia.toml y: vigia reload",
        "{to} refuses us; no alert goes there: {why}. Mend .env or vigia.toml, then: vigia reload",
    ),
    "alerts_chat_lost": (
        "El chat {chat} no recibe avisos: {why}. Escribe al bot desde él y usa: vigia reload",
        "The chat {chat} gets no alerts: {why}. Write to the bot from it, then: vigia reload",
    ),
    "alerts_chat_moved": (
        "El chat {chat} ahora es {to}; cámbialo en ADMIN_ID",
        "The chat {chat} is {to} now; change it in ADMIN_ID",
    ),
    "alert_undelivered": (
        "Un aviso a {to} no se entregó: {why}",
        "An alert to {to} was not delivered: {why}",
    ),
    "remote_on": ("Mando por Telegram para: {who}", "Remote control by Telegram for: {who}"),
    "remote_order": ("Por Telegram, {by}: {do} {what}", "By Telegram, {by}: {do} {what}"),
    "remote_strangers": (
        "Desconocidos escriben al bot del monitor ({count}); no reciben nada",
        "Strangers write to the monitor's bot ({count}); they get nothing",
    ),
    "remote_unreachable": (
        "No se oye a Telegram; el mando espera: {why}",
        "Telegram is not heard; the remote control waits: {why}",
    ),
    "remote_reachable": ("Se oye de nuevo a Telegram", "Telegram is heard again"),
    "remote_refused": (
        "Telegram rechaza MONITOR_TELEGRAM_TOKEN: {why}. Corrígelo en .env y: vigia reload",
        "Telegram refuses MONITOR_TELEGRAM_TOKEN: {why}. Mend it in .env, then: vigia reload",
    ),
    "remote_conflict": (
        "Otro escucha con MONITOR_TELEGRAM_TOKEN: {why}. Ese bot debe ser solo del monitor",
        "Another one listens with MONITOR_TELEGRAM_TOKEN: {why}. That bot must be the monitor's alone",
    ),
    "remote_same_token": (
        "Mando apagado: MONITOR_TELEGRAM_TOKEN y TELEGRAM_TOKEN son el mismo; crea otro bot",
        "Remote control is off: MONITOR_TELEGRAM_TOKEN is TELEGRAM_TOKEN; make a second bot",
    ),
    "remote_broken": (
        "El mando falla por dentro y el resto sigue: {why}",
        "The remote control is broken inside and all else goes on: {why}",
    ),
    "alerts_broken": (
        "Los avisos fallan por dentro y el resto sigue: {why}",
        "Alerts are broken inside and all else goes on: {why}",
    ),
    "records_unwritable": (
        "logs/errors.json no se puede escribir y esperará: {why}",
        "logs/errors.json cannot be written and will wait: {why}",
    ),
    "state_trouble": (
        "la memoria del monitor: {why}",
        "the monitor's memory: {why}",
    ),
    "state_on_disk": (
        "la memoria del monitor está de nuevo en el disco",
        "the monitor's memory is on the disk again",
    ),
    "gap": ("{path}: {why}", "{path}: {why}"),
    "token_withheld": (
        '{child} no recibe {name}; para dárselo: pass_env = ["{name}"] en [children.{child}]',
        '{child} is not given {name}; to give it: pass_env = ["{name}"] in [children.{child}]',
    ),
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
    "muted": ("{what} silenciado {for}", "{what} muted for {for}"),
    "unmuted": ("de nuevo con avisos: {what}", "heard again: {what}"),
    "nothing_muted": ("nada de eso está silenciado", "nothing of that is muted"),
    "no_such_alert": ("no hay ninguna incidencia {id}", "there is no incident {id}"),
    "alert_sent": ("{to}: enviado", "{to}: sent"),
    "alert_not_sent": ("{to}: no enviado ({why})", "{to}: not sent ({why})"),
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
    "metrics_off": (
        "nadie puede leer métricas en {address}: {why}",
        "nobody can read metrics at {address}: {why}",
    ),
    "alerts_off_short": (
        "Avisos apagados: faltan TELEGRAM_TOKEN y ADMIN_ID en .env",
        "Alerts are off: TELEGRAM_TOKEN and ADMIN_ID are missing in .env",
    ),
    "alerts_waiting": (
        "Avisos por enviar: {count}, el más viejo desde hace {age}",
        "Alerts not sent yet: {count}, the oldest for {age}",
    ),
    "alerts_mute": (
        "En silencio hasta {until}: {what} (por {by})",
        "Muted until {until}: {what} (by {by})",
    ),
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
    "no_log_yet": ("{path} no existe todavía", "{path} is not there yet"),
    "help_watch": (
        "todo de un vistazo, al momento: hijos, incidentes, últimos registros",
        "all at a glance, live: children, incidents, the latest records",
    ),
    "help_every": ("segundos entre dos imágenes (1)", "seconds between two frames (1)"),
    "help_once": ("una imagen y terminar", "one frame, then end"),
    "watch_nobody": (
        "El monitor no está en marcha ({why}); se sigue mirando. Ctrl+C para salir.",
        "The monitor is not running ({why}); still looking. Ctrl+C ends this.",
    ),
    "watch_children": ("Hijos", "Children"),
    "watch_incidents": ("Incidentes", "Incidents"),
    "watch_calm": ("nada abierto", "nothing is open"),
    "watch_records": ("Últimos registros", "Latest records"),
    "watch_work": ("Trabajo", "Work"),
    "column_history": ("memoria y CPU", "memory and CPU"),
    "help_check": (
        "mira si todo está listo para arrancar, y qué orden arregla lo que falta",
        "see whether all is ready for a start, and which command mends what is not",
    ),
    "help_fix": (
        "arregla lo que se puede arreglar sin riesgo (carpetas, permisos de .env)",
        "mend what can be mended safely (folders, the mode of .env)",
    ),
    "help_offline": ("sin preguntar a nadie por la red", "without asking anybody over the network"),
    "check_end_0": ("Todo listo.", "All is ready."),
    "check_end_1": ("Listo, con avisos: {warnings}.", "Ready, with warnings: {warnings}."),
    "check_end_2": (
        "No está listo: {wrong} por arreglar, {warnings} avisos.",
        "Not ready: {wrong} to mend, {warnings} warnings.",
    ),
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
    "no_pause_of_nothing": ("una pausa dura más de 0 s", "a pause lasts more than 0 s"),
    "help_what": (
        "list y show miran; ack: estoy al tanto; resolve: está arreglado; retry: reparar de nuevo",
        "list and show look; ack: I have seen it; resolve: it is mended; retry: repair it again",
    ),
    "help_ids": ("INC-12, inc-12 o 12", "INC-12, inc-12 or 12"),
    "help_all": ("también los cerrados", "the closed ones too"),
    "help_last": ("solo los últimos N; 0 todos", "only the last N; 0 all"),
    "from_records": (
        "{why}; esto dicen los registros (logs/errors.json)",
        "{why}; this is what the records say (logs/errors.json)",
    ),
    "no_incidents": ("no hay incidentes abiertos", "there are no open incidents"),
    "earlier_ones": ("y {count} anteriores: -n 0", "and {count} earlier ones: -n 0"),
    "note_acked": ("{by} está al tanto", "{by} has seen it"),
    "column_incident": ("incidente", "incident"),
    "column_category": ("clase", "category"),
    "column_subject": ("sobre", "about"),
    "column_times": ("veces", "times"),
    "column_opened": ("desde", "since"),
    "column_last": ("última vez", "last seen"),
    "column_child": ("en", "in"),
    "column_rule": ("regla", "rule"),
    "column_rung": ("paso", "step"),
    "column_root": ("se debe a", "follows from"),
    "column_acked": ("al tanto", "seen by"),
    "column_name": ("hijo", "child"),
    "column_state": ("estado", "state"),
    "column_pid": ("pid", "pid"),
    "column_up": ("activo", "up"),
    "column_starts": ("arranques", "starts"),
    "column_next": ("próximo", "next"),
    "column_memory": ("memoria", "memory"),
    "column_cpu": ("cpu", "cpu"),
    "column_progress": ("último avance", "last progress"),
    "column_note": ("nota", "note"),
    "state_stopped": ("detenido", "stopped"),
    "state_waiting": ("en espera", "waiting"),
    "state_starting": ("arrancando", "starting"),
    "state_running": ("en marcha", "running"),
    "state_stopping": ("deteniéndose", "stopping"),
    "state_backoff": ("esperando", "backing off"),
    "state_failed": ("en pausa por fallos", "failed"),
    "state_given_up": ("abandonado", "given up"),
    "state_finished": ("terminado", "finished"),
    "state_daemonised": ("en segundo plano", "daemonised"),
    "status_head": (
        "Vigía en {home}, pid {pid}, activo {up}",
        "Vigía in {home}, pid {pid}, up {up}",
    ),
    "status_repairs_paused": (
        "Reparaciones en pausa por {by} hasta {until} ({why})",
        "Repairs paused by {by} until {until} ({why})",
    ),
    "status_dry_run": (
        "Solo se piensa (dry_run): no se repara nada",
        "Dry run: nothing is repaired",
    ),
    "status_more": ("y {count} más: vigia incidents", "and {count} more: vigia incidents"),
    "until_resumed": ("vigia resume", "vigia resume"),
    "is_detected": ("detectado", "detected"),
    "is_fixing": ("reparando", "fixing"),
    "is_retrying": ("reintentando", "retrying"),
    "is_resolved": ("resuelto", "resolved"),
    "is_failed": ("fallido", "failed"),
    "is_alert_only": ("solo aviso", "alert only"),
    "is_gap": ("hueco", "gap"),
    "said_ack": ("{id}: {by} está al tanto", "{id}: acknowledged by {by}"),
    "said_resolve": ("{id}: cerrado por {by}", "{id}: closed by {by}"),
    "said_retry": (
        "{id}: se intenta de nuevo desde el primer paso",
        "{id}: tried again from its first step",
    ),
    "said_retry_paused": (
        "{id}: se intentará de nuevo cuando acabe la pausa (vigia resume)",
        "{id}: will be tried again when the pause ends (vigia resume)",
    ),
    "already_acked": ("{id}: {by} ya está al tanto", "{id}: {by} has acknowledged it already"),
    "already_closed": ("{id}: ya está cerrado ({why})", "{id}: is closed already ({why})"),
    "already_retried": (
        "{id}: {by} ya pidió que se intente de nuevo",
        "{id}: {by} has already had it tried again",
    ),
    "is_closed": ("{id}: está cerrado ({why})", "{id}: is closed ({why})"),
    "is_at_work": (
        "{id}: se está reparando ahora mismo; repite la orden cuando termine el intento",
        "{id}: is being repaired right now; say it again when the attempt has ended",
    ),
    "no_ladder": (
        "{id}: nada nuestro repara {category}; hazlo a mano y usa: vigia incidents resolve {id}",
        "{id}: nothing of ours repairs {category}; mend it, then: vigia incidents resolve {id}",
    ),
    "no_such_incident": ("no hay ningún incidente {id}", "there is no incident {id}"),
    "not_an_incident": (
        "{id!r} no es un incidente: INC-12 o 12",
        "{id!r} is no incident: INC-12 or 12",
    ),
    "no_ids": ("¿qué incidente? INC-12 o 12", "which incident? INC-12 or 12"),
    "not_written_down": (
        "hecho, pero no se puede guardar ahora ({why}); se guardará en cuanto se pueda",
        "done, but it cannot be written down now ({why}); it will be as soon as that is possible",
    ),
    "pause_begun": (
        "Reparaciones en pausa hasta {until}; se sigue vigilando y anotando",
        "Repairs paused until {until}; watching and recording go on",
    ),
    "pause_at_work": (
        "{ids}: el intento en curso llegará a su fin",
        "{ids}: the attempt under way comes to its end",
    ),
    "pause_ended": ("Reparaciones reanudadas", "Repairs go on"),
    "was_not_paused": ("No había ninguna pausa", "There was no pause"),
    "means_timeout": (
        "una operación tardó demasiado",
        "an operation took too long",
    ),
    "means_permission": (
        "el sistema no lo permite (EACCES, EPERM, solo lectura)",
        "the system does not allow it (EACCES, EPERM, read-only)",
    ),
    "means_missing_path": (
        "un fichero o carpeta no está",
        "a file or directory is not there",
    ),
    "means_corrupt_file": (
        "un fichero está cortado o no es válido",
        "a file is truncated or invalid",
    ),
    "means_disk_full": (
        "no queda espacio o cuota",
        "no space or quota left",
    ),
    "means_server_down": (
        "no se llega a un servidor, broker o nombre",
        "a server, broker or name cannot be reached",
    ),
    "means_rate_limit": (
        "el otro lado pide esperar",
        "the other side asks to wait",
    ),
    "means_recipient_gone": (
        "quien debe recibirlo ya no está o nos bloqueó",
        "who should receive it is gone or has blocked us",
    ),
    "means_file_too_big": (
        "más de lo que el otro lado acepta",
        "more than the other side takes",
    ),
    "means_auth": (
        "se rechaza un token, clave o contraseña",
        "a token, key or password is refused",
    ),
    "means_conflict": (
        "otro tiene el puerto, el cerrojo o el sondeo",
        "someone else holds the port, the lock or the poll",
    ),
    "means_out_of_memory": (
        "sin memoria, o matado por ello",
        "no memory left, or killed for it",
    ),
    "means_too_many_files": (
        "demasiados ficheros abiertos",
        "too many open files",
    ),
    "means_dependency": (
        "falta un módulo, biblioteca u orden",
        "a module, library or command is missing",
    ),
    "means_database": (
        "la base de datos se niega: restricción, bloqueo, esquema, conexiones",
        "the database refuses: a constraint, a deadlock, its schema, its connections",
    ),
    "means_tls": (
        "un certificado o el cifrado de una conexión",
        "a certificate or the encryption of a connection",
    ),
    "means_crash": (
        "un error que nadie atrapó, o una señal",
        "an error that nobody caught, or a signal",
    ),
    "means_hang": (
        "vivo, pero sin avanzar",
        "alive, but without progress",
    ),
    "means_unknown": (
        "parece un error que ninguna regla conoce",
        "looks like an error that no rule knows",
    ),
    "means_benign": (
        "una línea corriente",
        "an ordinary line",
    ),
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
    "help_line": (
        "un incidente (INC-12 o 12) o una línea; - la lee de la entrada",
        "an incident (INC-12 or 12) or a line; - reads it from standard input",
    ),
    "no_such_child": ("no hay ningún hijo {name!r}", "there is no child {name!r}"),
    "shutting_down": ("apagándose", "shutting down"),
}


def sentence(told: Told, lang: str) -> str:
    """What happened, as one sentence."""
    return say(told.kind, lang, dict(told.facts) | {"child": told.child})


def say(kind: str, lang: str, facts: Mapping[str, str] | None = None) -> str:
    """The text of that kind in that language; facts are data and never read as a pattern."""
    spanish, english = _SENTENCES[kind]
    return (spanish if lang == "es" else english).format_map(facts or {})


def state_word(state: object, lang: str) -> str:
    """The state of an incident, for people."""
    return say(f"is_{state}", lang) if f"is_{state}" in _SENTENCES else str(state)


def language(chosen: str = "auto") -> str:
    """`es` or `en`: the chosen one, else VIGIA_LANG, else the locale's."""
    locale = (os.environ.get(name, "") for name in ("VIGIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG"))
    wanted = chosen if chosen in ("es", "en") else next(filter(None, locale), "en")
    return "es" if wanted.lower().startswith("es") else "en"


def lasting(seconds: float) -> str:
    """A time for people: 0.4 s, 12 s, 3 min, 2 h 05 min, 4 d 03 h."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes // 1440} d {minutes // 60 % 24:02d} h"


def sized(count: float) -> str:
    """Bytes for people: 512 B, 3.2 MB."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    raise AssertionError
