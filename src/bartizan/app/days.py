"""Days as people type them: a date, or how many days from today."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bartizan.base.errors import SpecError

_SOME: Final = re.compile(r"([0-9]{1,4})d")


def day_of(text: str, *, ahead: bool = False) -> date:
    """The day that is meant, in UTC; `7d` is a week ago or, `ahead`, in a week.

    Raises:
        SpecError: it is no day.
    """
    today = datetime.now(UTC).date()
    match = _SOME.fullmatch(text)
    try:
        if match:
            days = timedelta(days=int(match[1]))
            return today + days if ahead else today - days
        return date.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise SpecError(f"`{text}` is no day", hint="Write it as 2026-03-31, or as 7d.") from error


def end_of(text: str) -> datetime:
    """The end of the last day that is meant.

    Raises:
        SpecError: it is no day.
    """
    day = day_of(text, ahead=True)
    if day == date.max:
        raise SpecError(f"`{text}` is too far away", hint="Choose an earlier day.")
    return datetime.combine(day + timedelta(days=1), time(), UTC)
