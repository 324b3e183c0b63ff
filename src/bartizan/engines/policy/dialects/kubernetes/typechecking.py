"""What the types of the kinds say of a policy's expressions, as the API server warns of it in `status.typeChecking`.

A warning changes nothing of what a policy does: where types do not fit, an
expression ends in an error when it runs. Kinds that nobody has a schema of
are not checked. These are the server's words, for who has them from it;
`cel.lint.types` has remarks for people, who want only what is true.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.authorizer import AUTHORIZER
from bartizan.engines.policy.cel.environment import COMMON, Vocabulary
from bartizan.engines.policy.cel.exact import KindNames, exact_kinds, kind_in
from bartizan.engines.policy.cel.schema import declare
from bartizan.engines.policy.dialects.kubernetes.evaluation import FUNCTIONS
from bartizan.engines.policy.dialects.kubernetes.spec import ValidatingSpec
from bartizan.engines.policy.document import decode
from bartizan.lang.cel.nodes import Loop
from bartizan.lang.cel.problems import type_problems
from bartizan.lang.cel.types import DYN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.exact import Kind
    from bartizan.engines.policy.cel.schema import Declared, Schema
    from bartizan.lang.cel import Environment
    from bartizan.lang.cel.types import Type


class Schemas(KindNames, Protocol):
    """What is known of the kinds of a cluster."""

    def schema(self, api_version: str, kind: str) -> Schema | None:
        """The schema of a kind."""


class ExpressionWarning(NamedTuple):
    """What is to be said of one expression, by the path of its field."""

    field_ref: str
    warning: str


def type_warnings(document: JsonObject, schemas: Schemas) -> list[ExpressionWarning]:
    """Check the expressions of a ValidatingAdmissionPolicy against the types of each kind it is about.

    Raises:
        SpecError: the document is malformed.
    """
    spec = decode(document.get("spec") or {}, ValidatingSpec, "/spec")
    rules = (spec.match_constraints.resource_rules or ()) if spec.match_constraints else ()
    kinds = sorted({kind for rule in rules for kind in exact_kinds(rule, schemas)})
    params: Declared | None = None
    if spec.param_kind is not None:
        params = _declared(kind_in(spec.param_kind.api_version, spec.param_kind.kind), schemas)
    environments = []
    for kind in kinds:
        declared = _declared(kind, schemas)
        if declared is not None:
            environments.append((kind, _environment(declared, params, spec)))
    found: list[ExpressionWarning] = []
    for index, validation in enumerate(spec.validations):
        for field, text in (
            ("expression", validation.expression),
            ("messageExpression", validation.message_expression),
        ):
            issues = [(kind, "\n".join(_issues(text, environment))) for kind, environment in environments]
            said = [f"{kind}: {issue}\n" for kind, issue in issues if issue]
            if said:
                found.append(ExpressionWarning(f"spec.validations[{index}].{field}", "\n".join(said)))
    return found


def _declared(kind: Kind, schemas: Schemas) -> Declared | None:
    schema = schemas.schema(kind.api_version, kind.kind)
    return None if schema is None else declare(schema, kind.kind, is_resource=True)


def _environment(declared: Declared, params: Declared | None, spec: ValidatingSpec) -> Environment:
    """What the expressions of a policy may use where objects are of one kind."""
    names: dict[str, Type] = {**COMMON, "object": declared.type, "oldObject": declared.type, "authorizer": AUTHORIZER}
    objects: dict[str, Mapping[str, Type]] = dict(declared.objects)
    if params is not None:
        names["params"] = params.type
        objects |= params.objects
    elif spec.param_kind is not None:
        names["params"] = DYN
    vocabulary = Vocabulary(FUNCTIONS, names, objects)
    variables: dict[str, Type] = {}
    environment = vocabulary.environment()
    for variable in spec.variables:
        try:
            # what is wrong with one is told where it is used
            kind, problems = type_problems(variable.expression, environment)
            variables[variable.name] = DYN if problems else kind
        except SpecError:
            variables[variable.name] = DYN
        environment = vocabulary.environment(variables)
    return environment


def _issues(text: str | None, environment: Environment) -> Iterator[str]:
    """What types say against an expression, in the words and the form of the reference."""
    if not text:
        return
    found = []
    for problem, at in _problems(text, environment):
        said, place = _in_its_words(problem.partition(" at column ")[0], text, at)
        found.append((place, said))
    for place, said in sorted(found):
        line, column = text.count("\n", 0, place), place - (text.rfind("\n", 0, place) + 1)
        shown = text.split("\n")[line]
        yield f"ERROR: <input>:{line + 1}:{column + 1}: {said}\n | {shown}\n | {'.' * column}^"


def _problems(text: str, environment: Environment) -> list[tuple[str, int]]:
    """What is wrong and where; of a loop, where what it goes over is."""
    try:
        problems = type_problems(text, environment)[1]
    except SpecError as error:
        return [(error.message, max(error.column - 1, 0))]
    return [
        (item.error.message, item.node.over.at if isinstance(item.node, Loop) else max(item.error.column - 1, 0))
        for item in problems
    ]


_FIELD: Final = re.compile(r"unknown field `([^`]+)`")
_NO_FIELDS: Final = re.compile(r"a (\S.*) has no fields, and so no `[^`]+`")
_OVERLOAD: Final = re.compile(r"`([^`]+)` does not take \((.*)\)")
_OUTCOMES: Final = re.compile(r"the two outcomes are of different types: (.*) and (.*)")
_MEMBERS: Final = re.compile(r"members of different types: (.*) and (.*)")
_TERM: Final = re.compile(r"(?:each term|the condition) must be a (.*), not a (.*)")
_LOOP: Final = re.compile(r"a loop needs a list or a map, not a (.*)")
_UNARY: Final = {"!": "!_", "-": "-_"}
_NAMED: Final = {"in": "@in", "[]": "_[_]"}


def _in_its_words(problem: str, text: str, at: int) -> tuple[str, int]:  # noqa: PLR0911 (one for each problem)
    """A problem and its place as the reference tells them; calls are at their brackets there."""
    if found := _FIELD.fullmatch(problem):
        return f"undefined field '{found[1]}'", _bracket(text, at) if text.startswith("has(", at) else at
    if found := _NO_FIELDS.fullmatch(problem):
        if "." in found[1]:
            return f"unexpected failed resolution of '{found[1]}'", at
        return f"type '{found[1]}' does not support field selection", at
    if found := _OVERLOAD.fullmatch(problem):
        return _overload(found[1], found[2], text, at)
    if found := _OUTCOMES.fullmatch(problem):
        return f"found no matching overload for '_?_:_' applied to '(bool, {found[1]}, {found[2]})'", at
    if found := _LOOP.fullmatch(problem):
        return f"expression of type '{found[1]}' cannot be range of a comprehension (must be list, map, or dynamic)", at
    if found := _MEMBERS.fullmatch(problem) or _TERM.fullmatch(problem):
        return f"expected type '{found[1]}' but found '{found[2]}'", at
    return problem, at


def _overload(name: str, types: str, text: str, at: int) -> tuple[str, int]:
    if not name.isidentifier() or name in _NAMED:
        operator = _NAMED.get(name) or (_UNARY[name] if name in _UNARY and ", " not in types else f"_{name}_")
        return f"found no matching overload for '{operator}' applied to '({types})'", at
    if text[:at].rstrip().endswith("."):
        receiver, _, rest = types.partition(", ")
        return f"found no matching overload for '{name}' applied to '{receiver}.({rest})'", _bracket(text, at)
    return f"found no matching overload for '{name}' applied to '({types})'", _bracket(text, at)


def _bracket(text: str, at: int) -> int:
    found = text.find("(", at)
    return at if found < 0 else found
