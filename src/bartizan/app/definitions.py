"""CustomResourceDefinitions among what is scanned, and in the cluster: rules for the custom resources beside them.

A look for the word comes first, so that a scan of what has no definitions
neither reads anything twice nor brings the language they are written in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.location import Location
from bartizan.model.report import Note, Problem

if TYPE_CHECKING:
    from bartizan.app.supply import Live, Supply
    from bartizan.engines.policy.dialects.kubernetes.crd import Definition
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.resource import Resource

_KIND: Final = "CustomResourceDefinition"


class Definitions(NamedTuple):
    """Rules of definitions, what is wrong with those from files, and what is not known of the cluster's."""

    rules: tuple[Rule, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]


def read_definitions(supply: Supply, live: Live | None) -> Definitions:
    """Compile the definitions of a scan. One in a file counts before the cluster's of that name."""
    found: dict[str, Definition] = {}
    problems: list[Problem] = []
    notes: list[Note] = []
    for item in supply.of_kind(_KIND):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            _add(item, found, problems)
    if live is not None:
        _add_live(live, found, notes)
    rules = tuple(rule for definition in found.values() for rule in definition.rules)
    return Definitions(rules, tuple(problems), tuple(notes))


def _add(resource: Resource, found: dict[str, Definition], problems: list[Problem]) -> None:
    from bartizan.engines.policy.dialects.kubernetes.crd import compile_definition, is_definition  # late: brings CEL

    if not is_definition(resource.body) or resource.id.name in found:
        return
    try:
        definition = found[resource.id.name] = compile_definition(resource.body)
    except SpecError as error:
        problems.append(_placed(error, resource))
        return
    problems += [_placed(error, resource) for error in definition.problems()]


def _add_live(live: Live, found: dict[str, Definition], notes: list[Note]) -> None:
    """The cluster's own have been checked when they came there, so each is compiled when it is needed."""
    try:
        for item in live.definitions():
            if isinstance(item, Problem):
                notes.append(_unknown(item.message))
            elif item.id.name not in found:
                _add_quietly(item, found, notes)
    except (SourceError, SpecError) as error:
        notes.append(_unknown(error.message))


def _add_quietly(resource: Resource, found: dict[str, Definition], notes: list[Note]) -> None:
    from bartizan.engines.policy.dialects.kubernetes.crd import compile_definition, is_definition

    if is_definition(resource.body):
        try:
            found[resource.id.name] = compile_definition(resource.body)
        except SpecError as error:
            notes.append(_unknown(f"`{resource.id.name}`: {error.message}"))


def _unknown(message: str) -> Note:
    return Note(
        "unknown-definitions",
        f"custom resources were not all checked against their definitions: {message}",
        "Grant `list` on `customresourcedefinitions.apiextensions.k8s.io`.",
    )


def _placed(error: SpecError, resource: Resource) -> Problem:
    lines = resource.lines
    if lines is None:
        return Problem("input", f"{resource.id}: {error.message}", Location(resource.source), error.hint)
    at = error.at or lines.locate(error.pointer)
    return Problem("input", error.message, at, error.hint, lines.quote(at.line))
