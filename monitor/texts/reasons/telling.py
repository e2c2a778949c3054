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
