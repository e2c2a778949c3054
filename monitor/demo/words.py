"""What the demonstration says, in Spanish and in English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # --- the beginning ---
    "home": ("una carpeta de usar y tirar: {home}", "a throw-away home: {home}"),
    "page": (
        "un Telegram de mentira, con su página de chat: {url}  (ábrela y mira)",
        "a played Telegram, with its chat page: {url}  (open it and watch)",
    ),
    "runs": (
        "el monitor vigila (pid {pid}); su hijo es el pipeline (pid {child}{user})",
        "the monitor watches (pid {pid}); its child is the pipeline (pid {child}{user})",
    ),
    "as_user": (", usuario {user}", ", user {user}"),
    "sends": (
        "Ana manda al bot tres vídeos y un álbum de cuatro fotos",
        "Ana sends the bot three videos and an album of four photos",
    ),
    "posted": (
        "los siete están publicados en el canal, {seconds} s después",
        "all seven are posted in the channel, {seconds} s later",
    ),
    # --- faults: a name, and what is done ---
    "fault_folder": ("carpeta borrada", "folder removed"),
    "does_folder": (
        "rm -r modelos/ana, y Ana manda otro vídeo",
        "rm -r modelos/ana, and Ana sends another video",
    ),
    "fault_owner": ("cambio de dueño", "owner changed"),
    "does_owner": (
        "modelos/ana pasa a ser de root y queda cerrada; Ana manda otro vídeo",
        "modelos/ana becomes root's and is closed; Ana sends another video",
    ),
    "does_owner_mode": (
        "chmod 0 modelos/ana, y Ana manda otro vídeo",
        "chmod 0 modelos/ana, and Ana sends another video",
    ),
    "fault_cut": ("archivo cortado", "file cut"),
    "does_cut": (
        "el vídeo de Ana llega con el final a ceros",
        "Ana's video arrives with its end full of zeros",
    ),
    "fault_server": ("servidor caído", "server down"),
    "does_server": (
        "el servidor Bot API muere (kill -9) a mitad de una descarga",
        "the Bot API server dies (kill -9) in the middle of a download",
    ),
    "mends_server": ("el servidor vuelve", "the server comes back"),
    "fault_crash": ("muere en bucle", "crash loop"),
    "does_crash": (
        "un segundo hijo, crasher, arranca sin su configuración y muere cada vez",
        "a second child, crasher, starts without its settings and dies each time",
    ),
    "mends_crash": (
        "alguien arregla la configuración y escribe: vigia start crasher",
        "somebody mends the settings and types: vigia start crasher",
    ),
    "opened": ("se deja parado: {why}", "left down: {why}"),
    "stayed_well": ("siguió bien", "it stayed well"),
    "stable": ("funciona desde hace {up}", "it has been running for {up}"),
    "fault_disk": ("disco lleno", "disk full"),
    "does_disk": (
        "el disco de 8 MB de modelos/luis se llena, y Luis manda un vídeo",
        "the disk of 8 MB under modelos/luis fills up, and Luis sends a video",
    ),
    # --- what becomes of them ---
    "noticed": ("notado", "noticed"),
    "repaired": ("reparado", "repaired"),
    "proved": ("probado", "proved"),
    "job": ("trabajo", "job"),
    "through": ("«{caption}» está publicado en el canal", '"{caption}" is posted in the channel'),
    "skips": ("no se prueba: {why}", "not tried: {why}"),
    "late": (
        "no ha sanado en {seconds} s; último estado: {last}",
        "did not heal within {seconds} s; it stands at: {last}",
    ),
    # --- what a fault may lack ---
    "lacks_user": (
        "root escribe en todas partes y no hay otro usuario para el pipeline ({why})",
        "root may write everywhere, and there is no other user for the pipeline ({why})",
    ),
    "lacks_root": ("solo root puede montar un disco pequeño", "only root may mount a small disk"),
    "lacks_mount": (
        "no se puede montar un disco pequeño: {why}",
        "a small disk cannot be mounted: {why}",
    ),
    # --- the end ---
    "column_fault": ("fallo", "fault"),
    "column_noticed": ("notado a los", "noticed after"),
    "column_repaired": ("reparado a los", "repaired after"),
    "column_proved": ("probado a los", "proved after"),
    "column_job": ("trabajo hecho a los", "job through after"),
    "skipped": ("no probado", "not tried"),
    "not_tried": ("no se ha probado", "not tried"),
    "not_healed": ("NO HA SANADO", "DID NOT HEAL"),
    "no": ("no", "no"),
    "admin": (
        "mensajes de Telegram al administrador: {count} (editados {edits} veces)",
        "Telegram messages to the admin: {count} (edited {edits} times)",
    ),
    "chain": ("registros en logs/errors.json: {said}", "records in logs/errors.json: {said}"),
    "all_healed": ("todo ha sanado, en {seconds} s", "all healed, in {seconds} s"),
    "not_all": ("no todo ha sanado, en {seconds} s", "not all healed, in {seconds} s"),
    "kept": ("para mirarlo con calma:", "to look at it in peace:"),
    "gone": (
        "no queda nada: ni procesos, ni montajes, ni carpeta (--keep la conserva)",
        "nothing is left: no process, no mount, no folder (--keep leaves the folder)",
    ),
    "called_off": ("interrumpido; se recoge todo", "called off; clearing up"),
    "broken": (
        "la demostración no ha podido seguir: {why}",
        "the demonstration could not go on: {why}",
    ),
    # --- the command line ---
    "help": (
        "Vigía en un minuto: fallos de verdad, reparados a la vista, en una carpeta de usar y tirar.",
        "Vigía in a minute: real faults, repaired before your eyes, in a throw-away home.",
    ),
    "help_keep": ("conserva la carpeta al acabar", "leave the folder when it is over"),
    "help_lang": ("es o en; si no, el idioma del sistema", "es or en; else the system's language"),
    "help_only": (
        "solo este fallo; puede repetirse",
        "only this fault; may stand several times",
    ),
}


def say(name: str, lang: str, **facts: object) -> str:
    return WORDS[name][0 if lang == "es" else 1].format(**facts)
