"""Letters on their way: one at a time in each chat, written down before it goes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.heal.casework import clock
from monitor.model import Severity, Told
from monitor.tell.alerts import Now
from monitor.tell.answers import Answer, Came
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.outbox import (
    BackOff,
    Channel,
    Delivered,
    Doubt,
    Failed,
    Halt,
    Lost,
    Moved,
    Other,
    Pace,
    Refused,
    after,
    channel_of,
    chat_of,
    lane_of,
    waiting,
)
from monitor.tell.words import Letter, News, Post, Stage, Verb
from monitor.tell.writer import Writer

_SAID_AFTER = 3  # failures in a row before an outage is worth a line
_FOREVER = 3600.0


class Delivery:
    """Owns the channels; the board says what is to be done, and is told what came of it."""

    def __init__(
        self,
        board: Board,
        courier: Courier,
        commit: Callable[[], None],
        tell: Callable[[Told], None],
        host: str,
        pace: Pace,
    ) -> None:
        self.counted: Callable[[str], None] = lambda _: None
        # Which of these were told where, or why they could not be.
        self.reached: Callable[[Sequence[str], str, str], None] = lambda _names, _lane, _why: None
        self._board = board
        self._courier = courier
        self._commit = commit
        self._tell = tell
        self._pace = pace
        self.writer = Writer(board, host)
        self._to = Channels()
        self.channels: dict[str, Channel] = {}
        self._gone: set[str] = set()  # lanes that nobody reads; forgotten with the configuration

    def apply(self, to: Channels, lang: str, zone: str) -> None:
        """Another token or chat is a new beginning; only what Telegram told us to wait still holds."""
        self._to = to
        self.writer.apply(to, lang, zone)
        self.channels, self._gone = {}, set()
        for name, (until, seconds) in self._board.kept.get("halts", {}).items():
            left = min(float(seconds), float(until) - time.time())
            self._channel(f"{name}:").halt(left, clock())
        lanes = self.lanes
        for letter in list(self._board.letters.values()):
            if letter.lane not in lanes:
                self._board.drop("letter", letter.id)
        self._courier.end()

    @property
    def lanes(self) -> tuple[str, ...]:
        """Where each message goes now: chats may have moved, or be lost."""
        moved = self._board.kept.get("moved", {})
        lanes = (moved.get(lane, lane) for lane in self._to.lanes)
        return tuple(lane for lane in lanes if lane not in self._gone)

    def may_go_within(self, seconds: float) -> bool:
        """Whether a letter waits that could still go out in that time."""
        now = clock()
        return any(self._channel(lane).free_at - now < seconds for lane in waiting(self._letters()))

    def _letters(self) -> list[Letter]:
        return list(self._board.letters.values())

    def _channel(self, lane: str) -> Channel:
        return self.channels.setdefault(channel_of(lane), Channel(self._pace))

    # --- one round ---

    def pump(self, tasks: asyncio.TaskGroup, done: Callable[[], None]) -> float:
        """Start what may go now; seconds until the next may."""
        wait, now = _FOREVER, clock()
        for lane, letter in waiting(self._letters()).items():
            channel = self._channel(lane)
            free_in = channel.free_in(lane, now)
            if free_in > 0:
                wait = min(wait, free_in)
                continue
            channel.busy.add(lane)
            tasks.create_task(self._deliver(letter, channel, done))
        return wait

    async def _deliver(self, letter: Letter, channel: Channel, done: Callable[[], None]) -> None:
        try:
            await self._try(letter, channel)
        except Exception as error:  # noqa: BLE001 - what cannot be said must not end the monitor
            self._give_up(letter, f"{type(error).__name__}: {error}")
        finally:
            channel.busy.discard(letter.lane)
            self._commit()
            done()

    async def _try(self, letter: Letter, channel: Channel) -> None:
        if letter.stage is Stage.UNKNOWN:
            if not await self._answers(letter, channel):
                return
            letter = replace(letter, again=True)
        post = self._board.posts.get(letter.post)
        said = [thread.news for thread in self._board.threads_of(post)] if post else []
        request = self.writer.request(letter, post, said) if post else None
        if post is None or request is None:
            self._board.drop("letter", letter.id)
            return
        letter = replace(letter, stage=Stage.SENDING, tries=letter.tries + 1)
        self._board.put(letter)
        self._commit()
        answer = await self._courier.ask(request)
        self._answered(letter, post, said, answer, channel)

    async def _answers(self, letter: Letter, channel: Channel) -> bool:
        """Before a message is sent again that may have arrived, the channel must be seen to work."""
        if channel_of(letter.lane) != "telegram":
            return True
        answer = await self._courier.ask({"do": "probe"})
        if answer.came is Came.OK:
            return True
        doubtless = Came.NETWORK if answer.came is Came.MAYBE else answer.came
        match after(replace(answer, came=doubtless), letter):
            case Halt(seconds):
                self._halt(letter.lane, channel, seconds)
            case Refused(why):
                self._refused(letter.lane, channel, why)
            case _:
                self._back_off(letter.lane, channel, answer.why)
        return False

    # --- what came of it ---

    def _answered(
        self, letter: Letter, post: Post, said: Sequence[News], answer: Answer, channel: Channel
    ) -> None:
        board, now = self._board, Now(time.time(), clock())
        verdict = after(answer, letter)
        match verdict:
            case Delivered(message):
                if channel.fails >= _SAID_AFTER:
                    self._say("alerts_reachable", to=channel_of(letter.lane))
                channel.went_well(letter.lane, now.clock)
                board.drop("letter", letter.id)
                if letter.verb is Verb.SEND:
                    board.gone_out(board.posts[post.id], letter.lane, message or 0, now, said)
                    self.counted("sent")
                    if board.posts[post.id].rows != post.rows:  # it was to say so while it went out
                        board.edit(board.posts[post.id], now)
                self._record(letter, post, "")
            case Other(another):
                board.put(another)
            case Doubt(why):
                board.put(replace(letter, stage=Stage.UNKNOWN))
                self._back_off(letter.lane, channel, why)
            case Failed(why):
                self._give_up(letter, why)
                channel.went_well(letter.lane, now.clock)
                if answer.came is Came.MAYBE and letter.verb is Verb.SEND:
                    board.gone_out(board.posts[post.id], letter.lane, 0, now, said)
            case _:
                board.put(replace(letter, stage=Stage.WAITING))
                self._channel_troubled(letter, verdict, channel)

    def _channel_troubled(self, letter: Letter, verdict: object, channel: Channel) -> None:
        match verdict:
            case Halt(seconds):
                self._halt(letter.lane, channel, seconds)
            case Moved(chat):
                self._moved(letter.lane, chat)
            case Lost(why):
                self._lost(letter.lane, why)
            case BackOff(why):
                self._back_off(letter.lane, channel, why)
            case Refused(why):
                self._refused(letter.lane, channel, why)

    def _halt(self, lane: str, channel: Channel, seconds: float) -> None:
        """For the whole channel, and also for the monitor that comes after us."""
        channel.halt(seconds, clock())
        halts = dict(self._board.kept.get("halts", {}))
        self._board.keep("halts", halts | {channel_of(lane): [time.time() + seconds, seconds]})
        self._say("alerts_halted", to=channel_of(lane), seconds=f"{seconds:g}")

    def _back_off(self, lane: str, channel: Channel, why: str) -> None:
        channel.back_off(clock(), random.random())
        if channel.fails == _SAID_AFTER:
            self._say("alerts_unreachable", Severity.WARNING, to=channel_of(lane), why=why)

    def _refused(self, lane: str, channel: Channel, why: str) -> None:
        first = not channel.refusing
        channel.refused(clock())
        if first:
            self._say("alerts_refused", Severity.CRITICAL, to=channel_of(lane), why=why)

    def _lost(self, lane: str, why: str) -> None:
        self._gone.add(lane)
        for letter in self._letters():
            if letter.lane == lane:
                self._board.drop("letter", letter.id)
                self._record(letter, self._board.posts.get(letter.post), why)
        self.counted("lost")
        self._say("alerts_chat_lost", Severity.WARNING, chat=chat_of(lane), why=why)

    def _moved(self, old: str, chat: int) -> None:
        """The chat has a new number everywhere, also for what was sent before."""
        new, board = lane_of("telegram", str(chat)), self._board
        moved = {k: new if v == old else v for k, v in board.kept.get("moved", {}).items()}
        board.keep("moved", moved | {old: new})
        for letter in self._letters():
            if letter.lane == old:
                board.put(replace(letter, lane=new))
        for post in list(board.posts.values()):
            if post.message_in(old) is not None:
                lanes = tuple((new if lane == old else lane, n) for lane, n in post.messages)
                board.put(replace(post, messages=lanes))
        self._say("alerts_chat_moved", chat=chat_of(old), to=str(chat))

    def _record(self, letter: Letter, post: Post | None, why: str) -> None:
        """An edit is no news to anybody: nobody's phone rings."""
        if post is None or letter.verb is Verb.EDIT:
            return
        self.reached(letter.subjects or post.subjects, letter.lane, self._to.hidden(why))

    def _give_up(self, letter: Letter, why: str) -> None:
        self._board.drop("letter", letter.id)
        self._record(letter, self._board.posts.get(letter.post), why)
        self.counted("lost")
        self._say("alert_undelivered", Severity.WARNING, to=letter.lane, why=why)

    def _say(self, kind: str, severity: Severity = Severity.INFO, **facts: str) -> None:
        safe = tuple((name, self._to.hidden(value)) for name, value in facts.items())
        self._tell(Told(kind, severity=severity, facts=safe))
