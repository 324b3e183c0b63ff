"""What the schemas of the kinds say of the CEL in Kyverno's policies: classic rules, and the kinds that are all CEL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.exact import exact_of_names
from bartizan.engines.policy.cel.lint.types import Subject, params_of, subject_of_constraints, unfit_types
from bartizan.engines.policy.cel.lint.view import Collector
from bartizan.engines.policy.cel.listening import listening
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy, is_cel_policy
from bartizan.engines.policy.dialects.kyverno.lint.view import MAX_DEPTH, is_deep, mapping, sequence, texts
from bartizan.engines.policy.dialects.kyverno.policy import compile_policy, expression_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.exact import Exact, Shapes
    from bartizan.engines.policy.remark import Remark
    from bartizan.lang.jmespath import Ambient

_OF_OBJECTS: Final = ("", "Kubernetes")
"""Modes in which an object of the API is judged."""


def type_remarks(document: JsonObject, ambient: Ambient, shapes: Shapes) -> list[Remark]:
    """Say what types have against the expressions of a policy; nothing where it has no CEL, or names no kinds."""
    if is_deep(document, MAX_DEPTH):
        return []
    in_cel = is_cel_policy(document)
    subjects = list(_of_cel(document, shapes) if in_cel else _of_rules(document, shapes))
    if not any(subject.exact.kinds for subject in subjects):
        return []
    collector = Collector()
    try:
        with listening(collector):
            if in_cel:
                compile_cel_policy(document, ambient)
            else:
                compile_policy(document, expression_compiler(ambient))
    except SpecError:
        pass  # what is wrong with the policy itself is said elsewhere; some of it was heard of
    return unfit_types(document, collector.found.values(), subjects, shapes)


def _of_cel(document: JsonObject, shapes: Shapes) -> Iterator[Subject]:
    """What a policy of `policies.kyverno.io` is about; one that changes others than it is asked about is left out."""
    spec = mapping(document.get("spec"))
    mode = mapping(spec.get("evaluation")).get("mode") or ""
    if mode in _OF_OBJECTS and not spec.get("targetMatchConstraints"):
        subject = subject_of_constraints(spec, shapes)
        if subject is not None:
            yield subject


def _of_rules(document: JsonObject, shapes: Shapes) -> Iterator[Subject]:
    """What each classic rule with CEL is about."""
    for index, rule in enumerate(sequence(mapping(document.get("spec")).get("rules"))):
        cel = mapping(mapping(rule).get("validate")).get("cel")
        if isinstance(cel, dict):
            exact = _named(mapping(mapping(rule).get("match")), shapes)
            exact = exact.without(_named(mapping(mapping(rule).get("exclude")), shapes).kinds)
            yield Subject(f"/spec/rules/{index}/", exact, params_of(cel))


def _named(match: JsonObject, shapes: Shapes) -> Exact:
    """The kinds of every filter; where several must hold, those of the first that names any are enough."""
    every = [mapping(item) for item in sequence(match.get("all"))]
    filters = [mapping(item) for item in sequence(match.get("any"))] or every or [match]
    kinds = [texts(mapping(item.get("resources")).get("kinds")) for item in filters]
    if filters is every:
        kinds = [next(filter(None, kinds), [])]
    named = exact_of_names([kind for some in kinds for kind in some], shapes)
    return named._replace(others=named.others or not all(kinds))
