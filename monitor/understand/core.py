"""What every match of a pattern must contain, and the pattern without what is vague at its edges.

Looking for fixed texts is what the engines do at the speed of memory; gaps, repetitions and the
words around them are left to the look at the line itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor.understand.syntax import LINE_END, LINE_START, Atom

MIN_LITERAL = 3
MOST = 400  # fixed texts of one stretch
ANCHORS = {LINE_START: frozenset({b"\n"}), LINE_END: frozenset({b"\n", b"\r\n"})}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a pattern that is always one of these texts."""

    texts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fork:
    """A group of which every match takes one of these ways."""

    ways: tuple[Way, ...]


# One way to match: what is in all of its matches. Any one of its parts may stand for it.
Way = tuple["Stretch | Fork", ...]


def ways(branches: list[list[Atom]]) -> tuple[Way, ...]:
    """What must be there in each way to match; none when in some way nothing must."""
    found = tuple(_parts(branch) for branch in branches)
    return found if all(found) else ()


def _parts(branch: list[Atom]) -> Way:
    """Any stretch of a sequence that is one of a few texts, and its groups that must match."""
    found: list[Stretch | Fork] = []
    units = _units(branch)
    for start in range(len(units)):
        texts = frozenset({b""})
        for unit in units[start:]:
            if not unit or len(unit) * len(texts) > MOST:
                break
            texts = frozenset(_joined(left, right) for left in texts for right in unit)
            if min(map(len, texts)) >= MIN_LITERAL:
                found.append(Stretch(tuple(sorted(texts))))
    groups = (atom for atom in branch if atom.kind == "group" and not atom.optional)
    found += [Fork(inner) for atom in groups if (inner := ways(atom.branches))]
    return tuple(found)


def _units(branch: list[Atom]) -> list[frozenset[bytes]]:
    """The texts of each piece, letters in a row taken as one piece; empty where it may be anything."""
    units: list[frozenset[bytes]] = []
    plain = False
    for atom in branch:
        own = texts_of(atom)
        if plain and atom.kind == "literal" and len(own) == 1:
            units[-1] = frozenset(left + right for left in units[-1] for right in own)
        else:
            units.append(own)
        plain = atom.kind == "literal" and len(own) == 1
    return units


def texts_of(atom: Atom) -> frozenset[bytes]:
    """All texts this piece can be; empty when they are too many to say."""
    if atom.quantifier not in {"", "?"}:
        return frozenset()
    if atom.kind == "anchor":
        return ANCHORS.get(atom.source, frozenset({b""}))
    if atom.kind == "literal":
        own = frozenset({atom.source})
    elif atom.kind == "class":
        own = frozenset(atom.chars)
    else:
        each = [_sequence(branch) for branch in atom.branches]
        own = frozenset().union(*each) if all(each) else frozenset()
    return own | {b""} if atom.quantifier and own else own


def _joined(left: bytes, right: bytes) -> bytes:
    """Two anchors that meet mean one line end: only anchors have one, and they take no room."""
    return left + (right[1:] if left.endswith(b"\n") and right.startswith(b"\n") else right)


def _sequence(branch: list[Atom]) -> frozenset[bytes]:
    texts = frozenset({b""})
    for atom in branch:
        own = texts_of(atom)
        if not own or len(own) * len(texts) > MOST:
            return frozenset()
        texts = frozenset(_joined(left, right) for left in texts for right in own)
    return texts


def trimmed(branches: list[list[Atom]]) -> list[list[Atom]]:
    """The whole pattern without what is vague at its edges; it matches wherever the pattern does."""
    return [_trim(branch) for branch in branches]


def _vague(atom: Atom) -> bool:
    if atom.optional or (atom.kind == "class" and not atom.chars):
        return True
    return atom.kind == "group" and any(all(map(_vague, branch)) for branch in atom.branches)


def _trim(branch: list[Atom]) -> list[Atom]:
    start, end = 0, len(branch)
    while start < end and (_vague(branch[start]) or _leads_nowhere(branch, start)):
        start += 1
    while end > start and _vague(branch[end - 1]):
        end -= 1
    return branch[start:end]


def _leads_nowhere(branch: list[Atom], at: int) -> bool:
    """An anchor before something vague says nothing once that is gone."""
    return branch[at].kind == "anchor" and at + 1 < len(branch) and _vague(branch[at + 1])
