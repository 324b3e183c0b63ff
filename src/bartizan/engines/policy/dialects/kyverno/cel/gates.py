"""Conditions that must all hold, as Kyverno asks them: the first that does not decides, whatever errors come before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bartizan.lang.cel import CelBudgetError, CelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bartizan.engines.policy.cel.names import Names
    from bartizan.lang.cel import Expression


def hold(gates: Iterable[Expression], names: Names) -> bool:
    """Whether every condition holds.

    Raises:
        CelError: none of them is false, and of some it cannot be told.
    """
    errors: list[str] = []
    for gate in gates:
        try:
            if gate(names) is False:
                return False
        except (CelError, CelBudgetError) as error:
            errors.append(str(error))
    if errors:
        raise CelError("; ".join(errors))
    return True
