"""Apply: policies on resources as admission would apply them, and what comes out.

Nothing is changed anywhere: mutated and generated objects are written out,
and what the judging rules say is told beside them.
"""

from __future__ import annotations

import gc
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from bartizan.app.asking import Asker
from bartizan.app.global_context import answers
from bartizan.app.payloads import NO_PAYLOADS, Payloads
from bartizan.app.policies import Policies, read_exceptions, read_policies
from bartizan.app.supply import Live, Progress, Supply
from bartizan.app.values import EMPTY, Values
from bartizan.engines.policy.chain import run_chain
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.report import Problem
from bartizan.model.scoping import in_default_namespace
from bartizan.outputs.objects import State, as_difference, as_json, as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from bartizan.app.images.registry import RegistryLookup
    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.chain import Step
    from bartizan.engines.policy.plan import Rule
    from bartizan.model.request import Operation, Payload, UserInfo
    from bartizan.model.resource import Resource, ResourceId

Form: TypeAlias = Literal["diff", "yaml", "json", "summary"]
Verb: TypeAlias = Literal["mutated", "generated", "unchanged"]


class Written(msgspec.Struct, array_like=True, gc=False):
    """One object that came out, as text; `name` is what a file of it would be called, without suffix."""

    verb: Verb
    name: str
    text: str


class Said(msgspec.Struct, array_like=True, gc=False):
    """What one rule said of one resource, in a report's five words."""

    result: Literal["pass", "fail", "warn", "error", "skip"]
    policy: str
    rule: str
    resource: str
    message: str


class ApplyBatch(msgspec.Struct, array_like=True):
    """What came of some resources. `counts` are of all results, by word; `said` lists those that are to be told."""

    written: list[Written]
    said: list[Said]
    counts: dict[str, int]
    problems: list[Problem]
    resources: int = 0
    verbs: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """Everything that applying is told. `everything` also writes what did not change and tells what passed."""

    policies: tuple[Path, ...]
    paths: tuple[Path, ...] = ()
    stdin: bytes | None = None
    live: Live | None = None
    registry: RegistryLookup | None = None
    """Registries, where they may be asked; of a cluster's images they always may."""
    exceptions: tuple[Path, ...] = ()
    values: Values = EMPTY
    user: UserInfo | None = None
    operation: Operation | None = None
    form: Form = "diff"
    color: bool = False
    everything: bool = False
    payloads: Payloads = NO_PAYLOADS
    """What is judged beside resources, and is none."""
    workers: int = 0
    progress: Progress = field(default=lambda _done, _all: None)


def apply_policies(request: ApplyRequest) -> Iterator[ApplyBatch]:
    """Apply policies to resources in order; the first batch has what is wrong with the policies."""
    exceptions, problems = read_exceptions(request.exceptions)
    policies = read_policies(request.policies, exceptions)
    supply = Supply(request.paths, request.stdin, request.live, request.workers)
    yield ApplyBatch([], [], {}, [*problems, *policies.problems, *supply.problems])
    applier = _Applier(request, policies, supply)
    gc.freeze()
    try:
        yield from supply.batches(applier.batch, ApplyBatch, request.progress)
        for kind, items in request.payloads.groups():
            yield applier.of_payload(kind).batch(items)
    finally:
        if request.live:
            request.live.close()
        if request.registry:
            request.registry.close()


class _Applier:
    """Rules bound to what is known of the world."""

    def __init__(self, request: ApplyRequest, policies: Policies, supply: Supply) -> None:
        self._request = request
        # what deletes comes by a schedule, and is for `bartizan cleanup` to say
        self._rules = tuple(rule for rule in policies.rules if rule.does != "delete")
        self._by_kind: dict[str, list[Rule]] = {}
        self._lookup = answers(supply, request.live, policies.entries, request.registry)
        labels = supply.namespace_labels() if policies.wants_namespaces else {}
        self._asker = Asker(request.values, request.user, labels, request.operation)

    def of_payload(self, payload: Payload) -> _Applier:
        """The same, for what is no resource."""
        other = copy(self)
        other._asker = Asker(self._request.values, self._request.user, {}, self._request.operation, payload)  # noqa: SLF001 (its own)
        return other

    def batch(self, items: Iterable[Resource | Problem]) -> ApplyBatch:
        """Apply the rules to resources in order; problems among them are passed on."""
        done = ApplyBatch([], [], {}, [], verbs={})
        for item in items:
            if isinstance(item, Problem):
                done.problems.append(item)
            else:
                done.resources += 1
                self._apply(item, done)
        return done

    def _apply(self, resource: Resource, done: ApplyBatch) -> None:
        placed = in_default_namespace(resource)
        kind = resource.id.kind
        rules = self._by_kind.get(kind)
        if rules is None:
            rules = self._by_kind[kind] = [
                rule for rule in self._rules if rule.kinds is None or kind in rule.kinds or self._asker.has_parts
            ]
        steps = run_chain(rules, placed, self._asker.request_for, self._lookup, all_kinds=self._asker.has_parts)
        for step in steps:
            self._tell(step, resource.id, done)
        after = steps[-1].resource if steps else placed
        name = _name(placed.id)
        if after is not placed:
            self._write(State(name, resource.body, _as_kept(resource, after.body)), "mutated", done)
        elif self._request.everything:
            self._write(State(name, resource.body, resource.body), "unchanged", done)
        self._write_others(placed, steps, done)

    def _write_others(self, resource: Resource, steps: list[Step], done: ApplyBatch) -> None:
        """What rules did to other objects: those that exist already, and new ones."""
        body = resource.body
        for step in steps:
            if not isinstance(step.outcome, Passed):
                continue
            for change in step.outcome.changes:
                if change.before is not body:
                    verb: Verb = "generated" if change.before is None else "mutated"
                    self._write(State(_name(change.resource), change.before, change.after), verb, done)
            body = step.resource.body

    def _tell(self, step: Step, rid: ResourceId, done: ApplyBatch) -> None:
        info = step.rule.info
        match step.outcome:
            case Passed(message):
                result: Literal["pass", "fail", "warn", "error", "skip"] = "pass"
            case Failed(message):
                result = "fail" if info.scored else "warn"
            case Skipped(message):
                result = "skip"
            case Broken(message):
                result = "error"
        done.counts[result] = done.counts.get(result, 0) + 1
        if result in ("fail", "warn", "error") or self._request.everything:
            done.said.append(Said(result, info.id.policy, info.id.rule, str(rid), message))

    def _write(self, state: State, verb: Verb, done: ApplyBatch) -> None:
        form = self._request.form
        body = state.after
        if body is None:
            return
        if form == "diff":
            text = as_difference(state, color=self._request.color)
        elif form == "summary":
            text = ""
        else:
            text = f"---\n{as_yaml(body)}" if form == "yaml" else as_json(body)
        done.verbs[verb] = done.verbs.get(verb, 0) + 1
        done.written.append(Written(verb, state.name, text))


def _name(rid: ResourceId) -> str:
    parts = (rid.kind.lower(), rid.namespace, rid.name.removeprefix("./"))
    return "-".join(part for part in parts if part).replace("/", "-")


def _as_kept(resource: Resource, body: JsonObject) -> JsonObject:
    """The object as its owner keeps it: without the namespace that was only taken for granted."""
    before, after = resource.body.get("metadata"), body.get("metadata")
    if not isinstance(before, dict) or not isinstance(after, dict) or "namespace" in before:
        return body
    return {**body, "metadata": {key: value for key, value in after.items() if key != "namespace"}}


def total(batches: Iterable[ApplyBatch], on_batch: Callable[[ApplyBatch], None]) -> ApplyBatch:
    """Hand every batch on as it comes; what all of them say, without the texts."""
    whole = ApplyBatch([], [], {}, [], verbs={})
    for batch in batches:
        on_batch(batch)
        whole.problems += batch.problems
        whole.said += batch.said
        whole.resources += batch.resources
        for total_of, part in ((whole.counts, batch.counts), (whole.verbs, batch.verbs)):
            for word, number in part.items():
                total_of[word] = total_of.get(word, 0) + number
    return whole
