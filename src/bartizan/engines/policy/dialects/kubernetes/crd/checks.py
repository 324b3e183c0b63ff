"""What the generated checks of a schema call where a value is not obviously right.

Source: `k8s.io/kube-openapi/pkg/validation/validate`, with its oddities: a
limit of a whole number is cut to a whole number, an enum never holds null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kubernetes.crd import problems
from bartizan.engines.policy.dialects.kubernetes.crd.problems import composed, json_text, mistyped, number, of_schema
from bartizan.engines.policy.mutation.same import same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json
    from bartizan.engines.policy.dialects.kubernetes.crd.pairs import Pair
    from bartizan.engines.policy.dialects.kubernetes.crd.problems import FieldProblem, Path

    PairedCheck = Callable[[Json, Path, list[FieldProblem], Pair], int]
    Check = Callable[[Json, Path, list[FieldProblem]], int]

_NAMES: Final[dict[type, tuple[str, str]]] = {
    bool: ("boolean", ""),
    str: ("string", ""),
    int: ("integer", "int64"),
    float: ("number", "float64"),
    list: ("array", ""),
    dict: ("object", ""),
}
_LARGEST: Final = 2.0**53 - 1
_NEAR: Final = 1e-9


def is_whole(value: float) -> bool:
    """Whether a float passes for a whole number; so does one that is as good as one."""
    if not -_LARGEST <= value <= _LARGEST:  # what is no number is not in there either
        return False
    if value.is_integer():
        return True
    near = float(int(value))
    return value > 0 and near != 0 and abs(value - near) / (value + near) < _NEAR


def type_problem(value: Json, path: Path, types: tuple[str, ...], wanted: str) -> FieldProblem | None:
    """What is wrong with the type of a value that is not null; `wanted` is a format that the server knows."""
    kind, exact = _NAMES[value.__class__]
    fits = (
        kind in types
        or (kind == "number" and "integer" in types and is_whole(value))
        or (kind == "integer" and "number" in types)
    )
    if wanted and not fits and kind not in ("string", "array"):
        return mistyped(path, exact, wanted)
    if wanted and kind in ("string", "array") and not {"number", "integer"} & {*types}:
        return None
    return None if fits else mistyped(path, kind, ",".join(types))


def is_listed(value: Json, allowed: Sequence[Json]) -> bool:
    """Whether a value is one of an enum, where numbers are made of the type that they are compared with."""
    return any(_equal(value, item) for item in allowed)


def _equal(value: Json, item: Json) -> bool:
    if value is None or item is None:
        return False
    numeric = (int, float)
    if value.__class__ in numeric and item.__class__ in numeric:
        try:
            return bool(item.__class__(value) == item)
        except (OverflowError, ValueError):
            return False
    return value.__class__ is item.__class__ and same(value, item)


def unlisted(path: Path, value: Json, allowed: Sequence[Json]) -> FieldProblem:
    """The objection of an enum."""
    return problems.unsupported(path, value, [item if isinstance(item, str) else json_text(item) for item in allowed])


def above(path: Path, value: float, limit: float, *, exclusive: bool) -> FieldProblem:
    """The objection of a maximum."""
    shown = number(int(limit) if isinstance(value, int) else limit)
    return of_schema(path, value, f"should be less than {'' if exclusive else 'or equal to '}{shown}")


def below(path: Path, value: float, limit: float, *, exclusive: bool) -> FieldProblem:
    """The objection of a minimum."""
    shown = number(int(limit) if isinstance(value, int) else limit)
    return of_schema(path, value, f"should be greater than {'' if exclusive else 'or equal to '}{shown}")


def multiple_problem(value: float, path: Path, factor: float) -> FieldProblem | None:
    """What `multipleOf` objects to."""
    if isinstance(value, int):
        step: float = int(factor)
        holds = step > 0 and value % step == 0
    else:
        step = factor
        holds = step > 0 and is_whole(1 / step * value if step < 1 else value / step)
    if step <= 0:
        plain = problems.plain_of(path)
        body = f"factor MultipleOf declared for {plain} must be positive: {number(step)}"
        return of_schema(path, step, "")._replace(body=f"Invalid value: {number(step)}: {body}")
    return None if holds else of_schema(path, value, f"should be a multiple of {number(step)}")


def repeats(items: list[Json]) -> bool:
    """Whether two items of a list are the same."""
    return len({(item.__class__, json_text(item)) for item in items}) < len(items)


def all_of(value: Json, path: Path, found: list[FieldProblem], branches: Sequence[Check]) -> int:
    """Every branch must hold; gives how much was checked, as every check does."""
    count = valid = 0
    for branch in branches:
        before = len(found)
        count += branch(value, path, found)
        valid += len(found) == before
    if valid != len(branches):
        found.append(composed(path, f"must validate all the schemas (allOf){'' if valid else '. None validated'}"))
    return count


def any_of(value: Json, path: Path, found: list[FieldProblem], branches: Sequence[Check]) -> int:
    """One branch must hold; else the objections of the one that got furthest are kept."""
    best: list[FieldProblem] = []
    most = -1
    for branch in branches:
        inside: list[FieldProblem] = []
        count = branch(value, path, inside)
        if not inside:
            return count
        if count > most:
            best, most = inside, count
    found.append(composed(path, "must validate at least one schema (anyOf)"))
    found.extend(best)
    return most


def one_of(value: Json, path: Path, found: list[FieldProblem], branches: Sequence[Check]) -> int:
    """Just one branch must hold."""
    best: list[FieldProblem] = []
    most, first, valid = -1, 0, 0
    for branch in branches:
        inside: list[FieldProblem] = []
        count = branch(value, path, inside)
        if not inside:
            first = first if valid else count
            valid += 1
        elif count > most:
            best, most = inside, count
    if valid == 1:
        return first
    said = f"Found {valid} valid alternatives" if valid else "Found none valid"
    found.append(composed(path, f"must validate one and only one schema (oneOf). {said}"))
    if valid:
        return 0
    found.extend(best)
    return most


def ratcheted(check: PairedCheck, value: Json, path: Path, found: list[FieldProblem], pair: Pair) -> None:
    """Check a value that had one before; where it is the same as then, nothing is said of it."""
    before = len(found)
    check(value, path, found, pair)
    if len(found) > before and pair.unchanged():
        del found[before:]


def none_of(value: Json, path: Path, found: list[FieldProblem], branch: Check) -> None:
    """The branch must not hold."""
    inside: list[FieldProblem] = []
    branch(value, path, inside)
    if not inside:
        found.append(composed(path, "must not validate the schema (not)"))
