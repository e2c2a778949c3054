"""What is wrong with the monitor's memory or with the records."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # the state
    "the state cannot be written: {error}": "no se puede escribir: {error}",
    "{path} cannot be opened: {why}": "{path} no se puede abrir: {why}",
    "{path} is not a usable state ({why}); it was moved to {aside}": (
        "{path} no sirve ({why}); se ha movido a {aside}"
    ),
    "permission denied": "permiso denegado",
    "another program's database": "es la base de datos de otro programa",
    "version {number}": "versión {number}",
    "the state has version {number}; this program knows up to {known}": (
        "tiene la versión {number}; este programa conoce hasta la {known}"
    ),
    "it cannot be written, though its file can": "no se puede escribir en ella, aunque sí en su fichero",
    # the records
    "{path} cannot be written: {error}": "{path} no se puede escribir: {error}",
    "only {taken} of {count} bytes were taken": "solo se admitieron {taken} de {count} bytes",
    "another process writes {path}": "otro proceso escribe {path}",
    "{path} was changed by somebody else": "otro ha cambiado {path}",
    "{path} is too large and cannot be rotated yet: {error}": (
        "{path} es demasiado grande y aún no se puede rotar: {error}"
    ),
    "{path} is damaged ({why}); it goes on in a new file: {aside}": (
        "{path} está dañado ({why}); se sigue en un fichero nuevo: {aside}"
    ),
    "{path} is no file of ours ({why}); it was moved to {aside}": (
        "{path} no es un fichero nuestro ({why}); se ha movido a {aside}"
    ),
    "{path} was torn in its last write; the torn rest is in {aside}": (
        "la última escritura de {path} quedó a medias; el trozo está en {aside}"
    ),
    "it begins with {start}": "empieza por {start}",
    "its last {count} bytes are no records": "sus últimos {count} bytes no son registros",
    "what stands from byte {at} on is no record": (
        "lo que hay desde el byte {at} no es un registro"
    ),
    "{path} is a link or no file: {error}": "{path} es un enlace o no es un fichero: {error}",
    "{path} has a second name": "{path} tiene un segundo nombre",
    "{why} lost: the state had them no longer": "perdido: {why} (la memoria ya no lo tenía)",
    "record {seq} is": "el registro {seq}",
    "records {first} to {last} are": "los registros {first} a {last}",
}
