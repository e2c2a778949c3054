"""What alerts say, in Spanish and in English; what stands in braces are facts."""

from __future__ import annotations

# name: (Spanish, English)
PHRASES: dict[str, tuple[str, str]] = {
    # how it stands
    "critical": ("CRÍTICO", "CRITICAL"),
    "warning": ("AVISO", "WARNING"),
    "info": ("NOTA", "NOTE"),
    "resolved": ("RESUELTO", "RESOLVED"),
    "resolved_after": ("resuelto tras {time}", "resolved after {time}"),
    "state_detected": ("se intentará reparar", "a repair is due"),
    "state_fixing": ("reparando", "being repaired"),
    "state_retrying": ("reparado; debe seguir bien", "repaired; it must stay well"),
    "state_resolved": ("resuelto", "resolved"),
    "state_failed": ("hace falta una persona", "a person is needed"),
    "state_alert_only": ("solo se avisa: nada lo repara", "told only: nothing repairs it"),
    # what it is about
    "timeout": ("algo tarda demasiado", "something takes too long"),
    "permission": ("sin permiso", "permission denied"),
    "missing_path": ("falta un fichero o carpeta", "a file or folder is missing"),
    "corrupt_file": ("fichero dañado", "a file is broken"),
    "disk_full": ("disco lleno", "the disk is full"),
    "server_down": ("un servidor no responde", "a server does not answer"),
    "rate_limit": ("demasiadas peticiones", "too many requests"),
    "recipient_gone": ("el destinatario ya no está", "the recipient is gone"),
    "file_too_big": ("fichero demasiado grande", "a file is too big"),
    "auth": ("credenciales rechazadas", "credentials are refused"),
    "conflict": ("dos compiten por lo mismo", "two compete for the same"),
    "out_of_memory": ("sin memoria", "out of memory"),
    "too_many_files": ("demasiados ficheros abiertos", "too many open files"),
    "dependency": ("falta un componente", "a component is missing"),
    "database": ("la base de datos falla", "the database fails"),
    "tls": ("falla el certificado", "a certificate fails"),
    "crash": ("error sin capturar", "uncaught error"),
    "hang": ("no avanza", "no progress"),
    "unknown": ("error desconocido", "unknown error"),
    "benign": ("nada grave", "nothing serious"),
    "child_ended": ("termina una y otra vez (×{times})", "keeps ending (×{times})"),
    "breaker_opened": ("en pausa tras fallar ×{times}", "left down after failing ×{times}"),
    "child_given_up": ("abandonado: no se volverá a arrancar", "given up: not started again"),
    "child_sick": ("se reinicia porque no avanza", "restarted: it makes no progress"),
    "child_daemonised": ("se fue a segundo plano", "went into the background"),
    "breaker_closed": ("vuelve a estar estable", "stable again"),
    "child_stable": ("vuelve a estar estable", "stable again"),
    "child_started": ("arrancado de nuevo", "started again"),
    "child_stopped": ("detenido por una persona", "stopped by a person"),
    "child_finished": ("ha terminado", "has finished"),
    # rows
    "since": ("Desde", "Since"),
    "seen": ("visto", "seen"),
    "times": ("{times} veces", "{times} times"),
    "once": ("una vez", "once"),
    "last": ("último", "last"),
    "where": ("Dónde", "Where"),
    "why": ("Por qué", "Why"),
    "done": ("Hecho", "Done"),
    "acked_by": ("Visto por {by}", "Acknowledged by {by}"),
    "also_open": ("también abiertos: {count}", "also open: {count}"),
    "nothing_else_open": ("también abiertos: 0", "also open: 0"),
    "late": (
        "⏱ {time} tarde: no se pudo enviar antes",
        "⏱ {time} late: it could not be sent before",
    ),
    "again": (
        "⚠ quizá ya lo recibiste: la respuesta al primer envío se perdió",
        "⚠ you may have this already: the answer to the first try was lost",
    ),
    "several": ("{icon} {count} incidencias", "{icon} {count} incidents"),
    "several_over": (", {over} ya resueltas", ", {over} of them resolved"),
    "and_more": ("… y {count} más: vigia events", "… and {count} more: vigia events"),
    "follow_from": ("de ahí vienen otras {count}", "{count} more follow from it"),
    # replies
    "reply_resolved": ("🟢 {id} {time}: {done}", "🟢 {id} {time}: {done}"),
    "reply_back": ("🔁 {id} ha vuelto: {done}", "🔁 {id} is back: {done}"),
    "reply_worse": ("🔴 {id} empeora: {done}", "🔴 {id} got worse: {done}"),
    "reply_person": (
        "🔴 {id} necesita a una persona: {done}",
        "🔴 {id} needs a person: {done}",
    ),
    "result_done": ("hecho", "done"),
    "result_nothing": ("no hacía falta", "nothing to do"),
    "result_failed": ("falló", "failed"),
    "result_refused": ("no se hizo", "not done"),
    "result_aborted": ("interrumpido", "cut short"),
    "result_unknown": ("no se sabe", "not known"),
    "result_dry_run": ("se habría hecho", "would have been done"),
    "reply_still": (
        "⏳ {id} sigue abierto ({time}): {done}",
        "⏳ {id} is still open ({time}): {done}",
    ),
    "reply_escalated": (
        "🔴 {id} dura ya {time}: {done}",
        "🔴 {id} has lasted {time}: {done}",
    ),
    "by_itself": ("sin que hiciera falta nada", "nothing had to be done"),
    # messages of another kind
    "test": (
        "🔔 Vigía en {host}: así llegan los avisos. Si lo lees, funciona.",
        "🔔 Vigía on {host}: this is how alerts arrive. If you read this, it works.",
    ),
    "start": ("🟢 Vigía {version} vigila en {host}", "🟢 Vigía {version} is on watch on {host}"),
    "start_children": ("Hijos", "Children"),
    "start_least": ("Se avisa desde", "Alerts from"),
    "start_quiet": ("Horas de silencio", "Quiet hours"),
    "start_changed": (
        "Se dice al cambiar la versión o la configuración, no en cada arranque.",
        "Said when the version or the configuration changes, not at every start.",
    ),
    "summary": ("⏹ Vigía se detiene en {host}: {why}", "⏹ Vigía stops on {host}: {why}"),
    "digest": ("📋 Resumen de {host}", "📋 Digest of {host}"),
    "tally": (
        "En {time}: {incidents} incidencias, {resolved} resueltas, {failed} para una persona",
        "In {time}: {incidents} incidents, {resolved} resolved, {failed} for a person",
    ),
    "sign_of_life": (
        "Sin avisos en {time}. Vigía sigue activo ({up}).",
        "No alert for {time}. Vigía is up ({up}).",
    ),
    "sent": (
        "Mensajes: {sent} enviados, {lost} sin entregar",
        "Messages: {sent} sent, {lost} undelivered",
    ),
    "noted": ("Además:", "Besides:"),
    "shapes": ("Errores que ninguna regla conoce:", "Errors that no rule knows:"),
    "muted": ("Silenciado", "Muted"),
}


def phrase(name: str, lang: str, **facts: object) -> str:
    """Facts are data and never read as a pattern."""
    spanish, english = PHRASES[name]
    return (spanish if lang == "es" else english).format_map(facts)
