"""Takes what people say: who is let in, what is written down, and only then what is done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from monitor.heal.casework import clock
from monitor.model import Told
from monitor.state import StateUnwritable
from monitor.tell.alerts import is_over
from monitor.tell.board import Board
from monitor.tell.channels import Channels
from monitor.tell.courier import Courier
from monitor.tell.deeds import Deeds, Person
from monitor.tell.incoming import Incoming
from monitor.tell.keyboard import keys_for, phrase_of
from monitor.tell.markup import Row, plain, row, to_text
from monitor.tell.news import clean
from monitor.tell.orders import LOOKS, Order, Wrong, is_fresh, parsed
from monitor.tell.outbox import chat_of, lane_of
from monitor.tell.presses import ONCE, Bad, Key, Mark, Seal, is_let_in
from monitor.tell.teller import Teller
from monitor.tell.wording import Reader
from monitor.tell.words import News, Post

_ASKED_FOR = 120.0  # seconds in which a question must be answered
_STRANGERS_EVERY = 3600.0
_LONG_AGO = 6 * 86400.0  # after a week without any, Telegram may count updates anew
_MUTES = {Key.MUTE_1H: ("mute 1h", 3600.0), Key.MUTE_8H: ("mute 8h", 8 * 3600.0)}

Doing = Coroutine[Any, Any, None]


class Reception:
    """What it must not forget stands on the board: `heard`, `used`, `asked`."""

    def __init__(
        self, teller: Teller, courier: Courier, deeds: Deeds, tell: Callable[[Told], None]
    ) -> None:
        self.board: Board = teller.board
        self.seal: Seal | None = None
        self.strangers = 0
        self._teller = teller
        self._courier = courier
        self._deeds = deeds
        self._tell = tell
        self._to = Channels()
        self._strangers_told: tuple[int, float | None] = (0, None)
        teller.delivery.writer.keys = self._keys

    def apply(self, channels: Channels) -> None:
        self._to = channels

    @property
    def reader(self) -> Reader:
        return self._teller.delivery.writer.reader()

    @property
    def heard(self) -> int:
        """The last update of this bot that was written down."""
        bot, update, at = self.board.kept.get("heard") or ("", 0, 0.0)
        known = bot == self._to.bot and self.reader.wall - at < _LONG_AGO
        return int(update) if known else 0

    def take(self, updates: Sequence[Incoming], age: float) -> Iterator[Doing]:
        """What is to be done about each, in their order; each is written down before."""
        old: dict[str, int] = {}
        for update in updates:
            if update.update <= self.heard:
                continue
            self.board.keep("heard", [self._to.bot, update.update, self.reader.wall])
            if not self._is_let_in(update):
                self.strangers += bool(update.user)
            elif update.query:
                yield self._pressed(update, age)
            elif is_fresh(age, update.date, self.reader.wall):
                yield from self._read(update)
            elif update.text.startswith("/"):
                lane = _lane(update.chat)
                old[lane] = old.get(lane, 0) + 1
        if updates:
            self._is_written()
        for lane, count in old.items():
            self._teller.answer(lane, [self._row("order_old", count=count)])
        self._count_strangers()

    def _is_let_in(self, update: Incoming) -> bool:
        lanes = self._teller.delivery.lanes
        chats = [chat_of(lane) for lane in lanes if lane.startswith("telegram:")]
        return is_let_in(update.user, update.chat, {*self._to.chats, *chats})

    def _is_written(self) -> bool:
        """With a disk that takes nothing people may look, and nothing is done."""
        try:
            self._teller.write_down()
        except StateUnwritable:
            return False
        return True

    # --- what is written ---

    def _read(self, update: Incoming) -> Iterator[Doing]:
        written, lane = self._is_written(), _lane(update.chat)
        match parsed(update.text, self._deeds.children):
            case None:
                if update.is_private:
                    self._teller.answer(lane, [self._row("order_none")])
            case Wrong(why, fact):
                self._teller.answer(lane, [self._row(why, fact=clean(fact))])
            case Order() as order if not written and order.do not in LOOKS:
                self._teller.answer(lane, [self._row("order_not_written")])
            case Order(do="restart", names=names):
                self._ask_once_more(lane, names, update)
            case Order(do="log") as order:
                yield self._do(order, _lane(update.user), _by(update))
            case Order() as order:
                yield self._do(order, lane, _by(update))

    async def _do(self, order: Order, lane: str, person: Person) -> None:
        self._teller.answer(lane, await self._done(order, person))

    async def _done(self, order: Order, person: Person) -> list[Row]:
        if order.do not in LOOKS:
            what = (*order.names, *(f"INC-{id}" for id in order.ids), order.what)
            self._say_order(order.do, person, ", ".join(filter(None, what)))
        return await self._deeds.do(order, person, self.strangers)

    def _say_order(self, do: str, person: Person, what: str) -> None:
        facts = (("do", do), ("what", clean(what) or "*"), ("by", person.name))
        self._tell(Told("remote_order", facts=facts))

    # --- what is pressed ---

    def _pressed(self, update: Incoming, age: float) -> Doing:
        """Judged and written down now; what comes back only follows it."""

        def mark_of(number: int) -> Mark | None:
            post = self.board.posts.get(number)
            return Mark(number, post.made, str(update.chat)) if post else None

        if self.seal is None:
            return self._toast(update, "press_unknown")
        verdict = self.seal.judge(update.data, mark_of, self._used, age, self.reader.wall)
        if isinstance(verdict, Bad):
            return self._refused(verdict, update)
        key, post = verdict.key, self.board.posts[verdict.post]
        asked = self._questions.get(str(post.id))
        if key in (Key.YES, Key.NO):
            if asked is None or asked["user"] != update.user:
                return self._toast(update, "press_not_yours")
            self._keep_questions({k: v for k, v in self._questions.items() if k != str(post.id)})
        if key in ONCE:
            self._use(key, post.id)
        if not self._is_written() and key is not Key.LOG:
            return self._toast(update, "order_not_written")
        if asked and key in (Key.YES, Key.NO):  # now: a question that is answered is soon forgotten
            phrase = "restart_yes" if key is Key.YES else "restart_no"
            facts = {"by": _by(update).name, "names": ", ".join(asked["names"])}
            self._say_instead(post.id, self._row(phrase, **facts))
        return self._follow(key, post, asked or {}, update)

    def _refused(self, verdict: Bad, update: Incoming) -> Doing:
        if verdict.why in ("press_used", "press_expired"):  # what stands there is good no more
            self._teller.show_again(self.board.posts[int(update.data.split("|")[2], 36)])
        return self._toast(update, verdict.why)

    async def _follow(self, key: Key, post: Post, asked: dict[str, Any], update: Incoming) -> None:
        """It is written down: whatever happens now, this press is never acted on again."""
        person, lane = _by(update), _lane(update.chat)
        told = [thread.news for thread in self.board.threads_of(post)]
        open_ones = [one for one in told if not is_over(one, self.reader.wall)]
        match key:
            case Key.YES | Key.NO:
                await self._answered(key, asked, update)
            case Key.RESTART:
                self._ask_once_more(lane, _children_of(open_ones), update, about=post.id)
                await self._toast(update, "press_taken")
            case Key.LOG:  # for nobody else's eyes
                await self._toast(update, "press_taken")
                order = Order("log", _children_of(told)[:1] or ("monitor",))
                await self._do(order, _lane(update.user), person)
            case Key.PUT_BACK:
                await self._toast(update, "press_taken")
                self._say_order("put_back", person, ", ".join(one.subject for one in told))
                rows = await self._deeds.put_back(one.subject for one in told)
                self._teller.did(post, "put_back", person.name)
                self._teller.answer(lane, rows)
            case Key.ACK | Key.RETRY:
                ids = tuple(int(one.subject[4:]) for one in open_ones if one.is_incident)
                rows = await self._done(Order(key.name.lower(), ids=ids), person)
                await self._answer(update, plain(rows))
            case Key.MUTE_1H | Key.MUTE_8H:
                await self._mute(key, post, open_ones, update)

    async def _mute(
        self, key: Key, post: Post, open_ones: Sequence[News], update: Incoming
    ) -> None:
        (name, lasts), rows = _MUTES[key], list[Row]()
        for one in open_ones:
            order = Order("mute", what=one.subject, lasts=lasts)
            rows += await self._done(order, _by(update))
        self._teller.did(post, name, _by(update).name)
        await self._answer(update, plain(rows))

    # --- a question before what cannot be taken back ---

    @property
    def _questions(self) -> dict[str, Any]:
        return dict(self.board.kept.get("asked") or {})

    def _keep_questions(self, asked: dict[str, Any]) -> None:
        self.board.keep("asked", asked)

    def _ask_once_more(
        self, lane: str, names: Sequence[str], update: Incoming, about: int = 0
    ) -> None:
        named = list(names) or list(self._deeds.children)
        post = self._teller.answer(lane, [self._row("restart_sure", names=", ".join(named))])
        until = self.reader.wall + _ASKED_FOR
        asked = {"names": named, "user": update.user, "until": until, "about": about}
        self._keep_questions({**self._questions, str(post.id): asked})

    async def _answered(self, key: Key, asked: dict[str, Any], update: Incoming) -> None:
        person, names = _by(update), tuple(asked["names"])
        await self._toast(update, "press_taken")
        if key is Key.NO:
            return
        if about := self.board.posts.get(asked["about"]):
            self._teller.did(about, "restart", person.name)
        await self._do(Order("restart", names), _lane(update.chat), person)

    def _say_instead(self, number: int, said: Row) -> None:
        if post := self.board.posts.get(number):
            self.board.put(replace(post, rows=to_text([said])))
            self._teller.show_again(self.board.posts[number])

    def forget_questions(self) -> None:
        """Nobody answered in time: the buttons go."""
        for number, asked in self._questions.items():
            if not 0 <= asked["until"] - self.reader.wall <= _ASKED_FOR:
                self._keep_questions({k: v for k, v in self._questions.items() if k != number})
                self._say_instead(int(number), self._row("restart_unanswered"))

    # --- buttons ---

    def _keys(self, post: Post, told: Sequence[News], chat: str) -> list[list[tuple[str, str]]]:
        seal, reader = self.seal, self.reader
        if seal is None or not self._to.remote:
            return []
        is_question = str(post.id) in self._questions
        rows = [[Key.YES, Key.NO]] if is_question else keys_for(told, reader.wall)
        mark = Mark(post.id, post.made, chat)

        def button(key: Key) -> tuple[str, str]:
            data = seal.data(key, mark, self._used(key, post.id), reader.wall)
            return reader.say(phrase_of(key)), data

        return [[button(key) for key in keys] for keys in rows]

    def _used(self, key: Key, post: int) -> int:
        return int((self.board.kept.get("used") or {}).get(f"{post}.{key}", 0))

    def _use(self, key: Key, post: int) -> None:
        """Counted for as long as the message is known; without it no press is good."""
        before = (self.board.kept.get("used") or {}).items()
        used = {k: v for k, v in before if int(k.partition(".")[0]) in self.board.posts}
        self.board.keep("used", used | {f"{post}.{key}": self._used(key, post) + 1})

    # --- small words ---

    async def _toast(self, update: Incoming, phrase: str) -> None:
        await self._answer(update, self.reader.say(phrase))

    async def _answer(self, update: Incoming, text: str) -> None:
        """Over the chat, for a moment; one that is lost is no loss."""
        text = self._to.hidden(text)
        await self._courier.ask({"do": "answer", "query": update.query, "text": text})

    def _count_strangers(self) -> None:
        count, at = self._strangers_told
        if self.strangers > count and (at is None or clock() - at >= _STRANGERS_EVERY):
            self._strangers_told = (self.strangers, clock())
            facts = (("count", str(self.strangers - count)),)
            self._tell(Told("remote_strangers", facts=facts))

    def _row(self, name: str, **facts: object) -> Row:
        return row(self.reader.say(name, **facts), weight=5)


def _lane(chat: int) -> str:
    return lane_of("telegram", str(chat))


def _by(update: Incoming) -> Person:
    return Person(f"{clean(update.name)} (Telegram {update.user})".strip())


def _children_of(told: Iterable[News]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(news.child for news in told if news.child))
