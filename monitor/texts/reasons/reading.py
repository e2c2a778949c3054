"""What is wrong with rules, with records, and with what a command was given to read."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # rules
    "{name}: beats `{other}`, which does not exist": "{name}: gana a `{other}`, que no existe",
    "no such file or folder of rules": "no hay tal fichero o carpeta de reglas",
    "not TOML: {error}": "no es TOML: {error}",
    "unknown key `{key}`": "clave desconocida `{key}`",
    "disables `{name}`, which does not exist": "desactiva `{name}`, que no existe",
    "needs a `name` like pack.what_happened": "le falta un `name` como paquete.lo_que_paso",
    "needs `{key}`: a list with at least one string": (
        "le falta `{key}`: una lista con al menos un texto"
    ),
    "the name is taken by {file}:{line}": "ese nombre ya es de {file}:{line}",
    "replaces a rule that is not there": "sustituye a una regla que no está",
    "{key} `{value}` is none of: {words}": "{key} `{value}` no es ninguno de: {words}",
    "`{key}` must be a list of strings": "`{key}` debe ser una lista de textos",
    "pattern `{pattern}`: {why}": "patrón `{pattern}`: {why}",
    "captures `{name}`; known are {names}": "captura `{name}`; se conocen {names}",
    "has no fixed text of {count} letters that every match must contain": (
        "no tiene ningún texto fijo de {count} letras que esté en todo lo que encuentra"
    ),
    "{name}: pattern `{pattern}`: RE2 refuses it: {error}": (
        "{name}: patrón `{pattern}`: RE2 no lo admite: {error}"
    ),
    "its pattern does not match its sample `{sample}`": (
        "su patrón no encuentra su ejemplo `{sample}`"
    ),
    "its sample `{sample}` goes to {rule}: {why}": "su ejemplo `{sample}` se lo lleva {rule}: {why}",
    "wins its no_match sample `{sample}`": "se lleva su ejemplo de no_match `{sample}`",
    "can never win: others win each of its samples": (
        "no puede ganar nunca: otras se llevan cada uno de sus ejemplos"
    ),
    "a user can write it: it hits `{line}`": "puede escribirlo un usuario: salta con `{line}`",
    "a user can write it: in `{sample}` it reads a quoted field of user text (if the program itself"
    " writes it, say `trusts = true`)": (
        "puede escribirlo un usuario: en `{sample}` lee un campo entrecomillado de texto de usuario"
        " (si lo escribe el propio programa, di `trusts = true`)"
    ),
    "the rules could not be prepared (exit code {code})": (
        "no se pudieron preparar las reglas (código de salida {code})"
    ),
    # patterns
    "column {column}: `)` without `(`": "columna {column}: `)` sin `(`",
    "column {column}: {why}": "columna {column}: {why}",
    "a quantifier with nothing to repeat": "un cuantificador sin nada que repetir",
    "a repetition of more than {most}": "una repetición de más de {most}",
    "a quantifier after a quantifier": "un cuantificador tras otro",
    "a line end: a pattern reads one line": "un fin de línea: un patrón lee una sola línea",
    "two groups named `{name}`": "dos grupos con el nombre `{name}`",
    "`(` without `)`": "`(` sin `)`",
    "`[` without `]`": "`[` sin `]`",
    "`\\{char}` is not in the language of rules": "`\\{char}` no es del lenguaje de las reglas",
    "`\\{char}` in a class": "`\\{char}` en una clase",
    "`{char}` in a class: write (a|{char})": "`{char}` en una clase: escribe (a|{char})",
    "`(?{what}` (only (?: and (?P<name>)": "`(?{what}` (solo (?: y (?P<nombre>)",
    "a POSIX class": "una clase POSIX",
    # records
    "the first records of the file are missing": "faltan los primeros registros del fichero",
    "is not the first": "no es el primero",
    "record 1 does not begin the chain": "el registro 1 no empieza la cadena",
    "carried record {seq} does not follow {last}": "el registro repetido {seq} no sigue al {last}",
    "record {last} was changed, or the link of {seq}": (
        "se cambió el registro {last}, o el enlace del {seq}"
    ),
    "record {seq} comes again, or after {newest}": (
        "el registro {seq} está otra vez, o después del {newest}"
    ),
    "record {seq} is not as it was written": "el registro {seq} no está como se escribió",
    "this line is not as it was written": "esta línea no está como se escribió",
    "missing before record {seq}: {span}": "antes del registro {seq} falta: {span}",
    "missing at the end: {span}": "al final falta: {span}",
    # what a command is given
    "there is no line to explain": "no hay ninguna línea que explicar",
    "line {number}: not an object with `id` and `line`: {error}": (
        "línea {number}: no es un objeto con `id` y `line`: {error}"
    ),
    "line {number}: `line` is not a string": "línea {number}: `line` no es un texto",
}
