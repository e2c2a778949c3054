"""What a person wrote is not what a program says: quoted user text is blanked before rules read it.

A line `text="No space left on device"` says that somebody typed these words. The blanking keeps
every offset, so captures are still cut from the line as it was printed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from monitor.understand.linear import Search
from monitor.understand.pattern import read

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = (
    "text|texto|caption|user|username|user_name|usuario|first_name|last_name|full_name|nombre"
    "|sender|author|autor|nick|nickname|display_name|title|titulo|chat_title|query|consulta"
    "|prompt|comment|comentario|bio|reply|respuesta|question|pregunta|user_agent|referr?er"
    "|file|filename|file_name|fichero|archivo|search|said|wrote|dijo|dice"
)
SPEECH = (
    "(?:message|mensaje|text|texto|comment|comentario|reply|caption)(?: received| recibid[oa])?"
)
PERSON = "(?:user|usuari[oa]|member|miembro|client|cliente)"
SAYS = "(?:sent|said|says|wrote|asked|typed|dijo|dice|env(?:i|í)(?:a|o|ó)|escrib(?:e|i(?:o|ó))|pregunt(?:a|o|ó))"
# What has a name that ends like these was named by people.
ENDINGS = "mp4|mkv|webm|mov|avi|m4a|mp3|ogg|oga|opus|wav|flac|jpe?g|png|gif|webp|pdf|docx?|epub|srt|zip|txt"
CLOSERS = {b'"': b'"', b"'": b"'", "«".encode(): "»".encode(), b"`": b"`"}


def _search(text: str) -> Search:
    return Search(read(text).exact)


FIELD = _search(rf"(?:^|[\s,({{\[\"'])(?:{KEYS})[\"']?(?:=| ?: ?)(?P<subject>\"|'|«|`)")
BARE = _search(rf"(?:^|[\s,(])(?:{KEYS})=(?P<subject>[A-Za-z][\w.-]*[ \t]+[^=]*)")
SPOKEN = _search(rf"{SPEECH} (?:from|de|by|por) [^:\"']{{1,60}}: ?(?P<subject>.)")
SAID = _search(rf"{PERSON} \S{{1,40}} {SAYS}:? ?(?P<subject>\"|'|«|`)")
SAID_PLAINLY = _search(rf"{PERSON} \S{{1,40}} {SAYS}: +(?P<subject>[^\s\"'`])")
# A chat that is echoed, with who spoke before it: `<ana> hola`, `<< 42: hola`.
ECHOED = _search(r"(?:^|[\]:] )<[A-Za-z]\w{1,24}> +(?P<subject>\S)")
ARROWED = _search(r"(?:<<|>>) (?:user )?@?\w{1,40}: +(?P<subject>\S)")
TITLE = _search(
    rf"[\"'`](?P<subject>[^\"'`]{{0,200}} [^\"'`]{{0,200}}\.(?:{ENDINGS}))(?:\.part)?[\"'`]"
)
# What was read, heard or asked, and then what it was: `Texto reconocido en la imagen: "…"`.
SHOWN_AS = (
    "(?:[Rr]ecogni[sz]ed text|[Tt]exto reconocido|OCR|[Tt]ranscri(?:pt|bed|pci(?:o|ó)n|to)|[Tt]raducid[oa]"
    "|[Tt]ranslated|[Pp]regunta|[Qq]uestion|[Tt](?:i|í)tulo|[Tt]itle)"
)
SHOWN = _search(rf"{SHOWN_AS}(?: [^\s\"':]{{1,30}}){{0,5}}:? (?P<subject>\"|«)")
CHATTED = _search(r"\[(?:chat|dm|mensaje)\] (?P<subject>[^\s\[])")
WRITTEN_TO = _search(r"^\[\w+\] Destination: (?P<subject>.+)")
REQUEST = _search(r"(?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) (?P<path>[^\s\"]+)")
LINK = _search(r"://[^\s/\"'<>]+(?P<path>/[^\s\"'<>]*[^\s\"'<>:,.;)\]])")
MAYBE = _search(
    rf"(?:{KEYS})[\"']?(?:=| ?: ?)|{SPEECH} (?:from|de|by|por) |://|HTTP/1|HTTP/2|{PERSON} \S{{1,40}} {SAYS}"
    rf"|{SHOWN_AS}|\[(?:chat|dm|mensaje)\] "
    rf"|(?:^|[\]:] )<[A-Za-z]|<< |>> |\.(?:{ENDINGS})(?:\.part)?[\"'`]|^\[\w+\] Destination: "
)

# A quote ends a field where a field can end; a quote inside somebody's text does not.
FIELD_ENDS = re.compile(
    rb"\s*$|[)}\]]+(?:[\s,;]|$)|\s+[\w.]{1,40}=|[,;]\s*(?:[\w.]{1,40}=|[\"'][\w.]{1,40}[\"']:)"
)
PLAIN_WORD = re.compile(rb"[\w.@+/-]{1,200}(?=[\"'`])")
SPEECH_MARKS = re.compile(
    rb'(\w )"[^"]{3,}"|(\w: )"(?:[^"\s]{1,60}\s){3}[^"]*"'
    rb"|\xc2\xab(?:[^\xc2]|\xc2[^\xab\xbb]){1,400}\xc2\xbb"
)
LEVEL_FOLLOWS = re.compile(rb"\S+\s+(?:\[?[A-Z]{4,}\b|[-|:\[])")
OTHERS_SAY = (b"error", b"status", b"fatal", b"exit")


def unquoted(line: bytes) -> bytes:
    """The line with what users wrote, request targets and the paths of URLs blanked out."""
    if MAYBE.hit(line) is None:
        return line
    blanked = bytearray(line)
    for start, end in _spans(line):
        blanked[start:end] = b"_" * (end - start)
    return bytes(blanked)


def without_speech(line: bytes) -> bytes:
    """Without what a sentence quotes, `he says "it failed"`; the value of a field stays."""
    return SPEECH_MARKS.sub(rb"\1\2", line)


def _spans(line: bytes) -> Iterator[tuple[int, int]]:
    """What to blank; within one kind the next begins after the last, so no byte is read twice."""
    for search in (REQUEST, LINK):
        yield from (groups["path"] for _, groups in search.spans(line))
    for search, end_of in ENDS:
        done = 0
        for (at, _), groups in search.spans(line):
            if at < done:
                continue
            start, end = groups["subject"]
            if span := end_of(line, at, start, end):
                done = span[1]
                yield span


def _field(line: bytes, _: int, start: int, end: int) -> tuple[int, int]:
    return end, _closing(line, end, CLOSERS[line[start:end]])


def _bare(line: bytes, _: int, start: int, end: int) -> tuple[int, int] | None:
    if LEVEL_FOLLOWS.match(line, start, end):
        return None
    # A bare value ends before the key of the next field, or with the line.
    last = line.rfind(b" ", start, end) if line[end : end + 1] == b"=" else end
    return start, max(start, last)


def _spoken(line: bytes, at: int, start: int, end: int) -> tuple[int, int] | None:
    if line[max(0, at - 20) : at].rstrip().lower().endswith(OTHERS_SAY):
        return None
    closer = CLOSERS.get(line[start:end])
    last = line.rfind(closer, end) if closer else -1
    return (end, last) if last > end else (start, len(line))


def _quote(line: bytes, _: int, start: int, end: int) -> tuple[int, int]:
    """Until the last quote of its kind: somebody's words may hold more of them."""
    last = line.rfind(CLOSERS[line[start:end]], end)
    return end, last if last > end else len(line)


def _rest(line: bytes, _: int, start: int, __: int) -> tuple[int, int]:
    return start, len(line)


def _itself(_: bytes, __: int, start: int, end: int) -> tuple[int, int]:
    return start, end


def _closing(line: bytes, start: int, closer: bytes) -> int:
    plain = PLAIN_WORD.match(line, start)
    if plain and line[plain.end() : plain.end() + 1] == closer:
        return plain.end()
    at = line.find(closer, start)
    while at >= 0:
        if line[at - 1 : at] != b"\\" and FIELD_ENDS.match(line, at + len(closer), at + 64):
            return at
        at = line.find(closer, at + 1)
    return len(line)


ENDS = (
    (FIELD, _field),
    (BARE, _bare),
    (SPOKEN, _spoken),
    (SAID, _quote),
    (SAID_PLAINLY, _rest),
    (ECHOED, _rest),
    (ARROWED, _rest),
    (SHOWN, _quote),
    (CHATTED, _rest),
    (TITLE, _itself),
    (WRITTEN_TO, _itself),
)
