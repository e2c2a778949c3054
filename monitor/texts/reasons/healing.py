"""Why incidents stand as they do, and what repairs found, did and proved."""

from __future__ import annotations

# English -> Spanish; a hole named why, detail or proof holds a reason itself.
PAIRS: dict[str, str] = {
    # incidents and their book
    "nothing of ours repairs this": "nada nuestro lo repara",
    "{why}; nothing of ours repairs this": "{why}; nada nuestro lo repara",
    "{why}; nothing is left to try": "{why}; no queda nada por intentar",
    "{why}; please check": "{why}; compruébalo",
    "the child tries again by itself": "el hijo lo intenta de nuevo por su cuenta",
    "the child tries no more by itself": "el hijo ya no lo intenta por su cuenta",
    "the child tried again by itself, and nothing more came": (
        "el hijo lo intentó de nuevo por su cuenta y no ha vuelto a fallar"
    ),
    "written before anyone watched": "escrito antes de que nadie vigilara",
    "written {seconds} s before it was read: too old to act on": (
        "escrito {seconds} s antes de leerse: demasiado viejo para actuar"
    ),
    "follows from INC-{id} ({category})": "se debe a INC-{id} ({category})",
    "it came back after the repair": "ha vuelto después de la reparación",
    "it came back after it was resolved": "ha vuelto después de resolverse",
    "it came back after {by} closed it": "ha vuelto después de que {by} lo cerrara",
    "well for {seconds} s": "todo bien durante {seconds} s",
    "said while it was being stopped": "dicho mientras se estaba deteniendo",
    "too much broke at once: hands off until it is calm": (
        "ha fallado demasiado a la vez: no se toca nada hasta que haya calma"
    ),
    "it goes on by itself": "sigue por sí solo",
    "the budget of {most} an hour is spent: {budget}": (
        "agotado el límite de {most} por hora: {budget}"
    ),
    "{strategy} on {target}": "{strategy} en {target}",
    "closed by {by}": "cerrado por {by}",
    "{by} wants it tried again": "{by} quiere que se intente de nuevo",
    "acknowledged by {by}": "{by} está al tanto",
    "told to {by}": "avisado a {by}",
    "could not be told to {by}: {why}": "no se pudo avisar a {by}: {why}",
    # records
    "{count} records were lost here: the disk took none for too long": (
        "aquí se perdieron {count} registros: el disco no admitió ninguno durante demasiado tiempo"
    ),
    "the monitor's memory was lost; what it had not written here yet is not known": (
        "se perdió la memoria del monitor; no se sabe qué le faltaba por escribir aquí"
    ),
    # attempts
    "dry run: {strategy} was not done": "simulacro: no se ha hecho {strategy}",
    "{strategy} is assumed to help": "se supone que {strategy} ayuda",
    "{strategy} took too long": "{strategy} tardó demasiado",
    "there is no {strategy} any more": "{strategy} ya no existe",
    "nothing is done that cannot be written down: {error}": (
        "no se hace nada que no se pueda anotar: {error}"
    ),
    "the monitor ended while it was at {strategy}: {why}": (
        "el monitor terminó en plena ejecución de {strategy}: {why}"
    ),
    "the monitor ended while it was at {strategy}, and it holds": (
        "el monitor terminó en plena ejecución de {strategy}, y quedó bien"
    ),
    # disks and servers
    "{free} of {total} are free on {path}": "hay {free} de {total} libres en {path}",
    "{free} of {total} are free, room for {files} more files on {path}": (
        "hay {free} de {total} libres y sitio para {files} ficheros más en {path}"
    ),
    "only {why}": "solo {why}",
    "the disk of {why}": "el disco de {why}",
    "{place} does not answer within {seconds} s": "{place} no responde en {seconds} s",
    "it answers again": "responde de nuevo",
    "it answers": "responde",
    "it is used no more": "ya no se usa",
    "the local Bot API server at {url} does not answer: {why}": (
        "el servidor local de la Bot API en {url} no responde: {why}"
    ),
    "no answer within {seconds} s": "sin respuesta en {seconds} s",
    "it does not speak HTTP": "no habla HTTP",
    "{server} answers": "{server} responde",
    "the line names no server that can be asked; watching": (
        "la línea no nombra ningún servidor al que preguntar; se sigue vigilando"
    ),
    "asked again": "preguntado de nuevo",
    "the intake of {children} waits": "la entrada de {children} espera",
    "no command is configured that starts {server} again": (
        "no hay ninguna orden configurada que arranque {server} de nuevo"
    ),
    "{program} did not end within {seconds} s": "{program} no terminó en {seconds} s",
    "{program} ended with exit code 0": "{program} terminó con el código 0",
    "{program} ended with exit code {code}": "{program} terminó con el código {code}",
    "ran {program}": "ejecutado {program}",
    "no disk says how much of it is free": "ningún disco dice cuánto le queda libre",
    "removed {count} files of ours, {size} freed": (
        "{size} liberados al borrar ficheros nuestros ({count})"
    ),
    "{detail}; the intake of {children} waits": "{detail}; la entrada de {children} espera",
    # the child
    "it is ended and started again, counted like a crash": (
        "se termina y se arranca de nuevo; cuenta como una caída"
    ),
    "somebody else runs this program": "este programa lo ejecuta otro",
    "the child is not running": "el hijo no está en marcha",
    "the child is down": "el hijo está parado",
    "{child} is not running": "{child} no está en marcha",
    "{child} is down": "{child} está parado",
    "{child} runs": "{child} está en marcha",
    "the policy of {child} is never to restart it": "la política de {child} es no reiniciarlo nunca",
    "{child} did not come up: {why}": "{child} no llegó a arrancar: {why}",
    "restarted {child} (pid {pid})": "reiniciado {child} (pid {pid})",
    "stopped {child} until a person starts it": (
        "detenido {child} hasta que una persona lo arranque"
    ),
    "it is down": "está parado",
    "it is down again": "está parado otra vez",
    "it still runs": "sigue en marcha",
    "it runs as pid {pid}": "está en marcha con el pid {pid}",
    "no second copy of ours runs on this machine": (
        "en esta máquina no hay ninguna otra copia nuestra en marcha"
    ),
    "no second copy runs": "no hay ninguna otra copia en marcha",
    "ended pid {pids}": "terminado el pid {pids}",
    "pid {pid} still runs": "el pid {pid} sigue en marcha",
    "its limit of {soft} open files is the highest it may have": (
        "su límite de {soft} ficheros abiertos es el más alto que puede tener"
    ),
    "its limit is {soft} of {hard}": "su límite es {soft} de {hard}",
    "raised its limit of open files from {soft} to {higher}": (
        "subido su límite de ficheros abiertos de {soft} a {higher}"
    ),
    "the limit reads {soft}": "el límite es ahora {soft}",
    # jobs
    "{child} offers no way to have a job done again": (
        "{child} no ofrece ninguna forma de repetir un trabajo"
    ),
    "{job} is no name of a job that may be passed on": (
        "{job} no es un nombre de trabajo que se pueda pasar"
    ),
    "the child refuses to do job {job} again: {answer}": (
        "el hijo se niega a repetir el trabajo {job}: {answer}"
    ),
    "the child does not know job {job}": "el hijo no conoce el trabajo {job}",
    "job {job} failed again": "el trabajo {job} falló otra vez",
    "job {job} was cancelled again": "el trabajo {job} se canceló otra vez",
    "job {job} succeeded": "el trabajo {job} salió bien",
    "the line says nothing of {name}": "la línea no dice nada de {name}",
    "{value} is not safe to pass on as {name}": "{value} no es seguro como {name}",
    "the line names no job; watching whether it comes back": (
        "la línea no nombra ningún trabajo; se vigila si vuelve a pasar"
    ),
    "there is no way to have the job done again; watching": (
        "no hay forma de repetir el trabajo; se sigue vigilando"
    ),
    "the job can be done again": "el trabajo se puede repetir",
    "it was seen to succeed": "se ha visto que sale bien",
    "waiting {seconds} s, as asked": "se esperan {seconds} s, como pide",
    "noted; there is nothing to repair": "anotado; no hay nada que reparar",
    # files
    "the line names no path": "la línea no nombra ninguna ruta",
    "{path} is missing": "falta {path}",
    "{path} is there": "{path} está ahí",
    "{path} is a file that nobody can make again from nothing": (
        "{path} es un fichero que nadie puede rehacer de la nada"
    ),
    "{path} is there with {size} bytes": "{path} está ahí con {size} bytes",
    "moved to quarantine as {id}; to put it back: vigia quarantine restore {id}": (
        "movido a la cuarentena como {id}; para devolverlo: vigia quarantine restore {id}"
    ),
    "the broken file is out of the way": "el fichero dañado ya no estorba",
    "{path} is not a regular file": "{path} no es un fichero normal",
    "{path} is there again": "{path} está ahí otra vez",
    "{path} is gone already": "{path} ya no está",
    "{path} stands in the way": "{path} lo impide",
}
