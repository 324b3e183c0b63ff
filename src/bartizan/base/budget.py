"""How much work one evaluation may do before it is stopped."""

from __future__ import annotations

from dataclasses import dataclass


class OverBudgetError(Exception):
    """An evaluation took more steps than it was given: an outcome, not a crash."""


@dataclass(slots=True)
class Budget:
    """Steps one evaluation may take. Unit: loop iterations of generated code, not time.

    Counting steps rather than seconds makes the limit the same on a laptop
    and on a busy control plane, so a policy that passes review passes there.
    """

    left: int = 1_000_000

    def spend(self, steps: int = 1) -> None:
        """Take `steps` off.

        Raises:
            OverBudgetError: nothing is left.
        """
        self.left -= steps
        if self.left < 0:
            raise OverBudgetError
