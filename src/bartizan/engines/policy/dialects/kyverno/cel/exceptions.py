"""PolicyExceptions of `policies.kyverno.io`: which policies they lift, and for what.

An exception that names images or values narrows a policy, which reads them
as `exceptions`; any other lifts it as a whole. One that has ended lifts
nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.expressions import ConditionSpec, compile_conditions
from bartizan.engines.policy.cel.listening import owned_by
from bartizan.engines.policy.dialects.kyverno.cel.spec import is_of_group
from bartizan.engines.policy.document import Metadata, Record, decode
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.lang.cel.types import STRING, Type, list_of
from bartizan.model.outcome import Broken, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bartizan.base.json import Json, JsonObject
    from bartizan.engines.policy.cel.names import Names
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.lang.cel import Environment, Expression

NAME: Final = "exceptions"
TYPE: Final = Type("libs.Exception")
OBJECTS: Final[Mapping[str, Mapping[str, Type]]] = {
    TYPE.name: {"allowedImages": list_of(STRING), "allowedValues": list_of(STRING)}
}
"""What a policy may read of the exceptions that narrow it."""
NOTHING: Final[Mapping[str, Any]] = {"allowedImages": [], "allowedValues": []}
_PRIORITY: Final = "polex.kyverno.io/priority"


class PolicyRef(Record, frozen=True):
    """The policy an exception is for."""

    name: str
    kind: str


class ExceptionSpec(Record, frozen=True):
    """`spec` of a PolicyException."""

    policy_refs: tuple[PolicyRef, ...]
    match_conditions: tuple[ConditionSpec, ...] = ()
    images: tuple[str, ...] = ()
    allowed_values: tuple[str, ...] = ()
    report_result: str | None = None
    expires_at: str | None = None
    properties: dict[str, str] | None = None
    evaluation_mode: str | None = None


class PolicyException(NamedTuple):
    """One exception, compiled for one policy."""

    name: str
    conditions: tuple[tuple[str, Expression], ...]
    images: tuple[str, ...]
    values: tuple[str, ...]
    passes: bool
    priority: int
    ends: datetime | None

    @property
    def is_whole(self) -> bool:
        """Whether it lifts the policy, and does not only narrow it."""
        return not self.images and not self.values


class Lifted(NamedTuple):
    """What exceptions say of a request: the outcome where they lift the policy, else what narrows it."""

    outcome: Outcome | None
    narrowing: Mapping[str, Any]


def is_cel_exception(document: Json) -> bool:
    """Whether a document is an exception of the kind read here."""
    return is_of_group(document, ("PolicyException",))


def decode_cel_exception(document: JsonObject) -> ExceptionSpec:
    """Read a PolicyException.

    Raises:
        SpecError: it is malformed.
    """
    spec = decode(document.get("spec"), ExceptionSpec, "/spec")
    if not spec.policy_refs:
        hint = "Name a policy by `name` and `kind`."
        raise SpecError("a PolicyException that is for no policy", pointer="/spec/policyRefs", hint=hint)
    return spec


def exceptions_for(
    documents: Sequence[JsonObject], head: Head, environment: Environment
) -> tuple[PolicyException, ...]:
    """The exceptions that name a policy by its kind and name.

    Raises:
        SpecError: an exception is malformed.
    """
    found: list[PolicyException] = []
    for document in documents:
        if not is_cel_exception(document):
            continue
        spec = decode_cel_exception(document)
        if any(ref.name == head.name and ref.kind == head.kind for ref in spec.policy_refs):
            found.append(_compile(document, spec, environment))
    return tuple(found)


def _compile(document: JsonObject, spec: ExceptionSpec, environment: Environment) -> PolicyException:
    metadata = document.get("metadata")
    about = decode(metadata or {}, Metadata, "/metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    priority = str((labels or {}).get(_PRIORITY, "")) if isinstance(labels, dict | None) else ""
    name = "/".join(part for part in (about.namespace, about.name) if part)
    with owned_by(name):
        conditions = compile_conditions(spec.match_conditions, environment, "/spec/matchConditions")
    return PolicyException(
        name,
        conditions,
        spec.images,
        spec.allowed_values,
        spec.report_result == "pass",
        int(priority) if priority.isdecimal() and len(priority) < 10 else 0,
        _moment(spec.expires_at) if spec.expires_at else None,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "Write a moment such as 2027-01-31T00:00:00Z."
        raise SpecError(f"`{text}` is no moment", pointer="/spec/expiresAt", hint=hint) from error
    if moment.tzinfo is None:
        raise SpecError(f"`{text}` has no time zone", pointer="/spec/expiresAt", hint="Add `Z` for UTC.")
    return moment


def lift(
    exceptions: Sequence[PolicyException], names: Names, now: Callable[[], datetime], *, ignores: bool = False
) -> Lifted:
    """Ask every exception; `ignores` is whether the policy takes what fails for what does not match."""
    whole: list[PolicyException] = []
    images: list[str] = []
    values: list[str] = []
    for item in exceptions:
        if item.ends is not None and now() > item.ends:
            continue
        try:
            matches = holds(item.conditions, names)
        except CelError as error:
            if whole or ignores:
                continue
            return Lifted(Broken(f"exception `{item.name}` could not be evaluated: {error}"), NOTHING)
        if matches and item.is_whole:
            whole.append(item)
        elif matches and not whole:
            images += item.images
            values += item.values
    if whole:
        return Lifted(_outcome(whole), NOTHING)
    return Lifted(None, {"allowedImages": images, "allowedValues": values})


def _outcome(lifting: Sequence[PolicyException]) -> Outcome:
    names = ", ".join(item.name for item in lifting)
    chosen = max(lifting, key=lambda item: item.priority)
    if chosen.passes:
        return Passed(f"rule is passed due to policy exception: {names}")
    return Skipped(f"rule is skipped due to policy exception: {names}", names)


def holds(conditions: Sequence[tuple[str, Expression]], names: Names) -> bool:
    """Whether all conditions hold; one that does not settles it, whatever errors others end in.

    Raises:
        CelError: none is false, but some have no value.
    """
    failures: list[str] = []
    for _, condition in conditions:
        try:
            if condition(names) is not True:
                return False
        except (CelError, CelBudgetError) as error:
            failures.append(str(error))
    if failures:
        raise CelError("; ".join(failures))
    return True
