"""Every rule about policies by its id, whatever they are written in, with its usual level and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.cel.lint.table import RULES
from bartizan.engines.policy.cel.lint.types import UNFIT, WHY
from bartizan.engines.policy.dialects.kubernetes.lint import STRAY, UNENFORCED
from bartizan.engines.policy.dialects.kyverno.lint import REASONS as CLASSIC
from bartizan.engines.policy.dialects.kyverno.lint.cel import ENDED, ENDLESS

if TYPE_CHECKING:
    from bartizan.engines.policy.remark import Level

REASONS: Final[dict[str, tuple[Level, str]]] = {
    **CLASSIC,
    **{rule.id: (rule.level, rule.why) for rule in RULES},
    UNFIT: ("warning", WHY),
    ENDED: ("warning", "An exception that has ended lifts nothing."),
    STRAY: ("warning", "A binding for a policy that is not there applies nothing."),
    UNENFORCED: ("note", "What is only warned of or noted still comes in."),
    ENDLESS: ("note", "What was accepted once is looked at again only if it ends."),
}
