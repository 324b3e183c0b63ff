"""What every dialect compiles to: rules, and an index of them by kind.

A rule that cannot match a resource's kind costs nothing for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.finding import RuleInfo
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

Action: TypeAlias = Literal["Audit", "Enforce"]
Deed: TypeAlias = Literal["mutate", "verify", "validate", "generate"]
"""What a rule does, in the order in which admission does it."""
JUDGING: Final[frozenset[Deed]] = frozenset({"verify", "validate"})
"""What a rule does that says whether a resource is as it should be, and changes nothing of it."""


class Run(Protocol):
    """Judges one request. Total: a rule that cannot run returns `Broken`.

    Returns `None` where the rule gives no answer for this request.
    """

    def __call__(self, request: Request, lookup: Lookup) -> Outcome | None:
        """The outcome."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, compiled.

    `kinds` are the resource kinds it can match, without group or version;
    `None` is any kind. `action` says what admission does with a failure.
    `yields` is whether it stays silent once a rule of its policy that does
    the same deed has applied.
    """

    info: RuleInfo
    run: Run
    kinds: frozenset[str] | None = None
    action: Callable[[Request], Action] = field(default=lambda _request: "Audit")
    does: Deed = "validate"
    yields: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules ready to run, by the kinds they can match."""

    rules: Sequence[Rule]
    _any: tuple[Rule, ...]
    _by_kind: dict[str, tuple[Rule, ...]] = field(default_factory=dict)

    def rules_for(self, kind: str) -> tuple[Rule, ...]:
        """The rules that may match a resource of `kind`, in policy order."""
        return self._by_kind.get(kind, self._any)


def plan(rules: Iterable[Rule]) -> Plan:
    """Index rules by kind."""
    ordered = tuple(rules)
    kinds = {kind for rule in ordered for kind in rule.kinds or ()}
    by_kind: Mapping[str, tuple[Rule, ...]] = {
        kind: tuple(rule for rule in ordered if rule.kinds is None or kind in rule.kinds) for kind in kinds
    }
    return Plan(ordered, tuple(rule for rule in ordered if rule.kinds is None), dict(by_kind))
