"""Rules for pod controllers, made from rules for Pods.

A policy about Pods is meant for whatever makes Pods. Kyverno writes such
rules into the policy's status; here they exist only while a policy is
compiled, and never reach the user's document.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import Json, JsonObject

ANNOTATION: Final = "pod-policies.kyverno.io/autogen-controllers"
_KINDS: Final = {
    "DaemonSet": "apps/v1/DaemonSet",
    "Deployment": "apps/v1/Deployment",
    "Job": "batch/v1/Job",
    "ReplicaSet": "apps/v1/ReplicaSet",
    "ReplicationController": "v1/ReplicationController",
    "StatefulSet": "apps/v1/StatefulSet",
    "CronJob": "batch/v1/CronJob",
}
"""Pod controllers, with the version that generated rules are for."""
_CRON_JOB: Final = "CronJob"
_NO_KINDS: Final = frozenset({"", "none", "all", _CRON_JOB})
_MAX_NAME_CHARS: Final = 63  # a label's length, which Kyverno keeps rule names to
_NARROWING: Final = ("name", "names")
_WAYS: Final = ("pattern", "anyPattern", "deny", "podSecurity", "foreach", "cel")
_VERSION: Final = re.compile(r"v\d((alpha|beta)\d)?|\*")
_PREFIXES: Final = ("request.object", "request.oldObject")
_CEL_PREFIXES: Final = ("object", "oldObject")


class Generated(NamedTuple):
    """A rule made from the one at `origin`; it is asked about resources of these kinds only."""

    rule: JsonObject
    origin: int
    kinds: frozenset[str]


def generated_rules(rules: Sequence[JsonObject], annotations: JsonObject) -> list[Generated]:
    """The rules for pod controllers that go with `rules`, in Kyverno's order; empty where autogen is off."""
    if not _can_generate(rules):
        return []
    wanted = annotations.get(ANNOTATION)
    controllers = tuple(_KINDS) if wanted is None else tuple(wanted.split(","))
    templates = frozenset(controllers) - _NO_KINDS
    generated: list[Generated] = []
    for origin, rule in enumerate(rules):
        if not _is_for_pods(rule) or not _can_move(rule):
            continue
        if templates:
            generated.append(Generated(_for_templates(rule, sorted(templates)), origin, templates))
        if _CRON_JOB in controllers:
            generated.append(Generated(_for_cron_jobs(rule), origin, frozenset({_CRON_JOB})))
    return generated


def _can_generate(rules: Sequence[JsonObject]) -> bool:
    """Whether autogen applies to the policy as a whole: one rule that narrows too far turns it off for all.

    Somewhere in it a Pod or a controller of pods must be named as nothing but its kind.
    """
    named = False
    for rule in rules:
        mutate = rule.get("mutate") or {}
        loops = mutate.get("foreach")
        patches = [mutate, *(loop for loop in (loops if isinstance(loops, list) else ()) if isinstance(loop, dict))]
        if rule.get("generate") or any(patch.get("patchesJson6902") for patch in patches):
            return False
        for resources in (*_descriptions(rule.get("match")), *_descriptions(rule.get("exclude"))):
            kinds = resources.get("kinds") or []
            if any(resources.get(field) for field in _NARROWING) or (len(kinds) > 1 and _has_pod(kinds)):
                return False
            if resources.get("selector") is not None or resources.get("annotations") is not None:
                return False
            named = named or any(kind == "Pod" or kind in _KINDS for kind in kinds)
    return named


def _is_for_pods(rule: JsonObject) -> bool:
    matched = [kind for item in _descriptions(rule.get("match")) for kind in item.get("kinds") or ()]
    excluded = [kind for item in _descriptions(rule.get("exclude")) for kind in item.get("kinds") or ()]
    if not _has_pod(matched) or str(rule.get("name", "")).startswith("autogen-"):
        return False
    return not excluded or _has_pod(excluded)


def _can_move(rule: JsonObject) -> bool:
    """Whether what the rule does to a Pod can be done to the template of one."""
    validate, mutate = rule.get("validate"), rule.get("mutate")
    if isinstance(validate, dict) and any(validate.get(way) is not None for way in _WAYS):
        return True
    if isinstance(mutate, dict) and (mutate.get("patchStrategicMerge") or mutate.get("foreach")):
        return True
    return bool(rule.get("verifyImages"))


def _has_pod(kinds: Sequence[Json]) -> bool:
    return any(isinstance(kind, str) and _plain_kind(kind) == "Pod" for kind in kinds)


def _plain_kind(text: str) -> str:
    """The kind in an entry of `kinds`, without group, version and subresource; Kyverno's own reading for autogen."""
    parts = text.split("/")
    if len(parts) > 1 and _VERSION.fullmatch(parts[0]):
        parts = parts[1:]
    elif len(parts) > 2:
        parts = parts[2:]
    return parts[0].partition(".")[0]


def _descriptions(block: Json) -> Iterator[JsonObject]:
    """Every resource description of a match or exclude block."""
    if not isinstance(block, dict):
        return
    for entry in (block, *(block.get("any") or ()), *(block.get("all") or ())):
        resources = entry.get("resources") if isinstance(entry, dict) else None
        if isinstance(resources, dict):
            yield resources


def _for_templates(rule: JsonObject, kinds: Sequence[str]) -> JsonObject:
    made = _rebuild(rule, "autogen-", lambda pattern: {"spec": {"template": pattern}})
    made |= _matching(rule, [_KINDS.get(kind, kind) for kind in kinds], every=False)
    moved: JsonObject = _shift(made, "spec.template", _prefixes(rule))
    return moved


def _for_cron_jobs(rule: JsonObject) -> JsonObject:
    made = _rebuild(
        rule, "autogen-cronjob-", lambda pattern: {"spec": {"jobTemplate": {"spec": {"template": pattern}}}}
    )
    made |= _matching(rule, [_KINDS[_CRON_JOB]], every=True)
    moved: JsonObject = _shift(made, "spec.jobTemplate.spec.template", _prefixes(rule))
    return moved


def _rebuild(rule: JsonObject, prefix: str, wrap: Callable[[Json], Json]) -> JsonObject:
    made = {key: value for key, value in rule.items() if key != "imageExtractors"}
    made["name"] = f"{prefix}{rule.get('name', '')}"[:_MAX_NAME_CHARS]
    validate = rule.get("validate")
    if isinstance(validate, dict):
        made["validate"] = _wrap_patterns(validate, wrap)
    mutate = rule.get("mutate")
    if isinstance(mutate, dict) and "patchStrategicMerge" in mutate:
        made["mutate"] = {**mutate, "patchStrategicMerge": wrap(mutate["patchStrategicMerge"])}
    elif isinstance(mutate, dict) and isinstance(mutate.get("foreach"), list):
        made["mutate"] = {**mutate, "foreach": [_wrap_loop(loop, wrap) for loop in mutate["foreach"]]}
    return made


def _wrap_patterns(validate: JsonObject, wrap: Callable[[Json], Json]) -> JsonObject:
    """Patterns move under the pod template; those inside `foreach` judge an element and stay."""
    made = dict(validate)
    if "pattern" in validate:
        made["pattern"] = wrap(validate["pattern"])
    if isinstance(validate.get("anyPattern"), list):
        made["anyPattern"] = [wrap(pattern) for pattern in validate["anyPattern"]]
    return made


def _wrap_loop(loop: Json, wrap: Callable[[Json], Json]) -> Json:
    if not isinstance(loop, dict) or "patchStrategicMerge" not in loop:
        return loop
    return {**loop, "patchStrategicMerge": wrap(loop["patchStrategicMerge"])}


def _matching(rule: JsonObject, kinds: Sequence[str], *, every: bool) -> JsonObject:
    """The rule's match and exclude blocks for other kinds: of `every` filter, or of those for Pods only."""
    made: JsonObject = {}
    for name in ("match", "exclude"):
        block = rule.get(name)
        if not isinstance(block, dict):
            continue
        group = next((group for group in ("any", "all") if block.get(group)), None)
        if group is not None:
            made[name] = {**block, group: [_with_kinds(entry, kinds, every=every) for entry in block[group]]}
        else:
            made[name] = _with_kinds(block, kinds, every=True)
    return made


def _with_kinds(entry: JsonObject, kinds: Sequence[str], *, every: bool) -> JsonObject:
    resources = entry.get("resources") or {}
    if not resources.get("kinds") or not (every or _has_pod(resources["kinds"])):
        return entry
    return {**entry, "resources": {**resources, "kinds": list(kinds)}}


def _prefixes(rule: JsonObject) -> tuple[str, ...]:
    """The names that the Pod has in a rule's expressions, as text, which is how Kyverno replaces them."""
    validate = rule.get("validate")
    return _CEL_PREFIXES if isinstance(validate, dict) and validate.get("cel") is not None else _PREFIXES


def _shift(value: Json, template: str, prefixes: tuple[str, ...]) -> Json:
    """Point every variable that reads the Pod at the pod template, in keys and values alike."""
    if isinstance(value, str):
        if "bject." in value:
            for prefix in prefixes:
                value = value.replace(f"{prefix}.spec", f"{prefix}.{template}.spec")
                value = value.replace(f"{prefix}.metadata", f"{prefix}.{template}.metadata")
        return value
    if isinstance(value, dict):
        return {_shift(key, template, prefixes): _shift(item, template, prefixes) for key, item in value.items()}
    return [_shift(item, template, prefixes) for item in value] if isinstance(value, list) else value
