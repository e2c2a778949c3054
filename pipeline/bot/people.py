"""Who writes to the bot: of which modelo somebody is, and what is held of those who are of none."""

from __future__ import annotations

import os

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.bot import inbox, outbox
from pipeline.bot.letter import Letter, Person
from pipeline.bot.wording import say
from pipeline.kit import Profiles
from pipeline.profiles import Profile
from pipeline.store.tables import Reply, Sender

HELD_EACH, HELD_ALL = 50, 5000  # messages of one stranger, and of all of them
TOLD_AN_HOUR = 60  # strangers
_DAY = 86400.0


class People:
    """By their number at Telegram."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._known: dict[str, Profile] = {}
        self.wrong: list[str] = []

    def refresh(self) -> None:
        self._known, wrong = self._profiles.all()
        self.wrong = [_shown(error) for error in wrong]

    def reread(self) -> None:
        """A person says so: a modelo that is gone has no sender any longer."""
        self._profiles.let_go()
        self.refresh()

    def of(self, user: int) -> Profile | None:
        return next((one for one in self._known.values() if user in one.telegram_user_ids), None)

    def modelos(self) -> dict[str, Profile]:
        return dict(self._known)


def remember(session: Session, person: Person, modelo: str | None, now: float) -> Sender:
    row = session.get(Sender, person.id)
    if row is None:
        row = Sender(user_id=person.id, first_at=now, last_at=now)
        session.add(row)
    row.name, row.username, row.language = person.name, person.username, person.language
    row.modelo, row.last_at = modelo, now
    session.flush()
    return row


def hold(session: Session, letter: Letter, sender: Sender, language: str, now: float) -> str:
    """The state of a stranger's message; answered once a day, and only in private."""
    told = sender.told_at is not None and now - sender.told_at < _DAY
    if letter.private and not told and _told_lately(session, now) < TOLD_AN_HOUR:
        text = say("stranger", language, name=letter.person.name, user=letter.person.id)
        key = f"stranger:{letter.person.id}:{int(now)}"
        outbox.write(session, key, letter.chat_id, text, now)
        sender.told_at = now
    each = inbox.held_by(session, letter.person.id)
    full = each >= HELD_EACH or inbox.held_by(session) >= HELD_ALL
    return inbox.DROPPED if full else inbox.HELD


def release(session: Session, people: People) -> int:
    """What was held of those who are known by now is treated."""
    known = [user for user in inbox.held_people(session) if people.of(user)]
    return sum(inbox.release(session, user) for user in known)


def _told_lately(session: Session, now: float) -> int:
    query = select(func.count()).select_from(Reply)
    query = query.where(Reply.key.startswith("stranger:"), Reply.created_at > now - 3600.0)
    return session.scalar(query) or 0


def _shown(error: Exception) -> str:
    """`modelos/NAME/config.json: what is wrong`."""
    name = getattr(error, "filename", None)
    if name is None:
        return str(error)
    folder = os.path.basename(os.path.dirname(str(name)))
    return f"modelos/{folder}/config.json: {getattr(error, 'strerror', None) or error}"
