"""Rules for pod controllers, made from rules for Pods.

A policy about Pods is meant for whatever makes Pods. Kyverno writes such
rules into the policy's status; here they exist only while a policy is
compiled, and never reach the user's document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import Json, JsonObject

ANNOTATION: Final = "pod-policies.kyverno.io/autogen-controllers"
TEMPLATE_CONTROLLERS: Final = (
    "DaemonSet",
    "Deployment",
    "Job",
    "ReplicaSet",
    "ReplicationController",
    "StatefulSet",
)
_CRON_JOB: Final = "CronJob"
_MAX_NAME_CHARS: Final = 63  # a label's length, which Kyverno keeps rule names to
_NARROWING: Final = ("name", "names", "selector", "annotations")
_PREFIXES: Final = ("request.object", "request.oldObject")


def generated_rules(rules: Sequence[JsonObject], annotations: JsonObject) -> list[JsonObject]:
    """The rules for pod controllers that go with `rules`, in Kyverno's order; empty where autogen is off."""
    if not _can_generate(rules):
        return []
    wanted = annotations.get(ANNOTATION)
    controllers = (*TEMPLATE_CONTROLLERS, _CRON_JOB) if wanted in (None, "all") else tuple(str(wanted).split(","))
    names = [name.strip() for name in controllers]
    templates = [name for name in TEMPLATE_CONTROLLERS if name in names]
    generated: list[JsonObject] = []
    for rule in rules:
        if not _is_for_pods(rule):
            continue
        if templates:
            generated.append(_for_templates(rule, "autogen-", templates))
        if _CRON_JOB in names:
            generated.append(_for_cron_jobs(rule))
    return generated


def _can_generate(rules: Sequence[JsonObject]) -> bool:
    """Whether autogen applies to the policy as a whole: one rule that narrows too far turns it off for all."""
    found_pod = False
    for rule in rules:
        mutate = rule.get("mutate") or {}
        loops = mutate.get("foreach")
        patches = [mutate, *(loop for loop in (loops if isinstance(loops, list) else ()) if isinstance(loop, dict))]
        if rule.get("generate") or any(patch.get("patchesJson6902") for patch in patches):
            return False
        for resources in (*_descriptions(rule.get("match")), *_descriptions(rule.get("exclude"))):
            kinds = resources.get("kinds") or []
            has_pod = any(_is_pod(kind) for kind in kinds)
            if any(resources.get(field) for field in _NARROWING) or (len(kinds) > 1 and has_pod):
                return False
            if resources.get("selector") is not None or resources.get("annotations") is not None:
                return False
            found_pod = found_pod or has_pod
    return found_pod


def _is_for_pods(rule: JsonObject) -> bool:
    matched = [kind for item in _descriptions(rule.get("match")) for kind in item.get("kinds") or ()]
    excluded = [kind for item in _descriptions(rule.get("exclude")) for kind in item.get("kinds") or ()]
    if not any(_is_pod(kind) for kind in matched) or str(rule.get("name", "")).startswith("autogen-"):
        return False
    return not excluded or any(_is_pod(kind) for kind in excluded)


def _is_pod(kind: Json) -> bool:
    return isinstance(kind, str) and kind.rpartition("/")[2] == "Pod"


def _descriptions(block: Json) -> Iterator[JsonObject]:
    """Every resource description of a match or exclude block."""
    if not isinstance(block, dict):
        return
    for entry in (block, *(block.get("any") or ()), *(block.get("all") or ())):
        resources = entry.get("resources") if isinstance(entry, dict) else None
        if isinstance(resources, dict):
            yield resources


def _for_templates(rule: JsonObject, prefix: str, kinds: Sequence[str]) -> JsonObject:
    wrapped = _rebuild(rule, prefix, kinds, lambda pattern: {"spec": {"template": pattern}})
    moved: JsonObject = _shift(wrapped, "spec.template")
    return moved


def _for_cron_jobs(rule: JsonObject) -> JsonObject:
    def wrap(pattern: Json) -> Json:
        return {"spec": {"jobTemplate": {"spec": {"template": pattern}}}}

    moved: JsonObject = _shift(_rebuild(rule, "autogen-cronjob-", [_CRON_JOB], wrap), "spec.jobTemplate.spec.template")
    return moved


def _rebuild(rule: JsonObject, prefix: str, kinds: Sequence[str], wrap: Callable[[Json], Json]) -> JsonObject:
    made = {**rule, "name": f"{prefix}{rule.get('name', '')}"[:_MAX_NAME_CHARS]}
    for block in ("match", "exclude"):
        if rule.get(block):
            made[block] = _with_kinds(rule[block], kinds)
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


def _with_kinds(block: JsonObject, kinds: Sequence[str]) -> JsonObject:
    made = dict(block)
    for group in ("any", "all"):
        if block.get(group):
            made[group] = [_with_kinds(entry, kinds) for entry in block[group]]
    resources = block.get("resources")
    if isinstance(resources, dict) and any(_is_pod(kind) for kind in resources.get("kinds") or ()):
        made["resources"] = {**resources, "kinds": list(kinds)}
    return made


def _shift(value: Json, template: str) -> Json:
    """Point every variable that reads the Pod at the pod template, in keys and values alike."""
    if isinstance(value, str):
        if "request.o" in value:
            for prefix in _PREFIXES:
                value = value.replace(f"{prefix}.spec", f"{prefix}.{template}.spec")
                value = value.replace(f"{prefix}.metadata", f"{prefix}.{template}.metadata")
        return value
    if isinstance(value, dict):
        return {_shift(key, template): _shift(item, template) for key, item in value.items()}
    return [_shift(item, template) for item in value] if isinstance(value, list) else value
