"""Why people cannot be told, or the monitor not be asked."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # the sending process
    "the sending process: {why}": "el proceso que envía: {why}",
    "the sending process: it ended": "el proceso que envía: terminó",
    "it ended": "terminó",
    "it was ended": "se le ha terminado",
    "it said what is no answer": "dijo algo que no es una respuesta",
    "nobody can know whether it arrived: {why}": "no se puede saber si llegó: {why}",
    "there is no token": "no hay token",
    "Apprise could not deliver it": "Apprise no pudo entregarlo",
    "one of alerts.apprise is no Apprise URL": "una de alerts.apprise no es una URL de Apprise",
    "apprise is not installed: pip install vigia[apprise]": (
        "apprise no está instalado: pip install vigia[apprise]"
    ),
    # settings of alerts
    "TELEGRAM_BOT_API_LOCAL_URL must be a URL like http://127.0.0.1:8081": (
        "TELEGRAM_BOT_API_LOCAL_URL debe ser una URL como http://127.0.0.1:8081"
    ),
    "ADMIN_ID must be numeric Telegram ids separated by commas, not {value}": (
        "ADMIN_ID debe ser ids numéricos de Telegram separados por comas, no {value}"
    ),
    "{why}; your own id: write to @userinfobot": "{why}; tu propio id: escribe a @userinfobot",
    "alerts.webhook must be a URL that begins with http:// or https://": (
        "alerts.webhook debe ser una URL que empiece por http:// o https://"
    ),
    "alerts.apprise must be Apprise URLs like mailto://…": (
        "alerts.apprise debe ser URLs de Apprise como mailto://…"
    ),
    "alerts.{key} {why}": "alerts.{key} {why}",
    'must be a time of day like "09:00", not "{value}"': (
        'debe ser una hora como "09:00", no "{value}"'
    ),
    'must be hours like "23:00-07:00", not "{value}"': (
        'debe ser un horario como "23:00-07:00", no "{value}"'
    ),
    'must be an IANA zone like "Europe/Madrid" that this machine knows, not "{value}"': (
        'debe ser una zona IANA como "Europe/Madrid" que esta máquina conozca, no "{value}"'
    ),
    # the monitor itself
    "no monitor is running in {home}": "no hay ningún monitor en marcha en {home}",
    "{path} belongs to another user": "{path} es de otro usuario",
    "the monitor of {home} does not answer: {error}": "el monitor de {home} no responde: {error}",
    "the monitor of {home} refused us: it serves its own user and root": (
        "el monitor de {home} nos rechaza: atiende a su propio usuario y a root"
    ),
    "the monitor of {home} ended in the middle of its answer": (
        "el monitor de {home} terminó en mitad de su respuesta"
    ),
    "no child is left to run": "no queda ningún hijo que ejecutar",
}
