"""The modelos as their files say now; one whose file is gone stands as it last was."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError

from pipeline.profiles import Profile, ProfileError, parse_profile, read_profile, read_profiles
from pipeline.store.base import Store
from pipeline.store.tables import Modelo


class Profiles:
    """A folder that was removed makes no stranger of its sender and stops none of its jobs, also
    after a restart: the last good config.json of each modelo is kept in the store.
    """

    def __init__(self, modelos: Path, store: Store | None = None) -> None:
        self._modelos, self._store = modelos, store
        self._last: dict[str, Profile] = {}
        self._noted: dict[str, str] = {}
        self._recalled = False

    def of(self, modelo: str) -> Profile:
        try:
            self._last[modelo] = read_profile(self._modelos, modelo)
        except FileNotFoundError:
            self._recall()
            if modelo not in self._last:
                raise
        return self._last[modelo]

    def all(self) -> tuple[dict[str, Profile], list[ProfileError | OSError]]:
        """Those that stand, and what is wrong. One whose file is gone or wrong stands as it last was,
        unless another has its sender now.
        """
        self._recall()
        found, wrong = read_profiles(self._modelos)
        self._last |= found
        self._note(found)
        taken = {user for one in found.values() for user in one.telegram_user_ids}
        held = {
            name: one
            for name, one in self._last.items()
            if name not in found and not one.telegram_user_ids & taken
        }
        return held | found, wrong

    def let_go(self) -> None:
        """A person wants the modelos as they are: what is gone does not stand any longer."""
        gone = [name for name in self.all()[0] if not (self._modelos / name).exists()]
        if self._store is not None:
            with self._store.write() as session:
                session.execute(delete(Modelo).where(Modelo.name.in_(gone)))
        for name in gone:
            self._last.pop(name, None)
            self._noted.pop(name, None)

    def _note(self, found: dict[str, Profile]) -> None:
        new = {name: one.text for name, one in found.items() if self._noted.get(name) != one.text}
        if not new or self._store is None:
            return
        with contextlib.suppress(DBAPIError):  # the next look notes it
            with self._store.write() as session:
                for name, text in new.items():
                    session.merge(Modelo(name=name, config=text, seen_at=time.time()))
            self._noted |= new

    def _recall(self) -> None:
        """What an earlier process, or one on another machine, has seen; once."""
        if self._recalled or self._store is None:
            return
        with self._store.read() as session:
            rows = session.scalars(select(Modelo)).all()
        for row in rows:
            with contextlib.suppress(ProfileError):  # an older version took it
                self._last.setdefault(row.name, parse_profile(row.name, row.config))
        self._recalled = True
