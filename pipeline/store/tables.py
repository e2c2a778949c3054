"""The tables. A change here needs a migration; a test compares the two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, MetaData, String, Text
from sqlalchemy import text as sql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite counts up only what it calls INTEGER.
Big = BigInteger().with_variant(Integer, "sqlite")
NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {int: Big, float: Double, str: Text}  # noqa: RUF012 -- as SQLAlchemy reads it


class Inbox(Base):
    """A raw update, ours before it is confirmed to Telegram. Two bots may count alike."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_state", "state", "update_id"),)
    bot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    raw: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default="new")  # …, held, done, failed, dropped
    user_id: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(default="")
    received_at: Mapped[float]
    done_at: Mapped[float | None]


class Sender(Base):
    """Somebody who wrote to a bot; one without a modelo is answered politely and held."""

    __tablename__ = "sender"
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    modelo: Mapped[str | None] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(default="")
    username: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(String(8), default="")
    first_at: Mapped[float]
    last_at: Mapped[float]
    told_at: Mapped[float | None]  # when an unknown one was last told that it is held


class Batch(Base):
    """Messages of one user that belong together; at most one of a user is open."""

    __tablename__ = "batch"
    __table_args__ = (
        Index(
            "uq_batch_open",
            "bot",
            "user_id",
            unique=True,
            sqlite_where=sql("state = 'open'"),
            postgresql_where=sql("state = 'open'"),
        ),
        Index("ix_batch_state", "state", "closes_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    bot: Mapped[int]
    user_id: Mapped[int]
    chat_id: Mapped[int]
    modelo: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(
        String(16), default="open"
    )  # …, closed, answered, done, failed
    count: Mapped[int] = mapped_column(Integer, default=0)
    opened_at: Mapped[float]
    last_at: Mapped[float]
    closes_at: Mapped[float]
    answered_at: Mapped[float | None]
    answer_id: Mapped[int | None]  # the message in the chat that is edited
    answer: Mapped[str] = mapped_column(default="")  # as it stands in the chat
    question: Mapped[str] = mapped_column(default="")  # what we asked and nobody answered yet


class Memory(Base):
    """One item of a batch: what was said, shown or sent, and what is known about it."""

    __tablename__ = "memory"
    __table_args__ = (
        Index("uq_memory_message", "bot", "chat_id", "message_id", unique=True),
        Index("ix_memory_user", "user_id", "said_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"), index=True)
    bot: Mapped[int]
    user_id: Mapped[int]
    chat_id: Mapped[int]
    message_id: Mapped[int]
    modelo: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")  # what a provider saw in its file
    context: Mapped[str] = mapped_column(default="")  # what its owner answered when asked
    job: Mapped[str | None] = mapped_column(String(128), index=True)
    source: Mapped[str] = mapped_column(default="")  # its file, as the media flow takes it
    album: Mapped[str] = mapped_column(String(64), default="")
    reply_to: Mapped[int] = mapped_column(default=0)  # the message that it answers
    said_at: Mapped[float]
    updated_at: Mapped[float | None]
    forgotten_at: Mapped[float | None]


class Reply(Base):
    """What is said in a chat: written down before it is sent; `sending` at a start is `unknown`."""

    __tablename__ = "reply"
    __table_args__ = (Index("ix_reply_due", "state", "due_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)  # the same is said once
    chat_id: Mapped[int] = mapped_column(index=True)
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("batch.id"))
    text: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default="pending")
    message_id: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(default="")
    due_at: Mapped[float]
    created_at: Mapped[float]
    sent_at: Mapped[float | None]


class Media(Base):
    """One file on its way; what its steps have done stands here, so that each may be repeated."""

    __tablename__ = "media"
    __table_args__ = (
        Index(
            "uq_media_content",
            "modelo",
            "sha256",
            unique=True,
            sqlite_where=sql("state = 'stored'"),
            postgresql_where=sql("state = 'stored'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(128), unique=True)
    modelo: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(
        String(16), default="new"
    )  # …, stored, duplicate, lost, rejected, forgotten
    path: Mapped[str]  # relative to the home
    name: Mapped[str] = mapped_column(default="")
    mime: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    duration: Mapped[float] = mapped_column(default=0.0)
    width: Mapped[int] = mapped_column(Integer, default=0)
    height: Mapped[int] = mapped_column(Integer, default=0)
    verified: Mapped[str] = mapped_column(String(16), default="")  # by which level; broken: not
    text: Mapped[str] = mapped_column(default="")
    caption: Mapped[str] = mapped_column(default="")
    caption_source: Mapped[str] = mapped_column(String(64), default="")
    duplicate_of: Mapped[int | None] = mapped_column(ForeignKey("media.id"))
    user_id: Mapped[int] = mapped_column(default=0)
    chat_id: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[float]
    stored_at: Mapped[float | None]


class Post(Base):
    """The ledger: one file to one target, once. `sending` without an end becomes `unknown`."""

    __tablename__ = "post"
    __table_args__ = (
        Index("uq_post_once", "media_id", "target", unique=True),
        Index("ix_post_due", "state", "due_at"),
        Index("ix_post_modelo", "modelo", "state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    media_id: Mapped[int] = mapped_column(ForeignKey("media.id"))
    modelo: Mapped[str] = mapped_column(String(64))
    target: Mapped[str]
    state: Mapped[str] = mapped_column(String(16), default="pending")
    due_at: Mapped[float]
    owner: Mapped[str] = mapped_column(String(64), default="")  # the executor that sends it
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    receipt: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    sent_at: Mapped[float | None]


class Modelo(Base):
    """The last good config.json of a modelo: it holds when its folder is removed."""

    __tablename__ = "modelo"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    config: Mapped[str]
    seen_at: Mapped[float]


class Retry(Base):
    """A job that failed and is tried again at a time; it holds no worker meanwhile."""

    __tablename__ = "retry"
    job: Mapped[str] = mapped_column(String(128), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))  # world, ours
    step: Mapped[str] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(Integer, default=1)
    first_at: Mapped[float]
    at: Mapped[float] = mapped_column(index=True)
    error: Mapped[str] = mapped_column(default="")


class Worker(Base):
    """Who works on jobs, and when it last said so; the jobs of a dead one are given to others."""

    __tablename__ = "worker"
    executor: Mapped[str] = mapped_column(String(64), primary_key=True)
    host: Mapped[str] = mapped_column(default="")
    pid: Mapped[int] = mapped_column(Integer, default=0)
    started_at: Mapped[float]
    seen_at: Mapped[float]


class Hold(Base):
    """Posting is held back: for all (`*`) or for one modelo, until a person lifts it."""

    __tablename__ = "hold"
    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[float]
    why: Mapped[str] = mapped_column(default="")
