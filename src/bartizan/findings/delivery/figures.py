"""Sums as figures: medians, shares and buckets, each with its definition and its share of confident data.

A figure without data is `None`, never nought or all: silence is not success.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from bartizan.findings.delivery.definitions import (
    DEFINITIONS,
    FAILURE_STEPS,
    LEAD_STEPS,
    RECOVER_STEPS,
    Definition,
)
from bartizan.findings.delivery.security import Known
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from bartizan.findings.delivery.sums import Sums
    from bartizan.model.delivery import Subject, Window

_WEEK: Final = 7
_MONTH: Final = 30


class Share(NamedTuple):
    """A part of a whole, kept as both so that it can be checked and added. Of times, both are in microseconds."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share as a number; `None` of nothing."""
        return self.part / self.whole if self.whole else None


Figure: TypeAlias = int | float | timedelta | Share | None


class Metric(NamedTuple):
    """A metric over a window. `bucket` is a word of its definition's, and empty where there is none or no data."""

    definition: Definition
    figures: Mapping[str, Figure]
    confidence: Share
    bucket: str = ""


def metrics(sums: Sums) -> dict[str, Metric]:
    """All metrics of a window, by id, in the order of their definitions."""
    parts = {
        "deployment-frequency": _frequency(sums),
        "lead-time": _lead(sums),
        "artifact-lead-time": _artifact(sums),
        "change-failure-rate": _failures(sums),
        "time-to-recover": _recovery(sums),
        "availability": _availability(sums),
        "time-to-mend": _mending(sums),
        "escape-rate": _escapes(sums),
        "waiver-age": _waivers(sums),
        "signed-images": _coverage(sums, "signed-images"),
        "network-policies": _coverage(sums, "network-policies"),
    }
    return {definition.id: Metric(definition, *parts[definition.id]) for definition in DEFINITIONS}


_Parts: TypeAlias = tuple[dict[str, Figure], Share, str]


def _frequency(sums: Sums) -> _Parts:
    dates = dates_of(sums.window)
    days = Share(sum(1 for day in sums.days.values() if day), len(dates))
    weekly = _median(_blocks(sums.days, dates, _WEEK))
    monthly = _median(_blocks(sums.days, dates, _MONTH))
    figures: dict[str, Figure] = {
        "deployments": sums.days.total(),
        "days-with": days,
        "days-a-week": weekly,
        "days-a-month": monthly,
    }
    seen = Share(sums.counts["sight.seen"], sums.counts["sight.all"])
    return figures, seen, _how_often(weekly, monthly, days) if seen.part else ""


def _how_often(weekly: float | None, monthly: float | None, days: Share) -> str:
    if weekly is not None and weekly >= 1:
        return "elite" if weekly >= 3 else "high"
    if monthly is None:  # under a month, one deployment shows enough, and none shows nothing
        return "medium" if days.part else ""
    return "medium" if monthly >= 1 else "low"


def dates_of(window: Window) -> list[date]:
    """The days (UTC) that a window touches."""
    first = window.begin.astimezone(UTC).date()
    last = (window.end.astimezone(UTC) - datetime.resolution).date()
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _blocks(days: Counter[date], dates: list[date], length: int) -> list[int]:
    """On how many days of each whole block there was a deployment; blocks are counted back from the last day."""
    hits = [1 if days[day] else 0 for day in dates]
    return [sum(hits[end - length : end]) for end in range(len(hits), length - 1, -length)]


def _lead(sums: Sums) -> _Parts:
    counts, times = sums.counts, sums.times.get("lead", [])
    figures: dict[str, Figure] = {
        **_spread(times),
        "deployments": len(times),
        "implausible": counts["lead.implausible"],
    }
    return figures, Share(counts["lead.exact"], sums.days.total()), _below(_middle(times), LEAD_STEPS)


def _artifact(sums: Sums) -> _Parts:
    counts, times = sums.counts, sums.times.get("artifact", [])
    figures: dict[str, Figure] = {
        **_spread(times),
        "deployments": len(times),
        "implausible": counts["artifact.implausible"],
    }
    return figures, Share(counts["artifact.exact"], sums.days.total()), ""


def _failures(sums: Sums) -> _Parts:
    counts = sums.counts
    failed, undecided = counts["changes.failed"], counts["changes.undecided"]
    rate = Share(failed, failed + counts["changes.sound"])
    figures: dict[str, Figure] = {"rate": rate, "failed": failed, "undecided": undecided}
    for signal in ("rollback", "deadline", "crash-loop", "degraded", "incident"):
        figures[f"by-{signal}"] = counts[f"signal.{signal}"]
    steps = (word for word, most in zip(("elite", "high", "medium"), FAILURE_STEPS, strict=True) if _within(rate, most))
    return figures, Share(rate.whole, rate.whole + undecided), next(steps, "low") if rate.whole else ""


def _within(rate: Share, per_cent: int) -> bool:
    return rate.part * 100 <= per_cent * rate.whole


def _recovery(sums: Sums) -> _Parts:
    times, still = sums.times.get("recover", []), sums.counts["recover.open"]
    figures: dict[str, Figure] = {**_spread(times), "mean": _mean(times), "recovered": len(times), "not-yet": still}
    confident = Share(sums.counts["recover.exact"], len(times) + still)
    return figures, confident, _below(_middle(times), RECOVER_STEPS)


def _availability(sums: Sums) -> _Parts:
    counts = sums.counts
    up, wanted, unknown = (counts[f"replicas.{name}"] for name in ("up", "wanted", "unknown"))
    figures: dict[str, Figure] = {
        "replicas": Share(up, wanted),
        "serving": Share(counts["replicas.served"], counts["replicas.watched"]),
        "unknown": timedelta(microseconds=unknown),
    }
    return figures, Share(wanted, wanted + unknown), ""


def _mending(sums: Sums) -> _Parts:
    figures: dict[str, Figure] = {}
    mended = 0
    for severity in reversed(Severity):
        times = sums.times.get(f"mend.{severity.label}", [])
        ages = sums.standing.open_ages.get(severity, [])
        mended += len(times)
        if times or ages:
            figures[f"{severity.label}-median"] = _middle(times)
            figures[f"{severity.label}-p95"] = _percentile(times, 95)
            figures[f"{severity.label}-mended"] = len(times)
            figures[f"{severity.label}-open"] = len(ages)
            figures[f"{severity.label}-open-age"] = _middle(ages)
    figures["dropped"] = sums.counts["findings.dropped"]
    figures["reopened"] = sums.counts["findings.reopened"]
    return figures, Share(sums.counts["mend.exact"], mended), ""


def _escapes(sums: Sums) -> _Parts:
    counts = sums.counts
    escaped, absent, unknown = (counts[f"gate.{gate}"] for gate in ("passed", "absent", "unknown"))
    figures: dict[str, Figure] = {
        "rate": Share(escaped, escaped + counts["findings.caught"]),
        "escaped": escaped,
        "caught": counts["findings.caught"],
        "without-gate": absent,
    }
    return figures, Share(escaped + absent, escaped + absent + unknown), ""


def _waivers(sums: Sums) -> _Parts:
    ages, expired = sums.standing.waiver_ages, sums.standing.expired_waivers
    figures: dict[str, Figure] = {
        "in-force": len(ages),
        "median": _middle(ages),
        "oldest": ages[-1] if ages else None,
        "expired": expired,
    }
    return figures, Share(len(ages) + expired, len(ages) + expired), ""


def _coverage(sums: Sums, subject: Subject) -> _Parts:
    known = sums.standing.coverage.get(subject, Known())
    judged = known.covered + known.bare
    return {"share": Share(known.covered, judged)}, Share(judged, judged + known.unknown), ""


def _spread(times: Sequence[timedelta]) -> dict[str, Figure]:
    return {"median": _middle(times), "p95": _percentile(times, 95)}


def _middle(times: Sequence[timedelta]) -> timedelta | None:
    """The median of sorted times; of an even number, the mean of the two in the middle."""
    half = len(times) // 2
    if not times:
        return None
    return times[half] if len(times) % 2 else (times[half - 1] + times[half]) / 2


def _percentile(times: Sequence[timedelta], per_cent: int) -> timedelta | None:
    """By nearest rank: the smallest of sorted times that so many in a hundred do not exceed."""
    return times[-(-len(times) * per_cent // 100) - 1] if times else None


def _mean(times: Sequence[timedelta]) -> timedelta | None:
    return sum(times, timedelta()) / len(times) if times else None


def _median(numbers: list[int]) -> float | None:
    return float(median(numbers)) if numbers else None


def _below(time: timedelta | None, steps: Sequence[timedelta]) -> str:
    if time is None:
        return ""
    return next((word for word, step in zip(("elite", "high", "medium"), steps, strict=True) if time < step), "low")
