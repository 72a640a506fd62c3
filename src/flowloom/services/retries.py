"""Retrying runs: a new run that goes on where an ended one failed, reusing what was recorded before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, select

from flowloom import errors
from flowloom.domain import graph, run, version
from flowloom.services import dead_letters, kept, owned, releases, runs
from flowloom.services.actor import Actor
from flowloom.store import answers, definitions, pools, query, queue, repeats, tables
from flowloom.store.blobs import Packed

RUNS, PAYLOADS, LETTERS = tables.runs.c, tables.payloads.c, tables.dead_letters.c
_AGAIN: Final = tables.runs.alias("again")
RETRIED: Final = (run.Status.FAILURE, run.Status.STOPPED, run.Status.PARTIAL)
MAX_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a run is to be retried: from which step, on which version, with which payload in place of the failed one."""

    from_step: str | None = None
    version_id: int | None = None
    body: Packed | None = None
    content_type: str = ""
    idempotency: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Retried:
    """The new run, and how its version's steps compare with those of the run's own, where another one was chosen."""

    started: queue.Started
    report: dict[str, list[str]] | None = None


def retry(
    connection: Connection, actor: Actor, ids: queue.RunIds, id: int, wish: Wish, payload_days: int
) -> Retried:
    """Queue a new run that goes on where an ended one failed, or from a step on.

    Raises Missing, Conflict while the run goes on or when its payloads are gone, Invalid for a step that its
    version does not have. On another version only what it has unchanged, up to the first change, is reused.
    """
    row = runs.load(connection, actor, id)
    repeats.hold(connection, id)
    first = queue.replayed(connection, actor.company_id, wish.idempotency)
    if first is not None:
        return Retried(first)
    if not run.is_finished(row.status):
        raise errors.Conflict(f"Run {id} has not ended yet; stop it first, or wait.")
    chosen = version_to_run(connection, actor, row, wish.version_id)
    if wish.body is None:
        kept.require_payloads(connection, actor, row, payload_days)
        from_step = None if wish.from_step is None else _step_key(connection, chosen, wish.from_step)
        again, variables = repeats.whole(connection, row, chosen, from_step), row.variables
    else:
        again, variables = _edited(connection, row, chosen, wish.from_step)
    if again.start_step is not None:
        _require_step(connection, chosen, again.start_step)
    started = _queued(connection, actor, ids, row, wish, again, variables)
    _take_up(connection, actor, row.id, started.run_id, wish, again)
    return Retried(started, _report(connection, row, chosen) if wish.version_id is not None else None)


def type_to_edit(connection: Connection, actor: Actor, id: int, from_step: str | None) -> str | None:
    """The content type of the payload of a run that an edited one replaces; None: nobody knows. Raises Missing."""
    runs.load(connection, actor, id)
    if from_step not in (None, graph.TRIGGER):
        return None
    failed = None if from_step else dead_letters.types_of(connection, id)
    if failed:
        return failed[0] if len(failed) == 1 else None
    start = select(PAYLOADS.content_type).where(PAYLOADS.run_id == id, PAYLOADS.kind == "start")
    content_type: str | None = connection.scalar(start.limit(1))
    return content_type


def retry_matching(
    connection: Connection,
    actor: Actor,
    ids: queue.RunIds,
    values: Mapping[str, Any],
    payload_days: int,
    idempotency: tuple[str, str] | None,
) -> answers.Answer:
    """Retry up to 1,000 runs that a list's filters name, that did not succeed and were not retried before.

    {flow_run_ids, skipped}; see each_apart. Raises Invalid.
    """

    def work() -> answers.Answer:
        return each_apart(
            connection,
            _not_retried(connection, actor, values),
            lambda id: retry(connection, actor, ids, id, Wish(), payload_days).started,
        )

    return answers.once(connection, actor.company_id, idempotency, actor.at, work)


def each_apart(
    connection: Connection, found: Sequence[int], begin: Callable[[int], queue.Started]
) -> answers.Answer:
    """Begin something for each of these ids: {flow_run_ids, skipped: [{id, reason}]}. One that fails leaves nothing."""
    started: list[int] = []
    skipped: list[dict[str, Any]] = []
    for id in found:
        try:
            with connection.begin_nested():
                started.append(begin(id).run_id)
        except errors.FlowloomError as error:
            skipped.append({"id": id, "reason": error.message})
    return {"flow_run_ids": started, "skipped": skipped}


def _not_retried(connection: Connection, actor: Actor, values: Mapping[str, Any]) -> list[int]:
    """The ids of such runs, which are held; those that somebody else retries right now are left to him."""
    asked = query.Page(per_page=MAX_AT_ONCE, sort="id", values=values)
    matching = query.matching(runs.LISTING, asked).where(
        RUNS.status.in_(RETRIED), ~exists().where(_is_retry(RUNS.id))
    )
    held = matching.with_only_columns(RUNS.id).with_for_update(of=tables.runs, skip_locked=True)
    found = connection.scalars(held, query.arguments(asked, company_id=actor.company_id)).all()
    # A retry that was committed between the look and the hold is seen only now.
    late = set(connection.scalars(select(_AGAIN.c.retry_flow_run_id).where(_is_retry(found))))
    return [id for id in found if id not in late]


def _is_retry(of: Any) -> ColumnElement[bool]:
    """That a run `_AGAIN` is a retry of this one, or of one of these: the re-drive of a dead letter is none."""
    is_redrive = exists().where(
        LETTERS.run_id == _AGAIN.c.retry_flow_run_id,
        LETTERS.redrive_run_id == _AGAIN.c.id,
        LETTERS.state == dead_letters.REDRIVEN,
    )
    source = _AGAIN.c.retry_flow_run_id
    return and_(source.in_(of) if isinstance(of, list | tuple) else source == of, ~is_redrive)


def _take_up(
    connection: Connection, actor: Actor, run_id: int, to_run_id: int, wish: Wish, again: queue.Retry
) -> None:
    """The run's dead letters are the new one's, and what it claimed in data pools, as far as that goes on with it."""
    if wish.body is None:
        repeats.take_up(connection, run_id, to_run_id, again.forget_steps, actor.at, actor.user_id)
        return
    state = dead_letters.RETRIED
    if wish.from_step is None and again.start_step is not None:
        pools.hand_on_payload(connection, run_id, to_run_id, again.position)
        state = dead_letters.REDRIVEN
    repeats.mark_retried(connection, run_id, to_run_id, actor.at, actor.user_id, state)


def _queued(
    connection: Connection,
    actor: Actor,
    ids: queue.RunIds,
    row: Row[Any],
    wish: Wish,
    again: queue.Retry,
    variables: Mapping[str, Any] | None,
) -> queue.Started:
    start = queue.Start(
        company_id=actor.company_id,
        flow_id=row.flow_id,
        version_id=again.chosen.version_id,
        trigger=run.Trigger.RETRY,
        at=actor.at,
        started_by=actor.user_id,
        body=wish.body,
        content_type=wish.content_type,
        variables=variables,
        idempotency=wish.idempotency,
        retry=again,
    )
    [answer] = queue.enqueue(connection, ids, [start])
    if isinstance(answer, Exception):
        raise answer
    return answer


def _edited(
    connection: Connection, row: Row[Any], chosen: queue.Chosen, from_step: str | None
) -> tuple[queue.Retry, Mapping[str, Any] | None]:
    """A run of the edited payload alone, from the step that failed or is named; what it sends is new. Its variables.

    Raises Invalid where it is not clear which payload was edited.
    """
    again = queue.Retry(
        run_id=row.id,
        origin_run_id=None,
        as_of=row.as_of,
        chosen=chosen,
        start_step=row.start_step,
        takes_over=queue.TakesOver.NOTHING,
    )
    variables = row.variables
    if from_step is None:
        failed = dead_letters.only_one(connection, row.id)
        if failed is not None:
            again.start_step, again.position, variables = failed
    elif from_step != graph.TRIGGER:
        again.start_step = _step_key(connection, chosen, from_step)
    else:
        again.start_step = None
    return again, variables


def version_to_run(
    connection: Connection, actor: Actor, row: Row[Any], version_id: int | None
) -> queue.Chosen:
    """The version that a run is done again on: its own as it was, or a chosen one. Raises Missing, Invalid.

    A flow that was deleted is Missing: nothing of it runs again.
    """
    flow = owned.load_flow(connection, actor, row.flow_id)
    if version_id is None:
        return _chosen(flow, row.flow_version_id, row.iteration, row.content_hash)
    chosen = owned.load_version(connection, actor, version_id, flow_id=row.flow_id)
    if chosen.status == version.Status.DRAFT:
        releases.require_runnable(connection, actor, chosen)
    return _chosen(flow, version_id, chosen.iteration, definitions.keep(connection, version_id))


def _chosen(flow: Row[Any], version_id: int, iteration: int, content_hash: str) -> queue.Chosen:
    return queue.Chosen(
        version_id,
        iteration,
        "",
        content_hash,
        flow.priority,
        flow.concurrency_key,
        flow.run_timeout_seconds,
    )


def version_of_letter(
    connection: Connection, actor: Actor, letter: Row[Any], version_id: int | None
) -> queue.Chosen:
    """The version that a dead letter is driven again on, which has the step it begins with.

    Raises Missing, Invalid, or Conflict when its run is gone.
    """
    row = connection.execute(select(tables.runs).where(RUNS.id == letter.run_id)).one_or_none()
    if row is None:
        raise errors.Conflict(
            f"Run {letter.run_id} of dead letter {letter.id} is gone; start a new run instead."
        )
    chosen = version_to_run(connection, actor, row, version_id)
    _require_step(connection, chosen, letter.step_key)
    return chosen


def _require_step(connection: Connection, chosen: queue.Chosen, key: str) -> None:
    """Raise Invalid unless the version to run has the step that a run is to begin with."""
    definition = definitions.load(connection, chosen.content_hash)
    if key not in {step.key for step in definition.steps}:
        raise errors.Invalid.field(
            "version", f"Version {chosen.iteration} has no step {key}; choose one that has."
        )


def _step_key(connection: Connection, chosen: queue.Chosen, from_step: str) -> str:
    """The key of a step that is named by its key or id. Raises Invalid."""
    keys = {step.key for step in definitions.load(connection, chosen.content_hash).steps}
    if from_step in keys:
        return from_step
    if from_step.isascii() and from_step.isdigit() and len(from_step) < 19:
        columns = tables.steps.c
        named = select(columns.key).where(
            columns.id == int(from_step), columns.flow_version_id == chosen.version_id
        )
        key: str | None = connection.scalar(named)
        if key is not None and key in keys:
            return key
    raise errors.Invalid.field("from_step", f"Version {chosen.iteration} has no step {from_step[:50]}.")


def _report(connection: Connection, row: Row[Any], chosen: queue.Chosen) -> dict[str, list[str]]:
    """The keys of the steps that both versions have alike, that changed, that are missing, and that are new."""
    there = definitions.load(connection, chosen.content_hash)
    here = definitions.load(connection, row.content_hash)
    changed = there.changed_since(here)
    before, now = {step.key for step in here.steps}, {step.key for step in there.steps}
    return {
        "matched": sorted(before & now - changed),
        "changed": sorted(before & now & changed),
        "missing": sorted(before - now),
        "new": sorted(now - before),
    }
