"""PolicyExceptions of `policies.kyverno.io`, as one policy sees them: which requests they take out of it.

An exception is for a policy by its name and kind. One that names images or
values takes nothing out: it hands them to the expressions, as `exceptions`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

import msgspec

from bartizan.engines.policy.cel.expressions import ConditionSpec, compile_conditions
from bartizan.engines.policy.dialects.kyverno.cel.gates import hold
from bartizan.engines.policy.dialects.kyverno.cel.head import is_one_of, read_head
from bartizan.engines.policy.document import Record, decode
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.model.outcome import Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kyverno.cel.head import Head
    from bartizan.lang.cel import Environment, Expression

_KIND: Final = frozenset({"PolicyException"})


class PolicyRef(Record, frozen=True):
    """A policy that an exception is for."""

    name: str
    kind: str


class WaiverSpec(Record, frozen=True):
    """`spec` of a PolicyException."""

    policy_refs: tuple[PolicyRef, ...]
    match_conditions: tuple[ConditionSpec, ...] = ()
    images: tuple[str, ...] = ()
    allowed_values: tuple[str, ...] = ()
    report_result: Literal["skip", "pass"] | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    properties: dict[str, Any] | None = None
    evaluation_mode: str = ""


class Waiver(NamedTuple):
    """An exception that names the policy, compiled."""

    name: str
    spec: WaiverSpec
    gates: tuple[Expression, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it takes a request out altogether."""
        return not self.spec.images and not self.spec.allowed_values


class Waived(NamedTuple):
    """What the exceptions that hold for a request do: take it out, or allow some images and values in it.

    `by` are all that hold.
    """

    by: str
    outcome: Passed | Skipped | None
    allowed: dict[str, list[str]]


def is_waiver(document: Json) -> bool:
    """Whether a document is an exception of the kind read here."""
    return is_one_of(document, _KIND)


def waivers_for(documents: Sequence[JsonObject], head: Head, environment: Environment) -> tuple[Waiver, ...]:
    """The exceptions that name a policy.

    Raises:
        SpecError: one is malformed.
    """
    found: list[Waiver] = []
    for document in documents:
        if not is_waiver(document):
            continue
        spec = decode(document.get("spec") or {}, WaiverSpec, "/spec")
        if not any((ref.name, ref.kind) == (head.name, head.kind) for ref in spec.policy_refs):
            continue
        own = read_head(document)
        namespace = (document.get("metadata") or {}).get("namespace")
        gates = compile_conditions(spec.match_conditions, environment, "/spec/matchConditions")
        name = f"{namespace}/{own.name}" if namespace else own.name
        found.append(Waiver(name, spec, tuple(gate for _, gate in gates)))
    return tuple(found)


def waive(waivers: Sequence[Waiver], names: Names, now: Callable[[], datetime]) -> Waived:
    """Ask the exceptions about a request.

    Raises:
        CelError: whether one holds cannot be told, and none before it takes the request out.
    """
    holding: list[Waiver] = []
    is_out = False
    for waiver in waivers:
        if waiver.spec.expires_at is not None and waiver.spec.expires_at < now():
            continue
        try:
            holds = hold(waiver.gates, names)
        except (CelError, CelBudgetError):
            if is_out:
                continue
            raise
        if holds:
            holding.append(waiver)
            is_out = is_out or waiver.is_whole
    by = ", ".join(waiver.name for waiver in holding)
    if not is_out:
        images = [image for waiver in holding for image in waiver.spec.images]
        values = [value for waiver in holding for value in waiver.spec.allowed_values]
        return Waived(by, None, {"allowedImages": images, "allowedValues": values})
    if holding[0].spec.report_result == "pass":
        return Waived(by, Passed(f"rule is passed due to policy exception: {by}"), {})
    return Waived(by, Skipped(f"rule is skipped due to policy exception: {by}", by), {})
