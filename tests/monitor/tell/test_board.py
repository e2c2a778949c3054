"""What is heard and said survives; what nobody reads any more goes; a day fits into a few lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from monitor.model import IncidentState, Result, Severity
from monitor.options import Alerts
from monitor.state import State
from monitor.tell import occasions
from monitor.tell.alerts import is_over
from monitor.tell.board import Board
from monitor.tell.ledger import Ledger
from monitor.tell.markup import plain
from monitor.tell.occasions import Tally
from monitor.tell.phrases import PHRASES
from monitor.tell.rounds import Rounds
from monitor.tell.wording import Reader
from monitor.tell.words import Letter, Stage, Verb
from tests.monitor.tell.stage import LANE, START, Play
from tests.monitor.test_texts import fields


def opened(folder: Path) -> State:
    def fail(why: str) -> None:
        raise AssertionError(why)

    return State.open(str(folder / "state.db"), at=0.0, warn=fail)


def test_the_board_comes_back_as_it_was(tmp_path: Path) -> None:
    play = Play(up=False)
    play.open(1, text="caf\udce9 'x' \u0000", key="k\x1fx")
    play.tried(1, "resume_job", Result.FAILED, "no")
    play.tell("child_given_up", Severity.CRITICAL, why="broken")
    play.mute("bot2", 60)
    play.wait(60)
    play.up = True
    play.wait(30)
    play.up = False
    play.move(1, IncidentState.FAILED)
    play.wait(60)
    with opened(tmp_path) as state:
        Ledger(state).commit(play.board)
        assert play.board.changed == set()
    with opened(tmp_path) as state:
        board = Ledger(state).load()
    before = play.board
    assert board.kept == before.kept
    assert board.letters == before.letters
    assert board.posts == {n: replace(p, edited=0.0) for n, p in before.posts.items()}
    assert list(board.threads.values()) == [replace(t, since=0.0) for t in before.threads.values()]
    assert board.number() > max([*before.posts, *before.letters])


@pytest.mark.parametrize(
    ("verb", "then"),
    [(Verb.SEND, Stage.UNKNOWN), (Verb.EDIT, Stage.WAITING), (Verb.REPLY, None)],
)
def test_what_was_being_sent_when_we_died_is_in_doubt(
    tmp_path: Path, verb: Verb, then: Stage | None
) -> None:
    board = Board()
    board.put(Letter(3, 1, LANE, verb, 0.0, Stage.SENDING, tries=1))
    with opened(tmp_path) as state:
        Ledger(state).commit(board)
        loaded = Ledger(state).load()
    assert [one.stage for one in loaded.letters.values()] == ([then] if then else [])


# Moves one incident on and on, each move and what is to be said of it in one transaction.
MOVES = """
import sys, time
from monitor.state import State
from monitor.tell.ledger import Ledger
from tests.monitor.tell.stage import Play
state = State.open(sys.argv[1], at=0.0, warn=sys.exit)
ledger, play, n = Ledger(state), Play(up=False), 0
while True:
    n += 1
    play.open(n)
    with state.transaction() as db:
        db.execute("REPLACE INTO kept VALUES ('n', ?)", (str(n),))
        ledger.save(play.board)
    play.board.changed.clear()
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 5, 40])
def test_a_move_and_its_news_are_both_there_or_both_not_after_a_kill(
    tmp_path: Path, after: int
) -> None:
    path = str(tmp_path / "state.db")
    command = [sys.executable, "-c", MOVES, path]
    root = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(after):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    with opened(tmp_path) as state:
        board = Ledger(state).load()
        with state.transaction() as db:
            (moved,) = db.execute("SELECT value FROM kept WHERE name = 'n'").fetchone()
    assert int(moved) >= after
    assert set(board.threads) == {f"INC-{n}" for n in range(1, int(moved) + 1)}


def test_however_much_breaks_a_bounded_number_is_remembered() -> None:
    play = Play()
    for number in range(1, 2600):
        severity = Severity.CRITICAL if number <= 50 else Severity.WARNING
        play.open(number, severity=severity, state=IncidentState.ALERT_ONLY)
    play.board.forget(play.wall)
    assert len(play.board.threads) == 2000
    kept = {int(name.removeprefix("INC-")) for name in play.board.threads}
    assert set(range(1, 51)) <= kept, "the critical ones stay"
    assert 2599 in kept, "and the newest"


def test_what_is_over_for_a_day_is_forgotten_with_all_that_was_said_of_it() -> None:
    play = Play()
    play.open(1)
    play.wait(60)
    play.move(1, IncidentState.RESOLVED)
    play.wait(25 * 3600, step=600)
    assert (play.board.threads, play.board.posts, play.board.letters) == ({}, {}, {})


# --- the digest --------------------------------------------------------------------------------


def reader(wall: float = START, lang: str = "en") -> Reader:
    return Reader(lang, "UTC", wall, "host")


def test_a_day_without_trouble_has_its_digest_too() -> None:
    rows = occasions.digest(Tally(START - 86400, sent=2), [], [], [], 3 * 86400, reader())
    text = plain(rows)
    assert "No alert for 24 h 00 min. Vigía is up (3 d 00 h)." in text
    assert "2 sent, 0 undelivered" in text


def test_a_digest_counts_lists_and_begins_anew() -> None:
    play = Play()
    shapes = {"cannot <*> the <*>": 4, "old <*>": 9}
    rounds = Rounds(play.board, reader, lambda: list(shapes.items()))
    daily = replace(Alerts(), digest="11:00", zone="UTC")
    play.board.keep("digest_day", "2026-11-17")
    play.open(1, severity=Severity.INFO)
    play.wait(60)
    for what in ("incidents", "incidents", "resolved", "lost"):
        rounds.count(what)
    texts = []
    for day in range(2):
        now = replace(play.now, wall=START + day * 86400)
        rounds.digest(daily, [LANE], now)
        rounds.digest(daily, [LANE], now)
        [post] = [one for one in play.board.posts.values() if one.kind == "digest"]
        texts.append(post.rows)
        play.board.letters.clear()
        play.board.drop("post", post.id)
        shapes["cannot <*> the <*>"] += 3
    assert "2 incidents, 1 resolved" in texts[0]
    assert "1 undelivered" in texts[0]
    assert "INC-1" in texts[0]
    assert "\\u00d74 cannot <*> the <*>" in texts[0]
    assert "INC-1" not in texts[1]
    assert "\\u00d73 cannot" in texts[1]
    assert "old" not in texts[1]


@pytest.mark.parametrize("name", PHRASES)
def test_both_languages_say_the_same_facts(name: str) -> None:
    spanish, english = PHRASES[name]
    assert fields(spanish) == fields(english)
    assert spanish.strip() == spanish != ""
    assert english.strip() == english != ""


@pytest.mark.parametrize("lang", ["es", "en"])
def test_every_state_and_reason_has_its_words(lang: str) -> None:
    for state in IncidentState:
        play = Play(lang=lang)
        play.open(1, state=state)
        [message] = play.wait(60)
        assert "INC-1" in message.first
        assert ("RESUELTO" if lang == "es" else "RESOLVED") in message.first or state != "resolved"


# --- any story at all --------------------------------------------------------------------------


class AnyNight(RuleBasedStateMachine):
    """Whatever happens in whatever order: no recovery is lost, and nobody is flooded."""

    @initialize()
    def begin(self) -> None:
        self.play = Play()
        self.began = self.play.wall
        self.next = 1

    @rule(severity=st.sampled_from(list(Severity)))
    def opens(self, severity: Severity) -> None:
        self.play.open(self.next, severity=severity)
        self.next += 1

    @rule(pick=st.integers(0, 50), state=st.sampled_from(list(IncidentState)))
    def moves(self, pick: int, state: IncidentState) -> None:
        if self.play.incidents:
            self.play.move(pick % len(self.play.incidents) + 1, state)

    @rule(kind=st.sampled_from(["child_ended", "breaker_opened", "child_given_up"]))
    def child(self, kind: str) -> None:
        severity = Severity.WARNING if kind == "child_ended" else Severity.CRITICAL
        self.play.tell(kind, severity, why="w", ran="r", delay="d")

    @rule(seconds=st.sampled_from([1.0, 20.0, 40.0, 600.0]), up=st.booleans())
    def waits(self, seconds: float, up: bool) -> None:
        self.play.up = up
        self.play.wait(seconds, step=max(5.0, seconds / 20))

    @rule(what=st.sampled_from(["", "bot", "INC-1"]))
    def mutes(self, what: str) -> None:
        self.play.mute(what, 120.0)

    @invariant()
    def one_first_message_per_trouble(self) -> None:
        if not hasattr(self, "play"):
            return
        firsts = [one.post for one in self.play.said if one.verb == "send"]
        assert len(firsts) == len(set(firsts))

    def teardown(self) -> None:
        play = self.play
        play.up = True
        play.board.keep("mutes", {})
        play.wait(6 * 3600, step=60)
        for thread in play.board.threads.values():
            post = play.board.posts.get(thread.post)
            if post is None or not thread.news.is_incident:
                continue
            last = [one for one in play.said if one.post == post.id and one.verb != "reply"][-1]
            well = thread.news.state == "resolved"
            lines = [t for t in last.text.splitlines() if t.endswith(f"· {thread.news.subject}")]
            for line in lines:
                assert ("🟢" in line) == well, last.text
            if well:
                assert thread.was_over, "its recovery was said"
            assert is_over(thread.news, play.wall) or thread.told_at > 0


TestAnyNight = AnyNight.TestCase
TestAnyNight.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
