"""A watch read as events of delivery: a state machine over the changes of objects.

It is told of Deployments, StatefulSets, DaemonSets, the ReplicaSets and
ControllerRevisions that keep their earlier templates, and Pods. A change is a
new template in a new generation: a template that changes within one is the
server filling in new defaults. What is listed for the first time is how
things are, not news; what is listed after a gap is news that came late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import msgspec

from bartizan.findings.delivery.progress import is_crash_looping, progress_of
from bartizan.findings.delivery.templates import digest, made, read_time
from bartizan.model.delivery import (
    Capacity,
    Event,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    SightLost,
    SightRegained,
    Workload,
)
from bartizan.model.resource import identify, labels_of, metadata_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bartizan.base.json import JsonObject
    from bartizan.findings.delivery.progress import Progress

How: TypeAlias = Literal["listed", "changed", "deleted"]
"""How we come to know an object: by listing its kind, or by a watch."""

WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_KEPT: Final = 50  # templates remembered of a workload; a cluster keeps 10 by default


class Known(msgspec.Struct):
    """What is remembered of a workload. `told` is whether its template was news; `fresh`, seen since sight is back."""

    workload: Workload
    generation: int
    template: str
    earlier: list[str] = []
    told: bool = False
    pending: bool = False
    signals: list[str] = []
    capacity: tuple[int, int] | None = None
    fresh: bool = True


class Kept(msgspec.Struct):
    """A template that a ReplicaSet or ControllerRevision keeps, and since when. `owner` is a uid."""

    owner: str
    name: str
    template: str
    made_at: str


class Memory(msgspec.Struct):
    """All that is remembered of one cluster, by uid; it can be written down and read back."""

    cluster: str
    workloads: dict[str, Known] = {}
    kept: dict[str, Kept] = {}
    lost_at: str = ""


class Observation(NamedTuple):
    """An object as it came. `at` is when."""

    at: datetime
    how: How
    body: JsonObject


def lose_sight(memory: Memory, at: datetime) -> list[Event]:
    """The watch broke."""
    memory.lost_at = at.isoformat()
    for known in memory.workloads.values():
        known.fresh, known.capacity = False, None
    return [SightLost(at, memory.cluster)]


def regain_sight(memory: Memory, at: datetime) -> list[Event]:
    """The watch is back. Call it before the objects are listed again."""
    return [SightRegained(at, memory.cluster)]


def conclude_listing(memory: Memory, kind: str, at: datetime) -> list[Event]:
    """All objects of a kind were listed: what was not among them is gone. Not to be called where listing failed."""
    gone = [uid for uid, known in memory.workloads.items() if not known.fresh and known.workload.kind == kind]
    return [Capacity(at, memory.workloads.pop(uid).workload, 0, 0) for uid in gone]


def observe(memory: Memory, seen: Observation, image_times: Mapping[str, datetime]) -> list[Event]:
    """Learn of an object. What is no whole object of a kind we read says nothing.

    `image_times` are those at which images were made, by their names, as far
    as they are known.
    """
    resource = identify(seen.body)
    uid = metadata_of(seen.body).get("uid")
    if not isinstance(uid, str) or not uid:
        return []
    if resource.group == "apps" and resource.kind in WORKLOADS:
        workload = Workload(memory.cluster, resource.namespace, resource.kind, resource.name)
        if seen.how == "deleted":
            return [Capacity(seen.at, workload, 0, 0)] if memory.workloads.pop(uid, None) else []
        return _workload(memory, uid, workload, seen, image_times)
    if resource.group == "apps" and resource.kind in ("ReplicaSet", "ControllerRevision"):
        _keep(memory, uid, seen)
    elif not resource.group and resource.kind == "Pod" and seen.how != "deleted":
        return _pod(memory, seen)
    return []


def _workload(
    memory: Memory, uid: str, workload: Workload, seen: Observation, image_times: Mapping[str, datetime]
) -> list[Event]:
    template = _template(seen.body)
    progress = progress_of(workload.kind, seen.body)
    if template is None or not progress.generation:
        return []
    name = digest(template)
    known = memory.workloads.get(uid)
    if known and progress.generation < known.generation:
        return []  # from the past: a listing that the watch overtook
    news: list[Event] = []
    exact = known.fresh if known else seen.how == "changed"
    if known is None:
        known = memory.workloads[uid] = Known(workload, progress.generation, name)
        changed = _is_new(memory, seen, progress)
    else:
        changed = name != known.template and progress.generation > known.generation
        if changed and _had(memory, uid, known, name):
            news.append(RolledBack(seen.at, workload, name, known.template, exact))
        known.earlier = _remembered(known, known.template) if changed else known.earlier
    if changed:
        known.told, known.pending, known.signals = True, True, []
        news = news or [RolloutBegan(seen.at, workload, name, *made(seen.body, template, image_times), exact)]
    known.template, known.generation, known.fresh = name, progress.generation, True
    return [*news, *_judge(known, progress, seen.at, exact=exact)]


def _template(body: JsonObject) -> JsonObject | None:
    """The pod template of a workload, or that a ControllerRevision keeps as a patch."""
    part: Any = body
    for step in ("data", "spec", "template") if "data" in body else ("spec", "template"):
        part = part.get(step) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else None


def _is_new(memory: Memory, seen: Observation, progress: Progress) -> bool:
    """Whether a workload that we meet was made just now, or in our absence."""
    if seen.how == "changed":
        return progress.generation == 1
    made_at, lost_at = read_time(metadata_of(seen.body).get("creationTimestamp")), read_time(memory.lost_at)
    return made_at is not None and lost_at is not None and made_at > lost_at


def _had(memory: Memory, uid: str, known: Known, template: str) -> bool:
    """Whether a workload had a template before the one it leaves: we saw it, or the cluster keeps it as older."""
    if template in known.earlier:
        return True
    since: dict[str, str] = {}
    for kept in memory.kept.values():
        if kept.owner == uid and kept.made_at:
            since[kept.template] = min(since.get(kept.template, kept.made_at), kept.made_at)
    return template in since and known.template in since and since[template] < since[known.template]


def _remembered(known: Known, template: str) -> list[str]:
    return [*(one for one in known.earlier if one != template), template][-_KEPT:]


def _judge(known: Known, progress: Progress, at: datetime, *, exact: bool) -> list[Event]:
    """What the status says of the template that is set."""
    news: list[Event] = []
    if progress.complete and (known.pending or known.signals):
        known.pending, known.signals = False, []
        news.append(RolloutSucceeded(at, known.workload, known.template, exact))
    elif progress.overdue and known.pending and "deadline" not in known.signals:
        known.signals.append("deadline")
        news.append(RolloutFailed(at, known.workload, known.template, "deadline", exact))
    capacity = progress.desired, min(progress.available, progress.desired)
    if capacity != known.capacity:
        known.capacity = capacity
        news.append(Capacity(at, known.workload, *capacity))
    return news


def _keep(memory: Memory, uid: str, seen: Observation) -> None:
    if seen.how == "deleted":
        kept = memory.kept.pop(uid, None)
        known = memory.workloads.get(kept.owner) if kept else None
        if kept and known and kept.template not in (known.template, *known.earlier):
            known.earlier = [kept.template, *known.earlier][-_KEPT:]
        return
    template, owner = _template(seen.body), _owner(seen.body)
    if template is None or not owner:
        return
    made_at = metadata_of(seen.body).get("creationTimestamp")
    name = identify(seen.body).name
    memory.kept[uid] = Kept(owner, name, digest(template), made_at if isinstance(made_at, str) else "")


def _owner(body: JsonObject) -> str:
    """The uid of what made this object and minds it."""
    owners = metadata_of(body).get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, dict) and owner.get("controller") is True and isinstance(owner.get("uid"), str):
            return str(owner["uid"])
    return ""


def _pod(memory: Memory, seen: Observation) -> list[Event]:
    """A pod of the template that is set crashes in a loop: said once, until the workload is healthy again."""
    if not is_crash_looping(seen.body):
        return []
    owner = _owner(seen.body)
    replicas = memory.kept.get(owner)
    known = memory.workloads.get(replicas.owner if replicas else owner)
    if known is None or not known.told or "crash-loop" in known.signals:
        return []
    template = replicas.template if replicas else _revision(memory, owner, seen.body)
    if template != known.template:
        return []
    known.signals.append("crash-loop")
    return [RolloutFailed(seen.at, known.workload, template, "crash-loop", seen.how == "changed")]


def _revision(memory: Memory, owner: str, body: JsonObject) -> str:
    """The template of a StatefulSet's or DaemonSet's pod, by its label: the revision's name, or the end of it."""
    label = labels_of(body).get("controller-revision-hash")
    if not isinstance(label, str) or not label:
        return ""
    held = (one for one in memory.kept.values() if one.owner == owner)
    return next((one.template for one in held if one.name == label or one.name.endswith(f"-{label}")), "")
