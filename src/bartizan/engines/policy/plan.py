"""What every dialect compiles to: rules, which know what kinds they can match.

A rule that cannot match a resource's kind costs nothing for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from bartizan.base.errors import SpecError
    from bartizan.engines.policy.lookup import Lookup
    from bartizan.model.finding import RuleInfo
    from bartizan.model.outcome import Outcome
    from bartizan.model.request import Request

Action: TypeAlias = Literal["Audit", "Enforce"]
Deed: TypeAlias = Literal["mutate", "verify", "validate", "generate", "delete"]
"""What a rule does, in the order in which admission does it; it deletes nothing, which comes by a schedule."""
JUDGING: Final[frozenset[Deed]] = frozenset({"verify", "validate"})
"""What a rule does that says whether a resource is as it should be, and changes nothing of it."""


class Run(Protocol):
    """Judges one request. Total: a rule that cannot run returns `Broken`.

    Returns `None` where the rule gives no answer for this request.
    """

    def __call__(self, request: Request, lookup: Lookup) -> Outcome | None:
        """The outcome."""


class Rule(NamedTuple):
    """One rule, compiled.

    `kinds` are the resource kinds it can match, without group or version;
    `None` is any kind. `action` says what admission does with a failure.
    `yields` is whether it stays silent once a rule of its policy that does
    the same deed has applied. `again` is whether a rule that mutates is asked
    once more, after all others, where one of them has changed the resource.
    """

    info: RuleInfo
    run: Run
    kinds: frozenset[str] | None = None
    action: Callable[[Request], Action] = lambda _request: "Audit"
    does: Deed = "validate"
    yields: bool = False
    again: bool = False


class Policy(NamedTuple):
    """A compiled policy. `problems` are rules that could not be compiled; the others run all the same."""

    name: str
    namespace: str
    rules: tuple[Rule, ...]
    problems: tuple[SpecError, ...]

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone for one that is for the whole cluster."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
