"""What the schemas of the kinds say of a policy's expressions: fields that are not there, values of another type.

Heard while a policy is compiled as it always is: every expression is then
read again with `object` of a kind's type. Only what can hardly be meant is
said. Not said is what runs though its types differ: a choice of two types, a comparison
with null, a call that takes objects as the maps that they are then. Of several
kinds, what is wrong for some is said only where nothing makes out which it is.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.base.pointer import resolve
from bartizan.engines.policy.cel.exact import Exact, Kind, Shapes, exact_of_rules, kind_in
from bartizan.engines.policy.cel.lint.view import mapping
from bartizan.engines.policy.cel.match import MatchResources
from bartizan.engines.policy.cel.params import ParamKind
from bartizan.engines.policy.cel.shapes import is_object
from bartizan.engines.policy.document import decode
from bartizan.engines.policy.remark import Remark, Said
from bartizan.lang.cel.nodes import Call, Choice, Constant, ListOf, Logic, MapOf, Message, Name, Select
from bartizan.lang.cel.problems import type_problems
from bartizan.lang.cel.types import DOUBLE, DYN, INT, NULL, PRIMITIVES, STRING, UINT, Type, Unifier, map_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.lint.view import Found
    from bartizan.engines.policy.cel.shapes import Shape
    from bartizan.lang.cel import Environment
    from bartizan.lang.cel.nodes import Node
    from bartizan.lang.cel.problems import TypeProblem

UNFIT: Final = "unfit-type"
WHY: Final = "A field that a kind has not, or a value of another type, gives an error or is never equal."
_VARIABLES: Final = "kubernetes.variables"
_PLACE: Final = re.compile(r" at column \d+ of `.*`$", re.DOTALL)
_NAMED: Final = re.compile(r"@[^\s(),`]*")
"""The name of an object type; its last word is enough for people."""
_WORD: Final = re.compile(r"\w+")
_OBJECTS: Final = ("object", "oldObject")
_NUMBERS: Final = frozenset({INT, UINT, DOUBLE})
_EQUAL: Final = frozenset({"_==_", "_!=_"})
_LENIENT: Final = frozenset({"orValue", "or", "optMap", "optFlatMap", "optional.of", "type", "dyn"})
"""Calls that run whatever they are given."""
_TELLING: Final = frozenset(
    {"kind", "apiVersion", "resource", "requestKind", "requestResource", "subResource", "requestSubResource"}
)
"""Fields by which a policy makes out what it is asked about."""
_ASKS: Final = frozenset({"_[?_]", "@in", "type", "dyn"})


class Subject(NamedTuple):
    """What some expressions of a policy are about: those at or below `at`."""

    at: str
    exact: Exact
    params: Kind | None = None


class _Wrong(NamedTuple):
    """One thing to be said of an expression, the same for every kind that it is true of."""

    begins: int
    message: str
    hint: str
    of_params: bool


def subject_of_constraints(spec: JsonObject, shapes: Shapes) -> Subject | None:
    """What the expressions of a spec with `matchConstraints` are about; `None` where these cannot be read."""
    try:
        constraints = decode(mapping(spec.get("matchConstraints")), MatchResources, "")
    except SpecError:
        return None
    exact = exact_of_rules(constraints.resource_rules or (), shapes)
    excluded = exact_of_rules(constraints.exclude_resource_rules or (), shapes).kinds
    return Subject("/spec/", exact.without(excluded), params_of(spec))


def params_of(spec: JsonObject) -> Kind | None:
    """The kind of parameters that it names."""
    try:
        named = decode(mapping(spec.get("paramKind")), ParamKind, "")
    except SpecError:
        return None
    return kind_in(named.api_version, named.kind)


def unfit_types(
    document: JsonObject, found: Iterable[Found], subjects: Sequence[Subject], shapes: Shapes
) -> list[Remark]:
    """Say what types have against the expressions of a policy, each at the text that it is about."""
    remarks: dict[tuple[str, int, str], Remark] = {}
    expressions = list(found)
    for subject in subjects:
        own = [item for item in expressions if item.at.startswith(subject.at) and item.tree is not None]
        for said in _of_subject(document, own, subject, shapes):
            remark = Remark(UNFIT, "warning", said.pointer, said.message, said.hint, said.near, said.begins)
            remarks.setdefault((said.pointer, said.begins, said.message), remark)
    return list(remarks.values())


def _of_subject(document: JsonObject, own: Sequence[Found], subject: Subject, shapes: Shapes) -> Iterator[Said]:
    params = None if subject.params is None else shapes.shape(subject.params.api_version, subject.params.kind)
    wrong: dict[Found, dict[_Wrong, dict[Kind, None]]] = {item: {} for item in own}
    for kind in subject.exact.kinds:
        shape = shapes.shape(kind.api_version, kind.kind)
        if shape is None:
            continue
        for item, one in _of_kind(document, own, shape, params):
            wrong[item].setdefault(one, {})[kind] = None
    several = subject.exact.others or len(subject.exact.kinds) > 1
    silent = several and any(_tells(item) for item in own)
    for item in own:
        for one, kinds in wrong[item].items():
            everywhere = len(kinds) == len(subject.exact.kinds) and not subject.exact.others
            if everywhere or not (silent or _branches(item)):
                of = [subject.params] if one.of_params and subject.params is not None else [*kinds]
                about = "; ".join(f"{kind.api_version}, Kind={kind.kind}" for kind in of)
                begins = item.offset_in(document) + one.begins
                yield Said(item.at, f"{one.message} ({about})", one.hint, begins=begins)


def _of_kind(
    document: JsonObject, own: Sequence[Found], shape: Shape, params: Shape | None
) -> Iterator[tuple[Found, _Wrong]]:
    """What is wrong where objects are of one kind; variables are of the types that they have then."""
    variables: dict[str, Type] = {}
    for item in own:
        environment = item.written.environment
        typed = _typed(environment, shape, params, variables)
        if typed is None:
            continue
        try:
            kind, problems = type_problems(item.text, typed)
            before = {_key(problem) for problem in type_problems(item.text, _loose(environment))[1]}
        except SpecError:
            continue  # what cannot be read is said of it elsewhere
        name = _variable_at(document, item.at)
        if name:
            variables[name] = kind
        for problem in problems:
            if _key(problem) not in before and _is_mistake(problem, typed):
                message = _NAMED.sub(_last_word, _PLACE.sub("", problem.error.message))
                begins = max(problem.error.column - 1, 0)
                yield item, _Wrong(begins, message, _hint(problem), _is_of_params(problem.node))


def _last_word(found: re.Match[str]) -> str:
    words: list[str] = _WORD.findall(found[0])
    return words[-1] if words else found[0]


def _key(problem: TypeProblem) -> tuple[int, str]:
    return problem.error.column, problem.error.message


def _loose(environment: Environment) -> Environment:
    return replace(environment, homogeneous=False)


def _typed(
    environment: Environment, shape: Shape, params: Shape | None, variables: Mapping[str, Type]
) -> Environment | None:
    """The same environment, where `object` is of a kind; `None` where it has another, or none."""
    names = dict(environment.variables)
    if names.get("object") != DYN:
        return None
    names |= {name: shape.type for name in _OBJECTS if names.get(name) == DYN}
    objects = {**environment.objects, **shape.objects}
    if params is not None and names.get("params") == DYN:
        names["params"] = params.type
        objects |= params.objects
    declared = objects.get(_VARIABLES, {})
    objects[_VARIABLES] = {**declared, **{name: kind for name, kind in variables.items() if name in declared}}
    return replace(environment, variables=names, objects=objects, homogeneous=False)


def _variable_at(document: JsonObject, at: str) -> str:
    """The name of the variable that an expression is of; empty where it is of none."""
    above, _, last = at.rpartition("/")
    if last != "expression" or above.rpartition("/")[0].rpartition("/")[2] != "variables":
        return ""
    try:
        entry: Json = resolve(document, above)
    except LookupError:
        return ""
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else ""


def _is_mistake(problem: TypeProblem, environment: Environment) -> bool:
    """Whether an expression cannot be meant so, by what happens when it runs on JSON."""
    node, below = problem.node, problem.below
    if isinstance(node, Select):
        return NULL not in below
    if isinstance(node, Choice | ListOf | MapOf | Message) or NULL in below:
        return False
    if isinstance(node, Call):
        if node.function in _LENIENT or (node.function in _EQUAL and _NUMBERS.issuperset(below)):
            return False
        return not (any(map(is_object, below)) and _takes_maps(node, below, environment))
    return not any(map(is_object, below))


def _is_of_params(node: Node) -> bool:
    """Whether a problem is about a field of the parameters, and so not of the object's kind."""
    while isinstance(node, Select):
        node = node.operand
    return isinstance(node, Name) and node.name == "params"


def _takes_maps(node: Call, below: Sequence[Type], environment: Environment) -> bool:
    """Whether a call takes what objects are when it runs, which is maps of anything."""
    given = [_as_map(kind) for kind in below]
    overloads = environment.functions.get(node.function, ())
    fitting = [
        Unifier().fits(given, Unifier().instance(overload.parameters))
        for overload in overloads
        if len(overload.parameters) == len(given)
    ]
    return any(fitting) or not fitting


def _as_map(kind: Type) -> Type:
    if kind.name.startswith("@"):
        return map_of(STRING, DYN)
    if kind.parameters:
        return Type(kind.name, tuple(map(_as_map, kind.parameters)))
    return kind if kind in PRIMITIVES else DYN


def _hint(problem: TypeProblem) -> str:
    """What to do: names of fields, where one is near; not a list of all that there are."""
    return problem.error.hint if problem.error.hint.startswith("Did you mean") else ""


def _tells(found: Found) -> bool:
    """Whether an expression makes out what it has before it."""
    for node in found.nodes():
        if isinstance(node, Select) and (node.tests or node.optional or node.field in _TELLING):
            return True
        if isinstance(node, Call) and (node.function in _ASKS or any(map(_is_telling, node.operands))):
            return True
    return False


def _is_telling(node: Node) -> bool:
    """Whether it is a text such as in `object['kind']` or `'spec' in object`."""
    return isinstance(node, Constant) and isinstance(node.value, str) and (node.value in _TELLING)


def _branches(found: Found) -> bool:
    """Whether an expression has a value though a part of it has none."""
    return any(
        isinstance(node, Choice) or (isinstance(node, Logic) and node.operator == "||") for node in found.nodes()
    )
