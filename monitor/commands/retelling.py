"""What a replay decided, told for people or for programs; of two, where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from monitor.heal.replay import Move, Replay, Story
from monitor.model import Match
from monitor.redact import as_json, printable, redact
from monitor.texts import reason
from monitor.understand.dated import Dated

_SETS = "AB"
_KEPT = 2000  # incidents kept for telling them in the order of their numbers
_WORDS = {
    "lines": ("{count} líneas", "{count} lines"),
    "trouble": ("{count} con problemas", "{count} of trouble"),
    "uncounted": ("{count} más, iguales", "{count} more alike"),
    "incidents": ("{count} incidentes", "{count} incidents"),
    "nothing": ("ningún problema", "no trouble"),
    "seen": ("{count} veces, la última {at}", "{count} times, last {at}"),
    "timeless": (
        "{file} no dice ninguna hora: todo cuenta como un solo momento",
        "{file} tells no time: all of it counts as one moment",
    ),
    "only": ("solo {set}", "only {set}"),
    "differ": ("distinto", "differs"),
    "line": ("línea", "line"),
    "lines_differ": (
        "líneas: {left} solo A, {right} solo B, {both} juzgadas de otro modo",
        "lines: {left} only A, {right} only B, {both} judged differently",
    ),
    "incidents_differ": (
        "incidentes: {left} solo A, {right} solo B, {both} decididos de otro modo",
        "incidents: {left} only A, {right} only B, {both} decided differently",
    ),
    "resolved": ("resuelto", "resolved"),
    "failed": ("fallido: hace falta una persona", "failed: a person is needed"),
    "alert_only": ("solo aviso", "only told"),
    "detected": ("otra vez", "again"),
    "retrying": ("a prueba", "on trial"),
}  # fmt: skip

Pair = tuple[Story | None, ...]


class Retelling:
    """Feeds the lines to one replay, or to two side by side, and prints what comes of them."""

    def __init__(
        self, replays: Sequence[Replay], labels: Sequence[str], lang: str, *, as_json: bool
    ) -> None:
        self._replays = replays
        self._labels = labels
        self._lang = lang
        self._json = as_json
        self._pairs: list[Pair] = []
        self._sweep_at = _KEPT
        self._trouble = 0
        self._lines: Counter[str] = Counter()
        self._incidents: Counter[str] = Counter()

    def take(self, dated: Dated, child: str) -> None:
        self._trouble += 1
        pair = tuple(
            None if match is None else replay.take(match, child, dated.number)
            for replay, match in zip(self._replays, dated.matches, strict=True)
        )
        if len(pair) > 1 and (how := _difference([_meaning(m) for m in dated.matches])):
            self._lines[how] += 1
            self._print_line(how, dated)
        if any(pair):
            self._pairs.append(pair)
        if len(self._pairs) >= self._sweep_at:
            self._sweep()
            self._sweep_at = len(self._pairs) + _KEPT

    def finish(self) -> None:
        for replay in self._replays:
            replay.finish()
        self._sweep(everything=True)

    def _sweep(self, *, everything: bool = False) -> None:
        """Tell what no later line can change, in the order in which it began."""
        kept = []
        for pair in self._pairs:
            both = list(zip(self._replays, pair, strict=True))
            if everything or all(story is None or replay.is_over(story) for replay, story in both):
                self._tell(pair)
                for replay, story in both:
                    if story is not None:
                        replay.forget(story)
            else:
                kept.append(pair)
        self._pairs = kept

    def _tell(self, pair: Pair) -> None:
        if len(pair) == 1:
            self._print_stories("", zip(("",), pair, strict=True))
        elif how := _difference([story and _decisions(story) for story in pair]):
            self._incidents[how] += 1
            self._print_stories(how, zip(_SETS, pair, strict=True))

    # --- printing ---

    def _print_line(self, how: str, dated: Dated) -> None:
        text = _first_line(next(match for match in dated.matches if match))
        place = {"file": dated.path, "line": dated.number, "at": when(dated.at)}
        if self._json:
            sides = {side: m and _match(m) for side, m in zip(_SETS, dated.matches, strict=True)}
            print(as_json({"kind": "line", "difference": how, **place, **sides, "text": text}))
            return
        sides_said = ", ".join(
            f"{side} {match.category} {match.rule}" if match else f"{side} -"
            for side, match in zip(_SETS, dated.matches, strict=True)
        )
        where = f"{when(dated.at)}  {_plain(dated.path)}:{dated.number}"
        print(f"{self._say('line')} {self._how(how)}  {where}  {_plain(sides_said)}  {text}")

    def _print_stories(self, how: str, sides: Iterable[tuple[str, Story | None]]) -> None:
        if self._json:
            told = {side: story and _object(story) for side, story in sides}
            if how:
                print(as_json({"kind": "incident", "difference": how, **told}))
            else:
                print(as_json({"kind": "incident", **(told[""] or {})}))
            return
        for side, story in sides:
            if story is not None:
                mark = f"{side} ({self._how(how)})  " if how else ""
                print("\n".join(self._rows(mark, story)))

    def _rows(self, mark: str, story: Story) -> Iterable[str]:
        one, line = story.incident, story.opening
        about = f"  [{_plain(line.subject)}]" if line.subject else ""
        yield f"{mark}INC-{one.id}  {line.category}  {_plain(line.rule)}{about}"
        place = f"{_plain(line.line.path)}:{story.number}"
        yield f"  {when(line.line.at)}  {place}  {_first_line(line)}"
        for move in story.moves:
            if move.what != "detected" or move is not story.moves[0]:
                yield f"  {when(move.at)}  {self._said(move)}"
        if one.occurrences > 1:
            yield "  " + self._say("seen", count=one.occurrences, at=when(one.last))

    def _said(self, move: Move) -> str:
        if move.what == "fixing":
            return f"{move.action} {move.attempt}"
        if move.what == "done":
            return _plain(reason(move.why, self._lang))
        why = f": {_plain(reason(move.why, self._lang))}" if move.why else ""
        return self._say(move.what) + why

    def totals(self, lines: int, uncounted: int, timeless: Sequence[str]) -> None:
        """The last row: how much was read and what came of it."""
        if self._json:
            sides = [_totals(replay) for replay in self._replays]
            found: dict[str, object] = {"kind": "totals", "lines": lines, "trouble": self._trouble}
            found |= {"more_alike": uncounted, "without_time": list(timeless)}
            if len(sides) == 1:
                print(as_json(found | sides[0]))
            else:
                differ = {"lines_differ": self._lines, "incidents_differ": self._incidents}
                print(as_json(found | dict(zip(_SETS, sides, strict=True)) | differ))
            return
        for name in timeless:
            print(f"-- {self._say('timeless', file=_plain(name))}")
        said = [self._say("lines", count=lines), self._say("trouble", count=self._trouble)]
        if uncounted:
            said.append(self._say("uncounted", count=uncounted))
        print(f"-- {', '.join(said)}")
        for side, replay in zip(_SETS, self._replays, strict=False):
            label = f"{side} ({_plain(self._labels[_SETS.index(side)])}): " if self._two else ""
            print(f"-- {label}{self._summed(replay)}")
        if self._two:
            for kind, counts in (("lines", self._lines), ("incidents", self._incidents)):
                facts = {"left": counts["only_a"], "right": counts["only_b"]}
                print(f"-- {self._say(f'{kind}_differ', **facts, both=counts['differs'])}")

    @property
    def _two(self) -> bool:
        return len(self._replays) > 1

    def _summed(self, replay: Replay) -> str:
        if not replay.ended:
            return self._say("nothing")
        incidents = self._say("incidents", count=sum(replay.ended.values()))
        ends = ", ".join(
            f"{count} {self._say(state).split(':')[0]}"
            for state, count in sorted(replay.ended.items())
        )
        actions = ", ".join(f"{name} {count}" for name, count in sorted(replay.actions.items()))
        return f"{incidents}: {ends}" + (f"; {actions}" if actions else "")

    def _how(self, how: str) -> str:
        return self._say("differ") if how == "differs" else self._say("only", set=how[-1].upper())

    def _say(self, kind: str, **facts: object) -> str:
        spanish, english = _WORDS[kind]
        return (spanish if self._lang == "es" else english).format_map(facts)


def when(at: float) -> str:
    """As the line told it, in UTC where it named a zone; the same on every machine."""
    return datetime.fromtimestamp(at, UTC).isoformat(" ", "milliseconds")[:-6]


def _difference(sides: Sequence[object]) -> str:
    left, right = sides
    if left == right:
        return ""
    return "only_b" if left is None else "only_a" if right is None else "differs"


def _meaning(match: Match | None) -> object:
    return match and (match.rule, match.category, match.subject)


def _decisions(story: Story) -> object:
    """What was decided, whatever number the incident has."""
    moves = [(move.at, move.what, move.action, move.attempt) for move in story.moves]
    return (_meaning(story.opening), moves)


def _match(match: Match) -> dict[str, object]:
    subject = match.subject and redact(match.subject)
    return {"rule": match.rule, "category": match.category.value, "subject": subject}


def _object(story: Story) -> dict[str, object]:
    one, line = story.incident, story.opening
    return {
        "incident": f"INC-{one.id}",
        **_match(line),
        "severity": line.severity.value,
        "child": one.child,
        "file": line.line.path,
        "line": story.number,
        "opened": when(line.line.at),
        "text": _first_line(line),
        "moves": [
            {"at": when(move.at), "what": move.what, "action": move.action or None,
             "attempt": move.attempt or None, "why": redact(move.why) or None}
            for move in story.moves
        ],
        "end": one.state.value,
        "why": redact(one.why),
        "occurrences": one.occurrences,
        "last": when(one.last),
    }  # fmt: skip


def _totals(replay: Replay) -> dict[str, object]:
    ended, actions = dict(sorted(replay.ended.items())), dict(sorted(replay.actions.items()))
    return {"incidents": sum(ended.values()), "ended": ended, "actions": actions}


def _first_line(match: Match) -> str:
    return _plain(match.line.text.split("\n", 1)[0].replace("\t", " "))[:300]


def _plain(text: str) -> str:
    return printable(redact(text)).replace("\n", " ")
