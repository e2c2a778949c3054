"""The words of the monitor; plain values that import nothing of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

# --- what a log says ---------------------------------------------------------------------------


class Category(StrEnum):
    """What kind of trouble a line speaks of; the ladders of repair hang on it."""

    TIMEOUT = "timeout"
    PERMISSION = "permission"
    MISSING_PATH = "missing_path"
    CORRUPT_FILE = "corrupt_file"
    DISK_FULL = "disk_full"
    SERVER_DOWN = "server_down"
    RATE_LIMIT = "rate_limit"
    RECIPIENT_GONE = "recipient_gone"
    FILE_TOO_BIG = "file_too_big"
    AUTH = "auth"
    CONFLICT = "conflict"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_FILES = "too_many_files"
    DEPENDENCY = "dependency"
    DATABASE = "database"
    TLS = "tls"
    CRASH = "crash"
    HANG = "hang"
    UNKNOWN = "unknown"
    BENIGN = "benign"


class Severity(StrEnum):
    """How loudly it is told: in the digest, in silence, or with a sound."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class FileId:
    """Which file it is, whatever its name is now."""

    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one file in the order they were written, and where reading goes on."""

    path: str  # the name under which the file was found
    id: FileId
    start: int  # bytes: where the first line stands in its file
    end: int  # bytes: where reading goes on after the last one
    data: bytes  # UTF-8 (or what the child wrote); lines end with \n, only the last may lack it
    at: float  # wall clock of the reading, for people
    old: bool = False  # written before anyone watched: to be counted, never acted on
    changed: float | None = None  # wall clock: nothing here was written later than that


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be read, said instead of passed over in silence."""

    path: str
    why: str  # a sentence for people, with its numbers
    bytes: int  # how much is known to be lost; 0 when nobody can know
    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or one event of several lines that belong together (a traceback)."""

    path: str
    id: FileId
    text: str
    start: int  # bytes: where the line is in its file
    end: int  # bytes: where reading goes on after it
    at: float  # wall clock, for people; only `written` may be subtracted from it
    old: bool = False
    written: float | None = None  # by its own words, or not later than this; None when unknown


@dataclass(frozen=True, slots=True)
class Match:
    """What a line means: the rule that won, and what it captured."""

    line: Line
    rule: str
    category: Category
    severity: Severity
    subject: str | None = None  # the path, URL or host that failed, as printed
    captures: tuple[tuple[str, str], ...] = ()  # (job, …), (modelo, …), (retry_after, …)
    why: str = ""  # why this rule and none of the others that hit
    hits: tuple[str, ...] = ()  # all rules that hit, the winner first
    rules: str = ""  # which set of rules that was


# --- a child and how it ended ------------------------------------------------------------------


_READ_WITHIN = 60.0  # seconds: by then its last words were read


class Cause(StrEnum):
    """Why a child ended, told apart because each is answered differently."""

    ASKED = "asked"  # we told it to stop
    CLEAN = "clean"  # exit 0, or a signal by which one ends a program politely
    LATER = "later"  # exit 75: the world failed, start me again later
    CONFIG = "config"  # exit 78: do not start me as I am
    ERROR = "error"  # any other code
    SIGNAL = "signal"  # killed by a signal that nobody of ours sent
    OUT_OF_MEMORY = "out_of_memory"  # the kernel killed it for memory
    HANG = "hang"  # we ended it because it no longer made progress
    MEMORY_LIMIT = "memory_limit"  # we ended it because it grew beyond its limit
    REPAIR = "repair"  # a strategy asked for a restart
    NOT_STARTED = "not_started"  # it could not be executed at all
    DAEMONISED = "daemonised"  # it put itself into the background and left us


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child ended."""

    cause: Cause
    code: int  # the exit code, or minus the signal
    ran: float  # seconds it was up
    detail: str  # a sentence for people


@dataclass(frozen=True, slots=True)
class LastWords:
    """Where in its log a child was told to end, and where it had: between them is only noise."""

    log: FileId
    start: int
    end: int | None = None  # None while it ends
    ended: float = 0.0  # on the clock of decisions; long after it the log may have begun anew

    def hold(self, line: Line, now: float) -> bool:
        if line.id != self.log or line.start < self.start:
            return False
        return self.end is None or (line.start < self.end and now < self.ended + _READ_WITHIN)


class ChildState(StrEnum):
    """What a child is doing, in the words of `vigia status`."""

    STOPPED = "stopped"  # a person stopped it, or it waits for its first start
    WAITING = "waiting"  # for another child, or for an earlier copy to end
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    FAILED = "failed"  # the breaker is open; a probe run comes
    GIVEN_UP = "given_up"  # only a person or a new configuration starts it again
    FINISHED = "finished"
    DAEMONISED = "daemonised"  # its processes run, but not as our child


@dataclass(frozen=True, slots=True)
class Vitals:
    """What was measured last, the whole process tree together; None is unknown."""

    memory: int | None = None
    cpu: float | None = None  # share of one core since the measurement before
    progress_age: float | None = None  # seconds since the last finished piece of real work
    silence: float | None = None  # seconds since the last word in the log
    unanswered: int = 0  # questions in a row without an answer


@dataclass(frozen=True, slots=True)
class View:
    """What can be seen of a child from outside, at one moment."""

    name: str
    state: ChildState
    pid: int | None
    up: float
    starts: int
    last_exit: str
    next_start: float | None  # seconds from now
    why: str
    vitals: Vitals


# --- trouble and what is done about it ----------------------------------------------------------


class IncidentState(StrEnum):
    """Where an incident stands; the words of `logs/errors.json`."""

    DETECTED = "detected"  # its next attempt has its time
    FIXING = "fixing"  # a strategy is at work
    RETRYING = "retrying"  # repaired as far as can be proved: it must stay well
    RESOLVED = "resolved"
    FAILED = "failed"  # no rung is left: a person is needed
    ALERT_ONLY = "alert_only"  # nothing of ours repairs it, or nothing may


OPEN = (IncidentState.DETECTED, IncidentState.FIXING, IncidentState.RETRYING)


class Result(StrEnum):
    """What came of an attempt."""

    DONE = "done"  # acted, and proved
    NOTHING = "nothing"  # the cause is not there (any more)
    FAILED = "failed"  # acted, but the proof fails
    REFUSED = "refused"  # it would not have been safe, or not allowed
    ABORTED = "aborted"  # it took too long, or we had to stop
    UNKNOWN = "unknown"  # we died in the middle and cannot tell
    DRY_RUN = "dry_run"  # it would have been done


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a strategy did, and how it knows."""

    result: Result
    detail: str
    proof: str = ""
    duration: float = 0.0
    wait: float | None = None  # seconds until it is worth trying again, when the world said so


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble from its first line to its end, however often it is said."""

    id: int
    key: str  # what makes two lines the same trouble
    state: IncidentState
    match: Match  # the line that opened it, or that brought it back
    child: str
    opened: float  # wall clock, for people
    last: float  # wall clock of the newest line
    why: str = ""
    occurrences: int = 1
    rung: int = 0
    attempt: int = 0  # made on this rung
    tried: int = 0  # which attempt was begun last; 0 when nothing was ever tried
    next_at: float | None = None  # when the next step is due, on the clock of decisions
    acted_at: float | None = None  # when the last attempt ended
    returned: int = 0  # how often it came back after a repair
    root: int | None = None  # the incident that explains this one
    acked_by: str = ""
    retried_by: str = ""  # who had the ladder tried again: that is no restart by a log line
    word: str = ""  # what a person said to make it move last: ack, resolve, retry
    by: str = ""  # who said it
    moves: int = 0  # how often it moved; with the id it names each of its records


# --- what people and programs are told ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened that a person may want to know; `texts` makes a sentence of it."""

    kind: str
    child: str = ""
    severity: Severity = Severity.INFO
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """A person wants no repairs for now."""

    by: str
    since: float  # wall clock, for people
    why: str = ""
    until: float | None = None  # on the clock of decisions; None: until a person resumes
    ends: float | None = None  # the same moment on the wall clock, for people


# --- how far a log was read --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Position:
    """How far a file was read, and enough of it to know it again whatever it is called by then."""

    path: str  # the name under which it was found
    id: FileId
    offset: int  # bytes: where reading goes on
    head: bytes  # digest of its first bytes: at most 1 KiB, never beyond the offset
    marker: bytes  # digest of the 32 bytes before the offset
