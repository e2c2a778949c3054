"""What is said, when, and how loudly: a story for each thing that people complain about elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.model import Category, IncidentState, Result, Severity
from monitor.options import Alerts
from monitor.tell.alerts import decide
from tests.monitor.tell.stage import START, Play

HOUR = 3600.0
RESOLVED, FAILED, FIXING = IncidentState.RESOLVED, IncidentState.FAILED, IncidentState.FIXING


# --- one message per trouble -------------------------------------------------------------------


def test_a_trouble_is_told_once_edited_as_it_moves_and_resolved_by_a_silent_reply() -> None:
    play = Play()
    play.open(17)
    assert play.wait(25) == [], "it may be over before anybody need know"
    [message] = play.wait(10)
    assert (message.verb, message.loud) == ("send", True)
    assert "INC-17" in message.first
    play.move(17, FIXING)
    play.tried(17, "resume_job", Result.DONE, "job 4 done")
    edits = play.wait(40)
    assert {one.verb for one in edits} == {"edit"}
    assert "resume_job: done; job 4 done" in edits[-1].text
    play.wait(500)
    play.move(17, RESOLVED)
    last = play.wait(60)
    assert [one.verb for one in last] == ["edit", "reply"]
    assert last[0].first.startswith("🟢 RESOLVED · bot: the database fails")
    assert not last[1].loud
    assert {one.post for one in play.said} == {message.post}
    assert play.wait(5 * HOUR) == []


def test_edits_are_at_most_one_in_15_s_and_say_the_newest() -> None:
    play = Play()
    play.open(1)
    play.wait(30)
    for number in range(60):
        play.tried(1, "probe_server", Result.FAILED, f"try {number}")
        play.wait(1, step=1)
    edits = [one for one in play.said if one.verb == "edit"]
    assert len(edits) <= 4
    play.wait(20)
    assert "try 59" in play.said[-1].text


def test_a_repeated_line_alone_changes_no_message() -> None:
    play = Play()
    play.open(1, state=IncidentState.ALERT_ONLY)
    play.wait(60)
    for _ in range(100):
        play.move(1, IncidentState.ALERT_ONLY, occurrences=play.incidents[1].occurrences + 1)
        play.wait(10)
    assert [one.verb for one in play.said] == ["send"]


def test_a_resolved_message_keeps_what_when_how_long_and_what_was_done() -> None:
    # «some alerts resolved», and nobody knows which
    play = Play()
    play.open(3, category=Category.PERMISSION, text="Permission denied: '/srv/x'")
    play.wait(60)
    play.tried(3, "take_ownership", Result.DONE, "/srv/x is bot's")
    play.wait(480)
    play.move(3, RESOLVED)
    edit, reply = play.wait(60)
    assert "permission denied: thing 3" in edit.text
    assert "resolved after 9 min" in edit.text
    assert "take_ownership: done; /srv/x is bot's" in edit.text
    assert reply.text == "🟢 INC-3 resolved after 9 min: take_ownership (/srv/x is bot's)"


def test_what_is_over_before_it_could_be_told_is_told_once_and_silently() -> None:
    play = Play()
    play.open(1)
    play.wait(10)
    play.move(1, RESOLVED)
    [message] = play.wait(HOUR)
    assert message.first.startswith("🟢")
    assert not message.loud


# --- many at once ------------------------------------------------------------------------------


def test_what_comes_up_together_is_one_message_with_all_of_it() -> None:
    play = Play()
    for number in range(1, 9):
        play.open(number, severity=Severity.WARNING)
        play.wait(3, step=3)
    play.open(9)
    [message] = play.wait(30)
    assert message.loud
    assert message.first == "🔴 9 incidents"
    assert "INC-9" in message.text.splitlines()[1], "critical ones first"
    assert all(f"INC-{number}" in message.text for number in range(1, 10))
    for number in range(1, 10):
        play.move(number, RESOLVED)
    last = play.wait(60)
    assert [one.verb for one in last] == ["edit", "reply"]
    assert all(f"INC-{number} resolved" in last[1].text for number in range(1, 10))


def test_what_is_well_is_said_also_when_its_neighbour_in_the_message_lasts() -> None:
    play = Play()
    play.open(1)
    play.open(2)
    play.wait(60)
    play.move(1, RESOLVED)
    told = play.wait(600)
    assert [one.verb for one in told] == ["edit", "reply"]
    assert "INC-1 resolved" in told[1].text
    assert "INC-2" not in told[1].text
    play.move(2, RESOLVED)
    assert "INC-1" not in next(one for one in play.wait(600) if one.verb == "reply").text


def test_500_during_an_outage_come_as_one_list_in_their_order_and_say_how_late() -> None:
    # a stale surge, delivered as a burst when the channel is back
    play = Play(up=False)
    for number in range(1, 501):
        play.open(number, severity=Severity.WARNING)
        play.wait(30, step=30)
    assert play.said == []
    play.up = True
    told = play.wait(60)
    sends = [one for one in told if one.verb == "send"]
    assert len(sends) == 1
    assert sends[0].first == "🟡 500 incidents"
    shown = [int(line.rsplit("-", 1)[1]) for line in sends[0].text.splitlines() if "· INC-" in line]
    assert shown == sorted(shown)
    assert "and 480 more: vigia events" in sends[0].text
    assert "⏱ 4 h" in sends[0].text


def test_what_ended_long_before_it_could_be_told_is_only_a_line_in_the_digest() -> None:
    play = Play(settings=replace(Alerts(), quiet="12:00-22:00", zone="UTC"), wall=START + HOUR)
    play.open(1, severity=Severity.WARNING)
    play.wait(60)
    play.move(1, RESOLVED)
    assert play.wait(12 * HOUR, step=60) == []
    assert play.board.threads["INC-1"].noted


def test_what_ended_early_in_a_long_outage_is_not_told_as_if_it_were_news() -> None:
    # a stale surge, delivered days later
    play = Play(up=False)
    play.open(1, severity=Severity.WARNING)
    play.wait(60)
    play.move(1, RESOLVED)
    play.open(2)
    play.wait(8 * HOUR, step=60)
    play.up = True
    [message] = play.wait(60)
    assert "INC-2" in message.first
    assert "INC-1" not in message.text
    assert play.board.threads["INC-1"].noted


def test_a_hundred_that_fail_are_all_counted() -> None:
    # 100 failures shown as 6
    play = Play()
    for number in range(1, 101):
        play.open(number)
    [message] = play.wait(30)
    assert message.first == "🔴 100 incidents"
    assert "and 80 more" in message.text
    play.open(101)
    [other] = play.wait(60)
    assert "also open: 100 (INC-1 the database fails, " in other.text


def test_every_message_ends_with_what_else_is_open() -> None:
    play = Play()
    play.open(1)
    [first] = play.wait(40)
    assert first.text.splitlines()[-1] == "also open: 0"
    play.open(2)
    [second] = play.wait(40)
    assert second.text.splitlines()[-1] == "also open: 1 (INC-1 the database fails)"


# --- loops -------------------------------------------------------------------------------------


def test_an_hour_of_a_crash_loop_is_at_most_six_messages() -> None:
    # 945 messages in 5 days
    play = Play()
    for number in range(360):
        text = "Traceback (most recent call last): ValueError"
        if number == 0:
            play.open(1, Category.CRASH, Severity.WARNING, IncidentState.ALERT_ONLY, text)
        else:
            play.move(1, IncidentState.ALERT_ONLY, returned=number)
        if number % 30 == 5:
            play.tell("breaker_opened", Severity.CRITICAL, why="5 ends", delay="5 min")
        else:
            play.tell("child_ended", Severity.WARNING, why="exit code 1", ran="1 s", delay="1 s")
        play.tell("child_started", Severity.INFO, pid=str(number))
        play.wait(10, step=10)
    assert 1 <= len(play.noticed) <= 6, [one.first for one in play.noticed]
    assert any("left down" in one.text for one in play.said)


def test_what_comes_and_goes_all_the_time_is_noticed_ever_less_often() -> None:
    play = Play()
    play.open(1)
    for _ in range(60):
        play.wait(30)
        play.move(1, RESOLVED)
        play.wait(30)
        play.move(1, IncidentState.DETECTED)
    assert len(play.noticed) <= 6
    play.move(1, RESOLVED)
    play.wait(6 * HOUR, step=60)
    assert "resolved" in play.noticed[-1].text, "its recovery is not lost in that"


def test_the_first_end_of_a_child_wakes_nobody_and_the_second_does() -> None:
    play = Play()
    play.tell("child_ended", Severity.WARNING, why="exit code 1", ran="1 s", delay="1 s")
    assert play.wait(120) == []
    play.tell("child_ended", Severity.WARNING, why="exit code 1", ran="1 s", delay="2 s")
    [message] = play.wait(120)
    assert "bot: keeps ending (×2)" in message.first
    assert not message.loud
    last = play.wait(HOUR, step=30)
    assert [one.verb for one in last] == ["edit", "reply"], "well for 10 minutes"


def test_what_a_person_stops_or_restarts_is_not_told() -> None:
    play = Play()
    for kind in ("child_stopped", "child_started", "child_finished"):
        play.tell(kind, Severity.INFO, by="ana", pid="7", why="")
    play.tell("child_slow_to_stop", Severity.WARNING, patience="10")
    assert play.wait(HOUR, step=30) == []


def test_a_child_that_is_given_up_sounds_and_its_start_by_a_person_ends_it() -> None:
    play = Play()
    play.tell("child_given_up", Severity.CRITICAL, why="its configuration is wrong")
    [message] = play.wait(60)
    assert message.loud
    assert "given up" in message.first
    assert "its configuration is wrong" in message.text
    play.tell("child_started", Severity.INFO, pid="9")
    last = play.wait(60)
    assert [one.verb for one in last] == ["edit", "reply"]
    assert last[0].first.startswith("🟢")


def test_what_follows_from_another_is_counted_there_and_not_told() -> None:
    play = Play()
    play.open(1, Category.DISK_FULL)
    for number in range(2, 20):
        play.open(number, state=IncidentState.ALERT_ONLY, root=1)
    [message] = play.wait(60)
    assert "INC-1" in message.first
    assert "also open: 0" in message.text


# --- loudness ----------------------------------------------------------------------------------


def test_a_warning_is_silent_a_critical_one_sounds_and_an_info_waits_for_the_digest() -> None:
    play = Play()
    play.open(1, severity=Severity.INFO)
    assert play.wait(60) == []
    assert play.board.threads["INC-1"].noted
    play.open(2, severity=Severity.WARNING)
    assert [one.loud for one in play.wait(60)] == [False]
    play.open(3)
    assert [one.loud for one in play.wait(60)] == [True]


def test_a_warning_that_becomes_critical_sounds_once() -> None:
    play = Play()
    play.open(1, severity=Severity.WARNING)
    play.wait(60)
    play.move(1, FAILED, why="nothing is left to try")
    last = play.wait(60)
    assert [(one.verb, one.loud) for one in last] == [("edit", False), ("reply", True)]
    assert "needs a person: nothing is left to try" in last[1].text


def test_that_a_critical_one_now_needs_a_person_sounds_again() -> None:
    play = Play()
    play.open(1)
    play.wait(120)
    play.tried(1, "probe_server", Result.FAILED, "refused")
    play.move(1, FAILED, why="refused; nothing is left to try")
    last = play.wait(60)
    assert [(one.verb, one.loud) for one in last] == [("edit", False), ("reply", True)]
    assert last[1].text == "🔴 INC-1 needs a person: refused; nothing is left to try"
    play.move(1, RESOLVED, why="it answers again")
    assert play.wait(120)[-1].text == "🟢 INC-1 resolved after 3 min: it answers again"


def test_a_warning_that_lasts_half_an_hour_sounds_once() -> None:
    play = Play()
    play.open(1, severity=Severity.WARNING)
    play.wait(HOUR, step=30)
    assert [(one.verb, one.loud) for one in play.said] == [("send", False), ("reply", True)]
    assert "has lasted 30 min" in play.said[1].text


def test_what_is_open_is_told_again_every_four_hours_until_somebody_has_seen_it() -> None:
    play = Play()
    play.open(1)
    play.wait(9 * HOUR, step=60)
    assert [one.verb for one in play.noticed] == ["send", "reply", "reply"]
    assert "still open (8 h" in play.noticed[-1].text
    play.move(1, FAILED, acked_by="ana")
    assert "Acknowledged by ana" in play.wait(60)[0].text
    assert [one.verb for one in play.wait(9 * HOUR, step=60)] == []


def test_what_is_only_told_is_told_again_only_when_it_was_seen_again() -> None:
    play = Play()
    play.open(1, state=IncidentState.ALERT_ONLY)
    play.wait(9 * HOUR, step=60)
    assert len(play.noticed) == 1
    play.move(1, IncidentState.ALERT_ONLY)
    play.wait(60)
    assert len(play.noticed) == 2


def test_what_was_failed_and_comes_back_anew_is_no_longer_counted_as_open() -> None:
    play = Play()
    play.open(1, state=FAILED)
    play.wait(60)
    play.wait(2 * HOUR, step=60)
    play.open(2, key="key 1")
    told = play.wait(60)
    assert "also open: 0" in next(one.text for one in told if "INC-2" in one.first)


# --- quiet hours -------------------------------------------------------------------------------

NIGHT = replace(Alerts(), quiet="23:00-07:00", zone="Europe/Madrid")
AT_NIGHT = START + 13 * HOUR  # 01:06 in Madrid


def test_in_quiet_hours_all_is_heard_and_only_the_critical_is_sent() -> None:
    # quiet hours that skip the check itself
    play = Play(settings=NIGHT, wall=AT_NIGHT)
    play.open(1, severity=Severity.WARNING)
    play.open(2, severity=Severity.WARNING)
    assert play.wait(HOUR, step=30) == []
    play.open(3)
    [message] = play.wait(60)
    assert message.loud
    assert "INC-3" in message.first
    assert "also open: 2" in message.text
    play.move(1, RESOLVED)
    play.move(3, RESOLVED)
    assert [one.verb for one in play.wait(60)] == ["edit", "reply"], "a recovery is silent anyway"
    [morning] = [one for one in play.wait(6 * HOUR, step=60) if one.verb == "send"]
    assert morning.at >= AT_NIGHT + 5.8 * HOUR
    assert morning.first == "🟡 2 incidents, 1 of them resolved"


def test_a_warning_told_before_the_night_neither_repeats_nor_escalates_in_it() -> None:
    play = Play(settings=NIGHT, wall=START + 10.85 * HOUR)
    play.open(1, severity=Severity.WARNING, opened=START + 10.85 * HOUR)
    play.wait(60)
    told = play.wait(6 * HOUR, step=60)
    assert [one.text for one in told if not one.loud] == []


# --- mute --------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["", "bot", "database", "INC-1"])
def test_a_mute_keeps_new_and_repeated_words_back_and_never_a_recovery(what: str) -> None:
    # no recovery after a silence
    play = Play()
    play.open(1)
    play.wait(60)
    play.mute(what, 10 * HOUR)
    assert play.wait(5 * HOUR, step=60) == []
    play.move(1, RESOLVED)
    assert [one.verb for one in play.wait(60)] == ["edit", "reply"]


def test_what_is_still_open_when_a_mute_ends_is_told_then() -> None:
    play = Play()
    play.mute("bot", HOUR)
    play.open(1)
    play.open(2)
    play.wait(600)
    play.move(2, RESOLVED)
    assert play.wait(0.8 * HOUR, step=30) == []
    [message] = play.wait(600)
    assert "INC-1" in message.first
    assert play.board.threads["INC-2"].noted, "and what is over stands in the digest"


# --- asking twice ------------------------------------------------------------------------------


def test_having_decided_the_same_question_has_no_further_answer() -> None:
    play = Play()
    play.open(1)
    play.open(2, severity=Severity.INFO)
    play.wait(60)
    play.move(1, FAILED)
    play.wait(60)
    board = play.board
    assert decide(board.threads, board.posts, [], play.settings, play.now) == []


def test_a_second_story_of_a_child_a_day_later_is_a_message_of_its_own() -> None:
    play = Play()
    for _ in range(2):
        play.tell("child_given_up", Severity.CRITICAL, why="broken")
        play.wait(60)
        play.tell("child_started", Severity.INFO, pid="9")
        play.wait(20 * HOUR, step=60)
    sends = [one for one in play.said if one.verb == "send"]
    assert len(sends) == 2
    assert sends[0].post != sends[1].post
