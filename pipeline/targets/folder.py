"""A folder as a place for posts: the one that needs no token."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import files
from pipeline.targets.port import Parcel


@dataclass(frozen=True, slots=True)
class Folder:
    """`folder:posted` lies in the folder of the modelo; an absolute path where it says."""

    modelos: Path

    def send(self, parcel: Parcel) -> str:
        """The text goes first; the file, which makes the post, comes whole or not at all."""
        final = self._place(parcel)
        final.parent.mkdir(exist_ok=True)
        note = final.with_suffix(".json")
        part = files.part_of(note)
        text = json.dumps({"caption": parcel.caption, "modelo": parcel.modelo}, ensure_ascii=False)
        files.append(part, [text.encode()], 0, lambda _: None)
        files.finish(part, note)
        files.copy(parcel.path, final, lambda _: None)
        return final.name

    def find(self, parcel: Parcel) -> str | None:
        final = self._place(parcel)
        return final.name if final.exists() else None

    def _place(self, parcel: Parcel) -> Path:
        return (
            self.modelos / parcel.modelo / parcel.where / f"{parcel.number:06}_{parcel.path.name}"
        )
