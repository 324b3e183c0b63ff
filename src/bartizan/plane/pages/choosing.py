"""Which clusters of a thousand are drawn, and in which order: all of it in the URL, so that a view can be sent on."""

from __future__ import annotations

from bisect import bisect_right
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.findings.score import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bartizan.findings.score import Sums
    from bartizan.plane.pages.fleet import ClusterRow

ROWS: Final = 50
"""Clusters on a page."""
BANDS: Final = (0, 50, 60, 70, 80, 90, 95, 100)
"""Where the columns of the picture begin, in per cent; the last is of who passes all."""


class Choice(NamedTuple):
    """What was asked for; what is empty does not choose. `label` is `key` or `key=value`; `band` a lower bound."""

    words: str = ""
    label: str = ""
    state: str = ""
    band: str = ""
    sort: str = "pass"
    page: int = 1

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.words or self.label or self.state or self.band)


class Chosen(NamedTuple):
    """The clusters that were asked for, and those of them that stand on this page."""

    every: list[ClusterRow]
    shown: list[ClusterRow]
    page: int
    pages: int


def choice_of(query: Mapping[str, str]) -> Choice:
    """Read a query; a word that is none is passed over, for views are kept longer than their words."""
    sort, page = query.get("sort", ""), query.get("page", "")
    return Choice(
        query.get("q", "").strip().lower(),
        query.get("label", "").strip(),
        query.get("state", "") if query.get("state") in ("current", "late", "unknown") else "",
        query.get("band", "") if query.get("band") in (*map(str, BANDS), "none") else "",
        sort if sort in ORDERS else "pass",
        max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 6 else 1,
    )


def choose(rows: Iterable[ClusterRow], choice: Choice) -> Chosen:
    """Filter, order and cut."""
    every = sorted(
        (row for row in rows if _fits(row, choice)), key=lambda row: (ORDERS[choice.sort](row), row.view.name)
    )
    pages = max(1, -(-len(every) // ROWS))
    page = min(choice.page, pages)
    return Chosen(every, every[(page - 1) * ROWS : page * ROWS], page, pages)


def band_of(sums: Sums) -> str:
    """The column that the pass rate is in."""
    if not sums.weight_decided:
        return "none"
    return str(BANDS[bisect_right(BANDS, 100 * sums.weight_passed // sums.weight_decided) - 1])


def column_of(row: ClusterRow) -> str:
    """The column a cluster stands in; of one that is not heard of nobody knows what it passes now."""
    return "none" if row.state == "unknown" else band_of(row.sums)


def _fits(row: ClusterRow, choice: Choice) -> bool:
    if choice.words and choice.words not in row.view.name.lower():
        return False
    if choice.state and row.state != choice.state:
        return False
    if choice.band and column_of(row) != choice.band:
        return False
    key, equals, value = choice.label.partition("=")
    labels = row.view.labels
    return not choice.label or (key in labels and (not equals or labels[key] == value))


def _share(part: int, whole: int) -> tuple[bool, float]:
    """The lowest first, and what is not known last."""
    return not whole, part / whole if whole else 0.0


def _weight(row: ClusterRow) -> int:
    return -sum(WEIGHTS[severity] * number for severity, number in row.failing)


def _silent(row: ClusterRow) -> float:
    return row.view.last_seen.timestamp() if row.view.last_seen else 0.0


ORDERS: Final[Mapping[str, Callable[[ClusterRow], Any]]] = MappingProxyType(
    {
        "pass": lambda row: _share(row.sums.weight_passed, row.sums.weight_decided),
        "name": lambda _row: 0,
        "state": lambda row: ("unknown", "late", "current").index(row.state),
        "coverage": lambda row: _share(row.sums.judged, row.sums.in_scope),
        "exceptions": lambda row: -_share(row.sums.waived, row.sums.answered)[1],
        "failing": _weight,
        "objects": lambda row: -row.view.objects,
        "seen": _silent,
    }
)
"""What clusters can be ordered by: first whatever needs a look most."""
