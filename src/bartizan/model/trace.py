"""Why a rule said what it said: a tree of everything it asked, what each had for a value, and what decided."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["held", "failed", "skipped", "error", "unreached", "value"]
"""What became of a part. `value` is for expressions, which neither hold nor fail; `unreached` was never asked."""


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of a rule, as it met one resource.

    `kind` says what sort of part it is (`rule`, `match`, `condition`,
    `pattern`, `expression` …), `label` names it, `text` is it as the policy
    has it. `value` is what it met or came to, and is left out where there is
    none. `pointer` is where in the resource and `at` where in the policy, as
    JSON pointers; `begins` is the character of the text at `at` where a part
    of an expression begins. `decided` marks the way from the root to what
    decided.
    """

    kind: str
    label: str
    text: str = ""
    value: Any = msgspec.UNSET
    verdict: Verdict = "value"
    note: str = ""
    pointer: str | None = None
    at: str = ""
    begins: int = -1
    decided: bool = False
    children: tuple[Node, ...] = ()

    @property
    def deciding(self) -> list[Node]:
        """The innermost parts that decided and have something to say of it: what a summary speaks of."""
        if not self.decided:
            return []
        below = [node for child in self.children for node in child.deciding]
        return below or ([self] if self.note else [])
