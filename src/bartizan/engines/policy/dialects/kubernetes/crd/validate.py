"""An object's whole way: what is kept of it, its metadata, its schema, its lists, and the rules in CEL.

Source: `customResourceStrategy` of `k8s.io/apiextensions-apiserver`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from bartizan.engines.policy.dialects.kubernetes.crd.coerce import META, compile_coercion
from bartizan.engines.policy.dialects.kubernetes.crd.descent import compile_descent
from bartizan.engines.policy.dialects.kubernetes.crd.emit import compile_checks
from bartizan.engines.policy.dialects.kubernetes.crd.lists import list_check
from bartizan.engines.policy.dialects.kubernetes.crd.metadata import check_metadata, embedded_check
from bartizan.engines.policy.dialects.kubernetes.crd.pairs import Pair
from bartizan.engines.policy.dialects.kubernetes.crd.problems import FieldProblem, Path, go_text
from bartizan.engines.policy.dialects.kubernetes.crd.rules import Asked, Near

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.coerce import Unknown
    from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node
    from bartizan.engines.policy.dialects.kubernetes.crd.rules import Rules

_MOST_REPLICAS: Final = 2**31 - 1
_INT64: Final = range(-(2**63), 2**63)
_SUFFIX: Final = "xxxxx"
_GO_NAMES: Final = {
    str: "string",
    bool: "bool",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


class World(Protocol):
    """What is known of a version besides its schema."""

    @property
    def name(self) -> str:
        """What generated source is called by."""

    @property
    def namespaced(self) -> bool:
        """Whether its objects are in namespaces."""

    @property
    def has_status(self) -> bool:
        """Whether the status is written by another way, and so not by this one."""

    @property
    def spec_replicas(self) -> str:
        """Where a scale has its replicas; empty where there is none."""


class Judgement(NamedTuple):
    """What is said of one object. `asked` is nothing where the rules in CEL were not."""

    problems: list[FieldProblem]
    unknown: Unknown
    asked: Asked | None


def compile_validation(root: Node, rules: Rules, world: World) -> Callable[[JsonObject, JsonObject | None], Judgement]:
    """What judges an object, and what it was before an update.

    Raises:
        SpecError: a pattern of the schema is no regular expression.
    """
    coerce = compile_coercion(root)
    checks = _Checks(root, world)

    def judge(body: JsonObject, old: JsonObject | None) -> Judgement:
        unknown: Unknown = []
        value = _kept(body, coerce, unknown)
        before = None if old is None else _kept(old, coerce, [])
        if world.has_status:
            value = _without_status(value, before)
        problems = check_metadata(value, namespaced=world.namespaced, is_update=before is not None)
        if problems and not isinstance(value.get("metadata"), dict | None):
            return Judgement(problems, unknown, None)
        value = _named(value)
        pair = None if before is None else Pair(value, before, root)
        problems += checks.schema(value, pair)
        problems += _replicas(value, world.spec_replicas)
        problems += checks.inside(value, before)
        if rules.ask is None:
            return Judgement(problems, unknown, Asked())
        if any(problem.blocks for problem in problems):
            return Judgement(problems, unknown, None)
        return Judgement(problems, unknown, rules.ask(value, before, Near(pair, None)))

    return judge


class _Checks:
    """What a schema has compiled to, besides its rules in CEL."""

    def __init__(self, root: Node, world: World) -> None:
        self._plain = compile_checks(root, world.name, paired=False).check
        self._paired = cache(lambda: compile_checks(root, world.name, paired=True).check)  # few ask of updates
        self._embedded = compile_descent(root, embedded_check)
        self._lists = compile_descent(root, list_check)

    def schema(self, value: JsonObject, pair: Pair | None) -> list[FieldProblem]:
        """What the schema objects to, each objection once; of an update, what is new."""
        found: list[FieldProblem] = []
        if pair is None:
            self._plain(value, None, found)
        else:
            self._paired()(value, None, found, pair)
            if found and pair.unchanged():
                return []
        return list(dict.fromkeys(found)) if found else found

    def inside(self, value: JsonObject, before: JsonObject | None) -> list[FieldProblem]:
        """What is wrong with resources inside, and with lists that are sets or maps."""
        found: list[FieldProblem] = []
        if self._embedded is not None:
            self._embedded(value, None, found)
        if self._lists is not None:
            older: list[FieldProblem] = []
            if before is not None:
                self._lists(before, None, older)
            if not older:  # who had something twice may keep it
                self._lists(value, None, found)
        return found


def _kept(body: JsonObject, coerce: Callable[[Json, Path, Unknown], Json], unknown: Unknown) -> JsonObject:
    """What the server would keep of an object. What every object has, it has whatever the schema says."""
    kept: JsonObject = coerce(_plain_numbers(body), None, unknown)
    return {**kept, **{name: body[name] for name in META if name in body}}


def _plain_numbers(value: Json) -> Json:
    """Whole numbers that 64 bits do not hold are floats, as the server reads them."""
    if value.__class__ is int:
        return value if value in _INT64 else _as_float(value)
    if value.__class__ is dict:
        made = {name: _plain_numbers(item) for name, item in value.items()}
        return made if any(made[name] is not item for name, item in value.items()) else value
    if value.__class__ is list:
        items = [_plain_numbers(item) for item in value]
        return items if any(new is not item for new, item in zip(items, value, strict=True)) else value
    return value


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _without_status(value: JsonObject, before: JsonObject | None) -> JsonObject:
    """A status is written by a way of its own: what comes by this one is not looked at."""
    if before is not None and "status" in before:
        return {**value, "status": before["status"]}
    return {name: item for name, item in value.items() if name != "status"} if "status" in value else value


def _named(value: JsonObject) -> JsonObject:
    """An object whose name is to be made up has one by the time it is judged."""
    metadata = value.get("metadata") or {}
    prefix = metadata.get("generateName")
    if not prefix or metadata.get("name") or not isinstance(prefix, str):
        return value
    return {**value, "metadata": {**metadata, "name": f"{prefix[:58]}{_SUFFIX}"}}


def _replicas(value: JsonObject, at: str) -> list[FieldProblem]:
    """What a scale demands of the number of replicas."""
    steps = at.removeprefix(".").split(".") if at else []
    held: Json = value
    for place, step in enumerate(steps):
        if held is not None and not isinstance(held, dict):
            says = _accessor(steps, held, "map[string]interface{}")
            return [_replicas_problem(at, steps[:place], 0, says)]
        if held is None or step not in held:
            return []
        held = held[step]
    if not steps:
        return []
    says, shown = "", held
    if not isinstance(held, int) or isinstance(held, bool):
        says, shown = _accessor(steps, held, "int64"), 0
    elif held < 0:
        says = "should be a non-negative integer"
    elif held > _MOST_REPLICAS:
        says = f"should be less than or equal to {_MOST_REPLICAS}"
    return [_replicas_problem(at, steps, shown, says)] if says else []


def _accessor(steps: list[str], held: Json, wanted: str) -> str:
    given = "int64" if held.__class__ is int else _GO_NAMES.get(held.__class__, "<nil>")
    return f".{'.'.join(steps)} accessor error: {go_text(held)} is of the type {given}, expected {wanted}"


def _replicas_problem(at: str, steps: list[str], value: int, says: str) -> FieldProblem:
    return FieldProblem(at, f"Invalid value: {value}: {says}", "".join(f"/{step}" for step in steps))
