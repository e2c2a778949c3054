from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.heal.book import Book
from monitor.heal.incidents import host_of
from monitor.heal.ladders import DEFAULTS
from monitor.model import (
    OPEN,
    Category,
    FileId,
    Incident,
    IncidentState,
    Line,
    Match,
    Outcome,
    Pause,
    Result,
    Severity,
)
from monitor.options import Repair, Rung

DONE = Outcome(Result.DONE, "made it", "it is there")
FAILED = Outcome(Result.FAILED, "still not there")


def match(
    category: Category = Category.TIMEOUT,
    subject: str | None = "https://api.example/v1",
    job: str = "",
    at: float = 0.0,
    rule: str = "a rule",
    text: str = "it took too long",
    old: bool = False,
) -> Match:
    line = Line("logs/kid.log", FileId(1, 2), text, 0, 10, at, old)
    captures = (("job", job),) if job else ()
    return Match(line, rule, category, Severity.WARNING, subject, captures)


class Case:
    """A book on a clock that the test turns."""

    def __init__(self, settings: Repair | None = None, **ladders: tuple[Rung, ...]) -> None:
        self.now = 1000.0
        self.moves: list[Incident] = []
        self.book = Book(settings or Repair(), ladders, lambda moved, *_: self.moves.append(moved))

    def say(self, said: Match, child: str = "kid", **more: bool) -> Incident:
        return self.book.take(
            replace(said, line=replace(said.line, at=self.now)), child, self.now, **more
        )

    def tried(self) -> list[str]:
        return [attempt.rung.do for attempt in self.book.due(self.now)]

    def end(self, outcome: Outcome) -> Incident:
        fixing = next(i for i in self.book.known.values() if i.state is IncidentState.FIXING)
        return self.book.outcome(fixing, outcome, self.now)

    def states(self) -> list[str]:
        return [str(move.state) for move in self.moves]


def test_one_trouble_from_its_first_line_to_its_end() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    case.say(match())
    assert case.tried() == ["resume_job"]
    case.end(DONE)
    case.now += 9.9
    assert case.tried() == []
    case.now += 0.1
    assert case.tried() == []
    assert case.states() == ["detected", "fixing", "retrying", "resolved"]


def test_repeats_are_counted_and_not_acted_on_twice() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    for _ in range(100):
        case.say(match())
    assert case.tried() == ["resume_job"]
    for _ in range(100):
        case.say(match())
    assert case.tried() == []
    assert next(iter(case.book.known.values())).occurrences == 200


def test_retries_wait_one_two_and_four_seconds_and_then_climb() -> None:
    case = Case()
    case.say(match())
    waited = []
    for _ in range(3):
        start = case.now
        while not (tried := case.tried()):
            case.now += 0.5
        assert tried == ["resume_job"]
        waited.append(case.now - start)
        case.end(FAILED)
    assert waited == [1.0, 2.0, 4.0]
    assert case.tried() == ["restart_child"]
    last = case.end(FAILED)
    assert last.state is IncidentState.FAILED
    assert last.why == "still not there; nothing is left to try"


def test_what_comes_back_within_the_quiet_time_takes_the_next_rung() -> None:
    case = Case(timeout=(Rung("first"), Rung("second")))
    case.say(match())
    case.tried()
    case.end(DONE)
    case.now += 5
    case.say(match())
    assert case.tried() == ["second"]


def test_what_comes_back_after_it_was_resolved_is_the_same_incident_on_the_next_rung() -> None:
    case = Case(timeout=(Rung("first"), Rung("second")))
    first = case.say(match())
    case.tried()
    case.end(DONE)
    case.now += 60
    case.tried()
    again = case.say(match())
    assert again.id == first.id
    assert again.returned == 1
    assert case.tried() == ["second"]
    case.end(DONE)
    case.now += 20
    case.tried()
    case.now += 601
    assert case.say(match()).id != first.id, "long after it is a new one"


def test_a_refused_attempt_climbs_at_once_and_an_unknown_one_asks_a_person() -> None:
    case = Case(timeout=(Rung("first", attempts=5), Rung("second")))
    case.say(match())
    case.tried()
    case.end(Outcome(Result.REFUSED, "outside the roots"))
    assert case.tried() == ["second"]
    after = case.end(Outcome(Result.UNKNOWN, "the monitor died in the middle"))
    assert after.state is IncidentState.FAILED
    assert "please check" in after.why


def test_without_a_ladder_it_is_only_told() -> None:
    case = Case()
    case.say(match(Category.DEPENDENCY))
    assert case.states() == ["alert_only"]
    assert case.book.next_due() is None


def test_the_disk_that_is_full_explains_the_write_errors_and_a_server_its_time_outs() -> None:
    case = Case()
    disk = case.say(match(Category.DISK_FULL, "/data"))
    broken = case.say(match(Category.DATABASE, None, text="database or disk is full"))
    assert broken.root == disk.id
    assert broken.state is IncidentState.ALERT_ONLY
    server = case.say(match(Category.SERVER_DOWN, "http://10.0.0.7:8081/bot"))
    other = case.say(match(Category.TIMEOUT, "https://api.example/v1"))
    same = case.say(match(Category.TIMEOUT, "http://10.0.0.7:8081/file"))
    assert other.root is None
    assert same.root == server.id
    assert case.say(match(Category.DATABASE), child="another").root is None


def test_the_noise_of_stopping_and_old_lines_bring_no_action() -> None:
    case = Case()
    assert case.say(match(), stopping=True).state is IncidentState.ALERT_ONLY
    assert case.say(match(rule="other", old=True)).state is IncidentState.ALERT_ONLY
    assert case.tried() == []


def test_ten_thousand_forged_lines_bring_at_most_three_restarts() -> None:
    # C 3
    case = Case(Repair(storm=10**9), hang=(Rung("restart_child"),))
    restarts = 0
    for number in range(10_000):
        case.say(match(Category.HANG, f"thing {number}"))
        case.now += 0.1
        restarts += len(case.tried())
    assert restarts == 3


def test_when_too_much_breaks_at_once_no_hand_is_moved() -> None:
    case = Case()
    acted = 0
    for number in range(200):
        case.say(match(subject=f"host{number}"))
        acted += len(case.tried())
    assert acted == 0 or acted <= Repair().storm
    assert sum(i.state in OPEN for i in case.book.known.values()) == Repair().storm


def test_paused_it_sees_and_counts_but_does_nothing_until_resumed() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    case.book.paused = Pause("ana", 0.0)
    case.say(match())
    assert case.tried() == []
    assert case.book.next_due() is None
    case.book.paused = None
    assert case.tried() == ["resume_job"]


@pytest.mark.parametrize(
    ("subject", "host"),
    [
        ("https://api.example/v1", "api.example"),
        ("redis://user:pw@10.0.0.7:6379/0", "10.0.0.7"),
        ("db.internal:5432", "db.internal"),
        ("db.internal", "db.internal"),
        (None, ""),
    ],
)
def test_the_host_of_a_subject(subject: str | None, host: str) -> None:
    assert host_of(match(subject=subject)) == host


def test_every_default_ladder_names_a_strategy_that_exists() -> None:
    from monitor.heal.strategies import NAMES

    assert {rung.do for ladder in DEFAULTS.values() for rung in ladder} <= NAMES


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.sampled_from(["a", "b", "c"])),
            st.tuples(st.just("wait"), st.floats(0.1, 700)),
            st.tuples(st.just("end"), st.sampled_from(list(Result))),
        ),
        max_size=60,
    )
)
def test_whatever_comes_each_incident_is_in_one_state_and_budgets_hold(
    story: list[tuple[str, object]],
) -> None:
    case = Case(timeout=(Rung("resume_job", 3, 1.0), Rung("restart_child")))
    restarts: list[float] = []
    for what, value in story:
        if what == "say":
            case.say(match(subject=str(value)))
        elif what == "wait":
            case.now += float(value)  # type: ignore[arg-type]
        else:
            fixing = [i for i in case.book.known.values() if i.state is IncidentState.FIXING]
            for incident in fixing:
                case.book.outcome(incident, Outcome(Result(value), "so it was"), case.now)
        restarts += [case.now for name in case.tried() if name == "restart_child"]
        for at in restarts:
            assert sum(at - 3600 < other <= at for other in restarts) <= 3
        ids = [incident.id for incident in case.book.known.values()]
        assert len(ids) == len(set(ids))
        for incident in case.book.known.values():
            assert (incident.next_at is not None) == (
                incident.state in (IncidentState.DETECTED, IncidentState.RETRYING)
            )


def test_repeats_of_what_has_failed_are_counted_without_a_word() -> None:
    case = Case(timeout=(Rung("first"),))
    case.say(match())
    case.tried()
    case.end(FAILED)
    told = len(case.moves)
    for _ in range(1000):
        last = case.say(match())
    assert len(case.moves) == told
    assert (last.state, last.occurrences) == (IncidentState.FAILED, 1001)


def test_one_executor_per_target_though_two_incidents_are_due_at_once() -> None:
    # C 28
    case = Case(timeout=(Rung("resume_job"),))
    one = case.say(match(job="J1"))
    two = case.say(match(job="J2"))
    assert case.tried() == ["resume_job"]
    assert case.tried() == []
    assert case.book.next_due() is None, "nobody spins while the other waits for its turn"
    case.end(DONE)
    assert [each.incident.id for each in case.book.due(case.now)] == [two.id]
    assert case.book.known[one.key].state is IncidentState.RETRYING


def test_two_hundred_lines_in_eight_files_are_one_action() -> None:
    # C 28
    case = Case(timeout=(Rung("resume_job"),))
    for number in range(200):
        said = match()
        case.say(replace(said, line=replace(said.line, path=f"logs/{number % 8}.log")))
    assert case.tried() == ["resume_job"]
    assert len(case.book.known) == 1


def test_what_follows_from_a_root_has_its_own_ladder_when_it_outlives_it() -> None:
    case = Case(disk_full=(Rung("free_disk"),), database=(Rung("resume_job"),))
    disk = case.say(match(Category.DISK_FULL, "/data"))
    follows = case.say(match(Category.DATABASE, None, text="database or disk is full"))
    assert follows.root == disk.id
    assert case.tried() == ["free_disk"]
    case.end(DONE)
    assert case.say(match(Category.DATABASE, None)).state is IncidentState.ALERT_ONLY
    case.now += 10
    case.tried()
    assert case.book.known[disk.key].state is IncidentState.RESOLVED
    again = case.say(match(Category.DATABASE, None))
    assert (again.id, again.state, again.root) == (follows.id, IncidentState.DETECTED, None)
    assert case.tried() == ["resume_job"]


def test_the_noise_of_stopping_that_goes_on_afterwards_is_trouble_after_all() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    noise = case.say(match(), stopping=True)
    assert case.say(match(), stopping=True).state is IncidentState.ALERT_ONLY
    later = case.say(match())
    assert (later.id, later.state) == (noise.id, IncidentState.DETECTED)
    assert case.tried() == ["resume_job"]


def test_after_a_storm_what_goes_on_is_taken_up_again_no_faster_than_a_storm() -> None:
    case = Case(Repair(storm=5, actions=1000))
    hosts = [f"host{number}" for number in range(50)]
    for host in hosts:
        case.say(match(subject=host))
    assert len(case.book.open_ones()) == 5
    for _ in range(1000):  # repeats alone keep no storm alive
        case.now += 0.05
        case.say(match(subject=hosts[-1]))
    case.now += 60
    for host in hosts:
        case.say(match(subject=host))
    assert len(case.book.open_ones()) == 10


def test_a_root_that_was_open_when_the_monitor_died_mutes_what_follows_all_the_same() -> None:
    case = Case()
    disk = case.say(match(Category.DISK_FULL, "/data"))
    after = Case()
    after.book.restore(case.book.known.values(), (), after.now)
    assert after.say(match(Category.CRASH, None)).root == disk.id


@pytest.mark.parametrize(
    "case",
    [
        Case(Repair(dry_run=True), timeout=(Rung("resume_job"),)),
        Case(Repair(dry_run_for=("timeout",)), timeout=(Rung("resume_job"),)),
        Case(Repair(dry_run_for=("a rule",)), timeout=(Rung("resume_job"),)),
        Case(timeout=(Rung("resume_job", dry_run=True),)),
    ],
)
def test_a_dry_run_is_looked_at_costs_no_budget_and_ends_as_told_only(case: Case) -> None:
    case.say(match())
    [attempt] = case.book.due(case.now)
    assert attempt.dry
    assert not case.book.ledger.spent
    after = case.end(Outcome(Result.DRY_RUN, "dry run: resume_job was not done"))
    assert (after.state, after.why) == (
        IncidentState.ALERT_ONLY,
        "dry run: resume_job was not done",
    )
    case.say(match())
    assert case.tried() == [], "it is said once, not for every line"


def test_a_rule_that_says_dry_run_is_only_thought_through() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    case.book.dry_rules = frozenset({"a rule"})
    case.say(match())
    case.say(match(rule="another rule", subject="elsewhere"))
    assert sorted(attempt.dry for attempt in case.book.due(case.now)) == [False, True]


def test_a_reboot_does_not_leave_a_repaired_incident_waiting_for_an_hour() -> None:
    case = Case(timeout=(Rung("resume_job"),))
    case.now = 1e6
    case.say(match())
    case.tried()
    case.end(DONE)
    after = Case()
    after.now = 5.0
    after.book.restore(case.book.known.values(), (), after.now)
    assert after.book.next_due() == 15.0


@pytest.mark.parametrize("wait", [1.0, 60.0])
def test_a_repair_that_holds_is_not_undone_by_the_noise_of_stopping(wait: float) -> None:
    case = Case(timeout=(Rung("first"), Rung("second")))
    one = case.say(match())
    case.tried()
    case.end(DONE)
    case.now += wait
    case.tried()
    state = case.book.known[one.key].state
    noise = case.say(match(), stopping=True)
    assert (noise.state, noise.occurrences) == (state, 2)
    assert case.tried() == []


@pytest.mark.parametrize("wait", [1.0, 60.0])
def test_a_root_mutes_what_was_repaired_before_and_comes_back_because_of_it(wait: float) -> None:
    case = Case(
        Repair(again=1e6), disk_full=(Rung("free_disk"),), database=(Rung("first"), Rung("second"))
    )
    one = case.say(match(Category.DATABASE, None))
    case.tried()
    case.end(DONE)
    case.now += wait
    case.tried()
    disk = case.say(match(Category.DISK_FULL, "/data"))
    back = case.say(match(Category.DATABASE, None))
    assert (back.id, back.state, back.root) == (one.id, IncidentState.ALERT_ONLY, disk.id)
    assert case.tried() == ["free_disk"]
    case.end(DONE)
    case.now += 10
    case.tried()
    case.say(match(Category.DATABASE, None))
    assert case.tried() == ["first"]


def test_a_server_may_be_asked_more_often_than_a_target_may_be_worked_on_but_not_without_end() -> (
    None
):
    case = Case(timeout=(Rung("probe_server", attempts=100),))
    case.say(match())
    for _ in range(60):
        assert case.tried() == ["probe_server"]
        case.end(FAILED)
    assert case.tried() == []
    (incident,) = case.book.known.values()
    assert incident.state is IncidentState.FAILED
    assert incident.why == "the budget of 60 an hour is spent: actions"
