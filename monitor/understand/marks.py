"""What paths, URLs, addresses and names look like in a line of a log, and what only looks like them."""

from __future__ import annotations

from monitor.understand.linear import Search

# Words before a colon and a number that make no address: `pid:38`, `line:12`.
COUNTED = frozenset({
    "attempt", "code", "col", "count", "errno", "error", "error_code", "exit", "exitcode", "gid",
    "http", "id", "job", "length", "level", "line", "linea", "lines", "main", "mode", "offset", "pid",
    "port", "retry", "row", "server", "size", "status", "task", "thread", "tid", "time", "took", "uid",
    "version", "worker", "at", "lookup", "node", "type", "number", "project_number", "inode", "handle",
    "cid",
})  # fmt: skip
NOT_A_NAME = frozenset({
    "bash", "bind", "cause", "critical", "denied", "detail", "errno", "error", "exception", "failed",
    "fatal", "info", "ioerror", "message", "mkdir", "open", "oserror", "panic", "read", "reason", "sh",
    "stat", "status", "warning", "write", "zsh", "failure", "errors", "fork", "max_allowed_packet",
})  # fmt: skip

# What names a place in somebody's source, or the other end, is not what failed.
NOISE = Search(
    rb"(?i:for client \S+|\bclient: [^,\n]+|\[client [^\]]+\]|\"client\": ?\"[^\"]*\"|container name \"[^\"]*\""
    rb"|handshake error from \S+|haproxy\[\d+\]: \d\S+|\b(?:ext4|btrfs|xfs|zfs)_\w+:\d+|use \S+ --?fix\S*|exceeded for [\w.]+\[|\"remote-addr\":\"[^\"]*\"|in vhost '[^']*'|\btty=\S+"
    rb"|<a href=\"[^\"]*\">|pid \d+ \(\S+\)|\[\S+\.c line \d+\]|/Gst\w+:\S+|php\.ini|'\S+@\S+'|"
    rb"\bserver: [^,\n]+|laddr=\S+|remote=\S+"
    rb"|request: \"[^\"\n]*\"|\bhost: \"[^\"\n]*\"|referrer: \"[^\"\n]*\"|UserAgent: .*"
    rb"|File \"[^\"\n]*\", line \d+|\bin \S+ on line \d+|\bat \S+ \(\S+\)|\(_ssl\.c:\d+\)"
    rb"|\w+\.(?:kt|java|scala|py|js|go|rs):\d+"
    rb"|\S+\.(?:py|js|mjs|ts|go|c|cc|cpp|h|rs|java|php|rb|sh|pl|erl|ex|cs)(?::\d+){1,2}:?"
    rb"|\S+\.(?:sh|bash|py|pl|rb|php): (?:line|l(?:\xc3\xad|i)nea) \d+:|\S+\.php \d+"
    rb"|https?://\S*(?:docs|wiki|issues|help|account|errors|sqlalche\.me|git\.io|aka\.ms)\S*"
    rb"|(?:see|visit|more info(?:rmation)?|check|upgrading|running and accessible\.|background on this error at)"
    rb":? https?://\S+|go to https?://\S+|https?://(?:support|help|docs|www\.docker)\.\S+|</?\w+>"
    rb"|(?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) /\S* HTTP/\d|HTTP/\d(?:\.\d)?)"
)
REQUEST = Search(rb"\b(?:GET|POST|HEAD|PUT|DELETE|PATCH|OPTIONS) (?P<subject>/[^\s\"?]*)")
ANY = Search(rb"[/.\\]\w")

_NAME = rb"(?:[A-Za-z0-9][\w-]*\.)+[A-Za-z0-9][\w-]*|localhost"
_ENDINGS = (
    rb"mp4|mkv|avi|mov|webm|mp3|wav|og[ga]|opus|flac|m4a|aac|jpe?g|png|gif|webp|bmp|tiff?|svg|pdf|docx?|xlsx?"
    rb"|pptx?|csv|json|ya?ml|toml|xml|html?|txt|log|zip|tar|gz|tgz|bz2|xz|7z|rar|db|sqlite3?|pid|lock"
    rb"|sock|conf|cfg|ini|env|pem|crt|key|bin|iso|img|parquet|h5|pt|onnx|pkl|ckpt|safetensors"
)
_ADDRESS = rb"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]*\]|[A-Za-z][\w-]*(?:\.[\w-]+)*"
_BEFORE_HOST = (
    rb"resolve|lookup|addrinfo|ENOTFOUND|EAI_AGAIN|connect to|connecting to|connection to"
    rb"|conectar (?:con|a|al)|closed by|on|to|from|for|with"
)
TOKENS: dict[str, tuple[Search, ...]] = {
    "url": (
        Search(
            rb"\b(?P<subject>[a-zA-Z][a-zA-Z0-9+.-]{1,20}://(?:\[[0-9a-fA-F:.]+\])?[^\s\"'<>|,)}\]`]+)"
        ),
    ),
    "path": (
        Search(rb"[\"'`](?P<subject>(?:[A-Za-z]:[\\/]|\\\\|\.{0,2}/|~/)[^\"'`:\n]*)[\"'`]"),
        Search(
            rb"(?:\xc2\xab|\xe2\x80\x9c|\xe2\x80\x98)(?P<subject>[^\xc2\xe2\n]*/[^\xc2\xe2\n]*)"
            rb"(?:\xc2\xbb|\xe2\x80\x9d|\xe2\x80\x99)"
        ),
        Search(
            rb"(?:^|[\s=(\[,<>:\"])(?P<subject>(?:/[^/\s]|~/|\.{1,2}/|[A-Za-z]:[\\/])"
            rb"[^\s\"'<>|*?;,():]*)"
        ),
        Search(
            rb"(?:^|[\s\"'`=(\[:])(?P<subject>[\w.@%+-]+(?:/[\w.@%+-]+)+\.[A-Za-z][A-Za-z0-9]{0,4})\b"
        ),
    ),
    "file": (
        Search(
            rb"(?:\xc2\xab|\xe2\x80\x9c)(?P<subject>[^\xc2\xe2\n/]*\.\w{2,5})(?:\xc2\xbb|\xe2\x80\x9d)"
        ),
        Search(rb"[\"'`](?P<subject>[\w.@%+ -]+\.[A-Za-z][A-Za-z0-9]{0,4})[\"'`]"),
        Search(
            rb"(?i:(?:^|[\s=(\[:])(?P<subject>[\w.@%+-]+\.(?:"
            + _ENDINGS
            + rb")))(?:[^\w.]|\.\s|\.?$)"
        ),
    ),
    "relative": (Search(rb"[\"'`](?P<subject>[\w.@%+-]+(?:/[\w.@%+ -]+)+)[\"'`]"),),
    "hostport": (
        Search(
            rb"(?:^|[\s\"'=(\[,@/>])(?P<subject>(?:" + _ADDRESS + rb"):\d{2,5})"
            rb"(?:[^\w:.]|[:.](?:[^\w]|$)|$)"
        ),
        Search(rb"(?P<subject>\('[\w.-]+', \d{2,5}\))"),
        Search(rb"(?P<subject>[\w.-]+/\d{1,3}(?:\.\d{1,3}){3}:\d{2,5})"),
        Search(rb"(?:^|\s)(?P<subject>\*:\d{2,5})"),
    ),
    "port": (Search(rb"(?:^|\s)(?P<subject>:\d{2,5})\b"),),
    "host": (
        Search(
            rb"(?i:(?:host(?:name)?|server|servidor|address|addr|upstream|broker|node|peer)s?(?: name)?"
            rb"(?: |=|: ?)(?:at |en |is )?[\"'`(]?(?P<subject>" + _NAME + rb"))"
        ),
        Search(rb"\xc2\xab(?P<subject>" + _NAME + rb")\xc2\xbb"),
        Search(
            rb"(?i:\b(?:" + _BEFORE_HOST + rb")(?: host| server)?:? [\"'`]?(?P<subject>"
            rb"(?:[a-z0-9][\w-]*\.)+[a-z][\w-]*|localhost|\d{1,3}(?:\.\d{1,3}){3}))"
        ),
    ),
}

# What stands right beside a phrase: `phrase: 'x'`, `'x': phrase`, `/x/y: phrase`, `cat: x: phrase`.
AFTER = Search(rb"^(?:[:,] ?(?:\w+ )?|: \w+\(\) | )(?:'|\"|`|\xc2\xab)(?P<subject>[^'\"`\xc2\n]+)")
BEFORE = Search(
    rb"(?:^|[\s(])(?:'|\"|`|\xe2\x80\x98|\xc2\xab)(?P<subject>[^'\"`\n]+?)"
    rb"(?:'|\"|\xe2\x80\x99|\xc2\xbb)(?: for \w+| para \w+| failed)?:? ?\(?(?:\d+: )?$"
)
TOKEN_BEFORE = Search(rb"(?:^|[\s(\[\"'])(?P<subject>[^\s\"'():\[\]]*/[^\s\"'()\[\]]*?): ?$")
# A name in quotes may hold spaces: the rest of it says that it is one.
NAMED = Search(rb"^/[^/\s]|\.[A-Za-z0-9]{2,5}$")
OPERAND = Search(rb"^[\w.-]+: (?P<subject>[\w.-]+): ?$")
