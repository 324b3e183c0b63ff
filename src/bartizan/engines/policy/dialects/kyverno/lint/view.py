"""A policy as rules about policies look at it: whatever is malformed is as if it were not there.

What is malformed is said once, by the compiler. Everything here is total, so
that no rule has to ask for types again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.pointer import escape
from bartizan.engines.policy.remark import UNREADABLE, Remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kyverno.lint.uses import Use
    from bartizan.lang.jmespath import Functions


MAX_DEPTH: Final = 100
"""Levels of lists and objects inside each other that a policy may have."""


def mapping(value: Json) -> JsonObject:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: Json) -> list[Json]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def texts(value: Json) -> list[str]:
    """The texts of a list."""
    return [item for item in sequence(value) if isinstance(item, str)]


class Placed(NamedTuple):
    """An object with its place."""

    at: str
    body: JsonObject


class PlacedFilter(NamedTuple):
    """One filter of a `match` or `exclude`; `at` is where its `resources` stand."""

    at: str
    entry: JsonObject
    resources: JsonObject
    group: str
    """`any`, `all`, or empty for the old flat form."""


@dataclass(frozen=True, slots=True)
class RuleView:
    """One rule and its place."""

    index: int
    at: str
    body: JsonObject

    @property
    def name(self) -> str:
        """Its name; empty where there is none."""
        name = self.body.get("name")
        return name if isinstance(name, str) else ""

    @property
    def validate(self) -> JsonObject:
        """Its `validate`, or nothing."""
        return mapping(self.body.get("validate"))

    @property
    def mutate(self) -> JsonObject:
        """Its `mutate`, or nothing."""
        return mapping(self.body.get("mutate"))

    @property
    def generate(self) -> JsonObject:
        """Its `generate`, or nothing."""
        return mapping(self.body.get("generate"))

    @property
    def verify_images(self) -> list[Placed]:
        """Its image verifications."""
        return placed(self.body.get("verifyImages"), f"{self.at}/verifyImages")

    @property
    def deed(self) -> str:
        """The field that says what it does."""
        deeds = ("validate", "mutate", "generate", "verifyImages")
        return next((deed for deed in deeds if self.body.get(deed) is not None), "")

    def filters(self, block: str) -> list[PlacedFilter]:
        """The filters of `match` or `exclude`."""
        body, at = mapping(self.body.get(block)), f"{self.at}/{block}"
        found = [
            PlacedFilter(f"{entry.at}/resources", entry.body, mapping(entry.body.get("resources")), group)
            for group in ("any", "all")
            for entry in placed(body.get(group), f"{at}/{group}")
        ]
        if found or not body:
            return found
        return [PlacedFilter(f"{at}/resources", body, mapping(body.get("resources")), "")]

    def kinds(self, block: str) -> list[str]:
        """Every entry of `kinds` in a block."""
        return [kind for item in self.filters(block) for kind in texts(item.resources.get("kinds"))]

    def contexts(self) -> Iterator[tuple[str, list[Placed]]]:
        """Every `context` of the rule, its loops and its targets, with the place of what has it."""
        yield self.at, placed(self.body.get("context"), f"{self.at}/context")
        for loop in self.loops():
            yield loop.at, placed(loop.body.get("context"), f"{loop.at}/context")
        for target in placed(self.mutate.get("targets"), f"{self.at}/mutate/targets"):
            yield target.at, placed(target.body.get("context"), f"{target.at}/context")

    def loops(self) -> Iterator[Placed]:
        """Every loop, the outer before the inner."""
        for deed in ("validate", "mutate", "generate"):
            yield from list(self.holders(deed))[1:]

    def holders(self, deed: str) -> Iterator[Placed]:
        """What a rule does, and the loops in which it does it."""
        yield Placed(f"{self.at}/{deed}", mapping(self.body.get(deed)))
        yield from _loops(mapping(self.body.get(deed)).get("foreach"), f"{self.at}/{deed}/foreach")

    def blocks_of_conditions(self) -> Iterator[tuple[str, Json]]:
        """Every block of conditions: preconditions and what denies, of the rule, its loops and targets."""
        yield f"{self.at}/preconditions", self.body.get("preconditions")
        holders = [Placed(f"{self.at}/validate", self.validate), *self.loops()]
        holders += placed(self.mutate.get("targets"), f"{self.at}/mutate/targets")
        for holder in holders:
            yield f"{holder.at}/preconditions", holder.body.get("preconditions")
            yield f"{holder.at}/deny/conditions", mapping(holder.body.get("deny")).get("conditions")

    def patterns(self) -> Iterator[tuple[str, Json]]:
        """Every pattern that judges, of the rule and its loops."""
        for holder in self.holders("validate"):
            if holder.body.get("pattern") is not None:
                yield f"{holder.at}/pattern", holder.body["pattern"]
            for index, pattern in enumerate(sequence(holder.body.get("anyPattern"))):
                yield f"{holder.at}/anyPattern/{index}", pattern

    def patches(self) -> Iterator[tuple[str, Json]]:
        """Every strategic merge patch, of the rule and its loops."""
        for holder in self.holders("mutate"):
            if holder.body.get("patchStrategicMerge") is not None:
                yield f"{holder.at}/patchStrategicMerge", holder.body["patchStrategicMerge"]


@dataclass(frozen=True, slots=True)
class PolicyView:
    """A policy, its rules, the functions its expressions may call, and the lines it was written in."""

    document: JsonObject
    functions: Functions
    line: Callable[[str], str]
    """The line in which the key at a pointer stands; empty where there is none."""
    memo: dict[str, list[Use]] = field(default_factory=dict)
    """What several rules look at, found once."""

    @property
    def spec(self) -> JsonObject:
        """Its `spec`, or nothing."""
        return mapping(self.document.get("spec"))

    @property
    def metadata(self) -> JsonObject:
        """Its `metadata`, or nothing."""
        return mapping(self.document.get("metadata"))

    @property
    def annotations(self) -> JsonObject:
        """Its annotations, or none."""
        return mapping(self.metadata.get("annotations"))

    @property
    def namespace(self) -> str:
        """The namespace of a Policy; empty for a ClusterPolicy."""
        if self.document.get("kind") != "Policy":
            return ""
        namespace = self.metadata.get("namespace")
        return namespace if isinstance(namespace, str) and namespace else "default"

    @property
    def background(self) -> bool:
        """Whether it is run on what is in the cluster already."""
        return self.spec.get("background") is not False

    @property
    def rules(self) -> list[RuleView]:
        """Its rules."""
        found = placed(self.spec.get("rules"), "/spec/rules")
        return [RuleView(int(item.at.rpartition("/")[2]), item.at, item.body) for item in found]


def placed(value: Json, at: str) -> list[Placed]:
    """The objects in a list, each with its place."""
    return [Placed(f"{at}/{index}", item) for index, item in enumerate(sequence(value)) if isinstance(item, dict)]


def conditions_of(block: Json, at: str) -> Iterator[tuple[Placed, str]]:
    """Every condition of a block, and whether it stands in `any` or in `all`."""
    if isinstance(block, dict):
        for group in ("any", "all"):
            for item in placed(block.get(group), f"{at}/{group}"):
                yield item, group
        return
    for item in placed(block, at):
        if "any" in item.body or "all" in item.body:
            yield from conditions_of(item.body, item.at)
        else:
            yield item, "all"


def is_deep(value: Json, most: int) -> bool:
    """Whether lists and objects nest deeper than so many levels."""
    level = [value]
    for _ in range(most):
        below = (item for part in level for item in (part.values() if isinstance(part, dict) else part))
        level = [item for item in below if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def too_deep() -> Remark:
    """What is said of a document that nests deeper than any policy, which nobody looks at further."""
    hint = "Kubernetes' own deepest objects stay below 20 levels."
    return Remark(UNREADABLE, "error", "", f"nests deeper than {MAX_DEPTH} levels", hint, "")


def leaves(value: Json, at: str) -> Iterator[tuple[str, Json]]:
    """Every key and every leaf of a document, with its place; a key has the place of its value."""
    if isinstance(value, dict):
        for key, item in value.items():
            where = f"{at}/{escape(str(key))}"
            yield where, key
            yield from leaves(item, where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{at}/{index}")
    else:
        yield at, value


def _loops(value: Json, at: str) -> Iterator[Placed]:
    for loop in placed(value, at):
        yield loop
        yield from _loops(loop.body.get("foreach"), f"{loop.at}/foreach")
