"""Rules that would generate for what they have generated, without end: found when a policy is loaded.

By default a rule is not asked about what rules have made, and nothing can
loop. With `skipBackgroundRequests: false` it is. A chain of such rules that
comes back to its first ends by itself where one of them makes an object of a
fixed name, for that object is there the second time. Only what cannot end is
refused here: every name on the way is made of the trigger's, and one is
longer than it, or is random. Whatever else loops is stopped when it runs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base import wildcard
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.generation.spec import GenerateSpec
from bartizan.engines.policy.dialects.kyverno.match import parse_kind
from bartizan.engines.policy.dialects.kyverno.spec import Filter, ResourceFilter, RuleSpec
from bartizan.engines.policy.dialects.kyverno.variables import has_variables
from bartizan.engines.policy.document import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bartizan.base.json import JsonObject

_OF_TRIGGER: Final = re.compile(
    r"(?P<before>[^{}]*)\{\{-?\s*request\.object\.metadata\.name\s*\}\}(?P<after>[^{}]*)", re.DOTALL
)
_RANDOM: Final = re.compile(r"\{\{[^{}]*\brandom\(")


class _Flow(NamedTuple):
    """From which kinds a rule makes which, where its name follows from its trigger's alone."""

    place: int
    name: str
    takes: Callable[[str, str], bool]
    group: str
    kind: str
    is_endless: bool
    """Whether the made object's name is another each time round."""


def endless_loops(rules: Sequence[JsonObject]) -> dict[int, SpecError]:
    """The rules of a policy that would trigger themselves or each other for ever, by their place in it."""
    flows = [flow for index, rule in enumerate(rules) if (flow := _flow(index, rule)) is not None]
    found: dict[int, SpecError] = {}
    for flow in flows:
        way = _way_back(flow, flows)
        if way is not None and any(step.is_endless for step in way):
            names = " → ".join(f"`{step.name}`" for step in (*way, way[0]))
            hint = "Give the object a fixed name, narrow `match`, or leave out `skipBackgroundRequests: false`."
            place = f"/spec/rules/{flow.place}/generate/name"
            found[flow.place] = SpecError(f"generates for what it has generated: {names}", pointer=place, hint=hint)
    return found


def same_kind(spec: RuleSpec, made: GenerateSpec, at: str) -> SpecError | None:
    """What is wrong with a rule that names the kind it makes among those it matches, in the old form of `match`."""
    kinds = spec.match.resources.kinds if spec.match and spec.match.resources else None
    if not made.kind or made.kind not in (kinds or ()):
        return None
    hint = "Write the filter under `any`, with the names it is about."
    message = f"makes the kind that it matches: `{made.kind}`"
    return SpecError(message, pointer=f"{at}/kind", hint=hint)


def _way_back(start: _Flow, flows: Iterable[_Flow]) -> list[_Flow] | None:
    """The shortest chain of rules, each triggered by the one before, from a rule back to itself."""
    every = list(flows)
    chains, seen = [[start]], {start.place}
    while chains:
        chain = chains.pop(0)
        last = chain[-1]
        if start.takes(last.group, last.kind):
            return chain
        for flow in every:
            if flow.place not in seen and flow.takes(last.group, last.kind):
                seen.add(flow.place)
                chains.append([*chain, flow])
    return None


def _flow(index: int, document: JsonObject) -> _Flow | None:
    generate = document.get("generate")
    if document.get("skipBackgroundRequests") is not False or not isinstance(generate, dict):
        return None
    try:
        spec, made = decode(document, RuleSpec, ""), decode(generate, GenerateSpec, "")
    except SpecError:
        return None  # said when the rule is compiled
    takes = _takes(spec)
    of_trigger, is_random = _OF_TRIGGER.fullmatch(made.name), _RANDOM.search(made.name) is not None
    if takes is None or not (of_trigger or is_random) or has_variables(made.api_version + made.kind):
        return None
    grows = of_trigger is not None and bool(of_trigger["before"] or of_trigger["after"])
    group = made.api_version.rpartition("/")[0]
    return _Flow(index, spec.name, takes, group, made.kind, is_random or grows)


def _takes(spec: RuleSpec) -> Callable[[str, str], bool] | None:
    """Whether a rule is sure to be triggered by a new object of a kind; `None` where something narrows it down."""
    match = spec.match
    if spec.exclude is not None or spec.preconditions or match is None:
        return None
    filters: list[Filter] = match.any or match.all or [match]
    if match.all and len(match.all) > 1:
        return None
    kinds = [parse_kind(kind) for entry in filters if _is_wide(entry) for kind in _resources(entry).kinds or ()]
    if not kinds:
        return None
    tests = [(wildcard.matcher(kind.group), wildcard.matcher(kind.kind)) for kind in kinds if not kind.subresource]
    return lambda group, kind: any(of_group(group) and of_kind(kind) for of_group, of_kind in tests)


def _is_wide(entry: Filter) -> bool:
    resources = _resources(entry)
    narrowed = (
        resources.name,
        resources.names,
        resources.namespaces,
        resources.annotations,
        resources.selector,
        resources.namespace_selector,
        entry.roles,
        entry.cluster_roles,
        entry.subjects,
    )
    return not any(narrowed) and (not resources.operations or "CREATE" in resources.operations)


def _resources(entry: Filter) -> ResourceFilter:
    return entry.resources or ResourceFilter()
