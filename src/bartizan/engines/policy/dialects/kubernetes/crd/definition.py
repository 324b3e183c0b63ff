"""A CustomResourceDefinition, compiled: a rule for its schema, one for unknown fields, and one for each of its own.

A schema is compiled when the first resource of its version comes, and so are
rules in CEL, except where somebody wants to know what is wrong with them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.engines.policy.dialects.kubernetes.crd.emit import search_for
from bartizan.engines.policy.dialects.kubernetes.crd.nodes import Node, every, read_schema
from bartizan.engines.policy.dialects.kubernetes.crd.problems import UNCHECKED, field_of, pointer_of
from bartizan.engines.policy.dialects.kubernetes.crd.rule_specs import RuleSpec, rule_specs
from bartizan.engines.policy.dialects.kubernetes.crd.rules import compile_rules
from bartizan.engines.policy.dialects.kubernetes.crd.validate import Judgement, compile_validation
from bartizan.engines.policy.plan import Rule
from bartizan.model.finding import RuleId, RuleInfo
from bartizan.model.outcome import PASSED, Broken, Failed, Outcome, Skipped
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.dialects.kubernetes.crd.problems import FieldProblem
    from bartizan.engines.policy.dialects.kubernetes.crd.rules import Rules
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request

KIND: Final = "CustomResourceDefinition"
GROUP: Final = "apiextensions.k8s.io"
MAX_OBJECTIONS: Final = 100
"""Objections of one rule to one resource that are shown: nobody mends more at a time."""
_CATEGORY: Final = "Custom resources"
_FIX: Final = "Write what the CustomResourceDefinition asks for; `kubectl explain` shows it."


class Definition(NamedTuple):
    """A compiled definition. `problems` are found when they are asked for, which compiles its rules in CEL."""

    name: str
    group: str
    kind: str
    rules: tuple[Rule, ...]
    versions: tuple[Version, ...]

    def problems(self) -> tuple[SpecError, ...]:
        """What is wrong with its rules in CEL and its patterns."""
        return tuple(problem for version in self.versions for problem in version.problems())


class Version:
    """One version of a definition. What judges its objects is made when the first comes."""

    def __init__(self, name: str, root: Node, world: _World) -> None:
        self.name = name
        self.root = root
        self.specs = rule_specs(root)
        self._world = world

    @cached_property
    def rules(self) -> Rules:
        """The rules in CEL."""
        return compile_rules(self.root)

    @cached_property
    def judge(self) -> Callable[[JsonObject, JsonObject | None], Judgement]:
        """What judges an object of this version."""
        return compile_validation(self.root, self.rules, self._world)

    def problems(self) -> tuple[SpecError, ...]:
        """What is wrong with it: its patterns, and its rules in CEL."""
        found: list[SpecError] = []
        for node in every(self.root):
            if node.limits.pattern:
                try:
                    search_for(node)
                except SpecError as error:
                    found.append(error)
        return (*found, *self.rules.problems)


class _World(NamedTuple):
    """What is the same for every object of a version, besides its schema."""

    name: str
    namespaced: bool
    has_status: bool
    spec_replicas: str


def is_definition(document: Json) -> bool:
    """Whether a document is a definition of the version that is compiled here."""
    return isinstance(document, dict) and document.get("kind") == KIND and document.get("apiVersion") == f"{GROUP}/v1"


def compile_definition(document: JsonObject) -> Definition:
    """Compile a definition.

    Raises:
        SpecError: it is malformed, or a schema of it is.
    """
    spec = _object(document, "spec", "")
    names = _object(spec, "names", "/spec")
    group, kind = _text(spec, "group", "/spec"), _text(names, "kind", "/spec/names")
    name = str((document.get("metadata") or {}).get("name") or f"{kind}.{group}")
    listed = spec.get("versions")
    if not isinstance(listed, list) or not listed:
        raise SpecError("a definition needs versions", pointer="/spec/versions", hint="Write `spec.versions`.")
    versions = tuple(
        _version(item, f"/spec/versions/{index}", f"{name} {group}", namespaced=spec.get("scope") != "Cluster")
        for index, item in enumerate(listed)
        if not isinstance(item, dict) or item.get("served") is True
    )
    policy = f"crd/{name}"
    by_version = {f"{group}/{version.name}": version for version in versions}
    rules = [_schema_rule(policy, group, kind, by_version), _unknown_rule(policy, by_version)]
    for version in versions:
        rules += _own_rules(policy, f"{group}/{version.name}", version)
    kinds = frozenset({kind})
    return Definition(name, group, kind, tuple(rule._replace(kinds=kinds) for rule in rules), versions)


def _object(document: JsonObject, name: str, at: str) -> JsonObject:
    value = document.get(name)
    if not isinstance(value, dict):
        raise SpecError(f"a definition needs `{name}`", pointer=f"{at}/{name}", hint="See `kubectl explain crd.spec`.")
    return value


def _text(document: JsonObject, name: str, at: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise SpecError(f"a definition needs `{name}`", pointer=f"{at}/{name}", hint="See `kubectl explain crd.spec`.")
    return value


def _version(item: Json, at: str, name: str, *, namespaced: bool) -> Version:
    if not isinstance(item, dict):
        raise SpecError("a version must be an object", pointer=at)
    called = _text(item, "name", at)
    schema = item.get("schema")
    if not isinstance(schema, dict) or not isinstance(schema.get("openAPIV3Schema"), dict):
        hint = "Write `type: object` with `x-kubernetes-preserve-unknown-fields: true` where anything goes."
        raise SpecError(f"version `{called}` needs a schema", pointer=f"{at}/schema/openAPIV3Schema", hint=hint)
    parts = item.get("subresources")
    parts = parts if isinstance(parts, dict) else {}
    scale = parts.get("scale")
    replicas = scale.get("specReplicasPath") if isinstance(scale, dict) else None
    world = _World(
        f"{name}/{called}",
        namespaced,
        parts.get("status") is not None,
        replicas if isinstance(replicas, str) else "",
    )
    root = read_schema(schema["openAPIV3Schema"], f"{at}/schema/openAPIV3Schema")
    return Version(called, root, world)


# the rules


def _judged(version: Version, request: Request) -> Judgement | Broken:
    """What is said of the object that is asked about, worked out for the first rule that wants to know."""
    memo = request.memo
    key = f"crd {id(version)}"
    if key not in memo:
        try:
            old = request.old.body if request.old is not None and request.operation == "UPDATE" else None
            memo[key] = version.judge(request.resource.body, old)
        except SpecError as error:
            memo[key] = Broken(f"the definition is broken: {error.message}")
        except RecursionError:
            memo[key] = Broken("the object nests too deep")
    found: Judgement | Broken = memo[key]
    return found


def _info(policy: str, rule: str, title: str, *, why: str) -> RuleInfo:
    return RuleInfo(
        id=RuleId(policy, rule),
        title=title,
        severity=Severity.HIGH,
        category=_CATEGORY,
        origin="crd",
        why=why,
        fix=_FIX,
    )


def _schema_rule(policy: str, group: str, kind: str, versions: dict[str, Version]) -> Rule:
    title = f"{kind} must fit the schema of its CustomResourceDefinition"
    why = "The API server refuses the object."
    info = _info(policy, "schema", title, why=why)

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        del lookup  # an object and its definition say all there is
        rid = request.resource.id
        if rid.group != group or request.operation == "DELETE":
            return None
        version = versions.get(rid.api_version)
        if version is None:
            served = ", ".join(versions) or "none"
            said = f'no matches for kind "{kind}" in version "{rid.api_version}"; served are {served}'
            return Failed(said, "/apiVersion", rid.api_version)
        judged = _judged(version, request)
        if isinstance(judged, Broken):
            return judged
        return _failed(judged.problems) if judged.problems else PASSED

    return Rule(info, run)


def _unknown_rule(policy: str, versions: dict[str, Version]) -> Rule:
    title = "fields that the schema does not have"
    why = (
        "The API server drops them without an error where a client does not ask it to be strict: a typo has no effect."
    )
    refused = _info(policy, "unknown-fields", title, why=why)
    info = msgspec.structs.replace(refused, severity=Severity.LOW, scored=False)  # nothing is refused, something lost

    def run(request: Request, lookup: Lookup) -> Outcome | None:
        del lookup
        version = versions.get(request.resource.id.api_version)
        judged = None if version is None or request.operation == "DELETE" else _judged(version, request)
        if judged is None or isinstance(judged, Broken):
            return None
        found = [
            Failed(f'unknown field "{field_of((path, name))}", which is dropped{_meant(name, known)}', at)
            for path, name, known in judged.unknown[:MAX_OBJECTIONS]
            for at in (pointer_of((path, name)),)
        ]
        return _several(found) if found else PASSED

    return Rule(info, run)


def _meant(name: str, known: frozenset[str]) -> str:
    hint = did_you_mean(name, known) if known else ""
    return f"; {hint[0].lower()}{hint[1:]}" if hint.startswith("Did") else ""


def _own_rules(policy: str, api_version: str, version: Version) -> Iterator[Rule]:
    names: dict[str, int] = {}
    for number, spec in enumerate(version.specs):
        names[spec.place] = names.get(spec.place, 0) + 1
        name = f"{version.name}{spec.place}#{names[spec.place]}"
        if spec.rule.strip():
            yield _own_rule(_info(policy, name, spec.shown[:200], why=_why(spec)), number, api_version, version)


def _why(spec: RuleSpec) -> str:
    return f"The definition demands `{spec.rule.strip()}`."


def _own_rule(info: RuleInfo, number: int, api_version: str, version: Version) -> Rule:
    def run(request: Request, lookup: Lookup) -> Outcome | None:
        del lookup
        if request.resource.id.api_version != api_version or request.operation == "DELETE":
            return None
        judged = _judged(version, request)
        if isinstance(judged, Broken):
            return None  # the schema's rule has said so
        if judged.asked is None:
            return Skipped("not asked, for the object does not fit its schema")
        if number not in judged.asked.numbers:
            return None
        failures = judged.asked.failures.get(number)
        return _failed(failures) if failures else PASSED

    return Rule(info, run)


def _failed(problems: Sequence[FieldProblem]) -> Failed:
    return _several([Failed(str(problem), problem.pointer) for problem in problems[:MAX_OBJECTIONS]])


def _several(failures: list[Failed]) -> Failed:
    first = failures[0]
    return Failed(first.message, first.pointer, first.evidence, tuple(failures[1:]))


def objections(judged: Judgement) -> list[FieldProblem]:
    """All that the server would say of an object, as it says it."""
    if judged.asked is None:
        return [*judged.problems, UNCHECKED]
    return [*judged.problems, *(problem for found in judged.asked.failures.values() for problem in found)]
