"""Rules about `matchConstraints`: what they can never match, and what is not there for an operation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.cel.kinds import known_resources, plural
from bartizan.engines.policy.cel.lint.view import words
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.lint.view import CelView

_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT", "*")
_FIELDS: Final = ("apiGroups", "apiVersions", "operations", "resources")
_ASKED_BY: Final = {
    **dict.fromkeys(("exec", "attach", "portforward", "proxy"), ("CONNECT",)),
    **dict.fromkeys(("status", "scale", "ephemeralcontainers", "resize", "approval", "finalize"), ("UPDATE",)),
    **dict.fromkeys(("binding", "eviction", "token"), ("CREATE",)),
}
"""The operations that parts of objects are asked for by, of those that change anything."""
_READS_OBJECT: Final = re.compile(r"(?<![\w.])object\s*[.\[]")
_GUARDS: Final = re.compile(
    r"\boldObject\b|\brequest\s*\.\s*operation\b|(?<![\w.])object\s*[!=]=\s*null|null\s*[!=]=\s*object\b"
)
_NOT_JUDGING: Final = ("DeletingPolicy", "GeneratingPolicy", "MutatingPolicy", "MutatingAdmissionPolicy")
_MADE_BY: Final = ("delete", "deletecollection")


def unknown_operation(policy: CelView) -> Iterator[Said]:
    """Operations that no request has."""
    for at, rule in policy.rules:
        for index, word in enumerate(words(rule.get("operations"))):
            if word not in _OPERATIONS:
                hint = "Write `DELETE`." if word.lower() in _MADE_BY else did_you_mean(word, _OPERATIONS)
                yield Said(f"{at}/operations/{index}", f"unknown operation `{word}`", hint, word)


def empty_rule(policy: CelView) -> Iterator[Said]:
    """Resource rules that leave out what must be named, and so match nothing."""
    for at, rule in policy.rules:
        for name in _FIELDS:
            is_free = name == "operations" and policy.kind == "DeletingPolicy"
            if not rule.get(name) and not is_free:
                yield Said(at, f"this rule names no `{name}`, and matches nothing", f'Write `{name}: ["*"]` for any.')


def unknown_resource(policy: CelView) -> Iterator[Said]:
    """Resources of Kubernetes' own groups that are not there: kinds, singulars, misspelt names."""
    for at, rule in policy.rules:
        groups = words(rule.get("apiGroups"))
        known = sorted({name for group in groups for name in known_resources(group)})
        if not known or not all(known_resources(group) for group in groups):
            continue  # a group of somebody else's, which may have anything
        for index, word in enumerate(words(rule.get("resources"))):
            name = word.partition("/")[0]
            if name in known or name == "*":
                continue
            meant = plural(name)
            hint = f"Write `{meant}`." if meant in known else _near(name, known)
            where = "the core group" if groups == [""] else ", ".join(f"`{group}`" for group in groups)
            yield Said(f"{at}/resources/{index}", f"{where} has no resource `{name}`", hint, word)


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # late: hardly anything is misspelt

    close = get_close_matches(name.lower(), known, n=1)
    return f"Did you mean `{close[0]}`?" if close else "Check the API group, too."


def idle_operation(policy: CelView) -> Iterator[Said]:
    """Parts of objects with operations that they are never asked for by."""
    for at, rule in policy.rules:
        operations = words(rule.get("operations"))
        for index, word in enumerate(words(rule.get("resources"))):
            part = word.partition("/")[2]
            wanted = _ASKED_BY.get(part)
            if wanted and operations and not {*wanted, "*"} & set(operations):
                message = f"`{word}` is asked for by {' and '.join(wanted)} only, and never by {', '.join(operations)}"
                yield Said(f"{at}/resources/{index}", message, f"Write `operations: [{', '.join(wanted)}]`.", word)


def absent_object(policy: CelView) -> Iterator[Said]:
    """Expressions that read `object` where it may be null: when something is deleted."""
    if policy.kind in _NOT_JUDGING or not any(_deletes(rule) for _, rule in policy.rules):
        return
    conditions = [found.text for found in policy.within("matchConditions")]
    if any(_GUARDS.search(text) for text in conditions):
        return
    for found in policy.within("validations"):
        reads = _READS_OBJECT.search(found.text)
        if reads and found.at.endswith("/expression") and not _GUARDS.search(found.text):
            hint = "Leave DELETE out, or ask `request.operation`."
            message = "`object` is null where something is deleted, which this policy is about, too"
            yield Said(found.at, message, hint, begins=reads.start())
            return  # once is enough


def _deletes(rule: JsonObject) -> bool:
    return "DELETE" in words(rule.get("operations"))
