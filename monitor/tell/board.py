"""All that was heard, said and is still to be said; what changed is known until it is on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.tell.alerts import (
    Edit,
    Move,
    Note,
    Now,
    Reply,
    Tell,
    is_over,
    is_recovered,
    material_of,
)
from monitor.tell.words import LOUDNESS, Letter, Mute, News, Post, Stage, Thread, Verb, mutes_from

_MOST = 2000  # things remembered; of more, the oldest that are over are forgotten
_KEPT = 86400.0  # how long what is over can still be answered or edited


@dataclass(slots=True)
class Board:
    """Plain dictionaries and the names of what changed in them."""

    threads: dict[str, Thread] = field(default_factory=dict)
    posts: dict[int, Post] = field(default_factory=dict)
    letters: dict[int, Letter] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    changed: set[tuple[str, str | int]] = field(default_factory=set)
    last: int = 0  # the newest number given to a thread, a post or a letter

    def number(self) -> int:
        self.last += 1
        return self.last

    # --- changes ---

    def put(self, *ones: Thread | Post | Letter) -> None:
        for one in ones:
            match one:
                case Thread():
                    self.threads[one.news.subject] = one
                    self.changed.add(("thread", one.news.subject))
                case Post():
                    self.posts[one.id] = one
                    self.changed.add(("post", one.id))
                case Letter():
                    self.letters[one.id] = one
                    self.changed.add(("letter", one.id))

    def keep(self, name: str, value: Any) -> None:
        self.kept[name] = value
        self.changed.add(("kept", name))

    def drop(self, kind: str, key: Any) -> None:
        kept: dict[str, dict[Any, Any]]
        kept = {"thread": self.threads, "post": self.posts, "letter": self.letters}
        kept[kind].pop(key, None)
        self.changed.add((kind, key))

    @property
    def mutes(self) -> dict[str, Mute]:
        return mutes_from(self.kept.get("mutes"))

    def news(self, subject: str) -> News | None:
        thread = self.threads.get(subject)
        return thread.news if thread else None

    def hear(self, news: News, now: Now, repeat: float) -> None:
        """The newest of its subject; long after the last word it is a story of its own."""
        before = self.threads.get(news.subject)
        long_ago = before is not None and now.wall - before.told_at > (repeat or _KEPT)
        if before is not None and before.post and long_ago and is_over(before.news, now.wall):
            before = None
        if before is None:
            self.put(Thread(news, self.number(), since=now.clock))
        else:
            self.put(replace(before, news=news))
        for other in self._same_trouble(news):
            self.put(replace(other, news=replace(other.news, state="resolved", last=now.wall)))

    def _same_trouble(self, news: News) -> list[Thread]:
        """Earlier ones of which this is the return: nobody should think of them as open."""
        if not news.key:
            return []
        return [
            one
            for one in self.threads.values()
            if one.news.key == news.key
            and one.news.subject != news.subject
            and one.news.state in ("failed", "alert_only")
        ]

    # --- moves become posts and letters ---

    def apply(self, moves: Iterable[Move], lanes: Iterable[str], now: Now) -> None:
        lanes = tuple(lanes)
        for move in moves:
            match move:
                case Note(subject):
                    self.put(replace(self.threads[subject], noted=True, post=0))
                case Tell(subjects):
                    self._tell(subjects, lanes, now)
                case Edit(post):
                    self.edit(self.posts[post], now)
                case Reply():
                    self._reply(move, now)

    def _tell(self, subjects: tuple[str, ...], lanes: tuple[str, ...], now: Now) -> None:
        post = self._not_gone_out() or self.post("alert", lanes, now)
        self.put(replace(post, subjects=(*post.subjects, *subjects)))
        for subject in subjects:
            self.put(replace(self.threads[subject], post=post.id, noted=False))

    def _not_gone_out(self) -> Post | None:
        """A message that waits takes in what comes: an outage ends in a list, not in a burst."""
        for post in self.posts.values():
            sends = [one for one in self.letters.values() if one.post == post.id]
            untried = bool(sends) and all(one.stage is Stage.WAITING for one in sends)
            if post.kind == "alert" and untried and not post.messages:
                return post
        return None

    def post(
        self,
        kind: str,
        lanes: Iterable[str],
        now: Now,
        rows: str = "",
    ) -> Post:
        """A new message, and a letter for each chat that shall have it."""
        post = Post(self.number(), kind, now.wall, edited=now.clock, rows=rows)
        self.put(post)
        for lane in lanes:
            self.put(Letter(self.number(), post.id, lane, Verb.SEND, now.wall))
        return post

    def edit(self, post: Post, now: Now) -> None:
        """One edit at a time waits for a chat, and says the newest."""
        waiting = {
            one.lane
            for one in self.letters.values()
            if one.post == post.id and one.verb is Verb.EDIT and one.stage is Stage.WAITING
        }
        for lane, _ in post.messages:
            if lane not in waiting and not lane.startswith("apprise"):
                self.put(Letter(self.number(), post.id, lane, Verb.EDIT, now.wall))
        self.put(replace(post, edited=now.clock))
        for thread in self.threads_of(post):
            self.put(replace(thread, material=material_of(thread.news, now.wall)))

    def threads_of(self, post: Post) -> list[Thread]:
        """Those it tells, in the order in which they came up; one may have moved on to another."""
        known = (self.threads.get(subject) for subject in post.subjects)
        return [thread for thread in known if thread is not None and thread.post == post.id]

    def _reply(self, move: Reply, now: Now) -> None:
        post = self.posts[move.post]
        for lane, _ in post.messages:
            if not lane.startswith("webhook"):
                letter = Letter(self.number(), post.id, lane, Verb.REPLY, now.wall)
                self.put(
                    replace(letter, reason=move.reason, loud=move.loud, subjects=move.subjects)
                )
        for subject in move.subjects:
            thread = self.threads[subject]
            escalated = thread.escalated or move.reason == "escalated"
            self.put(replace(_noticed(thread, now), escalated=escalated))

    def gone_out(self, post: Post, lane: str, number: int, now: Now, said: Iterable[News]) -> None:
        """The message stands in that chat; from now on it is edited and answered there."""
        first = not post.messages
        messages = tuple((dict(post.messages) | {lane: number}).items())
        self.put(replace(self.posts[post.id], messages=messages, edited=now.clock))
        for news in said if first else ():
            thread = self.threads.get(news.subject)
            if thread is None:  # forgotten while it was said
                continue
            told = _noticed(replace(thread, news=news), now)
            told = replace(told, news=thread.news, material=material_of(news, now.wall))
            self.put(told)

    # --- keeping it small ---

    def forget(self, wall: float) -> None:
        """What is over for a day is no longer needed, nor are more things than anybody reads."""
        for thread in list(self.threads.values()):
            old = wall - max(thread.news.last, thread.told_at) > _KEPT
            if old and not thread.noted and is_over(thread.news, wall):
                self.drop("thread", thread.news.subject)
        if (excess := len(self.threads) - _MOST) > 0:
            for thread in sorted(self.threads.values(), key=lambda one: _weight(one, wall))[
                :excess
            ]:
                self.drop("thread", thread.news.subject)
        busy = {letter.post for letter in self.letters.values()}
        telling = {thread.post for thread in self.threads.values()}
        telling |= {int(number) for number in self.kept.get("asked", {})}
        for number in [n for n in self.posts if n not in busy and n not in telling]:
            self.drop("post", number)

    def revive(self) -> None:
        """What reached nobody, and no letter is on its way for, is told anew."""
        alive = {one.post for one in self.letters.values()}
        for thread in list(self.threads.values()):
            post = self.posts.get(thread.post)
            if post is not None and not post.messages and post.id not in alive:
                self.put(replace(thread, post=0))


def _noticed(thread: Thread, now: Now) -> Thread:
    return replace(
        thread,
        severity=thread.news.severity,
        was_over=is_recovered(thread.news, now.wall),
        told_at=now.wall,
        notices=thread.notices + 1,
        called=thread.news.state == "failed",
    )


def _weight(thread: Thread, wall: float) -> tuple[bool, int, int]:
    """Who is forgotten first: what is over, then what is light, then what is old."""
    return not is_over(thread.news, wall), LOUDNESS[thread.news.severity], thread.order
