"""Which few texts to look for, so that no pattern can match where none of them stands.

Every way to match needs one of the texts chosen for it. Texts are shared: a short one that many
patterns hold is looked for once. What is weighed is the price of one more text against that of
the ordinary lines in which it would be met.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from monitor.understand.core import Fork, Stretch, Way
from monitor.understand.pattern import needed
from monitor.understand.wording import rate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.understand.pattern import Pattern
    from monitor.understand.rule import Text

    Need = frozenset[Text]  # one of these must be looked for

SHORTEST, LONGEST = 5, 8  # the engine reads the last eight bytes of a text at once
# What one more text costs the search, by its length; short ones slow it for all others.
PRICE = {3: 100.0, 4: 30.0, 5: 12.0, 6: 4.0, 7: 1.6}
PER_HIT = 2.0  # what being met once a megabyte costs, in texts
STRICT = 0.4  # how much rarer a text is whose case matters
KNOWN = 0.05  # the price of a text that is looked for anyway
ROUNDS = 2


def anchors(patterns: Iterable[Pattern]) -> tuple[Text, ...]:
    """The texts to look for; the same patterns always give the same ones."""
    asked = [(way, each.case) for each in patterns for way in needed(each)]
    chosen: set[Text] = set()
    best: set[Text] = set()
    for _ in range(ROUNDS):
        chosen = _chosen(_Needs(chosen).of(asked))
        if not best or _total(chosen) < _total(best):
            best = chosen
    return tuple(sorted(best))


def _total(texts: set[Text]) -> float:
    return sum(map(price, texts))


_prices: dict[Text, float] = {}


def price(text: Text) -> float:
    """What looking for this text costs."""
    if (known := _prices.get(text)) is None:
        often = rate(text[0].lower()) * (STRICT if text[1] else 1.0)
        known = _prices[text] = PRICE.get(len(text[0]), 1.0) + PER_HIT * often
    return known


class _Needs:
    """What must be looked for, given the texts that are looked for anyway."""

    def __init__(self, anyway: set[Text]) -> None:
        self._anyway = anyway
        self._least: dict[Text, tuple[Text, float]] = {}

    def of(self, asked: Iterable[tuple[Way, bool]]) -> list[Need]:
        found = {need for way, case in asked for need in self._way(way, case)}
        return sorted(found, key=sorted)

    def _way(self, way: Way, case: bool) -> Iterator[Need]:
        """The needs of the cheapest part; parts of one text each serve each other's."""
        best = min(way, key=lambda part: self._cost(part, case))
        if isinstance(best, Fork):
            for inner in best.ways:
                yield from self._way(inner, case)
        elif len(best.texts) > 1:
            for text in best.texts:
                yield frozenset(_shares(text, case))
        else:
            alone = (
                part.texts[0] for part in way if isinstance(part, Stretch) and len(part.texts) == 1
            )
            yield frozenset(share for text in alone for share in _shares(text, case))

    def _cost(self, part: Stretch | Fork, case: bool) -> float:
        if isinstance(part, Fork):
            return sum(min(self._cost(each, case) for each in way) for way in part.ways)
        return sum(dict(self._cheapest(text, case) for text in part.texts).values())

    def _cheapest(self, text: bytes, case: bool) -> tuple[Text, float]:
        if (known := self._least.get((text, case))) is None:
            cost, share = min((self._price(each), each) for each in _shares(text, case))
            known = self._least[text, case] = (share, cost)
        return known

    def _price(self, text: Text) -> float:
        return KNOWN if text in self._anyway else price(text)


def _shares(text: bytes, case: bool) -> Iterator[Text]:
    """What could be looked for in place of this text."""
    folded = text.lower()
    shortest = min(len(text), SHORTEST)
    for start in range(len(text) - shortest + 1):
        for end in range(start + shortest, min(len(text), start + LONGEST) + 1):
            yield folded[start:end], False
            if case and text[start:end] != folded[start:end]:
                yield text[start:end], True


def _chosen(needs: list[Need]) -> set[Text]:
    """Texts that meet all needs, the best bargains first; what turns out superfluous goes."""
    serves: dict[Text, set[int]] = defaultdict(set)
    for number, need in enumerate(needs):
        for text in need:
            serves[text].add(number)
    offers = [(price(text) / len(served), text) for text, served in serves.items()]
    heapq.heapify(offers)
    left = set(range(len(needs)))
    chosen: list[Text] = []
    while left:
        offered, text = heapq.heappop(offers)
        if not (now := serves[text] & left):
            continue
        if (bargain := price(text) / len(now)) > offered:
            heapq.heappush(offers, (bargain, text))
            continue
        chosen.append(text)
        left -= now
    return _without_superfluous(chosen, serves)


def _without_superfluous(chosen: list[Text], serves: dict[Text, set[int]]) -> set[Text]:
    times = Counter(number for text in chosen for number in serves[text])
    kept = set(chosen)
    for text in sorted(chosen, key=lambda each: (-price(each), each)):
        if all(times[number] > 1 for number in serves[text]):
            times.subtract(serves[text])
            kept.remove(text)
    return kept
