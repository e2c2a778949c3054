"""Files as Telegram keeps them: named by an id that only one bot can use, served or handed over."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

from monitor.demo.botapi.refusal import bad
from monitor.demo.botapi.rows import Row, Rows

DOWNLOAD = 20 * 1024 * 1024
UPLOAD = 50 * 1024 * 1024
LOCAL_UPLOAD = 2000 * 1024 * 1024
PHOTO = 10 * 1024 * 1024

FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "document": "documents",
    "audio": "music",
    "voice": "voice",
    "animation": "animations",
}
_MARKS = {
    "photo": "AgAC",
    "video": "BAAC",
    "document": "BQAC",
    "audio": "CQAC",
    "voice": "AwAC",
    "animation": "CgAC",
}
_TAIL = 8
_HANDED = re.compile(r"[0-9a-f]{32}")


class Files:
    def __init__(self, rows: Rows, folder: Path, local: bool) -> None:
        self._rows = rows.table("files")
        self.folder = folder
        self.local = local
        self.incoming = folder / "incoming"
        self._kept = folder / "kept"
        for place in (self.incoming, self._kept, folder / "handed"):
            place.mkdir(parents=True, exist_ok=True)
        for left in self.incoming.iterdir():
            left.unlink()

    @property
    def most(self) -> int:
        return LOCAL_UPLOAD if self.local else UPLOAD

    def keep(self, source: Path, kind: str, name: str, mime: str) -> Row:
        """Takes the file over; from now on it is known by its id."""
        unique = "AgAD" + secrets.token_urlsafe(9)
        os.replace(source, self._kept / unique)
        name = name.replace("\\", "/").rpartition("/")[2] or FOLDERS[kind]
        if mime in {"", "application/octet-stream", "text/plain"}:
            mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        suffix = Path(name).suffix[:12] or mimetypes.guess_extension(mime) or ""
        safe = "".join(c for c in suffix if c.isascii() and (c.isalnum() or c == "."))
        row: Row = {
            "id": _MARKS[kind] + secrets.token_urlsafe(30),
            "unique": unique,
            "kind": kind,
            "name": name,
            "mime": mime,
            "size": (self._kept / unique).stat().st_size,
            "path": f"{FOLDERS[kind]}/file_{len(self._rows)}{safe.lower()}",
        }
        return self._rows.put(row["id"], row)

    def find(self, bot: int, file_id: str) -> Row | None:
        """The file that this bot knows by this id."""
        row = self._rows.get(file_id[:-_TAIL])
        return row if row is not None and file_id == for_bot_id(row["id"], bot) else None

    def handed(self, name: str) -> Path:
        """A file that was put into our folder by one who may write there; no other path is followed."""
        if not _HANDED.fullmatch(name):
            raise ValueError("a handed file is named by 32 hexadecimal digits")
        return self.folder / "handed" / name

    def by_unique(self, unique: str) -> Row | None:
        return next((row for row in self._rows if row["unique"] == unique), None)

    def by_path(self, path: str) -> Row | None:
        return next((row for row in self._rows if row["path"] == path), None)

    def place(self, row: Row) -> Path:
        return self._kept / str(row["unique"])

    def answer(self, bot: Row, row: Row) -> Row:
        """What getFile says; under --local the file stands where the path says."""
        if not self.local and row["size"] > DOWNLOAD:
            raise bad("file is too big")
        path = row["path"]
        if self.local:
            path = str(self._hand_over(bot["token"], row))
        return {
            "file_id": row["id"],
            "file_unique_id": row["unique"],
            "file_size": row["size"],
            "file_path": path,
        }

    def _hand_over(self, token: str, row: Row) -> Path:
        path: Path = self.folder.absolute() / token / row["path"]
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.place(row), path)
            except OSError:
                shutil.copyfile(self.place(row), path)
        return path


def for_bot_id(file_id: str, bot: int) -> str:
    digest = hashlib.sha256(f"{file_id} {bot}".encode()).digest()
    return file_id + base64.urlsafe_b64encode(digest).decode()[:_TAIL]


def for_bot(value: Any, bot: int) -> Any:
    """The same, with the file ids as this bot may use them."""
    if isinstance(value, dict):
        return {
            key: for_bot_id(held, bot) if key == "file_id" else for_bot(held, bot)
            for key, held in value.items()
        }
    return [for_bot(held, bot) for held in value] if isinstance(value, list) else value
