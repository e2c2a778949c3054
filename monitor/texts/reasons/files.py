"""Why a file is not touched, and what was done to one: of the repairs and of root's helper."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # paths as they are printed
    "the path is empty": "la ruta está vacía",
    "{path} is a path of {size} bytes": "{path} es una ruta de {size} bytes",
    "{path} has the character U+{code}": "{path} tiene el carácter U+{code}",
    "{path} has {what}, which stands for something else": (
        "{path} tiene {what}, que significa otra cosa"
    ),
    "{path} is {count} folders deep": "{path} tiene {count} niveles de carpetas",
    "{name} leads upward, or is only dots": "{name} lleva hacia arriba o son solo puntos",
    "{name} has a letter that looks like a slash": "{name} tiene una letra que parece una barra",
    "{name} stands for a home folder": "{name} significa una carpeta personal",
    "{name} begins or ends with a space": "{name} empieza o acaba con un espacio",
    "{name} is a name of {size} bytes": "{name} es un nombre de {size} bytes",
    "{path} is not absolute": "{path} no es absoluta",
    "{path} is outside the roots": "{path} está fuera de las carpetas permitidas",
    "{path} is not to be touched: it is the monitor's own": "{path} no se toca: es del monitor",
    "{path} is not to be touched: the monitor's own": "{path} no se toca: es del propio monitor",
    "{path} cannot be a root: it is the system's": (
        "{path} no puede ser una carpeta permitida: es del sistema"
    ),
    "{path} is a link of uid {uid}, a stranger": "{path} es un enlace del uid {uid}, un extraño",
    "{path}: too many links": "{path}: demasiados enlaces",
    # the way to it, and the thing itself
    "{path} is a link": "{path} es un enlace",
    "{path} is not a folder": "{path} no es una carpeta",
    "{path} belongs to uid {uid}, a stranger": "{path} es del uid {uid}, un extraño",
    "everybody may write in {path}": "cualquiera puede escribir en {path}",
    "another file system begins at {name}: it has to be a root itself": (
        "en {name} empieza otro sistema de ficheros: tiene que ser él mismo una carpeta permitida"
    ),
    "{path} is neither a file nor a folder": "{path} no es ni un fichero ni una carpeta",
    "{path} has {count} names: it may be somebody else's file": (
        "{path} tiene {count} nombres: puede ser un fichero de otro"
    ),
    "{path} runs with its owner's rights (mode {mode})": (
        "{path} se ejecuta con los permisos de su dueño (modo {mode})"
    ),
    "fs.protected_hardlinks is 0: no file is given away on such a system": (
        "fs.protected_hardlinks es 0: en un sistema así no se cede ningún fichero"
    ),
    "{path} would need {count} new folders": "{path} necesitaría {count} carpetas nuevas",
    "{path} was exchanged while it was made": "alguien cambió {path} mientras se creaba",
    "{path} was exchanged while it was moved": "alguien cambió {path} mientras se movía",
    "exchanged while it was moved": "alguien lo cambió mientras se movía",
    "{path}: {count} new, {owner}:{group}": "{path}: carpetas nuevas: {count}, {owner}:{group}",
    "uid {uid} can write /{path}": "el uid {uid} puede escribir /{path}",
    "only root can try it as uid {uid}": "solo root puede probarlo como uid {uid}",
    "uid {uid} cannot run {program}: nothing is proved": (
        "el uid {uid} no puede ejecutar {program}: no hay prueba de nada"
    ),
    "{name} is another file by now": "{name} ya es otro fichero",
    # quarantine
    "{path} is not a file": "{path} no es un fichero",
    "{path} was written while it was copied": "se escribió en {path} mientras se copiaba",
    "{path} is there again: nothing is overwritten": "{path} está ahí otra vez: no se sobrescribe",
    "{id} is not in the quarantine": "{id} no está en la cuarentena",
    "{id} cannot be taken out: {why}": "{id} no se puede sacar: {why}",
    "moving": "se está guardando",
    "restoring": "se está devolviendo",
    "purging": "se está borrando",
    "unreadable": "su nota no se puede leer",
    "the file of {id} is not in the quarantine": "el fichero de {id} no está en la cuarentena",
    "a copy of {size} bytes does not fit into {free}": "una copia de {size} bytes no cabe en {free}",
    "the quarantine is busy": "la cuarentena está ocupada",
    # root's helper
    "the root helper cannot be asked: {why}": "no se puede preguntar al ayudante de root: {why}",
    "no answer in {seconds} s": "sin respuesta en {seconds} s",
    "no answer": "sin respuesta",
    "{verb} is not a verb": "{verb} no es un verbo",
    "the request is not one line of JSON": "la petición no es una línea de JSON",
    "the request is not {{path: text}}": "la petición no es {{path: texto}}",
    "one verb, and the path on stdin": "un verbo, y la ruta por la entrada estándar",
    "{table} is not a file of its own": "{table} no es un fichero propio",
    "{table} is not TOML: {error}": "{table} no es TOML: {error}",
    "{table} is not a list of [[root]]": "{table} no es una lista de [[root]]",
    "{part} is not root's own": "{part} no es solo de root",
    "others than root may write {part}": "otros que no son root pueden escribir {part}",
    "{table}: a root has path, uid, gid and of {keys} no other keys": (
        "{table}: una carpeta permitida lleva path, uid, gid y, de {keys}, ninguna otra clave"
    ),
    "{table}: {path}: owners are numbers, kept are absolute paths": (
        "{table}: {path}: owners son números, kept son rutas absolutas"
    ),
    "{table}: {path}: ids and modes are numbers": "{table}: {path}: ids y modos son números",
    "{table}: {path}: nothing is given to root, or to everybody": (
        "{table}: {path}: nada se da a root ni a todo el mundo"
    ),
    "{table}: {path} is not absolute": "{table}: {path} no es absoluta",
}
