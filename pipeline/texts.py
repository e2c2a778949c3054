"""What people read, in Spanish and English."""

from __future__ import annotations

import functools
import re
from string import Formatter

TEXTS: dict[str, tuple[str, str]] = {
    "queued": ("en cola", "queued"),
    "download": ("descargando", "downloading"),
    "verify": ("comprobando el archivo", "checking the file"),
    "caption": ("escribiendo el texto", "writing the caption"),
    "store": ("guardando", "storing"),
    "schedule": ("programando la publicación", "scheduling the post"),
    "publish": ("publicando", "publishing"),
    "waiting": ("esperando para reintentar", "waiting to try again"),
    "done": ("terminado", "done"),
    "cancelled": ("cancelado", "cancelled"),
    "failed": ("no se pudo: {error}", "it failed: {error}"),
    "duplicate": ("ya lo teníamos: es igual que otro", "we have it already: the same as another"),
    "no_copy": (
        "el archivo llegó roto y no hay otra copia: envíalo otra vez",
        "the file came broken and there is no other copy: send it again",
    ),
    "too_big": (
        (
            "el archivo es demasiado grande: Telegram da a los bots hasta 20 MB; para más, quien lleva el "
            "bot necesita un servidor Bot API propio (USE_LOCAL_BOT_API=1)"
        ),
        (
            "the file is too big: Telegram gives bots up to 20 MB; for more, who runs the bot needs a Bot "
            "API server of their own (USE_LOCAL_BOT_API=1)"
        ),
    ),
    "vanished": ("el archivo ya no está donde estaba", "the file is no longer where it was"),
    "gone": ("Telegram ya no tiene ese archivo: envíalo otra vez", "Telegram no longer has it"),
    "unsupported": ("no sé tratar este archivo", "I cannot handle this file"),
    "video": ("Vídeo de {who}", "Video of {who}"),
    "photo": ("Foto de {who}", "Photo of {who}"),
    "document": ("Documento de {who}", "Document of {who}"),
    "audio": ("Audio de {who}", "Audio of {who}"),
}


def phrase(word: str, language: str = "es", **values: str) -> str:
    """The text in that language; a word that is not here is said as it is."""
    pair = TEXTS.get(word)
    if pair is None:
        return word
    return pair[1 if language == "en" else 0].format(**values)


# What is decided, raised and logged in English, and the same for people who read Spanish.
FAULTS: dict[str, str] = {
    # .env and pipeline.toml
    "{file} cannot be read: {error}": "{file} no se puede leer: {error}",
    "TELEGRAM_TOKEN must be like 123456789:AA…, as @BotFather gives it": (
        "TELEGRAM_TOKEN debe ser como 123456789:AA…, tal como lo da @BotFather"
    ),
    "ADMIN_ID must be numbers separated by commas, not {given}": (
        "ADMIN_ID debe ser números separados por comas, no {given}"
    ),
    "TELEGRAM_BOT_API_LOCAL_URL must begin with http://, not {given}": (
        "TELEGRAM_BOT_API_LOCAL_URL debe empezar por http://, no {given}"
    ),
    "DATABASE_URL must begin with postgresql://; leave it empty for SQLite": (
        "DATABASE_URL debe empezar por postgresql://; déjalo vacío para usar SQLite"
    ),
    "AI_PROVIDER must be {ways}, perhaps with @URL, not {given}": (
        "AI_PROVIDER debe ser {ways}, quizá con @URL, no {given}"
    ),
    "AI_PROVIDER is set and pydantic_ai is not installed: pip install 'vigia[ai]'": (
        "AI_PROVIDER está puesto y pydantic_ai no está instalado: pip install 'vigia[ai]'"
    ),
    "TELEGRAM_BOT_API_FILES must be /THEIRS=/OURS, not {given}": (
        "TELEGRAM_BOT_API_FILES debe ser /SUYA=/NUESTRA, no {given}"
    ),
    "TELEGRAM_BOT_API_FILES: there is no {folder}": "TELEGRAM_BOT_API_FILES: no existe {folder}",
    "is not known; known are {names}": "no se conoce; se conocen {names}",
    "must be a whole number": "debe ser un número entero",
    "must be a number": "debe ser un número",
    "must be more than 0": "debe ser mayor que 0",
    # modelos and their profiles
    "modelos: {names}": "modelos: {names}",
    "there is no modelo yet": "aún no hay ningún modelo",
    "a name has only letters, digits, and . _ - inside": (
        "un nombre solo tiene letras, cifras y . _ - por dentro"
    ),
    "is no JSON: {error}": "no es JSON: {error}",
    "must be an object: {{…}}": "debe ser un objeto: {{…}}",
    "telegram_user_id {user} belongs to {other} already": (
        "telegram_user_id {user} ya es de {other}"
    ),
    "telegram_user_id must be a number or a list of numbers": (
        "telegram_user_id debe ser un número o una lista de números"
    ),
    "language must be es or en, not {given}": "language debe ser es o en, no {given}",
    "posting must be an object: {{…}}": "posting debe ser un objeto: {{…}}",
    "posting.hours must be like 09:00-23:00, not {given}": (
        "posting.hours debe ser como 09:00-23:00, no {given}"
    ),
    "posting.daily must be a whole number": "posting.daily debe ser un número entero",
    "posting.targets: {given} is neither telegram:… nor folder:…": (
        "posting.targets: {given} no es ni telegram:… ni folder:…"
    ),
    "posting.timezone: {given} is not known": "posting.timezone: {given} no se conoce",
    "posting.spacing must be like 30m or 2h, not {given}": (
        "posting.spacing debe ser como 30m o 2h, no {given}"
    ),
    "{where}{key} is not known; known are {names}": (
        "{where}{key} no se conoce; se conocen {names}"
    ),
    "{key} must be a text": "{key} debe ser un texto",
    "{key} must be a list of texts": "{key} debe ser una lista de textos",
    # the database
    "database: made at the first start": "base de datos: se crea al arrancar",
    "database: goes from {current} to {newest} at the next start": (
        "base de datos: pasa de {current} a {newest} al arrancar"
    ),
    "database: {why}": "base de datos: {why}",
    "the database: {why}": "la base de datos: {why}",
    "the database is up to date": "base de datos al día",
    "a newer version wrote the database ({current})": (
        "una versión más nueva escribió la base de datos ({current})"
    ),
    "SQLite {version} is too old for this Python: use Python 3.11, SQLite 3.42 or newer, or"
    " PostgreSQL by DATABASE_URL": (
        "SQLite {version} es demasiado viejo para este Python: usa Python 3.11, SQLite 3.42 o más"
        " nuevo, o PostgreSQL con DATABASE_URL"
    ),
    # what else is looked at
    "captions by an AI provider": "textos por un proveedor de IA",
    "plain captions, without AI": "textos sencillos, sin IA",
    "no ffmpeg and no av: videos are checked by their header and for holes": (
        "sin ffmpeg ni av: los vídeos se comprueban por su cabecera y por huecos"
    ),
    # commands
    "there is no job {job}": "no hay ningún trabajo {job}",
    "there is no post {post}": "no hay ninguna publicación {post}",
    "post {post} is {state}; only unknown and failed ones are decided": (
        "la publicación {post} está {state}; solo se deciden las unknown y failed"
    ),
    "the file of post {post} was forgotten by who sent it": (
        "quien envió el fichero de la publicación {post} pidió olvidarlo"
    ),
    "all parts: intake, jobs, poster; also without a command": (
        "todo: entrada, trabajos y publicación; también sin orden"
    ),
    "only works on jobs; for more machines on one PostgreSQL": (
        "solo hace trabajos; para más máquinas con un mismo PostgreSQL"
    ),
    "is all there that the pipeline needs?": "¿está todo lo que necesita el pipeline?",
    "for `vigia check`; nothing here asks far": "para `vigia check`; aquí nada pregunta lejos",
    "hand in a file; it is copied": "entregar un fichero; se copia",
    "look at jobs, try them again, cancel them": "ver trabajos, reintentarlos, cancelarlos",
    "what goes out: look, hold back, decide what is unknown": (
        "lo que se publica: ver, retener, decidir lo que no se sabe"
    ),
}


def told(text: str, language: str) -> str:
    """A fault or a reason for people, its values as they are; what no pair knows stays as it is."""
    if language != "es":
        return text
    for form, spanish in _forms():
        if found := form.fullmatch(text):
            return spanish.format_map(found.groupdict())
    name, colon, why = text.partition(": ")
    return f"{name}: {told(why, language)}" if colon else text


@functools.cache
def _forms() -> list[tuple[re.Pattern[str], str]]:
    """Each English text as a pattern: what stands in its braces is a value."""
    return [(re.compile(_pattern(english), re.DOTALL), es) for english, es in FAULTS.items()]


def _pattern(english: str) -> str:
    return "".join(
        re.escape(fixed) + (f"(?P<{name}>.*?)" if name else "")
        for fixed, name, _, _ in Formatter().parse(english)
    )
