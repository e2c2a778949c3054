"""How a child ended, why it is restarted or left down, and what cannot be read of its log."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # how it ended
    "ended with exit code 0": "terminó con el código 0",
    "ended with exit code {code}": "terminó con el código {code}",
    "asks to be started later (exit 75)": "pide que se le arranque más tarde (código 75)",
    "says its configuration is wrong (exit 78)": "dice que su configuración está mal (código 78)",
    "was ended from outside by {signal}": "terminado desde fuera con {signal}",
    "was killed by the kernel for lack of memory": "lo mató el kernel por falta de memoria",
    "was killed by {signal}": "muerto por {signal}",
    "signal {number}": "la señal {number}",
    "ended as asked": "terminó, como se le pidió",
    "stopped by {by}": "detenido por {by}",
    # what follows
    "it says that its configuration is wrong (exit 78)": (
        "dice que su configuración está mal (código 78)"
    ),
    "{why}; its policy is never to start it again": "{why}; su política es no volver a arrancarlo",
    "{why}; its policy is on-failure": "{why}; su política es on-failure",
    "{why}; its policy is never to restart": "{why}; su política es no reiniciarlo nunca",
    "ended {count} times in {minutes} minutes; last: {why}": (
        "terminó {count} veces en {minutes} minutos; la última: {why}"
    ),
    "the probe run failed as well: {why}": "el arranque de prueba también falló: {why}",
    # why it cannot be started
    "its lock {path}: {error}": "su cerrojo {path}: {error}",
    "another copy of it is still running": "otra copia suya sigue en marcha",
    "its log {path}: {error}": "su registro {path}: {error}",
    "its log {path} is not a regular file": "su registro {path} no es un fichero normal",
    "its directory {path} does not exist": "su carpeta {path} no existe",
    "cannot execute {program}: {error}": "no se puede ejecutar {program}: {error}",
    "cannot start {program}: {error}": "no se puede arrancar {program}: {error}",
    "there is no user {name}": "no existe el usuario {name}",
    "there is no group {name}": "no existe el grupo {name}",
    "only root can run it as {user}": "solo root puede ejecutarlo como {user}",
    # its health
    "uses {memory}, more than {most}": "usa {memory}, más de {most}",
    "has finished nothing for {time}, though it is alive": (
        "no ha terminado nada en {time}, aunque está vivo"
    ),
    "has written nothing for {time}": "no ha escrito nada en {time}",
    "did not answer {count} questions in a row": "no respondió a {count} preguntas seguidas",
    "no answer to {method} {path} within {seconds} s": (
        "sin respuesta a {method} {path} en {seconds} s"
    ),
    # its log: reading and rotating
    "a writer did not stand still": "quien escribe no se detuvo",
    "somebody else emptied it meanwhile": "otro lo vació entretanto",
    "was renamed all the time while we looked; a generation may be lost unread": (
        "cambiaba de nombre sin parar mientras se miraba; puede haberse perdido una generación sin leer"
    ),
    "was rotated several times at once; a generation may be lost unread": (
        "rotó varias veces a la vez; puede haberse perdido una generación sin leer"
    ),
    "was rewritten while nobody read it; what was unread in it is lost": (
        "se reescribió mientras nadie lo leía; se ha perdido lo que quedaba sin leer"
    ),
    "the file that was read last is gone; what was unread in it is lost": (
        "el último fichero que se leyó ya no está; se ha perdido lo que quedaba sin leer"
    ),
    "the file that was read last was copied and is gone; what came after is lost": (
        "el último fichero que se leyó se copió y ya no está; se ha perdido lo que vino después"
    ),
    "had a generation that cannot be read; what was unread in it is lost": (
        "tenía una generación que no se puede leer; se ha perdido lo que quedaba sin leer"
    ),
    "its rest is read from a copy": "el resto se lee de una copia",
    "{count} bytes that were seen are lost": "se han perdido {count} bytes ya vistos",
    "lost its end": "perdió el final",
    "was written anew": "se escribió de nuevo",
    "was truncated": "se truncó",
    "is rewritten for every line (a ring): only what is new in it is read": (
        "se reescribe con cada línea (un anillo): solo se lee lo nuevo"
    ),
    "a line was cut after {most} bytes; {lost} more were skipped": (
        "se cortó una línea a los {most} bytes; otros {lost} se saltaron"
    ),
    "{count} NUL bytes were skipped: a hole left by a truncation": (
        "se saltaron {count} bytes NUL: el hueco que dejó un truncado"
    ),
    "holds files that are not read: {most} are open already": (
        "tiene ficheros que no se leen: ya hay {most} abiertos"
    ),
    "is mounted as a single file: when it is renamed outside, nothing tells us": (
        "está montado como fichero suelto: si fuera cambia de nombre, nada nos avisa"
    ),
    "cannot be opened: {error}": "no se puede abrir: {error}",
    "cannot be read: {error}": "no se puede leer: {error}",
    "cannot be read to its end: {error}": "no se puede leer hasta el final: {error}",
    "cannot be listed: permission denied": "no se puede listar: permiso denegado",
    "cannot be looked at: {error}": "no se puede mirar: {error}",
    "cannot be watched: permission denied": "no se puede vigilar: permiso denegado",
    "cannot be watched: {error}": "no se puede vigilar: {error}",
    "is {why}, not a file": "es {why}, no un fichero",
    "a directory": "una carpeta",
    "a pipe": "una tubería",
    "a socket": "un socket",
    "a device": "un dispositivo",
    "more than {most} bytes": "más de {most} bytes",
    "it is not a file": "no es un fichero",
    "polling was asked for": "se pidió sondear",
    "it does not tell of changes here": "aquí no avisa de los cambios",
    "is not on a local file system": "no está en un sistema de ficheros local",
}
