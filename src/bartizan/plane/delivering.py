"""The metrics of delivery over a part of the fleet, and the same as rows for a page, a table or a program."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.findings.delivery import DEFINITIONS, Metric, Share, metrics, read_history, sum_up
from bartizan.model.delivery import Window
from bartizan.stores.queries import delivery, mending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from sqlalchemy import Connection

    from bartizan.findings.delivery import Figure
    from bartizan.stores.scope import Scope

_BEFORE: Final = timedelta(days=60)
"""How far before a window events are read: what was so when it began is known from them alone."""
_HEAD: Final = (
    "metric", "figure", "value", "unit", "part", "whole", "bucket", "confident_part", "confident_whole",
)  # fmt: skip  # as a row reads


class Delivered(NamedTuple):
    """All metrics of a window, the deployments of each of its days, and whether more was told than was read."""

    window: Window
    metrics: dict[str, Metric]
    days: dict[date, int]
    cut: bool


def read(connection: Connection, scope: Scope, begin: datetime, now: datetime) -> Delivered:
    """Work the metrics out, over all that is in a scope."""
    events, cut = delivery.events(connection, scope, begin - _BEFORE, now)
    window = Window(begin, now)
    sums = sum_up(read_history(events, now), window)
    found = metrics(sums)
    found["time-to-mend"] = _mending(connection, scope, window)
    return Delivered(window, found, dict(sums.days), cut)


def _mending(connection: Connection, scope: Scope, window: Window) -> Metric:
    """Time to mend out of the store's own transitions: a fleet has more findings than are read one by one."""
    figures: dict[str, Figure] = {}
    mended = {one.severity: one for one in mending.mended(connection, scope, window.begin, window.end)}
    standing = {one.severity: one for one in delivery.standing(connection, scope, window.end)}
    for severity in sorted({*mended, *standing}, reverse=True):
        took, still = mended.get(severity), standing.get(severity)
        figures[f"{severity.label}-median"] = took.median if took else None
        figures[f"{severity.label}-p95"] = took.p95 if took else None
        figures[f"{severity.label}-mended"] = took.number if took else 0
        figures[f"{severity.label}-open"] = still.failing if still else 0
        figures[f"{severity.label}-open-age"] = still.age if still else None
    changes = delivery.changes(connection, scope, window.begin, window.end)
    figures["dropped"] = changes.get("gone", 0) + changes.get("waived", 0)
    figures["reopened"] = changes.get("reopened", 0)
    confident = Share(sum(one.watched for one in mended.values()), sum(one.number for one in mended.values()))
    definition = next(one for one in DEFINITIONS if one.id == "time-to-mend")
    return Metric(definition, figures, confident)


def rows(delivered: Delivered) -> Iterator[dict[str, Any]]:
    """A row a figure; times are in seconds, and what is not known has no value."""
    for name, metric in delivered.metrics.items():
        for figure, value in metric.figures.items():
            part, whole = (value.part, value.whole) if isinstance(value, Share) else (None, None)
            yield {
                "metric": name,
                "figure": figure,
                "value": _plain(value),
                "unit": _unit(value),
                "part": part,
                "whole": whole,
                "bucket": metric.bucket,
                "confident_part": metric.confidence.part,
                "confident_whole": metric.confidence.whole,
            }


def as_csv(delivered: Delivered) -> str:
    """The rows as a table of RFC 4180; every word in it is ours, so none is a formula."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _HEAD)
    writer.writeheader()
    writer.writerows(rows(delivered))
    return text.getvalue()


def _plain(value: Figure) -> float | None:
    if isinstance(value, Share):
        return value.value
    return value.total_seconds() if isinstance(value, timedelta) else value


def _unit(value: Figure) -> str:
    if isinstance(value, Share):
        return "share"
    return "seconds" if isinstance(value, timedelta) else "number"
