"""ValidatingPolicy in the modes `HTTP` and `Envoy`: whether a request may pass.

A validation is no truth value here, but a response or null, and the first
response decides. A policy that gives none has nothing to say of the
request, which is also what a match condition or an exception can bring
about.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from bartizan.base.errors import SpecError
from bartizan.engines.policy.cel.environment import Vocabulary
from bartizan.engines.policy.cel.expressions import compile_at, compile_conditions, compile_variables
from bartizan.engines.policy.cel.names import Names
from bartizan.engines.policy.dialects.kyverno.cel.exceptions import exceptions_for, holds, lift
from bartizan.engines.policy.dialects.kyverno.cel.spec import FAILURE_POLICIES, one_of
from bartizan.engines.policy.dialects.kyverno.library.authorization import mode_of
from bartizan.engines.policy.dialects.kyverno.library.world import WORLD, World
from bartizan.engines.policy.plan import Rule
from bartizan.lang.cel import CelBudgetError, CelError
from bartizan.lang.cel.types import NULL
from bartizan.model.outcome import Broken, Failed, Outcome, Passed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bartizan.base.json import JsonObject
    from bartizan.engines.policy.cel.names import Makers
    from bartizan.engines.policy.dialects.kyverno.cel.exceptions import PolicyException
    from bartizan.engines.policy.dialects.kyverno.cel.spec import Head
    from bartizan.engines.policy.dialects.kyverno.cel.validating import ValidatingSpec
    from bartizan.engines.policy.dialects.kyverno.library.authorization import Mode
    from bartizan.engines.policy.dialects.kyverno.library.authorization.messages import Message
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.engines.policy.plan import Action
    from bartizan.lang.cel import Expression
    from bartizan.lang.jmespath import Ambient
    from bartizan.model.request import Payload, Request

PAYLOADS: Final[Mapping[Payload, str]] = {"http": "HTTP", "envoy": "Envoy"}
"""The modes by the payloads that they are about."""
_SILENT: Final = Skipped("request does not match")


class _Variables(dict[str, Any]):
    """The policy's own variables, each worked out once."""

    __slots__ = ("_expressions", "_names")

    def __init__(self, expressions: Mapping[str, Expression], names: Names) -> None:
        super().__init__()
        self._expressions = expressions
        self._names = names

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._expressions[name](self._names)
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._expressions


@dataclass(frozen=True, slots=True)
class _Judge:
    """A policy's expressions, ready to be asked about a request."""

    payload: Payload
    mode: Mode
    conditions: tuple[tuple[str, Expression], ...]
    validations: tuple[Expression, ...]
    exceptions: tuple[PolicyException, ...]
    makers: Makers
    now: Callable[[], datetime]
    ignores: bool

    def __call__(self, request: Request, lookup: Lookup) -> Outcome | None:
        """What the policy says of a request; nothing of anything else."""
        if request.payload != self.payload:
            return None
        try:
            asked = _read(request, self.mode)
        except SpecError as error:
            return Broken(f"no {self.mode.request}: {error.pointer or '/'}: {error.message}")
        names = Names(request, lambda: lookup, self.makers)
        names["object"] = asked
        try:
            return self._judged(names)
        except (CelError, CelBudgetError) as error:
            return _SILENT if self.ignores else Broken(str(error))

    def _judged(self, names: Names) -> Outcome:
        if self.conditions and not holds(self.conditions, names):
            return _SILENT
        if self.exceptions:
            lifted = lift(self.exceptions, names, self.now, ignores=self.ignores).outcome
            if lifted is not None:
                return lifted
        for validation in self.validations:
            response = validation(names)
            if response is None:
                continue
            kind, said = self.mode.outcome(response)
            return Passed(said) if kind is Passed else Failed(said, "", validation.text)
        return _SILENT


def read_payload(payload: Payload, body: JsonObject) -> None:
    """Check that JSON is a request of the kind it is given for; any JSON is JSON.

    Raises:
        SpecError: it is none, with its place.
    """
    mode = PAYLOADS.get(payload)
    if mode is not None:
        mode_of(mode).read(body)


def _read(request: Request, mode: Mode) -> Message:
    """The request that is asked about, read once for all policies of a mode.

    Raises:
        SpecError: the payload is none.
    """
    memo = request.memo
    if "authorization" not in memo:
        memo["authorization"] = mode.read(request.resource.body)
    read: Message = memo["authorization"]
    return read


@lru_cache(maxsize=2)
def _vocabulary(name: str) -> Vocabulary:
    mode = mode_of(name)
    return Vocabulary(mode.functions, mode.names, constructible=mode.constructible)


def _makers(mode: Mode, variables: Mapping[str, Expression], ambient: Ambient, namespace: str) -> Makers:
    """How the names are made that few ask for."""

    def world(names: Names) -> World:
        return World(names.lookup(), ambient, namespace)

    def context(name: str, names: Names) -> Any:
        return mode.contexts(names[WORLD])[name]()

    def constant(value: Any, _names: Names) -> Any:
        return value

    return {
        WORLD: world,
        "variables": lambda names: _Variables(variables, names),
        **{name: partial(context, name) for name in ("http", "resource", "json", "mcp")},
        **{name: partial(constant, value) for name, value in mode.constants.items()},
    }


def authorization_rule(
    spec: ValidatingSpec,
    mode_name: str,
    who: tuple[Head, Ambient],
    exceptions: Sequence[JsonObject],
    action: Action,
) -> Rule:
    """Compile a ValidatingPolicy about requests, `who` is its own, with the clock it is given.

    Raises:
        SpecError: a field is malformed, or an expression does not compile or gives what it must not.
    """
    head, ambient = who
    mode, vocabulary = mode_of(mode_name), _vocabulary(mode_name)
    environment, variables = compile_variables(spec.variables, vocabulary, "/spec/variables")
    responses = (mode.response, NULL)
    judge = _Judge(
        next(payload for payload, name in PAYLOADS.items() if name == mode_name),
        mode,
        compile_conditions(spec.match_conditions, vocabulary.environment(), "/spec/matchConditions"),
        tuple(
            compile_at(item.expression, environment, responses, f"/spec/validations/{index}/expression")
            for index, item in enumerate(spec.validations)
        ),
        exceptions_for(_of_mode(exceptions, mode_name), head, environment),
        _makers(mode, variables, ambient, head.namespace),
        ambient.now,
        one_of(spec.failure_policy, FAILURE_POLICIES, "/spec/failurePolicy", default="Fail") == "Ignore",
    )
    return Rule(head.info, judge, None, lambda _request: action)


def _of_mode(exceptions: Sequence[JsonObject], mode: str) -> list[JsonObject]:
    """The exceptions that say they are for the mode; others are written about other things."""
    return [item for item in exceptions if _mode_of(item) == mode]


def _mode_of(exception: JsonObject) -> str:
    spec = exception.get("spec")
    return str(spec.get("evaluationMode")) if isinstance(spec, dict) else ""
