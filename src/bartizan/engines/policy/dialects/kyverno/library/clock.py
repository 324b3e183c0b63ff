"""`time`: the world's clock, moments as cron writes them, and moments rounded down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bartizan.engines.policy.dialects.kyverno.library.world import WORLD
from bartizan.lang.cel import Overload
from bartizan.lang.cel.types import DURATION, STRING, TIMESTAMP
from bartizan.lang.cel.values import Duration, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bartizan.engines.policy.dialects.kyverno.library.world import World

_ZERO_SECONDS: Final = -62_135_596_800  # the first of January of the year 1, from where Go rounds down
_SECOND: Final = 10**9


def _now(world: World) -> Timestamp:
    from bartizan.lang.jmespath.library.moments import from_datetime  # late: as few ask for the time

    return Timestamp(from_datetime(world.ambient.now()).nanoseconds)


def _to_cron(moment: Timestamp) -> str:
    """Minute, hour, day, month and day of the week of a moment, in UTC."""
    from datetime import UTC, datetime, timedelta

    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.nanoseconds // _SECOND)
    return f"{at.minute} {at.hour} {at.day} {at.month} {at.isoweekday() % 7}"


def _truncate(moment: Timestamp, step: Duration) -> Timestamp:
    if step.nanoseconds <= 0:
        return moment
    since = moment.nanoseconds - _ZERO_SECONDS * _SECOND
    return Timestamp(moment.nanoseconds - since % step.nanoseconds)


FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "time.now": (Overload((), TIMESTAMP, _now, ambient=WORLD),),
    "time.toCron": (Overload((TIMESTAMP,), STRING, _to_cron),),
    "time.truncate": (Overload((TIMESTAMP, DURATION), TIMESTAMP, _truncate),),
}
