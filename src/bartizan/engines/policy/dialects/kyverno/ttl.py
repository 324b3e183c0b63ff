"""Objects with an end: the label `cleanup.kyverno.io/ttl`, as a time to live or a date.

The controller reads the label with the duration parser of Kubernetes' own
validation, which is lenient: after Go's durations it takes any text that
holds a whole number with a unit behind it, days and weeks too, and adds up
all that it finds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bartizan.base.duration import parse_duration

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.model.resource import Resource

LABEL: Final = "cleanup.kyverno.io/ttl"
_PROPAGATION: Final = "cleanup.kyverno.io/propagation-policy"
PROPAGATIONS: Final = ("Foreground", "Background", "Orphan")
_PART: Final = re.compile(r"(?<![0-9])([0-9]+)\s*([A-Za-zµ]+)", re.ASCII)
_DATES: Final = (
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z", re.ASCII), "%Y-%m-%dT%H%M%SZ"),
    (re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII), "%Y-%m-%d"),
)
_MAX_DIGITS: Final = 18
"""More would not fit the 64 bits in which the controller counts."""
_SECOND: Final = 1_000_000_000
_UNITS: Final = (
    (1, ("ns",), "nano"),
    (1_000, ("us", "µs"), "micro"),
    (1_000_000, ("ms",), "milli"),
    (_SECOND, ("s",), "sec"),
    (60 * _SECOND, ("m",), "min"),
    (3_600 * _SECOND, ("h", "hr"), "hour"),
    (86_400 * _SECOND, ("d",), "day"),
    (7 * 86_400 * _SECOND, ("w", "wk"), "week"),
)
"""Nanoseconds, short words that must be whole, and the beginning of the long one."""


@dataclass(frozen=True, slots=True)
class Ttl:
    """The end of one object. Without `ends` there is a `problem`: the label says nothing that has a moment."""

    text: str
    ends: datetime | None
    problem: str
    propagation: str


def ttl_of(resource: Resource) -> Ttl | None:
    """The end that an object's label sets; `None` without the label, or where it is being deleted already."""
    metadata = resource.body.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("deletionTimestamp"):
        return None
    text = _at(metadata, "labels", LABEL)
    if text is None:
        return None
    ends, problem = _end(str(text), moment_of(metadata.get("creationTimestamp")))
    wanted = str(_at(metadata, "annotations", _PROPAGATION) or "")
    return Ttl(str(text), ends, problem, wanted if wanted in PROPAGATIONS else "")


def moment_of(value: Json) -> datetime | None:
    """A timestamp of the API, in UTC; `None` where it is none."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def parse_ttl(text: str) -> int | None:
    """A time to live in nanoseconds; `None` where the text holds none."""
    exact = parse_duration(text)
    if exact is not None:
        return exact
    total, found = 0, False
    for number, unit in _PART.findall(text):
        if len(number) > _MAX_DIGITS:
            return None
        word = unit.lower()
        for size, short, long in _UNITS:
            if word in short or word.startswith(long):
                total, found = total + int(number) * size, True
    return total if found else None


def _end(text: str, created: datetime | None) -> tuple[datetime | None, str]:
    lives = parse_ttl(text)
    if lives is None:
        for shape, layout in _DATES:
            if shape.fullmatch(text):
                return _date(text, layout)
        return None, f"`{text}` is no duration such as `2h`, no day such as `2027-01-31` and no `2027-01-31T120000Z`"
    if created is None:
        return None, "it has no `creationTimestamp` to count from"
    try:
        return created + timedelta(microseconds=lives / 1000), ""
    except OverflowError:
        return None, f"`{text}` from its creation is beyond the year 9999"


def _date(text: str, layout: str) -> tuple[datetime | None, str]:
    try:
        return datetime.strptime(text, layout).replace(tzinfo=UTC), ""
    except ValueError:
        return None, f"`{text}` is no day of the calendar"


def _at(metadata: dict[str, Json], *path: str) -> Json:
    value: Json = metadata
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
