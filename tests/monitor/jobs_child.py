"""A worker with real work, for the tests: it takes jobs from `inbox/`, does them, says what went
wrong in the words of our own lines, and serves the job API on VIGIA_CONTROL. Standard library only.

What kind of work a job is, is its file's content: `store`, `fetch URL` or `verify`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import socketserver
import sys
import threading
import time
import urllib.request
from pathlib import Path

HOME = Path(os.environ["VIGIA_HOME"])
FOLDER = HOME / "modelos" / "victor"
PATIENCE = 1.0  # seconds for a server to answer
SIZE = int(os.environ.get("JOB_SIZE", "1000"))


class BrokenFileError(Exception):
    pass


def store(job: str, _argument: str) -> Path:
    file = FOLDER / f"{job}.mp4"
    with file.open("wb") as out:
        out.write(b"v" * SIZE)
        out.flush()
        os.fsync(out.fileno())
    return file


def fetch(job: str, url: str) -> Path:
    file = FOLDER / f"{job}.mp4"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        file.write_bytes(answer.read())
    return file


def verify(job: str, _argument: str) -> Path:
    """Looks at what is there; what is not there is copied again from where it came."""
    file = FOLDER / f"{job}.mp4"
    if not file.exists():
        shutil.copy(HOME / "origin" / file.name, file)
    if not file.read_bytes().startswith(b"ftyp"):
        raise BrokenFileError("moov atom not found")
    return file


KINDS = {"store": store, "fetch": fetch, "verify": verify}


class Worker:
    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, object]] = {}
        self.paused = False
        self.finished = time.monotonic()
        self.changed = threading.Condition()

    def run(self) -> None:
        inbox = HOME / "inbox"
        while True:
            job = self.next(inbox)
            if job is None:
                continue
            try:
                kind, _, argument = str(self.jobs[job]["work"]).partition(" ")
                file = KINDS[kind](job, argument)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is said
                self.end(job, "failed", str(error))
                say("ERROR", job, "failed", argument, f"{type(error).__name__}: {error}")
            else:
                self.end(job, "succeeded", "")
                say("INFO", job, "done", str(file), "")

    def next(self, inbox: Path) -> str | None:
        """What waits to be done again, else something new unless the intake is held."""
        with self.changed:
            again = next((j for j, one in self.jobs.items() if one["state"] == "queued"), None)
            if again is None and not self.paused:
                with contextlib.suppress(OSError):
                    for file in sorted(inbox.iterdir()):
                        self.jobs[file.name] = {"work": file.read_text(), "attempts": 0}
                        file.unlink()
                        again = file.name
                        break
            if again is None:
                self.changed.wait(0.05)
                return None
            self.jobs[again]["state"] = "running"
            self.jobs[again]["attempts"] = int(str(self.jobs[again]["attempts"])) + 1
            return again

    def end(self, job: str, state: str, why: str) -> None:
        with self.changed:
            self.jobs[job] |= {"state": state, "error": why}
            self.finished = time.monotonic()


def say(level: str, job: str, what: str, argument: str, error: str) -> None:
    now = time.time()
    at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z"
    about = f"url={argument}" if "://" in argument else f"file={FOLDER / f'{job}.mp4'}"
    tail = f' error="{error}"' if error else ""
    print(
        f"{at} {level} pipeline.work event=work.{what} job={job} modelo=victor {about}{tail}",
        flush=True,
    )


WORKER = Worker()


class Api(http.server.BaseHTTPRequestHandler):
    def answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        with WORKER.changed:
            if self.path == "/health":
                age = time.monotonic() - WORKER.finished
                self.answer(200, {"age": age if WORKER.jobs else 0.0, "paused": WORKER.paused})
            elif (job := self.path.removeprefix("/jobs/")) in WORKER.jobs:
                self.answer(200, WORKER.jobs[job])
            else:
                self.answer(404, {"error": "no such job"})

    def do_POST(self) -> None:
        with WORKER.changed:
            if self.path in ("/pause", "/resume"):
                WORKER.paused = self.path == "/pause"
                note(self.path[1:])
                self.answer(200, {"paused": WORKER.paused})
                return
            job = self.path.removeprefix("/jobs/").removesuffix("/retry")
            if job not in WORKER.jobs:
                if (HOME / "lost").exists():  # a worker that remembers its jobs across a start
                    WORKER.jobs[job] = {"work": (HOME / "lost").read_text(), "attempts": 0}
                else:
                    self.answer(404, {"error": "no such job"})
                    return
            WORKER.jobs[job]["state"] = "queued"
            note(f"retry {job}")
            self.answer(202, WORKER.jobs[job])
            WORKER.changed.notify_all()

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "unix"


def note(what: str) -> None:
    """For the test: what the worker was told, and when."""
    with (HOME / "notes.txt").open("a") as out:
        out.write(f"{time.monotonic():.3f} {os.getpid()} {what}\n")


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def main() -> None:
    control = os.environ["VIGIA_CONTROL"]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(control)
    note("started")
    with Server(control, Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print("INFO ready", flush=True)
        WORKER.run()


if __name__ == "__main__":
    sys.exit(main())
