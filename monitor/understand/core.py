"""The core of a pattern: the rarest fixed texts without which it cannot match.

Looking for fixed texts is what the engines do at the speed of memory; gaps, repetitions and the
common words around them are left to the look at the line itself.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.understand.syntax import LINE_END, LINE_START, Atom, emit

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_LITERAL = 3
SHORT = 5  # a text below this slows the search for all others
MOST = 400  # fixed texts of one core
RARE = 3.0  # a common word weighs less than this
ENOUGH = 9.0  # rarer than this is not worth more texts
# Words that ordinary lines are made of, and words that only troubled ones hold, if often.
COMMON = frozenset(
    b"a an and api archivo are as at be body by call chat client code connect connected connection"
    b" content data database datos db de del device document domain el en entity error errors event"
    b" fichero field file filesystem for from get has have host http https id image in index info input"
    b" is it job jobs key la length level line log login los max memory message model module must name"
    b" net network no node not object of on open opened opening or out over package packet page path"
    b" payload para por port post process program que read ready record request required resource"
    b" response retries retry row rows running se send sending sent server service session set sha size"
    b" source start started starting state status step stopped stream string success system table task"
    b" text that the this thread time timeout timeouts to token took type update updated updates upload"
    b" url usage user usuario value version video waiting was will with worker write yourself con python"
    b" ssl tls disk heap lock pid cache query statement function column schema account header removed"
    b" added created loaded loading received closed found available active enabled disabled complete"
    b" completed done new old all been una uno sin fue es son down download downloads shutdown limit ex"
    b" pipeline bot password signature certificate block segment font frame media command binary class"
    b" executable other first already get exec due space answer signal wait sleep".split()
)
TROUBLE = frozenset(
    b"failed failure invalid full exception expired unknown exceed exceeded unexpected maximum limited"
    b" format dropped authentication permission pressure heartbeat unavailable unrecogni unrecogniz"
    b" attempting require offline lost".split()
)
ANCHORS = {LINE_START: frozenset({b"\n"}), LINE_END: frozenset({b"\n", b"\r\n"})}
WORDS = re.compile(rb"[a-z\xc0-\xff]+|\d+")


@dataclass(frozen=True, slots=True)
class Core:
    """One stretch of a pattern that can only be one of a few texts."""

    texts: frozenset[bytes]


def cores_of(branches: list[list[Atom]]) -> list[Core]:
    """One core for each way to match; none when some way has no fixed text of three bytes."""
    found: list[Core] = []
    for branch in branches:
        best = max(_candidates(branch), key=_rarity, default=[])
        if not best:
            return []
        found += best
    return found


def _candidates(branch: list[Atom]) -> list[list[Core]]:
    """What could stand for a sequence: any stretch of it that is one of a few texts."""
    found: list[list[Core]] = []
    units = _units(branch)
    for start in range(len(units)):
        texts = frozenset({b""})
        for unit in units[start:]:
            if not unit or len(unit) * len(texts) > MOST:
                break
            texts = frozenset(left + right for left in texts for right in unit)
            if min(map(len, texts)) >= MIN_LITERAL:
                found.append([Core(texts)])
    groups = (atom for atom in branch if atom.kind == "group" and not atom.optional)
    found += [cores_of(atom.branches) for atom in groups if not texts_of(atom)]
    return [cores for cores in found if cores]


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


def _sequence(branch: list[Atom]) -> frozenset[bytes]:
    texts = frozenset({b""})
    for atom in branch:
        own = texts_of(atom)
        if not own or len(own) * len(texts) > MOST:
            return frozenset()
        texts = frozenset(left + right for left in texts for right in own)
    return texts


def _rarity(cores: list[Core]) -> float:
    """High for texts one hardly meets, a little lower for many texts than for few."""
    texts = [text.lower() for core in cores for text in core.texts]
    if not texts:
        return 0.0
    least = min(ENOUGH, *map(_weight, texts))
    return least if least < RARE else max(RARE, least - math.log2(len(texts)) * 1.0)


def _weight(text: bytes) -> float:
    """How little one expects to see this text in ordinary lines."""
    words = WORDS.findall(text)
    if text.isdigit() or (len(text) < SHORT and not COMMON.issuperset(words)):
        return len(text) * (0.6 if len(text) > MIN_LITERAL else 0.3)
    common = 1.3 if len(words) > 1 else 0.7  # two common words side by side are rarer than one
    return sum(_word(word, common) for word in words) + len(text) * 0.12


def _word(word: bytes, common: float) -> float:
    if word in COMMON:
        return common
    return 2.0 if word in TROUBLE else min(len(word), 8)


def fewest(texts: Iterable[tuple[bytes, bool]]) -> list[tuple[bytes, bool]]:
    """Of these texts (and whether case matters) only those that hold no other one."""
    kept: list[tuple[bytes, bool]] = []
    folded: set[bytes] = set()
    strict: set[bytes] = set()
    for text, case in sorted(set(texts), key=lambda each: (len(each[0]), each)):
        parts = {text[i:j] for i in range(len(text)) for j in range(i + MIN_LITERAL, len(text) + 1)}
        if not folded.isdisjoint(part.lower() for part in parts):
            continue
        if case and not strict.isdisjoint(parts):
            continue
        (strict if case else folded).add(text)
        kept.append((text, case))
    return kept


def trimmed(branches: list[list[Atom]]) -> bytes:
    """The whole pattern without what is vague at its edges; it matches wherever the pattern does."""
    return emit([_trim(branch) for branch in branches], named=False)


def _vague(atom: Atom) -> bool:
    if atom.kind == "class" or atom.optional:
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
