"""What should be said: what is known, what was told already, the settings and now -> the moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.model import Severity
from monitor.options import Alerts
from monitor.tell.words import LOUDNESS, Mute, News, Post, Thread

CALM = 600.0  # a child that did not end again for this long is well
_WELL_ALONE = 300.0  # some of a message are well for so long: no use to wait for the others
STALE = 86400.0  # what needs a person and was not said again for this long is no longer open
_CHILD_OPEN = (
    *("child_ended", "breaker_opened", "child_sick", "child_daemonised", "child_given_up"),
)
_NEEDS_A_PERSON = ("failed", "alert_only", "child_given_up")


@dataclass(frozen=True, slots=True)
class Now:
    wall: float  # for hours, days and people
    clock: float  # the clock of decisions: for seconds
    quiet: bool = False


# --- the moves: each is one thing to do, and carries its reason --------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """A new message about these, or they join one that has not gone out yet."""

    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """The message says what is so now; nobody is disturbed."""

    post: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A short word under the message, because an edit is not noticed."""

    post: int
    reason: str  # resolved, back, person, worse, still, escalated
    subjects: tuple[str, ...]
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A line in the next digest is enough."""

    subject: str


Move = Tell | Edit | Reply | Note


# --- how things stand --------------------------------------------------------------------------


def is_recovered(news: News, wall: float) -> bool:
    """It is well again; what only happened never was a state."""
    if news.is_incident:
        return news.state == "resolved"
    if news.kind != "child":
        return True
    calm = news.state == "child_ended" and wall - news.last > CALM
    return calm or news.state not in _CHILD_OPEN


def is_over(news: News, wall: float) -> bool:
    """Nobody needs to think of it any more: it is well, was seen by a person, or is long past."""
    if is_recovered(news, wall):
        return True
    if news.state not in _NEEDS_A_PERSON:
        return False
    seen = bool(news.acked_by) and news.state == "alert_only"
    return seen or wall - news.last > STALE


def is_explained(news: News, threads: Mapping[str, Thread]) -> bool:
    """It follows from something that is told itself."""
    return news.root in threads


def also_open(threads: Iterable[Thread], wall: float, but: Iterable[str] = ()) -> list[News]:
    """What else is open, the oldest first."""
    named = set(but)
    return [
        thread.news
        for thread in threads
        if thread.news.subject not in named
        and LOUDNESS[thread.news.severity] > 0
        and not thread.news.root
        and not is_over(thread.news, wall)
    ]


# --- the decision ------------------------------------------------------------------------------


def decide(
    threads: Mapping[str, Thread],
    posts: Mapping[int, Post],
    mutes: Iterable[Mute],
    settings: Alerts,
    now: Now,
) -> list[Move]:
    """All that should be done now; doing it and asking again gives nothing more."""
    mutes = [mute for mute in mutes if mute.until > now.wall]
    moves = _new(threads, posts, mutes, settings, now)
    told: dict[int, list[Thread]] = {}
    for thread in threads.values():
        if thread.post in posts:
            told.setdefault(thread.post, []).append(thread)
    for number, of_it in told.items():
        moves += _told_already(posts[number], of_it, mutes, settings, now)
    return moves


def _new(
    threads: Mapping[str, Thread],
    posts: Mapping[int, Post],
    mutes: list[Mute],
    settings: Alerts,
    now: Now,
) -> list[Move]:
    moves: list[Move] = []
    ready: list[Thread] = []
    for thread in threads.values():
        if thread.post in posts:
            continue
        news, over = thread.news, is_over(thread.news, now.wall)
        muted = any(mute.covers(news) for mute in mutes)
        quietly = LOUDNESS[news.severity] < LOUDNESS[Severity(settings.least)]
        if over and thread.noted:
            continue  # the digest has it
        if (
            quietly
            or is_explained(news, threads)
            or (muted and over)
            or _expired(thread, settings, now)
        ):
            if not thread.noted:
                moves.append(Note(news.subject))
        elif not muted and not (now.quiet and news.severity is not Severity.CRITICAL):
            ready.append(thread)
    waited = max((now.clock - thread.since for thread in ready), default=-1.0)
    if waited >= settings.group:
        moves.append(Tell(tuple(thread.news.subject for thread in ready)))
    return moves


def _expired(thread: Thread, settings: Alerts, now: Now) -> bool:
    """It is long over: a message of its own would only confuse."""
    news = thread.news
    return is_over(news, now.wall) and now.wall - news.last > settings.expire


def _told_already(
    post: Post, threads: list[Thread], mutes: list[Mute], settings: Alerts, now: Now
) -> list[Move]:
    if not post.messages:  # it has not gone out yet, and will say what is so then
        return [Note(one.news.subject) for one in threads if _expired(one, settings, now)]
    moves: list[Move] = []
    moved = any(material_of(one.news, now.wall) != one.material for one in threads)
    if moved and now.clock - post.edited >= settings.edit_every:
        moves.append(Edit(post.id))
    if ended := _well_again(threads, settings, now):
        moves.append(Reply(post.id, "resolved", _subjects(ended)))
        return moves
    heard = [one for one in threads if not any(mute.covers(one.news) for mute in mutes)]
    for reason, those in _reasons(heard, settings, now):
        loud = reason == "escalated" or any(one.news.severity is Severity.CRITICAL for one in those)
        if not now.quiet or loud:
            moves.append(Reply(post.id, reason, _subjects(those), loud))
    return moves


def _well_again(threads: list[Thread], settings: Alerts, now: Now) -> list[Thread]:
    """Those whose recovery is to be said: all together, or who is well while others last."""
    well = [one for one in threads if is_recovered(one.news, now.wall)]
    ended = [one for one in well if not one.was_over and _may_be_noticed(one, settings, now)]
    if len(well) == len(threads):
        return ended
    return [one for one in ended if now.wall - one.news.last >= _WELL_ALONE]


def _reasons(
    threads: list[Thread], settings: Alerts, now: Now
) -> Iterable[tuple[str, list[Thread]]]:
    """Why somebody should look again, and at what; the first reason that holds."""
    open_ones = [one for one in threads if not is_over(one.news, now.wall)]
    noticed = [one for one in open_ones if _may_be_noticed(one, settings, now)]
    if those := [one for one in noticed if one.news.state == "failed" and not one.called]:
        return [("person", those)]
    if those := [one for one in noticed if _is_worse(one)]:
        return [("worse", those)]
    if those := [one for one in noticed if one.was_over]:
        return [("back", those)]
    if those := [one for one in open_ones if _is_lasting(one, settings, now)]:
        return [("escalated", those)]
    if those := [one for one in open_ones if _is_due_again(one, settings, now)]:
        return [("still", those)]
    return []


def _is_worse(thread: Thread) -> bool:
    return LOUDNESS[thread.news.severity] > LOUDNESS[thread.severity]


def material_of(news: News, wall: float) -> str:
    """What must have changed for another word to be worth it; a mere repeat is not."""
    over = "over" if is_recovered(news, wall) else "open"
    parts = (news.state, news.severity, news.acked_by, str(news.stepped), news.root, over)
    return "|".join(parts)


def is_settled(thread: Thread, posts: Mapping[int, Post], now: Now) -> bool:
    """Nothing about it will have to be said within seconds."""
    news = thread.news
    if thread.post not in posts:
        return thread.noted or (now.quiet and news.severity is not Severity.CRITICAL)
    same = thread.material == material_of(news, now.wall)
    return same and is_recovered(news, now.wall) == thread.was_over


def _may_be_noticed(thread: Thread, settings: Alerts, now: Now) -> bool:
    """What comes and goes all the time is noticed ever less often: 15 s, 1, 4, 16, 64 minutes."""
    gap = min(settings.edit_every * 4.0 ** (thread.notices - 1), settings.repeat or 1e9)
    return not 0.0 <= now.wall - thread.told_at < gap


def _is_lasting(thread: Thread, settings: Alerts, now: Now) -> bool:
    """A warning that nothing has ended for long deserves a sound, once."""
    news = thread.news
    return (
        news.severity is Severity.WARNING
        and not thread.escalated
        and not news.acked_by
        and news.state != "alert_only"
        and 0 < settings.escalate <= now.wall - news.opened
    )


def _is_due_again(thread: Thread, settings: Alerts, now: Now) -> bool:
    news = thread.news
    if news.acked_by or not 0 < settings.repeat <= now.wall - thread.told_at:
        return False
    return news.state != "alert_only" or news.last > thread.told_at


def _subjects(threads: Iterable[Thread]) -> tuple[str, ...]:
    return tuple(thread.news.subject for thread in threads)
