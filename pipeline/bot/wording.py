"""What the bot says in a chat, in Spanish and English; plain texts, so nothing in them is markup."""

from __future__ import annotations

SAYS: dict[str, tuple[str, str]] = {
    "hello": (
        (
            "Hola, {name}. Envíame vídeos, fotos, documentos o notas: los guardo, los compruebo y los "
            "publico como diga la configuración. /help"
        ),
        (
            "Hello, {name}. Send me videos, photos, documents or notes: I keep them, check them and "
            "post them as the configuration says. /help"
        ),
    ),
    "stranger": (
        (
            "Hola, {name}. Todavía no te conozco. Tu número es {user}: dáselo a quien lleva este bot. "
            "Guardo lo que envíes hasta entonces."
        ),
        (
            "Hello, {name}. I do not know you yet. Your number is {user}: give it to whoever runs this "
            "bot. I keep what you send until then."
        ),
    ),
    "help": (
        (
            "Lo que envíes en pocos segundos lo trato junto y te contesto una vez.\n"
            "/status  cómo va lo tuyo\n/memories  lo que recuerdo de ti\n"
            "/forget N  olvidar el recuerdo N\n/help  esta ayuda"
        ),
        (
            "What you send within a few seconds I treat together and answer once.\n"
            "/status  how yours is going\n/memories  what I remember of you\n"
            "/forget N  forget memory N\n/help  this help"
        ),
    ),
    "help_admin": (
        (
            "\n/reload  leer otra vez los modelos\n/pause [MODELO]  no publicar\n"
            "/resume [MODELO]  volver a publicar\n/posts  lo próximo que sale\n"
            "/reschedule N HORA  18:30, 2026-12-24 18:30, +2h o now\n/jobs  los últimos trabajos\n"
            "/retry TRABAJO  empezarlo otra vez"
        ),
        (
            "\n/reload  read the modelos again\n/pause [MODELO]  post nothing\n"
            "/resume [MODELO]  post again\n/posts  what goes out next\n"
            "/reschedule N TIME  18:30, 2026-12-24 18:30, +2h or now\n/jobs  the latest jobs\n"
            "/retry JOB  begin it anew"
        ),
    ),
    "no_command": ("No conozco /{word}. /help", "I do not know /{word}. /help"),
    "not_allowed": ("Eso solo puede quien lleva el bot.", "Only who runs the bot may do that."),
    "got": ("He recibido {what}.", "I got {what}."),
    "and": (" y ", " and "),
    "kept": ("Queda guardado. /memories", "It is kept. /memories"),
    "noted": ("Lo anoto con lo que enviaste antes.", "Noted with what you sent before."),
    "not_yours": (
        "A eso solo puede añadir algo quien lo envió.",
        "Only who sent that may add something to it.",
    ),
    "question": (
        "¿De qué se trata? Contesta con un texto y lo guardo con ello.",
        "What is it about? Answer with a text and I keep it with it.",
    ),
    "repairing": ("parado; se está reparando", "stopped; it is being repaired"),
    "no_memories": ("No recuerdo nada tuyo.", "I remember nothing of yours."),
    "memories": ("Lo último que recuerdo de ti:", "The latest that I remember of you:"),
    "which_memory": ("/forget N, con un número de /memories", "/forget N, a number of /memories"),
    "no_memory": ("No hay un recuerdo {number} tuyo.", "There is no memory {number} of yours."),
    "forgotten": ("Olvidado.", "Forgotten."),
    "forgotten_with_file": (
        (
            "Olvidado, y su archivo se borra del disco. Lo que aún no salió ya no sale; lo que ya "
            "salió, donde salió, se queda."
        ),
        (
            "Forgotten, and its file is deleted from the disk. What has not gone out will not; what "
            "is out stays where it is."
        ),
    ),
    "forgotten_but_shared": (
        "Olvidado. El archivo se queda, porque el mismo se envió también en otro mensaje.",
        "Forgotten. The file stays, for the same was sent in another message, too.",
    ),
    "status": (
        "De {modelo}: {open} en curso, {done} terminados, {pending} por publicar, {sent} publicados.",
        "Of {modelo}: {open} at work, {done} done, {pending} to be posted, {sent} posted.",
    ),
    "status_all": (
        (
            "\nEn todo: {queued} en cola, {running} en curso, {waiting} esperando, {failed} por reparar; "
            "{held} mensajes de desconocidos."
        ),
        (
            "\nIn all: {queued} queued, {running} at work, {waiting} waiting, {failed} to be repaired; "
            "{held} messages of strangers."
        ),
    ),
    "held_back": ("\nNo se publica: {scopes}.", "\nNot posting: {scopes}."),
    "reloaded": (
        "{count} modelos. Mensajes que esperaban y trato ahora: {released}.",
        "{count} modelos. Messages that waited and are treated now: {released}.",
    ),
    "wrong": ("\nMal: {why}", "\nWrong: {why}"),
    "no_modelo": ("No hay un modelo {name}.", "There is no modelo {name}."),
    "paused": ("Ya no se publica: {scope}.", "Nothing is posted now: {scope}."),
    "resumed": ("Se vuelve a publicar: {scope}.", "Posting again: {scope}."),
    "all": ("todo", "all"),
    "no_posts": ("No hay nada por publicar.", "There is nothing to be posted."),
    "how_reschedule": (
        "/reschedule N HORA: N de /posts; HORA es 18:30, 2026-12-24 18:30, +2h o now",
        "/reschedule N TIME: N of /posts; TIME is 18:30, 2026-12-24 18:30, +2h or now",
    ),
    "no_post": ("El {number} no está por publicar.", "{number} is not waiting to be posted."),
    "rescheduled": (
        "El {number} sale desde {at}, cuando las reglas lo permitan.",
        "{number} goes out from {at}, when the rules allow it.",
    ),
    "no_jobs": ("No hay trabajos.", "There are no jobs."),
    "no_job": ("No hay un trabajo {job}.", "There is no job {job}."),
    "retried": ("{job} empieza otra vez.", "{job} begins anew."),
}
# One, and several of them.
THINGS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "text": (("un texto", "{n} textos"), ("a text", "{n} texts")),
    "photo": (("una foto", "{n} fotos"), ("a photo", "{n} photos")),
    "video": (("un vídeo", "{n} vídeos"), ("a video", "{n} videos")),
    "document": (("un documento", "{n} documentos"), ("a document", "{n} documents")),
    "audio": (("un audio", "{n} audios"), ("an audio", "{n} audios")),
    "location": (("un lugar", "{n} lugares"), ("a place", "{n} places")),
    "contact": (("un contacto", "{n} contactos"), ("a contact", "{n} contacts")),
    "other": (("otra cosa", "{n} cosas más"), ("something else", "{n} other things")),
}


def say(word: str, language: str, /, **values: object) -> str:
    return SAYS[word][language == "en"].format(**values)


def amount(kind: str, count: int, language: str) -> str:
    """`una foto`, `4 fotos`."""
    forms = THINGS.get(kind, THINGS["other"])[language == "en"]
    return forms[count != 1].format(n=count)


def several(words: list[str], language: str) -> str:
    """`a, b y c`."""
    head = ", ".join(words[:-1])
    return f"{head}{say('and', language)}{words[-1]}" if head else "".join(words)


def fitting(text: str, most: int = 4096) -> str:
    """At most so many UTF-16 units, which is how Telegram counts; a cut is shown."""
    if len(text.encode("utf-16-le")) // 2 <= most:
        return text
    raw = text.encode("utf-16-le")[: 2 * (most - 1)]
    return raw.decode("utf-16-le", "ignore") + "…"
