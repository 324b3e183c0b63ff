"""Rules about the fields of Pods: those that may be left out, and those that are a number or a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bartizan.engines.policy.cel.lint.paths import path_of, reads, start_of
from bartizan.engines.policy.cel.lint.view import words
from bartizan.engines.policy.remark import Said
from bartizan.lang.cel.nodes import Call, Constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.engines.policy.cel.lint.paths import Path, Read
    from bartizan.engines.policy.cel.lint.view import CelView
    from bartizan.lang.cel.nodes import Node

_CONTAINER: Final = frozenset(
    [
        "args",
        "command",
        "env",
        "envFrom",
        "lifecycle",
        "livenessProbe",
        "ports",
        "readinessProbe",
        "resources",
        "restartPolicy",
        "securityContext",
        "startupProbe",
        "volumeMounts",
        "workingDir",
    ]
)
_POD: Final = frozenset(
    [
        "affinity",
        "automountServiceAccountToken",
        "ephemeralContainers",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostUsers",
        "imagePullSecrets",
        "initContainers",
        "nodeSelector",
        "priorityClassName",
        "runtimeClassName",
        "securityContext",
        "serviceAccountName",
        "tolerations",
        "topologySpreadConstraints",
        "volumes",
    ]
)
_METADATA: Final = frozenset({"annotations", "labels", "ownerReferences"})
_CONTAINERS: Final = ("containers", "initContainers", "ephemeralContainers")
_BELOW: Final = ("securityContext", "resources")
"""Fields of which every field may be left out as well."""
_TEMPLATES: Final[Mapping[str, Path]] = {
    "pods": (),
    "cronjobs": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("deployments", "daemonsets", "statefulsets", "replicasets", "jobs"), ("spec", "template")),
}
_COMPARES: Final = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")
_EITHER: Final = frozenset({"targetPort", "maxUnavailable", "minAvailable", "maxSurge"})
_PROBED: Final = (("httpGet", "port"), ("tcpSocket", "port"))


def unguarded_field(policy: CelView) -> Iterator[Said]:
    """Fields of Pods that may be left out, and are read without asking whether they are there."""
    templates = {_TEMPLATES.get(name) for _, rule in policy.rules for name in words(rule.get("resources"))}
    if len(templates) != 1 or None in templates:
        return  # about something else, too
    (template,) = templates
    tested = {read.path for found in policy.expressions.values() for read in _reads_of(found.tree) if read.is_safe}
    for found in policy.within("validations"):
        said: set[Path] = set()
        for read in _reads_of(found.tree) if found.at.endswith("/expression") else ():
            missing = _optional(read, template or ())
            if missing is None or missing in said or any(_guards(path, missing) for path in tested):
                continue
            said.add(missing)
            shown = ".".join(("object", *missing)).replace(".[]", "[]")
            hint = f"Write `has({shown})` before it, or `.?{missing[-1]}`." if "[]" not in missing else ""
            hint = hint or f"Ask `has(…{missing[-1]})` before it, or write `.?{missing[-1]}`."
            message = f"`{shown}` may be left out, and the expression then has no value"
            yield Said(found.at, message, hint, begins=read.at)


def _reads_of(tree: Node | None) -> Iterator[Read]:
    return iter(()) if tree is None else reads(tree)


def _optional(read: Read, template: Path) -> Path | None:
    """The first field on the way that may be left out, where it is read as if it were there."""
    path = read.path
    if read.is_safe or path[: len(template)] != template:
        return None
    rest, start = path[len(template) :], len(template)
    if rest[:1] == ("metadata",) and rest[1:2] and rest[1] in _METADATA:
        return path[: start + 2]
    if rest[:1] != ("spec",) or len(rest) < 2:
        return None
    if rest[1] in _CONTAINERS and rest[2:3] == ("[]",) and len(rest) > 3:
        return _below(path, start + 3, _CONTAINER)
    return _below(path, start + 1, _POD)


def _below(path: Path, at: int, optional: frozenset[str]) -> Path | None:
    """The first field from `at` on that may be left out; one that the API server fills in counts by what is in it."""
    if path[at] not in optional:
        return None
    if path[at] == "securityContext" and optional is _POD:
        return path[: at + 2] if len(path) > at + 1 else None
    return path[: at + 1]


def _guards(tested: Path, missing: Path) -> bool:
    """Whether a test is about a field, or one inside it."""
    return tested[: len(missing)] == missing


def two_types(policy: CelView) -> Iterator[Said]:
    """Fields that are a number or a text, compared with one of both as if they could not be the other."""
    for found in policy.expressions.values():
        for node in found.nodes():
            if not isinstance(node, Call) or node.function not in _COMPARES:
                continue
            left, right = node.arguments
            for field, other in ((left, right), (right, left)):
                path = path_of(field, _Anything())
                if path and _is_either(path) and isinstance(other, Constant) and not _asks_type(found.text):
                    kind = _kind(other.value)
                    if kind:
                        message = f"`{path[-1]}` is a number or a text, and is compared with a {kind} only"
                        hint = "Write `string(…)` around it, or ask `type(…)` first."
                        yield Said(found.at, message, hint, begins=start_of(field))


class _Anything(dict[str, Any]):
    """Every name as the beginning of a path: an element of a loop is as good as `object`."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002 (as a mapping has it)
        return (key,)


def _is_either(path: Path) -> bool:
    return path[-1] in _EITHER or path[-2:] in _PROBED


def _asks_type(text: str) -> bool:
    return "type(" in text


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return ""
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else ""
