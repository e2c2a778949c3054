"""Small programs that behave as badly as real ones, for the tests to keep running."""

from __future__ import annotations

import sys

PY = sys.executable


def python(code: str) -> tuple[str, ...]:
    return (PY, "-I", "-S", "-c", code)


def sh(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


SLEEPS = sh("exec sleep 1000")
DIES_AT_ONCE = sh("exit 1")

IGNORES_TERM = python(
    "import signal, time, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True)\n"
    "time.sleep(1000)\n"
)

# A grandchild in a session of its own, and one that went through two forks as a daemon does.
SPREADS = python(
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    open('setsid.pid', 'w').write(str(os.getpid()))\n"
    "    time.sleep(1000)\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "        time.sleep(1000)\n"
    "    os._exit(0)\n"
    "print('ready', flush=True)\n"
    "time.sleep(1000)\n"
)

# The same, but the daemon closes every descriptor and empties its environment.
HIDES = python(
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "        os.closerange(0, 256)\n"
    "        os.execve('/bin/sleep', ['sleep', '1000'], {})\n"
    "    os._exit(0)\n"
    "while not os.path.exists('daemon.pid'): time.sleep(0.01)\n"
    "print('ready', flush=True)\n"
    "time.sleep(1000)\n"
)

DAEMONISES = python(
    "import os, time\n"
    "if os.fork() == 0:\n"
    "    os.setsid()\n"
    "    if os.fork() == 0:\n"
    "        open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "        time.sleep(1000)\n"
    "    os._exit(0)\n"
    "while not os.path.exists('daemon.pid'): time.sleep(0.01)\n"
)
