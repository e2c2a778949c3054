from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.notify import Notify


@contextlib.contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    """What systemd is for us: a datagram socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + address[1:] if address.startswith("@") else address)
        heard.settimeout(5)
        yield heard


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "abstract":
        return f"@vigia-test-{os.getpid()}-{time.monotonic_ns()}"
    return str(tmp_path / "notify")


def said(heard: socket.socket) -> list[str]:
    return heard.recv(4096).decode().split("\n")


def test_readiness_is_said_with_a_status(address: str) -> None:
    # B 28
    with manager(address) as heard:
        Notify({"NOTIFY_SOCKET": address}).ready("watching 2 children")
        assert said(heard) == ["READY=1", "STATUS=watching 2 children"]


def test_a_reload_says_when_it_began_in_the_same_datagram(address: str) -> None:
    # B 29: without MONOTONIC_USEC, Type=notify-reload waits until its timeout
    with manager(address) as heard:
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notify = Notify({"NOTIFY_SOCKET": address})
        notify.reloading()
        notify.ready("again")
        first, second = said(heard)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert first == "RELOADING=1"
        name, usec = second.split("=")
        assert name == "MONOTONIC_USEC"
        assert before <= int(usec) <= after
        assert said(heard)[0] == "READY=1", "and then the order is kept"


def test_the_end_is_said_with_the_time_it_needs(address: str) -> None:
    # B 31
    with manager(address) as heard:
        Notify({"NOTIFY_SOCKET": address}).stopping(12.5)
        assert said(heard) == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=12500000"]


def test_life_is_said_when_systemd_asks_for_it(address: str) -> None:
    # B 30
    with manager(address) as heard:
        notify = Notify({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"})
        assert notify.watchdog == 30.0
        notify.alive()
        assert said(heard) == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getppid())}, 0.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({"WATCHDOG_USEC": "²"}, 0.0),
        ({"WATCHDOG_USEC": "0"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_watchdog_of_another_process_or_none_is_not_ours(
    more: dict[str, str], seconds: float
) -> None:
    # B 30
    assert Notify({"NOTIFY_SOCKET": "/x"} | more).watchdog == seconds


def test_a_watchdog_without_a_socket_is_none() -> None:
    assert Notify({"WATCHDOG_USEC": "500000"}).watchdog == 0.0


def test_the_variables_are_taken_out_of_the_environment() -> None:
    # B 32
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "PATH": "/bin"}
    Notify(environ)
    assert environ == {"PATH": "/bin"}


def test_a_manager_that_does_not_read_never_holds_us_up(address: str) -> None:
    with manager(address) as heard:
        notify = Notify({"NOTIFY_SOCKET": address})
        for _ in range(5000):  # net.unix.max_dgram_qlen is some hundreds at most
            notify.alive()
        assert said(heard) == ["WATCHDOG=1"]


@pytest.mark.parametrize("where", ["", "/nowhere/x", "@nobody-there", "vsock:2:1", "x" * 300])
def test_a_manager_that_is_not_there_is_no_error(where: str) -> None:
    notify = Notify({"NOTIFY_SOCKET": where} if where else {})
    notify.ready("x")
    notify.alive()
    notify.reloading()
    notify.stopping(1)


def test_a_home_with_an_undecodable_name_can_be_told(address: str) -> None:
    with manager(address) as heard:
        Notify({"NOTIFY_SOCKET": address}).ready("watches /srv/\udcff")
        assert said(heard) == ["READY=1", "STATUS=watches /srv/?"]


def test_nothing_stays_open(address: str) -> None:
    with manager(address):
        notify = Notify({"NOTIFY_SOCKET": address})
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            notify.alive()
        assert len(os.listdir("/proc/self/fd")) == before
