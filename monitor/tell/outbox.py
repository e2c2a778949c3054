"""What follows from each answer, and when a channel may send again; pure decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from monitor.tell.answers import Answer, Came
from monitor.tell.words import Letter, Stage, Verb

_TRIES = 3  # times that a message is sent again whose answer was lost
_LONGEST_HALT = 3600.0
_STOPPED = 3600.0  # a refused token is tried again so seldom; a new configuration is tried at once

# --- one answer --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivered:
    """It is there; the number is None where there is none to know."""

    message: int | None


@dataclass(frozen=True, slots=True)
class Halt:
    """Nobody sends anything there for so long; the letter waits."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Moved:
    """The chat has another number now; the letter goes there."""

    chat: int


@dataclass(frozen=True, slots=True)
class Lost:
    """This chat will not be reached again until a person mends it."""

    why: str


@dataclass(frozen=True, slots=True)
class Other:
    """Not as it is, but in this form."""

    letter: Letter


@dataclass(frozen=True, slots=True)
class Failed:
    """Never again as it is."""

    why: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """It may have arrived."""

    why: str


@dataclass(frozen=True, slots=True)
class BackOff:
    """The channel is out of reach; the letter waits."""

    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """We ourselves are not let in."""

    why: str


Verdict = Delivered | Halt | Moved | Lost | Other | Failed | Doubt | BackOff | Refused


def after(answer: Answer, letter: Letter) -> Verdict:
    """What an answer means for the letter that it answers."""
    match answer.came:
        case Came.OK | Came.NOT_MODIFIED:
            return Delivered(answer.message)
        case Came.RETRY_AFTER:
            return Halt(min(max(1.0, answer.seconds), _LONGEST_HALT))
        case Came.MIGRATED:
            return Moved(answer.chat) if answer.chat else Failed(answer.why)
        case Came.FORBIDDEN | Came.CHAT_NOT_FOUND:
            return Lost(answer.why)
        case Came.MAYBE:
            return _doubtful(letter, answer.why)
        case Came.NETWORK | Came.CONFLICT:
            return BackOff(answer.why)
        case Came.UNAUTHORIZED:
            return Refused(answer.why)
    return _otherwise(answer, letter)


def _otherwise(answer: Answer, letter: Letter) -> Verdict:
    """Never again as it is; where another form may do, in that one, once."""
    if answer.came is Came.EDIT_GONE and letter.verb is Verb.EDIT:
        return Other(replace(letter, verb=Verb.SEND, stage=Stage.WAITING))
    if answer.came is Came.CANT_PARSE and not letter.plain:
        return Other(replace(letter, plain=True, stage=Stage.WAITING))
    return Failed(answer.why or str(answer.came))


def _doubtful(letter: Letter, why: str) -> Verdict:
    """An edit may be done twice; a message only after the channel was seen to answer."""
    if letter.verb is Verb.EDIT:
        return BackOff(why)
    if letter.verb is Verb.REPLY or letter.tries >= _TRIES:
        return Failed(f"nobody can know whether it arrived: {why}")
    return Doubt(why)


# --- a channel and its pace --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes, in seconds."""

    per_chat: float = 1.0  # between two words in one chat: Telegram's own limit, without bursts
    first: float = 1.0  # the wait after a first failure; doubles each time
    longest: float = 60.0


@dataclass(slots=True)
class Channel:
    """When telegram, the webhook or apprise may be used again; on the clock of decisions."""

    pace: Pace = Pace()
    free_at: float = 0.0
    fails: int = 0
    refusing: bool = False  # we ourselves are not let in
    lanes: dict[str, float] = field(default_factory=dict)  # when each chat may have a word again
    busy: set[str] = field(default_factory=set)

    def went_well(self, lane: str, now: float) -> None:
        self.fails, self.refusing = 0, False
        self.lanes[lane] = now + self.pace.per_chat

    def halt(self, seconds: float, now: float) -> None:
        self.free_at = max(self.free_at, now + seconds)

    def refused(self, now: float) -> None:
        self.refusing = True
        self.halt(_STOPPED, now)

    def back_off(self, now: float, jitter: float) -> None:
        """1, 2, 4 … 60 s, each a little different so that many monitors do not come at once."""
        if now < self.free_at:
            return  # another chat has found out already
        self.fails += 1
        wait = min(self.pace.longest, self.pace.first * 2.0 ** min(self.fails - 1, 10))
        self.halt(wait * (0.75 + 0.5 * jitter), now)

    def free_in(self, lane: str, now: float) -> float:
        """Seconds until that chat may have a word; infinite while one is on its way."""
        if lane in self.busy:
            return float("inf")
        return max(0.0, self.free_at - now, self.lanes.get(lane, 0.0) - now)


def waiting(letters: Iterable[Letter]) -> dict[str, Letter]:
    """The first of each chat; what comes later waits behind it, so that the order is kept."""
    first: dict[str, Letter] = {}
    for letter in sorted(letters, key=lambda one: one.id):
        first.setdefault(letter.lane, letter)
    return first


def lane_of(channel: str, chat: str) -> str:
    return f"{channel}:{chat}"


def channel_of(lane: str) -> str:
    return lane.partition(":")[0]


def chat_of(lane: str) -> str:
    return lane.partition(":")[2]
