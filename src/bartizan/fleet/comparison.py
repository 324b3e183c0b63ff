"""Two clusters side by side, or one at two times: which rules differ, and which findings are only on one side.

A finding is the same on both sides where its fingerprint is: the same rule
at the same place of an object of the same name. Where the other side does
not ask the rule, the absence of its finding says nothing, and is kept apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Side(NamedTuple):
    """What is compared: the digests of its rules by id, and the rules of its open findings by fingerprint."""

    rules: Mapping[str, str]
    findings: Mapping[str, str]


class Comparison(NamedTuple):
    """The difference of two sides; each list is in order.

    `only_here` are findings the other side was asked for and has not;
    `unasked_there` those of rules it does not ask.
    """

    rules_only_here: tuple[str, ...]
    rules_only_there: tuple[str, ...]
    rules_other: tuple[str, ...]
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    unasked_here: tuple[str, ...]
    unasked_there: tuple[str, ...]
    both: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return not any(self[:-1])


def compare(here: Side, there: Side) -> Comparison:
    """Compare two sides."""
    ours, theirs = here.rules, there.rules
    mine = here.findings.keys() - there.findings.keys()
    others = there.findings.keys() - here.findings.keys()
    return Comparison(
        rules_only_here=tuple(sorted(ours.keys() - theirs.keys())),
        rules_only_there=tuple(sorted(theirs.keys() - ours.keys())),
        rules_other=tuple(sorted(rule for rule in ours.keys() & theirs.keys() if ours[rule] != theirs[rule])),
        only_here=tuple(sorted(one for one in mine if here.findings[one] in theirs)),
        only_there=tuple(sorted(one for one in others if there.findings[one] in ours)),
        unasked_here=tuple(sorted(one for one in others if there.findings[one] not in ours)),
        unasked_there=tuple(sorted(one for one in mine if here.findings[one] not in theirs)),
        both=tuple(sorted(here.findings.keys() & there.findings.keys())),
    )
