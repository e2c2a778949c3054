"""What is wrong with `vigia.toml` and `.env`."""

from __future__ import annotations

PAIRS: dict[str, str] = {
    # any key
    "{key} is not a setting of the top level": "{key} no es un ajuste del nivel superior",
    "{key} is not a setting of [{table}]": "{key} no es un ajuste de [{table}]",
    "did you mean {key}?": "¿querías decir {key}?",
    "known here: {keys}": "aquí se conocen: {keys}",
    "must be {why}, not {value}": "debe ser {why}, no {value}",
    "must be one of {values}, not {value}": "debe ser uno de {values}, no {value}",
    "a table": "una tabla",
    "a list": "una lista",
    "text": "un texto",
    "a whole number": "un número entero",
    "a number": "un número",
    "true or false": "true o false",
    'seconds or a time like "10s", "5m", "2h"': 'segundos o un tiempo como "10s", "5m", "2h"',
    'bytes or a size like "50MB"': 'bytes o un tamaño como "50MB"',
    'permission bits like "027"': 'bits de permiso como "027"',
    "holds a NUL character": "contiene un carácter NUL",
    "is not TOML: {error}": "no es TOML: {error}",
    # children
    "children are tables: [children.NAME] with a command": (
        "los hijos son tablas: [children.NOMBRE] con un command"
    ),
    "children.{name} must be a table with a command": (
        "children.{name} debe ser una tabla con un command"
    ),
    "children.{name} would write into {log}, the log of {other}": (
        "children.{name} escribiría en {log}, el registro de {other}"
    ),
    "{name} is not a name for a child: letters, digits, - and _, at most 64": (
        "{name} no vale como nombre de un hijo: letras, cifras, - y _, como mucho 64"
    ),
    "{name} is no name for a child: the monitor's own files have it": (
        "{name} no vale como nombre de un hijo: lo llevan ficheros del propio monitor"
    ),
    "{child} has no command": "{child} no tiene command",
    "{child}.nice: must be -20 to 19": "{child}.nice: debe estar entre -20 y 19",
    "{child}.restart.limit: must be >= 1": "{child}.restart.limit: debe ser >= 1",
    "{child}.restart.stable: must be > 0: else no end counts": (
        "{child}.restart.stable: debe ser > 0: si no, ningún final cuenta"
    ),
    "{child}.health.every: must be > 0": "{child}.health.every: debe ser > 0",
    "children.{name}.after names {other}: no child": (
        "children.{name}.after nombra a {other}, que no es un hijo"
    ),
    "children.{name}.after leads back to itself": "children.{name}.after vuelve a sí mismo",
    # the rest
    "metrics: must be a loopback address with a port: 127.0.0.1:9464": (
        "metrics: debe ser una dirección local con puerto: 127.0.0.1:9464"
    ),
    "repair.dry_run_for: there is no rule or category {name}": (
        "repair.dry_run_for: no hay ninguna regla ni clase {name}"
    ),
    "ladders.{key}: there is no strategy {name}": "ladders.{key}: no hay ninguna estrategia {name}",
    "TELEGRAM_BOT_API_LOCAL_URL must be a URL like http://127.0.0.1:8081": (
        "TELEGRAM_BOT_API_LOCAL_URL debe ser una URL como http://127.0.0.1:8081"
    ),
    "ADMIN_ID must be numeric Telegram ids separated by commas, not {value}": (
        "ADMIN_ID debe ser ids numéricos de Telegram separados por comas, no {value}"
    ),
    "{why}; your own id: write to @userinfobot": "{why}; tu propio id: escribe a @userinfobot",
    "alerts.webhook: must be a URL that begins with http:// or https://": (
        "alerts.webhook: debe ser una URL que empiece por http:// o https://"
    ),
    "alerts.apprise: must be Apprise URLs like mailto://…": (
        "alerts.apprise: debe ser URLs de Apprise como mailto://…"
    ),
    'a time of day like "09:00"': 'una hora del día como "09:00"',
    'hours like "23:00-07:00"': 'unas horas como "23:00-07:00"',
    'an IANA zone like "Europe/Madrid" that this machine knows': (
        'una zona IANA como "Europe/Madrid" que esta máquina conozca'
    ),
}
