"""Rules about `match` and `exclude`: whether anything is left that a rule is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base import wildcard
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.lint.kinds_table import (
    CLUSTER_KINDS,
    KINDS,
    KINDS_BY_GROUP,
    OPERATIONS,
)
from bartizan.engines.policy.dialects.kyverno.lint.view import mapping, texts
from bartizan.engines.policy.dialects.kyverno.match import parse_kind
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.view import PlacedFilter, PolicyView, RuleView

_USERS: Final = ("roles", "clusterRoles", "subjects")
_FEW: Final = 3
_BLOCKS: Final = ("match", "exclude")


def unknown_kind(policy: PolicyView) -> Iterator[Said]:
    """Kinds that are not in the group they name, or are one letter off one that every cluster has."""
    for kind, at in _kinds(policy):
        selector = parse_kind(kind)
        if wildcard.is_wildcard(selector.kind) or not selector.kind:
            continue
        known = KINDS_BY_GROUP.get(selector.group)
        if known is not None and selector.kind not in known:
            message = f"group `{selector.group}` has no kind `{selector.kind}`"
            yield Said(at, message, did_you_mean(selector.kind, known | KINDS), kind, "error")
        elif selector.group == "*" and selector.kind not in KINDS:
            near = _near(selector.kind)
            if near:
                message = f"`{selector.kind}` is no kind that every cluster has"
                yield Said(at, message, f"Did you mean `{near}`?", kind)


def _near(kind: str) -> str:
    """A built-in kind that differs by capitals, a plural, or one letter of many."""
    folded = {known.lower(): known for known in KINDS}
    word = kind.lower()
    if word in folded:
        return folded[word]
    if word.endswith("s") and word[:-1] in folded:
        return folded[word[:-1]]
    if len(word) <= _FEW + 2:
        return ""
    return next((known for lower, known in sorted(folded.items()) if _one_off(word, lower)), "")


def _one_off(left: str, right: str) -> bool:
    """Whether one letter is missing, added, changed, or two neighbours are swapped."""
    if left[:1] != right[:1] or abs(len(left) - len(right)) > 1:
        return False
    if len(left) > len(right):
        left, right = right, left
    start = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
    if len(left) < len(right):
        return left[start:] == right[start + 1 :]
    swapped = left[start : start + 2] == right[start : start + 2][::-1] and left[start + 2 :] == right[start + 2 :]
    return swapped or left[start + 1 :] == right[start + 1 :]


def every_kind(policy: PolicyView) -> Iterator[Said]:
    """Every kind where something is changed or made: the cluster's own objects too."""
    for rule, block, at, kind in _listed(policy, "kinds"):
        if block == "match" and rule.deed in ("mutate", "generate") and kind in ("*", "*/*"):
            yield Said(at, f"`{rule.deed}` for every kind there is", "Name the kinds that are meant.", kind)


def unknown_operation(policy: PolicyView) -> Iterator[Said]:
    """Operations that no request has."""
    for _, _, at, word in _listed(policy, "operations"):
        if word not in OPERATIONS:
            yield Said(at, f"no request has the operation `{word}`", did_you_mean(word, OPERATIONS), word)


def negated_namespace(policy: PolicyView) -> Iterator[Said]:
    """Names that begin with `!`, which is a character like any other there."""
    for field in ("namespaces", "names", "kinds"):
        for _, block, at, text in _listed(policy, field):
            if text.startswith("!"):
                hint = f"Name `{text[1:]}` in `{'exclude' if block == 'match' else 'match'}`."
                yield Said(at, f"`!` says nothing in `{field}`: no name begins with it", hint, text)


def _listed(policy: PolicyView, field: str) -> Iterator[tuple[RuleView, str, str, str]]:
    """The texts of a list in any filter, each with its rule, its block and its place."""
    for rule in policy.rules:
        for block, item in ((name, item) for name in _BLOCKS for item in rule.filters(name)):
            for index, text in enumerate(texts(item.resources.get(field))):
                yield rule, block, f"{item.at}/{field}/{index}", text


def empty_filter(policy: PolicyView) -> Iterator[Said]:
    """Filters without anything in them, which never hold."""
    for rule in policy.rules:
        for block in _BLOCKS:
            for item in rule.filters(block):
                said = [value for value in item.resources.values() if value not in (None, [], {}, "")]
                if not said and not any(item.entry.get(field) for field in _USERS):
                    at = item.at if item.resources else item.at.removesuffix("/resources")
                    yield Said(at, f"a filter of `{block}` says nothing, and never holds", "Write `kinds:` in it.")


def impossible_match(policy: PolicyView) -> Iterator[Said]:
    """Rules whose `match` can never hold."""
    for rule in policy.rules:
        filters = rule.filters("match")
        reasons = [_never(item, policy, rule) for item in filters]
        if filters and all(reasons):
            yield Said(f"{rule.at}/match", f"this rule can never match: {reasons[0]}", "Mend or remove it.")
        elif any(item.group == "all" for item in filters):
            yield from _contradiction(rule, [item for item in filters if item.group == "all"])


def _contradiction(rule: RuleView, filters: list[PlacedFilter]) -> Iterator[Said]:
    for field in ("kinds", "operations", "namespaces", "names"):
        lists = [texts(item.resources.get(field)) for item in filters if item.resources.get(field)]
        if len(lists) < 2 or any(wildcard.is_wildcard(text) or "/" in text for items in lists for text in items):
            continue
        if not set(lists[0]).intersection(*lists[1:]):
            message = f"this rule can never match: its filters under `all` have no `{field}` in common"
            yield Said(f"{rule.at}/match/all", message, "Write `any` where one of them is enough.")


def _never(item: PlacedFilter, policy: PolicyView, rule: RuleView) -> str:
    """Why a filter holds for nothing that the rule is asked about; empty where it may."""
    resources = item.resources
    namespaces = texts(resources.get("namespaces"))
    kinds = [parse_kind(kind).kind for kind in texts(resources.get("kinds"))]
    own = policy.namespace
    if own and namespaces and not any(wildcard.match(name, own) for name in namespaces):
        return f"a Policy is about its own namespace, `{own}`, only"
    if own and kinds and all(kind in CLUSTER_KINDS for kind in kinds):
        return f"`{kinds[0]}` is in no namespace, and a Policy is about its own namespace only"
    if resources.get("namespaceSelector") and kinds and all(kind == "Namespace" for kind in kinds):
        return "a Namespace is in no namespace whose labels could be selected by"
    plain = [kind for kind in kinds if not wildcard.is_wildcard(kind)]
    if namespaces and kinds and len(plain) == len(kinds) and all(k in CLUSTER_KINDS - {"Namespace"} for k in kinds):
        return f"`{kinds[0]}` is in no namespace"
    operations = texts(resources.get("operations"))
    if operations == ["DELETE"] and any(rule.validate.get(way) is not None for way in ("pattern", "anyPattern")):
        return "patterns are not asked about what is deleted"
    return ""


def covering_exclude(policy: PolicyView) -> Iterator[Said]:
    """Rules whose `exclude` takes away all that they match."""
    for rule in policy.rules:
        matched, excluded = rule.filters("match"), rule.filters("exclude")
        if not matched or not excluded or any(item.group == "all" for item in excluded[1:]):
            continue
        if all(any(_covers(out, into) for out in excluded) for into in matched):
            hint = "Narrow `exclude`, by names or namespaces perhaps."
            yield Said(f"{rule.at}/exclude", "`exclude` takes away everything that `match` matches", hint)


def _covers(out: PlacedFilter, into: PlacedFilter) -> bool:
    """Whether a filter of `exclude` holds wherever one of `match` does."""
    said = {key for key, value in out.resources.items() if value}
    if any(out.entry.get(field) for field in _USERS):
        return False
    if out.resources == into.resources and said:
        return not any(into.entry.get(field) for field in _USERS)
    if said - {"kinds"} or not said:
        return False
    kinds = texts(into.resources.get("kinds"))
    covers = [wildcard.matcher(kind) for kind in texts(out.resources.get("kinds"))]
    return bool(kinds) and all(any(cover(kind) for cover in covers) for kind in kinds)


def silenced_rule(policy: PolicyView) -> Iterator[Said]:
    """Rules that are never reached, because with `applyRules: One` one before them matches the same."""
    if policy.spec.get("applyRules") != "One":
        return
    rules = policy.rules
    for index, rule in enumerate(rules):
        for other in rules[:index]:
            alike = other.deed == rule.deed and mapping(other.body.get("match")) == mapping(rule.body.get("match"))
            always = other.body.get("preconditions") is None and other.body.get("exclude") is None
            if alike and always and rule.deed:
                message = (
                    f"with `applyRules: One` this rule is never reached: `{other.name}` matches the same before it"
                )
                yield Said(f"{rule.at}/name", message, "Give one of them preconditions, or leave `applyRules` out.")
                break


def _kinds(policy: PolicyView) -> Iterator[tuple[str, str]]:
    return ((kind, at) for _, _, at, kind in _listed(policy, "kinds"))
