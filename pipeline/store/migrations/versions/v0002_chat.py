"""What is said in the chat, what was asked there, and which file a memory is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("batch", sa.Column("question", sa.Text(), nullable=False, server_default=""))
    op.add_column("memory", sa.Column("source", sa.Text(), nullable=False, server_default=""))
    op.add_column(
        "memory", sa.Column("album", sa.String(length=64), nullable=False, server_default="")
    )
    op.add_column("memory", sa.Column("reply_to", BIG, nullable=False, server_default="0"))
    op.create_table(
        "reply",
        sa.Column("id", BIG, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("chat_id", BIG, nullable=False),
        sa.Column("batch_id", BIG, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("message_id", BIG, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("sent_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_reply_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("key", name=op.f("uq_reply_key")),
    )
    op.create_index("ix_reply_due", "reply", ["state", "due_at"], unique=False)
    op.create_index(op.f("ix_reply_chat_id"), "reply", ["chat_id"], unique=False)
