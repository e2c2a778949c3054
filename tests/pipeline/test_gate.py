"""Told to stop, work comes to its next safe point and stays there."""

from __future__ import annotations

import threading

from pipeline.kit import Gate


def begin(gate: Gate, name: str, *, within: bool = True) -> threading.Event:
    """A thread at work that passes the gate when it is let go on."""
    on, there = threading.Event(), threading.Event()

    def work() -> None:
        if within:
            with gate.at_work(name):
                there.set()
                on.wait()
                gate.pass_through()
        else:
            there.set()
            on.wait()
            gate.pass_through()

    threading.Thread(target=work, daemon=True).start()
    assert there.wait(10)
    return on


def test_work_that_ends_or_parks_is_waited_for_and_no_other() -> None:
    gate = Gate()
    first, second = begin(gate, "a"), begin(gate, "b")
    assert gate.close(0.0) == 2
    first.set()
    second.set()
    assert gate.close(10.0) == 0


def test_who_parks_without_being_at_work_hides_nobody_who_is() -> None:
    gate = Gate()
    begin(gate, "a")
    begin(gate, "", within=False).set()
    assert gate.close(0.2) == 1


def test_the_same_job_is_at_work_once() -> None:
    gate = Gate()
    first = begin(gate, "a")
    entered = threading.Event()

    def again() -> None:
        with gate.at_work("a"):
            entered.set()

    thread = threading.Thread(target=again, daemon=True)
    thread.start()
    assert not entered.is_set()
    assert gate.active == {"a"}
    first.set()
    assert entered.wait(10)
    thread.join(10)
    assert not gate.active
