"""Rules about autogen: Pod rules that are not made for what makes pods, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kyverno.autogen import ANNOTATION, generated_rules
from bartizan.engines.policy.dialects.kyverno.lint.kinds_table import CONTROLLERS
from bartizan.engines.policy.dialects.kyverno.lint.view import sequence, texts
from bartizan.engines.policy.dialects.kyverno.match import parse_kind
from bartizan.engines.policy.dialects.kyverno.spec import RuleSpec
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.remark import Said

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.engines.policy.dialects.kyverno.lint.view import PolicyView, RuleView

_WORDS: Final = frozenset({"none", "all", ""})
_MOVABLE: Final = ("validate", "mutate", "verifyImages")


def unmade_controllers(policy: PolicyView) -> Iterator[Said]:
    """Pod rules that see Pods only, though nobody said so."""
    if ANNOTATION in policy.annotations:
        return
    bodies = sequence(policy.spec.get("rules"))
    try:
        for body in bodies:
            decode(body, RuleSpec, "")
    except SpecError:
        return  # said already, and what cannot be read has no rules made from it
    made = {item.origin for item in generated_rules(bodies, policy.annotations)}
    for rule in policy.rules:
        kinds = [parse_kind(kind) for kind in rule.kinds("match")]
        for_pods = any(kind.kind == "Pod" and not kind.subresource for kind in kinds)
        if not for_pods or rule.index in made or any(kind.kind in CONTROLLERS for kind in kinds):
            continue
        if rule.deed not in _MOVABLE or _only_at_other_times(rule):
            continue
        why, at = _why(policy, rule)
        if why:
            message = f"this rule sees Pods only, and no Deployments or Jobs: {why}"
            hint = f"If that is meant, write the annotation `{ANNOTATION}: none`."
            yield Said(at, message, hint)


def _only_at_other_times(rule: RuleView) -> bool:
    """Whether a rule is about what happens to running pods, which controllers have no part in."""
    operations = [texts(item.resources.get("operations")) for item in rule.filters("match")]
    return bool(operations) and all(words and "CREATE" not in words for words in operations)


def _why(policy: PolicyView, rule: RuleView) -> tuple[str, str]:
    """The reason, with its place; the peer turns autogen off for a whole policy for what one rule says."""
    for other in policy.rules:
        where = "" if other.index == rule.index else f" in rule `{other.name}`"
        for why, at in (*_by_deed(other), *_by_filters(other)):
            return f"{why}{where}", at
    excluded = rule.kinds("exclude")
    if excluded and not any(parse_kind(kind).kind == "Pod" for kind in excluded):
        return "`exclude` names kinds, and no Pod", f"{rule.at}/exclude"
    return "", rule.at


def _by_deed(rule: RuleView) -> Iterator[tuple[str, str]]:
    if rule.generate:
        yield "no rules are made in a policy that generates", f"{rule.at}/generate"
    for holder in rule.holders("mutate"):
        if holder.body.get("patchesJson6902"):
            yield "no rules are made in a policy with `patchesJson6902`", f"{holder.at}/patchesJson6902"


def _by_filters(rule: RuleView) -> Iterator[tuple[str, str]]:
    for block in ("match", "exclude"):
        for item in rule.filters(block):
            for field in ("name", "names", "selector", "annotations"):
                if item.resources.get(field):
                    yield f"`{field}` in `{block}` turns that off", f"{item.at}/{field}"
            kinds = texts(item.resources.get("kinds"))
            if len(kinds) > 1 and any(parse_kind(kind).kind == "Pod" for kind in kinds):
                yield f"Pod beside another kind in one filter of `{block}` turns that off", f"{item.at}/kinds"


def unknown_controller(policy: PolicyView) -> Iterator[Said]:
    """Controllers in the annotation that rules are never made for."""
    wanted = policy.annotations.get(ANNOTATION)
    if not isinstance(wanted, str):
        return
    for word in wanted.split(","):
        if word not in CONTROLLERS and word not in _WORDS:
            at = f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}"
            message = f"no rules are made for `{word}`"
            yield Said(at, message, did_you_mean(word.strip(), CONTROLLERS), word)
