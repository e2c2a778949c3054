from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Cause, Exit
from monitor.options import Restart
from monitor.supervise.budget import (
    Again,
    Done,
    GiveUp,
    Past,
    Rest,
    after_exit,
    after_stable,
    backoff,
)
from monitor.supervise.child import read_code

FIVE_IN_TEN_MINUTES = Restart()
FAILURES = (
    Cause.ERROR,
    Cause.SIGNAL,
    Cause.OUT_OF_MEMORY,
    Cause.HANG,
    Cause.MEMORY_LIMIT,
    Cause.REPAIR,
)


def ended(cause: Cause = Cause.ERROR, ran: float = 0.1) -> Exit:
    return Exit(cause, 1, ran, f"ended by {cause}")


def after(
    cause: Cause,
    past: Past | None = None,
    now: float = 0.0,
    limits: Restart = FIVE_IN_TEN_MINUTES,
    ran: float = 0.1,
) -> Again | Rest | GiveUp | Done:
    return after_exit(ended(cause, ran), past or Past(), now, limits, spread=0.0)


# systemd.service(5), "Exit causes and the effect of the Restart= settings", for the three values
# that have a counterpart here: no = never. Python's code of an end by a signal is negative.
# code: (Restart=no, Restart=on-failure, Restart=always)
SYSTEMD = {
    "exit 0": (0, (False, False, True)),
    "exit 1": (1, (False, True, True)),
    "exit 255": (255, (False, True, True)),
    "HUP": (-1, (False, False, True)),
    "INT": (-2, (False, False, True)),
    "TERM": (-15, (False, False, True)),
    "PIPE": (-13, (False, False, True)),
    "KILL": (-9, (False, True, True)),
    "SEGV": (-11, (False, True, True)),
    "ABRT": (-6, (False, True, True)),
    "a real-time signal": (-40, (False, True, True)),
}


@pytest.mark.parametrize("end", SYSTEMD)
def test_policies_restart_where_systemd_does(end: str) -> None:
    code, expected = SYSTEMD[end]
    exit = read_code(code, ran=1.0, oom=False)
    for policy, restarts in zip(("never", "on-failure", "always"), expected, strict=True):
        answer = after_exit(exit, Past(), 0.0, Restart(policy=policy), spread=0.0)  # type: ignore[arg-type]
        assert isinstance(answer, Again if restarts else Done), (end, policy)


@pytest.mark.parametrize("policy", ["always", "on-failure"])
def test_75_is_started_later_under_every_policy_that_restarts_at_all(policy: str) -> None:
    # B 20: RestartPreventExitStatus=78 and RestartForceExitStatus=75, in systemd's words
    answer = after(Cause.LATER, limits=Restart(policy=policy))  # type: ignore[arg-type]
    assert isinstance(answer, Again)
    assert answer.delay == 5.0


@pytest.mark.parametrize("policy", ["always", "on-failure", "never"])
@pytest.mark.parametrize("cause", [Cause.CONFIG, Cause.NOT_STARTED])
def test_what_a_restart_cannot_mend_is_given_up_under_every_policy(
    policy: str, cause: Cause
) -> None:
    # B 16, B 20
    assert isinstance(after(cause, limits=Restart(policy=policy)), GiveUp)  # type: ignore[arg-type]


def test_78_says_that_it_is_the_configuration() -> None:
    answer = after_exit(read_code(78, 1.0, oom=False), Past(), 0.0, Restart(), 0.0)
    assert isinstance(answer, GiveUp)
    assert "configuration" in answer.why
    assert "78" in answer.why


def test_a_kill_for_memory_is_told_apart_from_any_other_kill() -> None:
    # B 23
    assert read_code(-9, 1.0, oom=True).cause is Cause.OUT_OF_MEMORY
    assert read_code(-9, 1.0, oom=False).cause is Cause.SIGNAL
    assert read_code(-11, 1.0, oom=True).cause is Cause.SIGNAL


@pytest.mark.parametrize("cause", FAILURES)
def test_crashes_and_repairs_share_one_ledger(cause: Cause) -> None:
    past = Past(ends=(1.0, 2.0, 3.0, 4.0), streak=4)
    assert isinstance(after(cause, past, now=5.0), Rest)


def test_the_wait_doubles_up_to_its_limit() -> None:
    # B 18
    limits = Restart(limit=99)
    waits = [backoff(streak, limits, 0.0) for streak in range(9)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert backoff(10**6, limits, 0.0) == 60


@settings(deadline=None)
@given(streak=st.integers(0, 100), spread=st.floats(0, 1))
def test_the_spread_takes_at_most_a_fifth_and_adds_nothing(streak: int, spread: float) -> None:
    full = backoff(streak, FIVE_IN_TEN_MINUTES, 0.0)
    assert 0.8 * full - 1e-9 <= backoff(streak, FIVE_IN_TEN_MINUTES, spread) <= full


def life(
    runs: list[tuple[Cause, float]], limits: Restart = FIVE_IN_TEN_MINUTES, start: float = 0.0
) -> list[tuple[float, Again | Rest | GiveUp | Done]]:
    """Live through the runs one after the other: when each ended, and what was said then."""
    now, past, story = start, Past(), []
    for cause, ran in runs:
        now += ran
        answer = after_exit(ended(cause, ran), past, now, limits, spread=0.0)
        past = answer.past
        story.append((now, answer))
        if not isinstance(answer, Again | Rest):
            break
        now += answer.delay
    return story


def kinds(story: list[tuple[float, Again | Rest | GiveUp | Done]]) -> list[str]:
    return [type(answer).__name__ for _, answer in story]


def test_a_child_that_dies_at_once_is_left_down_at_its_fifth_end() -> None:
    # B 18
    story = life([(Cause.ERROR, 0.1)] * 5)
    assert kinds(story) == ["Again"] * 4 + ["Rest"]
    assert [answer.delay for _, answer in story] == [1, 2, 4, 8, 300]  # type: ignore[union-attr]
    assert "ended 5 times in 10 minutes; last: ended by error" in story[-1][1].why


@pytest.mark.parametrize("ran", [2.2, 31.0, 40.0, 100.0])
def test_a_child_that_dies_slowly_reaches_the_breaker_too(ran: float) -> None:
    # B 19: where supervisord (1 s) and pm2 (30 s) forget and restart without end
    assert "Rest" in kinds(life([(Cause.ERROR, ran)] * 6))


def test_a_child_that_dies_more_rarely_than_the_period_still_waits_its_longest() -> None:
    story = life([(Cause.ERROR, 200.0)] * 20)
    assert kinds(story) == ["Again"] * 20
    assert story[-1][1].delay == 60.0  # type: ignore[union-attr]


def test_a_stable_run_forgives_what_was_before_it_and_starts_again_at_once() -> None:
    story = life([*[(Cause.ERROR, 0.1)] * 4, (Cause.ERROR, 600.0), *[(Cause.ERROR, 0.1)] * 4])
    assert kinds(story) == ["Again"] * 8 + ["Rest"]
    assert story[4][1].delay == 0.0  # type: ignore[union-attr]
    assert story[4][1].past == Past(ends=(story[4][0],), streak=1)


def test_a_run_just_short_of_stable_forgives_nothing() -> None:
    past = Past(ends=(1.0,), streak=3, opened=2)
    assert after_stable(past, 599.9, FIVE_IN_TEN_MINUTES) == past
    assert after_stable(past, 600.0, FIVE_IN_TEN_MINUTES) == Past()


def test_probes_come_further_and_further_apart_up_to_an_hour() -> None:
    story = life([(Cause.ERROR, 0.1)] * 14)
    rests = [answer.delay for _, answer in story if isinstance(answer, Rest)]
    assert rests == [300, 600, 1200, 2400, 3600, 3600, 3600, 3600, 3600, 3600]
    assert "the probe run failed as well" in story[-1][1].why


def test_a_first_probe_wait_beyond_an_hour_is_kept_as_it_was_asked_for() -> None:
    story = life([(Cause.ERROR, 0.1)] * 7, Restart(probe_delay=7200.0))
    assert [a.delay for _, a in story if isinstance(a, Rest)] == [7200.0] * 3


def test_who_wants_systemd_to_decide_gets_the_child_given_up() -> None:
    assert kinds(life([(Cause.ERROR, 0.1)] * 9, Restart(give_up="exit")))[4:] == ["GiveUp"]


def test_a_world_that_fails_never_opens_the_breaker_nor_shortens_the_wait() -> None:
    story = life([(Cause.LATER, 0.1)] * 50)
    assert kinds(story) == ["Again"] * 50
    waits = [answer.delay for _, answer in story]  # type: ignore[union-attr]
    assert waits[:5] == [5, 5, 5, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == 60
    assert story[-1][1].past.ends == ()


def test_a_world_that_fails_does_not_close_an_open_breaker() -> None:
    runs = [(Cause.ERROR, 0.1)] * 5 + [(Cause.LATER, 0.1), (Cause.ERROR, 0.1)]
    assert kinds(life(runs))[4:] == ["Rest", "Again", "Rest"]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from((*FAILURES, Cause.CLEAN)), st.floats(0, 599)),
        min_size=1,
        max_size=60,
    ),
    st.integers(1, 8),
    st.floats(0, 1),
)
def test_no_sequence_of_ends_gets_more_starts_than_the_limit_before_the_breaker(
    runs: list[tuple[Cause, float]], limit: int, spread: float
) -> None:
    # B 18, B 19
    limits = Restart(limit=limit)
    now, past, starts = 0.0, Past(), [0.0]
    for cause, ran in runs:
        now += ran
        answer = after_exit(ended(cause, ran), past, now, limits, spread)
        past = answer.past
        assert isinstance(answer, Again | Rest)
        if isinstance(answer, Rest):
            break
        ended_lately = [end for end in past.ends if end > now - limits.period]
        assert len(ended_lately) < limit, "one more end than allowed, and it was started again"
        now += answer.delay
        starts.append(now)
    for place, start in enumerate(starts):
        within = [s for s in starts[place:] if s - start < limits.period]
        assert len(within) <= limit


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(FAILURES), st.floats(0, 700)), max_size=40),
    st.floats(-1e6, 1e6),
)
def test_decisions_do_not_depend_on_what_the_clock_shows(
    runs: list[tuple[Cause, float]], start: float
) -> None:
    # B 45: only differences count, and they come from the monotonic clock
    runs = [(cause, round(ran)) for cause, ran in runs]
    here, there = life(runs), life(runs, start=round(start))
    assert kinds(here) == kinds(there)
    assert [a.why for _, a in here] == [a.why for _, a in there]


def test_the_ledger_keeps_no_more_than_one_period() -> None:
    limits = Restart(limit=1000, delay=0.0, max_delay=0.0)
    story = life([(Cause.ERROR, 1.0)] * 5000, limits)
    assert max(len(answer.past.ends) for _, answer in story) <= 600
