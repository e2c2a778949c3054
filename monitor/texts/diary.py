"""What happened, as the diary and the alerts say it."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
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
        "{id} {do} ({attempt}): {came}",
        "{id} {do} ({attempt}): {came}",
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
    "incident_told": (
        "{id} {category} en {subject}: avisado a {by}",
        "{id} {category} at {subject}: told to {by}",
    ),
    "incident_not_told": (
        "{id} {category} en {subject}: {why}",
        "{id} {category} at {subject}: {why}",
    ),
    "incident_acked": (
        "{id} {category} en {subject}: {by} está al tanto",
        "{id} {category} at {subject}: {by} has seen it",
    ),
    "repairs_paused": (
        "Reparaciones en pausa por {by} hasta {until} ({note}); se sigue vigilando y anotando",
        "Repairs paused by {by} until {until} ({note}); watching and recording go on",
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
}
