"""A duty: plain data and a function, whoever does it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.base.errors import BartizanError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bartizan.app.settings import Settings
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store


_LOG: Final = logging.getLogger("bartizan.duties")


@dataclass(frozen=True, slots=True)
class Post:
    """What whoever is on duty is given. `now` is the clock, in UTC; `key` digests secrets."""

    store: Store
    ingest: Ingest
    settings: Settings
    key: bytes
    now: Callable[[], datetime]


Stopped: TypeAlias = Callable[[float], bool]
"""Wait so many seconds, and say whether to stop; it returns as soon as that is so."""


class Recurring(NamedTuple):
    """Done again, `every` so often; done twice at once or once too often it does no harm."""

    name: str
    every: timedelta
    work: Callable[[Post], None]


class Lasting(NamedTuple):
    """Done by one process at a time, until it is told to stop."""

    name: str
    work: Callable[[Post, Stopped], None]


Duty: TypeAlias = Recurring | Lasting


def do(duty: Duty, post: Post, stopped: Stopped) -> bool:
    """Do a duty once, in a thread of its own. Says whether it went well; what did not is logged."""
    try:
        if isinstance(duty, Lasting):
            duty.work(post, stopped)
        else:
            duty.work(post)
    except BartizanError as error:
        _LOG.warning("duty.put-off", extra={"duty": duty.name, "reason": error.message})
        return False
    except Exception:  # noqa: BLE001  (the outermost frame of a thread: a bug in one duty must not end the others)
        _LOG.exception("duty.failed", extra={"duty": duty.name})
        return False
    return True
