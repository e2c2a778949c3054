"""What failed, as printed: the path, URL, host, library or command that a line is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.linear import Search
from monitor.model import Category
from monitor.rule import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.rule import Rule

READ = 4096  # bytes of a line searched for its subject
NEAR = 4  # bytes between a phrase and what it speaks of: `: '`, `, '`

FILES = frozenset(
    {
        Category.MISSING_PATH,
        Category.PERMISSION,
        Category.CORRUPT_FILE,
        Category.DISK_FULL,
        Category.CONFLICT,
        Category.FILE_TOO_BIG,
        Category.TOO_MANY_FILES,
    }
)
NETWORK = frozenset({Category.TIMEOUT, Category.SERVER_DOWN, Category.TLS})
EITHER = frozenset({Category.AUTH, Category.RATE_LIMIT, Category.RECIPIENT_GONE, Category.CONFLICT})

ABOUT = frozenset(
    [
        "pid",
        "line",
        "code",
        "port",
        "id",
        "uid",
        "gid",
        "tid",
        "row",
        "col",
        "status",
        "errno",
        "error",
        "size",
        "count",
        "took",
        "time",
        "at",
        "line",
        "job",
        "task",
        "level",
        "attempt",
        "retry",
        "worker",
        "thread",
        "offset",
        "length",
        "exit",
        "main",
        "version",
        "server",
        "linea",
        "lines",
        "mode",
        "error_code",
        "exitcode",
        "http",
    ]
)

# What names the place in somebody's source, or the other end, is not what failed.
NOISE = Search(
    rb"(?i:for client \S+|\w+\.(?:kt|java|scala|py|js|go):\d+|UserAgent: .*|File \"[^\"\n]*\", line \d+|\bin \S+ on line \d+|client: [^,\n]+|request: \"[^\"\n]*\""
    rb"|server: [^,\n]+|host: \"[^\"\n]*\"|referrer: \"[^\"\n]*\"|laddr=\S+|remote=\S+"
    rb"|\S+\.(?:py|js|mjs|ts|go|c|cc|cpp|h|rs|java|php|rb|sh|pl|erl|ex|cs)(?::\d+){1,2}:?"
    rb"|\S+\.(?:sh|bash|py|pl|rb|php): (?:line|l(?:\xc3\xad|i)nea) \d+:|\S+\.php \d+|\(_ssl\.c:\d+\)"
    rb"|https?://\S*(?:docs|wiki|issues|help|account|errors|sqlalche\.me|git\.io|aka\.ms)\S*"
    rb"|(?:see|visit|more info|check|background on this error at:?) https?://\S+|at \S+ \(\S+\)"
    rb"|(?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) /\S* HTTP/\d|</?\w+>)"
)
REQUEST = Search(rb"\b(?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) (?P<subject>/[^\s\"?]*)")
MARKS = Search(rb"[/.\\]\w")
TOKENS = (
    ("url", Search(rb"\b(?P<subject>[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s\"'<>|,)}\]`]+)")),
    ("path", Search(rb"[\"'`](?P<subject>(?:[A-Za-z]:[\\/]|\.{0,2}/|~/)[^\"'`\n]*)[\"'`]")),
    ("path", Search(rb"(?:\xc2\xab|\xe2\x80\x9c)(?P<subject>[^\xc2\xe2\n]*/[^\xc2\xe2\n]*)(?:\xc2\xbb|\xe2\x80\x9d)")),
    ("path", Search(rb"[\"'`](?P<subject>[\w.@%+-]+(?:/[\w.@%+ -]+)+)[\"'`]")),
    ("path", Search(rb"(?:^|[\s=(\[,<>:])(?P<subject>(?:/|~/|\.{1,2}/|[A-Za-z]:\\)[^\s\"'<>|*?;,()]+)")),
    ("path", Search(rb"(?:^|[\s\"'`=(\[:])(?P<subject>[\w.@%+-]+(?:/[\w.@%+-]+)+\.[A-Za-z0-9]{1,5})\b")),
    ("file", Search(rb"[\"'`](?P<subject>[\w.@%+ -]+\.[A-Za-z][A-Za-z0-9]{0,4})[\"'`]")),
    ("file", Search(rb"(?i:(?:^|[\s=(\[:])(?P<subject>[\w.@%+-]+\.(?:mp4|mkv|avi|mov|webm|mp3|wav|ogg|flac|m4a|aac|jpe?g|png|gif|webp|bmp|tiff?|svg|pdf|docx?|xlsx?|pptx?|csv|json|ya?ml|toml|xml|html?|txt|log|zip|tar|gz|tgz|bz2|xz|7z|rar|db|sqlite3?|pid|lock|sock|conf|cfg|ini|env|pem|crt|key|bin|iso|img|parquet|h5|pt|onnx|pkl|ckpt|safetensors)))\b")),
    ("hostport", Search(rb"(?:^|[\s\"'=(\[,@/>])(?P<subject>(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]*\]|[A-Za-z][\w-]*(?:\.[\w-]+)*):\d{2,5})(?:[^\w:.]|[:.](?:[^\w]|$)|$)")),
    ("host", Search(rb"(?i:(?:host(?:name)?|server|servidor|address|addr|upstream|broker|node|peer)s?(?: name)?(?: |=|: ?)(?:at |en |is )?[\"'`(]?(?P<subject>(?:[a-z0-9][\w-]*\.)+[a-z0-9][\w-]*|localhost))")),
    ("hostport", Search(rb"(?P<subject>\('[\w.-]+', \d{2,5}\))")),
    ("hostport", Search(rb"(?P<subject>[\w.-]+/\d{1,3}(?:\.\d{1,3}){3}:\d{2,5})")),
    ("hostport", Search(rb"(?:^|\s)(?P<subject>\*:\d{2,5})")),
    ("host", Search(rb"(?:\xc2\xab)(?P<subject>(?:[A-Za-z0-9][\w-]*\.)+[A-Za-z0-9][\w-]*|localhost)\xc2\xbb")),
    ("host", Search(rb"(?i:(?:resolve|lookup|addrinfo|ENOTFOUND|EAI_AGAIN|connect to|connecting to|connection to|conectar (?:con|a|al)|on|to|from|for|with)(?: host| server)?:? [\"'`]?(?P<subject>(?:[a-z0-9][\w-]*\.)+[a-z][\w-]*|localhost|\d{1,3}(?:\.\d{1,3}){3}))")),
)  # fmt: skip
QUOTES = {b"'": b"'", b'"': b'"', b"`": b"'"}
AFTER = Search(rb"^(?:[:,] ?(?:\w+ )?|: \w+\(\) | )(?:'|\"|`|\xc2\xab)(?P<subject>[^'\"`\xc2\n]+)")
BEFORE = Search(
    rb"(?:^|[\s(])(?:'|\"|`|\xe2\x80\x98|\xc2\xab)(?P<subject>[^'\"`\n]+?)(?:'|\"|\xe2\x80\x99|\xc2\xbb)(?: for \w+| para \w+| failed)?:? ?\(?(?:\d+: )?$"
)
TOKEN_BEFORE = Search(rb"(?:^|[\s(\[])(?P<subject>[^\s\"'():\[\]]*/[^\s\"'()\[\]]*?): ?$")
OPERAND = Search(rb"^[\w.-]+: (?P<subject>[\w.-]+): ?$")
NOT_A_NAME = frozenset(
    [
        "error",
        "errno",
        "fatal",
        "failed",
        "warning",
        "reason",
        "exception",
        "cause",
        "info",
        "panic",
        "err",
        "oserror",
        "ioerror",
        "message",
        "critical",
        "denied",
        "mkdir",
        "open",
        "stat",
        "read",
        "write",
        "bash",
        "sh",
        "zsh",
        "detail",
        "status",
    ]
)
ORDERS = {
    "files": ("path", "file", "url", "hostport"),
    "network": ("url", "hostport", "host", "path"),
    "address": ("hostport", "path", "file", "url"),
    "other": ("path", "url", "hostport"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something in the line that may be what failed."""

    kind: str
    start: int
    end: int


def subject_of(
    line: bytes, rule: Rule, captured: Mapping[str, str], at: tuple[int, int]
) -> str | None:
    """The subject the rule captured, or what the line names nearest to the phrase at `at`."""
    for name in SUBJECTS:
        if name in captured:
            return _tidy(captured[name])
    return nearest(line[:READ], rule.category, at)


def nearest(line: bytes, category: Category, at: tuple[int, int]) -> str | None:
    """What a line of this category is about, judged by kind first and then by nearness."""
    if category not in FILES | NETWORK | EITHER:
        return None
    if category in FILES and (beside := _beside(line, at)):
        return beside
    noise: list[tuple[int, int]] | None = None
    for kind in _kinds(category):
        candidates = [each for each in _candidates(line, kind) if not _counter(line, each)]
        if candidates and noise is None:
            noise = [span for span, _ in NOISE.spans(line)]
        candidates = [each for each in candidates if not _inside(each, noise or ())]
        if candidates:
            best = min(candidates, key=lambda each: _distance(each, at))
            return _tidy(line[best.start : best.end].decode("utf-8", "replace"))
    return None


def _kinds(category: Category) -> tuple[str, ...]:
    if category is Category.CONFLICT:
        return ORDERS["address"]
    if category in FILES:
        return ORDERS["files"]
    return ORDERS["network"] if category in NETWORK else ORDERS["other"]


def _candidates(line: bytes, kind: str) -> Iterable[Candidate]:
    for each, search in TOKENS:
        if each == kind:
            for _, groups in search.spans(line):
                yield Candidate(kind, *groups["subject"])


def _beside(line: bytes, at: tuple[int, int]) -> str | None:
    """What stands right after the phrase in quotes, or right before it."""
    for search, text in (
        (AFTER, line[at[1] :]),
        (BEFORE, line[: at[0]]),
        (TOKEN_BEFORE, line[: at[0]]),
    ):
        groups = search.groups(text)
        if groups:
            start, end = groups["subject"]
            found = _tidy(text[start:end].decode("utf-8", "replace"))
            if found and found.lower() not in NOT_A_NAME and " " not in found.strip():
                return found
    return None


def _counter(line: bytes, each: Candidate) -> bool:
    """`pid:38` looks like a host and its port."""
    if each.kind != "hostport":
        return False
    return line[each.start : each.end].split(b":")[0].decode("latin-1").lower() in ABOUT


def ordinary(line: bytes) -> str | None:
    """What an ordinary line is about: its URL, its request, its address or its path."""
    line = line[:READ]
    if not MARKS.hit(line):
        return None
    noise = [span for span, _ in NOISE.spans(line)]
    for kind in ("url", "path", "file"):
        found = [each for each in _candidates(line, kind) if not _inside(each, noise)]
        if kind == "path":
            found += [Candidate(kind, *groups["subject"]) for _, groups in REQUEST.spans(line)]
        if found:
            first = min(found, key=_start)
            return _tidy(line[first.start : first.end].decode("utf-8", "replace"))
    return None


def _start(each: Candidate) -> int:
    return each.start


def _inside(each: Candidate, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= each.start and each.end <= end for start, end in spans)


def _distance(each: Candidate, at: tuple[int, int]) -> int:
    return each.start - at[1] if each.start >= at[1] else max(0, at[0] - each.end)


def _tidy(text: str) -> str | None:
    text = text.strip().rstrip(".,:;!")
    while text.endswith((")", "]", "}")) and not {"(", "[", "{"} & set(text):
        text = text[:-1].rstrip(".,:;!")
    return text or None
