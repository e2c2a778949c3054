"""The core of a pattern: the rarest fixed texts without which it cannot match.

Looking for fixed texts is what the engines do at the speed of memory; gaps, repetitions and the
common words around them are left to the look at the line itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from monitor.syntax import Atom, emit

MIN_LITERAL = 3
MOST = 96  # fixed texts of one core
COMMON = frozenset(
    b"a an and api archivo are as at body by call chat client code connect connection content data"
    b" database datos db de del device document el en entity error fichero field file for from get"
    b" host http https id image in index info input is it job key la length level line log los max"
    b" message model module name net no node not object of on or package packet page path payload por"
    b" port post process que read record request response row rows se server service session size"
    b" source start state status step stream string system table task text the thread time to token"
    b" type update upload url usage user usuario value video was with worker write con python ssl tls"
    b" memory disk heap lock pid process cache query statement function column schema account header"
    b" login password signature certificate block segment font frame media".split()
)
WORDS = re.compile(rb"[a-z\xc0-\xff]+|\d+")


@dataclass(frozen=True, slots=True)
class Core:
    """One stretch of a pattern that can only be one of a few texts."""

    source: bytes
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
    found: list[list[Core]] = []
    run: list[Atom] = []
    texts = frozenset({b""})
    for atom in [*branch, Atom("class", b".")]:
        own = texts_of(atom)
        if own and len(own) * len(texts) <= MOST:
            run.append(atom)
            texts = frozenset(left + right for left in texts for right in own)
            continue
        if min(map(len, texts)) >= MIN_LITERAL:
            found.append([Core(emit([run], named=False), texts)])
        run, texts = ([atom], own) if own and len(own) <= MOST else ([], frozenset({b""}))
        if not own and atom.kind == "group" and not atom.optional:
            found.append(cores_of(atom.branches))
    return [cores for cores in found if cores]


def texts_of(atom: Atom) -> frozenset[bytes]:
    """All texts this piece can be; empty when they are too many to say."""
    if atom.quantifier not in {"", "?"}:
        return frozenset()
    if atom.kind == "anchor":
        return frozenset({b""})
    if atom.kind == "literal":
        own = frozenset({atom.source})
    elif atom.kind == "class":
        own = frozenset(atom.chars)
    else:
        own = frozenset().union(*map(_sequence, atom.branches))
        if not all(map(_sequence, atom.branches)):
            return frozenset()
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
    return min(_weight(text.lower()) for core in cores for text in core.texts)


def _weight(text: bytes) -> float:
    """How little one expects to see this text in ordinary lines."""
    words = WORDS.findall(text)
    return sum(0.7 if word in COMMON else min(len(word), 8) for word in words) + len(text) * 0.1
