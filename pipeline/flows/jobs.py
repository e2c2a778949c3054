"""Jobs as others see them: handed in, looked at, tried again, cancelled; from any process."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbos import DBOSClient, WorkflowStatus
from dbos._error import DBOSException  # what all of its own derive from; exported nowhere else
from sqlalchemy import delete, func, select

from pipeline.config import Settings
from pipeline.flows.engine import NAME, QUEUE
from pipeline.model import JobState, JobView, Source
from pipeline.store import retries
from pipeline.store.base import Store
from pipeline.store.tables import Media, Post, Retry
from pipeline.texts import phrase

WORKFLOW = "media"
_ENDED = ("ERROR", "SUCCESS")
_OPEN = ("ENQUEUED", "PENDING", "DELAYED")
_SHARES = {
    "download": (0, 50),
    "verify": (50, 65),
    "caption": (65, 85),
    "store": (85, 95),
    "schedule": (95, 100),
}


class RefusedError(Exception):
    """That cannot be done to this job, and why."""


@dataclass(frozen=True, slots=True)
class Queues:
    """How much is waiting and how long it has waited."""

    queued: int
    running: int
    waiting: int
    failed: int
    oldest: float | None  # age of the oldest job that is not done
    done_last_hour: int


class Jobs:
    """All questions go to the database, so the answer is the same in every process."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._store = settings, store
        # The name must be that of the workers, or they never see what is handed in.
        self._client = DBOSClient(
            system_database_url=settings.jobs_url,
            application_name=NAME,
            system_database_pool_size=3,
            retry_connection_errors=False,
        )

    def close(self) -> None:
        self._client.destroy()

    def submit(self, source: Source, modelo: str) -> str:
        """The name of the job; the same source is the same job, also when it ended long ago."""
        self._client.enqueue(
            {"workflow_name": WORKFLOW, "queue_name": QUEUE, "workflow_id": source.key},
            modelo,
            source.packed(),
        )
        return source.key

    def view(self, job: str, language: str = "es") -> JobView | None:
        found = self._client.list_workflows(workflow_ids=[job])
        return self._views(found, language)[0] if found else None

    def views(self, jobs: list[str], language: str = "es") -> dict[str, JobView]:
        """Those of them that are known."""
        found = self._client.list_workflows(workflow_ids=jobs) if jobs else []
        return {view.id: view for view in self._views(found, language)}

    def recent(self, limit: int = 50, language: str = "es") -> list[JobView]:
        """The newest first."""
        found = self._client.list_workflows(name=WORKFLOW, limit=limit, sort_desc=True)
        return self._views(found, language)

    def retry(self, job: str) -> None:
        """From its first step, under its own name: each step sees what is done already.

        `resume` would do nothing for a job that failed; and without the name of the queue it would
        run outside of its limits (both measured).
        """
        found = self._client.list_workflows(workflow_ids=[job], load_output=False)
        if not found:
            raise RefusedError(f"there is no job {job}")
        status = found[0].status
        if status in _ENDED:
            self._begin_again(job)
            self._rewind(job)
        elif status not in _OPEN:
            self._client.resume_workflow(job, queue_name=QUEUE)
        else:  # its line is said a moment before its end is recorded; `revive` sees it then
            with self._store.write() as session:
                retries.hasten(session, job, time.time())

    def cancel(self, job: str) -> None:
        """It begins no further step, and no post of it that has not begun goes out."""
        view = self.view(job)
        if view is None:
            raise RefusedError(f"there is no job {job}")
        self._client.cancel_workflow(job)  # does nothing to one that failed and waits
        with self._store.write() as session:
            if (row := session.get(Retry, job)) is not None:
                row.kind = retries.CANCELLED
            for post in self._posts(session, job):
                if post.state == "pending":
                    post.state = "cancelled"

    def drop(self, job: str) -> None:
        """Nothing of it is remembered: not what was handed in, and not what came of it."""
        self._client.delete_workflows([job])
        with self._store.write() as session:
            retries.forget(session, job)

    def queues(self, now: float) -> Queues:
        open_ = self._client.list_workflows(name=WORKFLOW, status=list(_OPEN), load_input=False)
        with self._store.read() as session:
            kinds: dict[str, int] = dict(
                session.execute(select(Retry.kind, func.count()).group_by(Retry.kind))
                .tuples()
                .all()
            )
            first = session.scalar(select(func.min(Retry.first_at)))
            done = session.scalar(
                select(func.count()).select_from(Media).where(Media.stored_at > now - 3600)
            )
        begun = [one.created_at / 1000 for one in open_ if one.created_at]
        begun += [first] if first is not None else []
        running = sum(one.status == "PENDING" for one in open_)
        return Queues(
            queued=len(open_) - running,
            running=running,
            waiting=kinds.get("world", 0),
            failed=kinds.get("ours", 0),
            oldest=now - min(begun) if begun else None,
            done_last_hour=done or 0,
        )

    def revive(self, now: float) -> int:
        """Begin again what is due; how many."""
        with self._store.read() as session:
            rows = {row.job: row for row in retries.due(session, now)}
        if not rows:
            return 0
        known = self._client.list_workflows(
            workflow_ids=list(rows), load_input=False, load_output=False
        )
        failed = [one.workflow_id for one in known if one.status == "ERROR"]
        for job in failed:
            self._rewind(job)
        over = {one.workflow_id for one in known if one.status in {"SUCCESS", "CANCELLED"}}
        over |= rows.keys() - {one.workflow_id for one in known}
        with self._store.write() as session:
            for job in over:
                retries.forget(session, job)
        return len(failed)

    def find_orphans(self, now: float) -> int:
        """Jobs that failed when even that could not be written down: they are tried again."""
        failed = self._client.list_workflows(
            name=WORKFLOW, status="ERROR", load_input=False, load_output=False
        )
        names = {one.workflow_id for one in failed}
        with self._store.write() as session:
            names -= set(session.scalars(select(Retry.job)).all())
            for job in names:
                why = "it failed when nothing could be written"
                retries.put(session, job, "world", "", why, 0.0, now, self._settings)
        return len(names)

    def adopt(self, executor: str) -> int:
        """The unfinished jobs of a worker that is gone for good are given to whoever is free."""
        names = self.running_at(executor)
        self.resume(names)
        return len(names)

    def running_at(self, executor: str) -> list[str]:
        found = self._client.list_workflows(
            status="PENDING", executor_id=executor, load_input=False, load_output=False
        )
        return [one.workflow_id for one in found]

    def resume(self, names: list[str]) -> None:
        """From the step after the last that was recorded."""
        if names:
            self._client.resume_workflows(names, queue_name=QUEUE)

    def purge(self, before: float) -> int:
        """Forget the jobs that ended before that; what they made stays."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(before))
        total = 0
        while old := self._client.list_workflows(
            completed_before=moment, limit=500, load_input=False, load_output=False
        ):
            names = [one.workflow_id for one in old]
            self._client.delete_workflows(names)
            with self._store.write() as session:
                session.execute(delete(Retry).where(Retry.job.in_(names)))
            total += len(old)
        return total

    def _views(self, found: Sequence[WorkflowStatus], language: str) -> list[JobView]:
        names = [one.workflow_id for one in found]
        with self._store.read() as session:
            again = {
                row.job: row
                for row in session.scalars(select(Retry).where(Retry.job.in_(names))).all()
            }
            posts: dict[str, list[Post]] = {}
            query = select(Media.job, Post).join(Post).where(Media.job.in_(names))
            for job, post in session.execute(query).tuples():
                posts.setdefault(job, []).append(post)
        return [
            self._view(one, again.get(one.workflow_id), posts.get(one.workflow_id, []), language)
            for one in found
        ]

    def _view(
        self, one: WorkflowStatus, again: Retry | None, posts: list[Post], language: str
    ) -> JobView:
        outcome: dict[str, Any] = one.output if isinstance(one.output, dict) else {}
        state = _state(one.status, again, outcome, posts)
        step, share = "", 0.0
        if one.status in {"PENDING", "ERROR", "CANCELLED"}:
            step, share = self._reached(one.workflow_id)
        error = again.error if again else str(one.error or "")
        error = next((post.error for post in posts if post.state == "failed"), error)
        rejected = str(outcome.get("rejected", ""))
        if rejected:
            error = phrase(rejected, language, **outcome.get("values", {}))
        return JobView(
            id=one.workflow_id,
            state=state,
            percent=100 if state is JobState.SUCCEEDED else _percent(step, share),
            step=step,
            words=_words(state, step, error, language, outcome),
            modelo=_modelo(one),
            error=error,
            rejected=bool(rejected),
            again_at=again.at if again else None,
            created_at=(one.created_at or 0) / 1000,
            finished_at=one.completed_at / 1000 if one.completed_at else None,
        )

    def _reached(self, job: str) -> tuple[str, float]:
        """The step that it is in, and how much of it is done, as far as steps tell that."""
        steps = self._client.list_workflow_steps(job)
        done = {one["function_name"] for one in steps if one["error"] is None}
        step = next((name for name in _SHARES if name not in done), "")
        said, share = self._client.get_event(job, "progress", 0) or ("", 0.0)
        return step, share if said == step else 0.0

    def _rewind(self, job: str) -> None:
        try:
            self._client.rewind_workflow(job, queue_name=QUEUE)
        except DBOSException:  # another was faster, and it has begun again
            found = self._client.list_workflows(workflow_ids=[job], load_output=False)
            if not found or found[0].status in _ENDED:
                raise

    def _begin_again(self, job: str) -> None:
        with self._store.write() as session:
            row = session.get(Retry, job)
            if row is not None and row.kind in {retries.OVER, retries.CANCELLED}:
                session.delete(row)
            for post in self._posts(session, job):
                if post.state == "failed":
                    post.state = "pending"

    @staticmethod
    def _posts(session: Any, job: str) -> Sequence[Post]:
        found: Sequence[Post] = session.scalars(
            select(Post).join(Media).where(Media.job == job)
        ).all()
        return found


def _state(
    status: str, again: Retry | None, outcome: dict[str, Any], posts: list[Post]
) -> JobState:
    if status in {"ENQUEUED", "DELAYED"}:
        return JobState.QUEUED
    if status == "PENDING":
        return JobState.RUNNING
    if status == "CANCELLED":
        return JobState.CANCELLED
    if status == "SUCCESS":
        bad = outcome.get("rejected") or any(post.state == "failed" for post in posts)
        return JobState.FAILED if bad else JobState.SUCCEEDED
    if again is not None and again.kind == retries.CANCELLED:
        return JobState.CANCELLED
    waits = status == "ERROR" and again is not None and again.kind == "world"
    return JobState.WAITING if waits else JobState.FAILED


def _percent(step: str, share: float) -> int:
    low, high = _SHARES.get(step, (0, 0))
    return int(low + (high - low) * min(1.0, max(0.0, share)))


def _words(state: JobState, step: str, error: str, language: str, outcome: dict[str, Any]) -> str:
    match state:
        case JobState.RUNNING if step:
            return phrase(step, language)
        case JobState.RUNNING | JobState.QUEUED:
            return phrase("queued", language)
        case JobState.WAITING:
            return phrase("waiting", language)
        case JobState.SUCCEEDED:
            return phrase("duplicate" if outcome.get("duplicate") else "done", language)
        case JobState.CANCELLED:
            return phrase("cancelled", language)
        case JobState.FAILED:
            return phrase("failed", language, error=error)


def _modelo(one: WorkflowStatus) -> str:
    given = one.input.get("args", ()) if one.input else ()
    return str(given[0]) if given else ""
