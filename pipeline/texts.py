"""What people read, in Spanish and English."""

from __future__ import annotations

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
