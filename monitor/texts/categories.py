"""What each category means."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
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
}
