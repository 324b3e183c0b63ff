"""How far a roll-out is, by the word of the workload's own status."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bartizan.model.resource import metadata_of

if TYPE_CHECKING:
    from bartizan.base.json import Json, JsonObject


class Progress(NamedTuple):
    """What the status says. `complete` is of the template that is set now; `overdue` is its passed deadline."""

    generation: int
    desired: int
    available: int
    complete: bool
    overdue: bool


def progress_of(kind: str, body: JsonObject) -> Progress:
    """Read the status of a Deployment, StatefulSet or DaemonSet.

    Complete means: the generation is observed, and the updated, the
    available and all replicas are as many as are wanted, at least one. All
    of them too, for an old replica that is still there may be the available
    one; and at least one, for a roll-out of nothing shows nothing.
    """
    spec, status = _object(body.get("spec")), _object(body.get("status"))
    generation = _count(metadata_of(body).get("generation"))
    if kind == "DaemonSet":
        desired = every = _count(status.get("desiredNumberScheduled"))
        updated, available = _count(status.get("updatedNumberScheduled")), _count(status.get("numberAvailable"))
    else:
        desired = 1 if spec.get("replicas") is None else _count(spec.get("replicas"))
        every = _count(status.get("replicas"))
        updated, available = _count(status.get("updatedReplicas")), _count(status.get("availableReplicas"))
    observed = generation > 0 and _count(status.get("observedGeneration")) >= generation
    complete = observed and updated == available == every == desired > 0
    return Progress(generation, desired, available, complete, observed and _is_overdue(status))


def _is_overdue(status: JsonObject) -> bool:
    conditions = status.get("conditions")
    return any(
        isinstance(condition, dict)
        and condition.get("type") == "Progressing"
        and condition.get("status") == "False"
        and condition.get("reason") == "ProgressDeadlineExceeded"
        for condition in (conditions if isinstance(conditions, list) else ())
    )


def is_crash_looping(body: JsonObject) -> bool:
    """Whether a container of a pod waits to be started again after it ended too often."""
    status = _object(body.get("status"))
    for group in ("initContainerStatuses", "containerStatuses"):
        statuses = status.get(group)
        for one in statuses if isinstance(statuses, list) else ():
            state = _object(one.get("state")) if isinstance(one, dict) else {}
            if _object(state.get("waiting")).get("reason") == "CrashLoopBackOff":
                return True
    return False


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _count(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
