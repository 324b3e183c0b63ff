"""Explanations for people: rules and resources from files, and why each rule said what it did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bartizan.app.asking import Asker, Asking
from bartizan.app.explain.source import GeneratedPiece, generated_pieces
from bartizan.app.explain.watched import explain, is_explained, watch
from bartizan.app.given_world import GivenWorld, read_given
from bartizan.app.options import user_in, values_in
from bartizan.app.policies import documents, read_exceptions
from bartizan.app.supply import Supply
from bartizan.app.text_places import place_in, place_of
from bartizan.app.values import plain_rule
from bartizan.base.errors import BartizanError, SourceError, SpecError
from bartizan.base.location import Location
from bartizan.base.pointer import resolve
from bartizan.base.suggest import did_you_mean
from bartizan.catalog import export_policy, load_catalog
from bartizan.engines.policy.dialects.kubernetes.kinds import is_admission_document
from bartizan.model.report import Problem
from bartizan.model.scoping import in_default_namespace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bartizan.app.explain.watched import Watched
    from bartizan.base.json import JsonObject
    from bartizan.catalog import CheckSpec
    from bartizan.engines.policy.dialects.kyverno.explanation.cel import WatchedCelPolicy
    from bartizan.engines.policy.dialects.kyverno.explanation.rule import WatchedPolicy
    from bartizan.engines.policy.explanation.explanation import Explanation
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.request import Request
    from bartizan.model.resource import Lines, Resource
    from bartizan.model.trace import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainInputs:
    """The options of `bartizan explain`, as they are written."""

    policy: str
    paths: tuple[Path, ...]
    stdin: bytes | None = None
    rule: str = ""
    resource: str = ""
    values: Path | None = None
    user_info: Path | None = None
    exception: tuple[Path, ...] = ()


class Quoted(NamedTuple):
    """A place in a file, and its line as it stands there."""

    at: Location
    text: str


class Explained(NamedTuple):
    """One rule on one resource: why, where in the policy, and where in the resource."""

    root: Node
    applies: bool
    """Whether the rule gave an answer at all."""
    in_policy: Quoted | None
    in_resource: Quoted | None


class Explanations(NamedTuple):
    """All that was asked for; `left_out` are rules that are about none of the resources, and were not named."""

    explained: tuple[Explained, ...]
    left_out: tuple[str, ...]


class Source(NamedTuple):
    """A policy's document; without lines it is not from a file. `bindings` are documents beside it."""

    body: JsonObject
    lines: Lines | None
    bindings: tuple[JsonObject, ...] = ()


def explain_inputs(inputs: ExplainInputs) -> Explanations:
    """Explain every rule that is meant on every resource that is.

    Raises:
        SpecError: a file is not what it must be, or nothing has the name that is asked for.
    """
    from bartizan.app.explain.checks import explain_cross_check

    check = _cross_check(inputs.policy)
    supply = Supply([path for path in inputs.paths if str(path) != "-"], inputs.stdin, None, workers=1)
    resources = _resources(supply)
    if check is not None:
        return Explanations(tuple(explain_cross_check(check, resources, _is_named(inputs.resource))), ())
    exceptions = _exceptions(inputs.exception)
    meant = _rules_named(_watched(_policies(inputs.policy), exceptions), inputs.rule)
    chosen = _resources_named(resources, inputs.resource)
    asker = Asker(values_in(inputs.values), user_in(inputs.user_info), supply.namespace_labels())
    # a request of its own for each rule, which then shows all it asks, and not only what the one before did not
    asking = Asking(lambda rule, about: asker.request(rule.info.id, about), GivenWorld(lambda: resources))
    found = [_explained(source, rule, resource, asking) for source, rule in meant for resource in chosen]
    return _most_telling(found, named=bool(inputs.rule and inputs.resource))


def sources(inputs: ExplainInputs) -> list[GeneratedPiece]:
    """The Python that is generated for the rules that are meant, piece by piece.

    Raises:
        SpecError: a file is not what it must be, or no rule has the name that is asked for.
    """
    if _cross_check(inputs.policy) is not None:
        raise SpecError(
            f"check `{inputs.policy}` is not generated", hint="It is written in Python: see `bartizan catalog show`."
        )
    rules = _rules_named(_watched(_policies(inputs.policy), ()), inputs.rule)
    return [piece for _, rule in rules for piece in generated_pieces(rule)]


def explain_one(
    source: Source,
    rule: str,
    request: Request,
    lookup: Lookup,
    *,
    exceptions: Sequence[JsonObject] = (),
    all_kinds: bool = False,
) -> Explained | None:
    """Explain one rule of a policy on a request that is made already; `None` where it has no such rule.

    Raises:
        SpecError: the document is no policy.
    """
    is_bound = is_admission_document(source.body)
    sources = [source, *(Source(item, None) for item in source.bindings if is_bound)]
    # the rules of a policy in CEL have no names, but those of bindings: the one that answers is meant
    found = [
        item
        for _, item in _watched(sources, exceptions)
        if item.rule.info.id.rule in (rule, "") or item.rule.info.origin == "kubernetes"
    ]
    explained = [
        _placed(source, item, request.resource, explain(item, request, lookup, all_kinds=all_kinds)) for item in found
    ]
    return next((item for item in explained if item.applies), explained[0] if explained else None)


def watched_among(sources: Sequence[Source], exceptions: Sequence[JsonObject]) -> list[tuple[Source, Watched]]:
    """The rules of policies that were read already, each with its document.

    Raises:
        SpecError: one of them is no policy, or malformed.
    """
    return _watched(sources, exceptions)


def explain_watched(source: Source, rule: Watched, request: Request, lookup: Lookup) -> Explained:
    """Explain one rule on a request, with the places of what decided."""
    return _placed(source, rule, request.resource, explain(rule, request, lookup))


def _cross_check(name: str) -> CheckSpec | None:
    """The built-in check of that name that compares resources, and so is no policy."""
    from pathlib import Path

    check = None if Path(name).exists() else load_catalog().checks.get(name)
    return check if check is not None and check.template else None


def _policies(name: str) -> list[Source]:
    from pathlib import Path

    path = Path(name)
    if not path.exists():
        checks = load_catalog().checks
        if name in checks:
            return [Source(export_policy(checks[name]), None)]
        is_word = "/" not in name and "." not in name
        hint = did_you_mean(name, checks, listed="bartizan catalog list") if is_word else "Check the name."
        raise SpecError(f"`{name}` is no file, and no built-in check", hint=hint)
    found: list[Source] = []
    for item in documents([path]):
        if isinstance(item, Problem):
            raise _raised(item)
        if is_explained(item.body) or is_admission_document(item.body):
            found.append(Source(item.body, item.lines))
    if not found:
        hint = "Name a file that holds a ClusterPolicy or Policy, or a check of `bartizan catalog list`."
        raise SpecError("no policy found", at=Location(name), hint=hint)
    return found


def _watched(sources: Sequence[Source], exceptions: Sequence[JsonObject]) -> list[tuple[Source, Watched]]:
    """The rules of all policies; those of Kubernetes are compiled together with their bindings."""
    admission = [source for source in sources if is_admission_document(source.body)]
    own = [source for source in sources if not is_admission_document(source.body)]
    found: list[tuple[Source, Watched]] = [
        (source, rule) for source in own for rule in _watch(source, exceptions).rules
    ]
    return [*found, *(_watch_admission(admission) if admission else ())]


def _watch_admission(sources: Sequence[Source]) -> Iterator[tuple[Source, Watched]]:
    from bartizan.engines.policy.dialects.kubernetes.explanation import watch_admission  # late: it brings CEL

    rules, problems = watch_admission([source.body for source in sources])
    for number, error in problems:
        raise _located(error, sources[number]) from error
    yield from ((sources[rule.number], rule) for rule in rules)


def _located(error: SpecError, source: Source) -> SpecError:
    at = place_of(error, source.body, source.lines) if source.lines and error.at is None else error.at
    return SpecError(error.message, at=at, hint=error.hint)


def _watch(source: Source, exceptions: Sequence[JsonObject]) -> WatchedPolicy | WatchedCelPolicy:
    try:
        policy = watch(source.body, exceptions)
        for problem in policy.problems:
            raise problem
    except SpecError as error:
        raise _located(error, source) from error
    return policy


def _exceptions(paths: tuple[Path, ...]) -> list[JsonObject]:
    found, problems = read_exceptions(paths)
    for problem in problems:
        raise _raised(problem)
    return found


def _resources(supply: Supply) -> list[Resource]:
    found, problems = read_given(supply)
    for problem in problems:
        raise _raised(problem)
    if not found:
        raise SpecError("no resource found", hint="Name a file or a folder with manifests, or `-` for standard input.")
    return [in_default_namespace(item) for item in found]


def _raised(problem: Problem) -> BartizanError:
    kind = SpecError if problem.kind == "input" else SourceError
    return kind(problem.message, at=problem.at, hint=problem.hint)


def _rules_named(rules: list[tuple[Source, Watched]], name: str) -> list[tuple[Source, Watched]]:
    """The rules of that name, with those made from it for pod controllers; all without a name."""
    if not name:
        return rules
    found = [item for item in rules if name in _names_of(item[1])]
    if not found:
        names = {known: None for _, rule in rules for known in _names_of(rule)}
        raise SpecError(f"no rule `{name}`", hint=did_you_mean(name, names))
    return found


def _names_of(rule: Watched) -> list[str]:
    """How a rule may be named; one of a policy that has no names for its rules, by the policy's."""
    rid, origin = rule.rule.info.id, rule.rule.info.origin
    own = [rid.rule, plain_rule(rid.rule)] if rid.rule else []
    return own if own and origin != "kubernetes" else [*own, rid.policy]


def _resources_named(resources: list[Resource], name: str) -> list[Resource]:
    if not name:
        return resources
    is_named = _is_named(name)
    found = [resource for resource in resources if is_named(resource)]
    if not found:
        raise SpecError(f"no resource `{name}`", hint=did_you_mean(name, [_names(item)[0] for item in resources]))
    return found


def _is_named(name: str) -> Callable[[Resource], bool]:
    return lambda resource: not name or name in _names(resource)


def _names(resource: Resource) -> tuple[str, ...]:
    """How a resource may be named: `Kind/namespace/name`, `Kind/name`, `namespace/name` or the name alone."""
    rid = resource.id
    full = "/".join(part for part in (rid.kind, rid.namespace, rid.name) if part)
    return full, f"{rid.kind}/{rid.name}", f"{rid.namespace}/{rid.name}", rid.name


def _explained(source: Source, rule: Watched, resource: Resource, asking: Asking) -> Explained:
    explanation = explain(rule, asking.request_for(rule.rule, resource), asking.lookup)
    return _placed(source, rule, resource, explanation)


def _placed(source: Source, rule: Watched, resource: Resource, explanation: Explanation) -> Explained:
    """An explanation with the places of what decided, in both files."""
    root = explanation.root
    deciding = root.deciding
    at, begins = next(((node.at, node.begins) for node in deciding if node.at), (root.at, -1))
    pointer = next((node.pointer for node in deciding if node.pointer), root.pointer)
    in_policy = _in_policy(source, _origin(at) if rule.is_generated else at, begins)
    in_resource = _quoted(resource.lines, pointer) if pointer is not None else None
    return Explained(root, explanation.outcome is not None, in_policy, in_resource)


def _origin(at: str) -> str:
    """Where in a rule stands what was moved into the template of a pod controller."""
    for moved in ("/spec/jobTemplate/spec/template", "/spec/template"):
        for way in ("/pattern", "/anyPattern/"):
            head, found, rest = at.partition(way)
            if found and moved in rest:
                return head + found + rest.replace(moved, "", 1)
    return at


def _in_policy(source: Source, at: str, begins: int) -> Quoted | None:
    """A place in the policy; of a part of an expression, where that begins in its text."""
    if source.lines is None or begins < 0:
        return _quoted(source.lines, at)
    try:
        text = resolve(source.body, at)
    except LookupError:
        text = ""
    place = place_in(source.lines, at, text, begins) if isinstance(text, str) else source.lines.locate(at)
    return Quoted(place, source.lines.quote(place.line))


def _quoted(lines: Lines | None, pointer: str) -> Quoted | None:
    if lines is None:
        return None
    at = lines.locate(pointer)
    return Quoted(at, lines.quote(at.line))


def _most_telling(found: list[Explained], *, named: bool) -> Explanations:
    """Those where the rule gave an answer; where none did, why not, but for rules made for other kinds."""
    answered = [item for item in found if item.applies]
    if named or not answered:
        own = [item for item in found if not _is_for_others(item)]
        return Explanations(tuple(own or found), ())
    shown = {item.root.label for item in answered}
    others = [item for item in found if item.root.label not in shown and not _is_for_others(item)]
    left_out = dict.fromkeys(item.root.label for item in others)
    return Explanations(tuple(answered), tuple(left_out))


def _is_for_others(item: Explained) -> bool:
    return any(node.kind == "scope" and node.decided for node in item.root.children)
