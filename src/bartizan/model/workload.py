"""Where the pod is in a resource that makes pods."""

from __future__ import annotations

from typing import Final, NamedTuple

from bartizan.base.json import JsonObject

_TEMPLATE: Final = ("spec", "template")
_PATHS: Final[dict[str, tuple[str, ...]]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", *_TEMPLATE),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"), _TEMPLATE
    ),
    "PodTemplate": ("template",),
}
_POINTERS: Final = {kind: "".join(f"/{step}" for step in path) for kind, path in _PATHS.items()}
WORKLOADS: Final = frozenset(_PATHS)
"""Every built-in kind with a pod in it."""


class PodPart(NamedTuple):
    """A pod, or the template of one; `pointer` is where it stands in its resource."""

    pointer: str
    metadata: JsonObject
    spec: JsonObject


def pod_of(kind: str, body: JsonObject) -> PodPart | None:
    """The pod of a workload; `None` for other kinds, and where the template is no object."""
    path = _PATHS.get(kind)
    if path is None:
        return None
    part = body
    for step in path:
        part = part.get(step)  # type: ignore[assignment]  # tested in the next line
        if not isinstance(part, dict):
            return None
    spec, metadata = part.get("spec"), part.get("metadata")
    if not isinstance(spec, dict):
        return None
    return PodPart(_POINTERS[kind], metadata if isinstance(metadata, dict) else {}, spec)
