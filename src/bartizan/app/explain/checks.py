"""Explanations of built-in checks that compare resources: the facts each left, and what was concluded from all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.app.explain.explain import Explained, Quoted
from bartizan.app.selection import describe
from bartizan.base.errors import SpecError
from bartizan.engines.posture import compile_check
from bartizan.model.trace import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json
    from bartizan.catalog import CheckSpec
    from bartizan.model.resource import Resource


def explain_cross_check(
    spec: CheckSpec, resources: list[Resource], is_named: Callable[[Resource], bool]
) -> Iterator[Explained]:
    """Run a check over all resources, and say what it saw of each and concluded of those that are named.

    Raises:
        SpecError: it judges none of them.
    """
    check = compile_check(describe(spec), spec.template)
    seen = [
        (resource, fact)
        for resource in resources
        if resource.id.kind in check.kinds and (fact := check.observe(resource)) is not None
    ]
    concluded: dict[int, list[Node]] = {}
    for item in check.conclude([(resource.id, fact) for resource, fact in seen]):
        concluded.setdefault(item.number, []).append(
            Node(
                "conclusion",
                item.message,
                item.evidence,
                verdict="failed",
                note=item.message,
                pointer=item.pointer,
                decided=True,
            )
        )
    facts = tuple(_fact(resource, fact) for resource, fact in seen)
    judged = [number for number, (resource, _) in enumerate(seen) if check.judges(resource.id) and is_named(resource)]
    if not judged:
        kinds = ", ".join(sorted(check.judged))
        raise SpecError(f"check `{spec.id}` judges none of these resources", hint=f"It judges {kinds}.")
    for number in judged:
        yield _explained(spec, seen[number][0], concluded.get(number, []), facts)


def _fact(resource: Resource, fact: Json) -> Node:
    return Node("fact", str(resource.id), value=fact, verdict="value")


def _explained(spec: CheckSpec, resource: Resource, conclusions: list[Node], facts: tuple[Node, ...]) -> Explained:
    group = Node("facts", "what is known of the resources it compares", verdict="held", children=facts)
    note = conclusions[0].note if conclusions else "nothing to object to"
    root = Node(
        "rule",
        spec.id,
        str(resource.id),
        verdict="failed" if conclusions else "held",
        note=note,
        decided=True,
        children=(Node("template", spec.template, verdict="held", note=spec.title), group, *conclusions),
    )
    at = resource.lines.locate(conclusions[0].pointer or "") if resource.lines and conclusions else None
    return Explained(root, True, None, Quoted(at, resource.lines.quote(at.line)) if at and resource.lines else None)
