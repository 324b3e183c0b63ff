"""Pictures of numbers, as SVG made on the server: they need no script, and print.

Each is a `figure` with a title, words that a screen reader says, and behind it
a table with the same numbers, to be unfolded. Tones are CSS classes, so that light,
dark and high contrast are the page's; each has a pattern of its own too, for
who sees no colour. What is not known is a gap, and never a zero.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from bartizan.outputs.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Tone: TypeAlias = Literal["good", "bad", "warn", "accepted", "unknown", "plain"]

_WIDTH: Final = 640
_HEIGHT: Final = 160
_BAR: Final = 20
_GUTTER: Final = 48  # left of a plot, for the scale
_FOOT: Final = 20  # below it, for the days
_SMALL: Final = 0.25  # steps below this part of the whole would hardly show
_LINES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


class Part(NamedTuple):
    """A share of a whole."""

    label: str
    value: float
    tone: Tone


class Column(NamedTuple):
    """One of several numbers beside each other; `link` leads to what is behind it."""

    label: str
    value: float
    tone: Tone = "plain"
    link: str = ""


class Point(NamedTuple):
    """A value at a time, as `at` says it; `None` where it is not known."""

    at: str
    value: float | None


class Step(NamedTuple):
    """What moved a number, and by how much; `link` leads to what is behind it."""

    label: str
    change: float
    link: str = ""


def stacked(title: str, parts: Sequence[Part]) -> str:
    """A bar whose parts are the shares of a whole; an empty one where there is nothing."""
    whole = sum(part.value for part in parts)
    shapes: list[str] = []
    left = 0.0
    for part in parts:
        width = part.value / whole * _WIDTH if whole else 0.0
        if width:
            said = _text(f"{part.label}: {_number(part.value)}")
            shapes.append(
                f'<rect class="tone-{part.tone}" x="{left:.1f}" y="0" width="{width:.1f}" height="{_BAR}">'
                f"<title>{said}</title></rect>"
            )
        left += width
    described = ", ".join(f"{part.label} {_number(part.value)}" for part in parts) or "nothing"
    rows = [(part.label, _number(part.value), _share(part.value, whole)) for part in parts]
    return _figure(title, described, (_WIDTH, _BAR), shapes, ("", "number", "share"), rows, _legend(parts))


def columns(title: str, values: Sequence[Column], head: str = "") -> str:
    """A column for each number, which stands above it; `head` says what the labels are."""
    top = max((one.value for one in values), default=0.0) or 1.0
    width = _WIDTH / max(len(values), 1)
    plot = _HEIGHT - 2 * _FOOT
    shapes: list[str] = []
    for number, one in enumerate(values):
        height = max(one.value / top * plot, 1.0 if one.value else 0.0)
        middle, upper = (number + 0.5) * width, _FOOT + plot - height
        said = _text(f"{one.label}: {_number(one.value)}")
        shape = (
            f'<rect class="tone-{one.tone}" x="{number * width + 2:.1f}" y="{upper:.1f}" width="{width - 4:.1f}"'
            f' height="{height:.1f}"><title>{said}</title></rect>'
            f'<text x="{middle:.1f}" y="{upper - 4:.1f}" text-anchor="middle">{_number(one.value)}</text>'
        )
        shapes.append(f'<a href="{_text(one.link)}" aria-label="{said}">{shape}</a>' if one.link else shape)
        shapes.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{_text(one.label)}</text>')
    described = ", ".join(f"{one.label} {_number(one.value)}" for one in values) or "nothing"
    rows = [(one.label, _number(one.value)) for one in values]
    return _figure(title, described, (_WIDTH, _HEIGHT), shapes, (head, "number"), rows)


def trend(title: str, points: Sequence[Point], *, percent: bool = False) -> str:
    """A line over time, broken where nothing is known; from 0 to 1 as per cent, or to the greatest value."""
    known = [point.value for point in points if point.value is not None]
    top = 1.0 if percent else max(known, default=0.0) or 1.0
    step = (_WIDTH - _GUTTER) / max(len(points) - 1, 1)
    shapes = list(_scale(top, percent=percent))
    for run in _runs(points):
        places = [
            (_GUTTER + index * step, (1 - (points[index].value or 0.0) / top) * (_HEIGHT - _FOOT)) for index in run
        ]
        if len(places) == 1:
            ((x, y),) = places
            shapes.append(f'<circle class="line" cx="{x:.1f}" cy="{y:.1f}" r="2"/>')
        else:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            shapes.append(f'<polyline class="line" points="{path}"/>')
    for start, end in _gaps(points):
        left, right = _GUTTER + (start - 0.5) * step, _GUTTER + (end + 0.5) * step
        left, right = max(left, float(_GUTTER)), min(right, float(_WIDTH))
        shapes.append(
            f'<rect class="tone-unknown" x="{left:.1f}" y="0" width="{right - left:.1f}" height="{_HEIGHT - _FOOT}">'
            "<title>not known</title></rect>"
        )
    shapes += _ends(points)
    form = _per_cent if percent else _number
    rows = [(point.at, "not known" if point.value is None else form(point.value)) for point in points]
    return _figure(title, _course(points, form), (_WIDTH, _HEIGHT), shapes, ("when", "value"), rows)


def waterfall(title: str, start: float, steps: Sequence[Step]) -> str:
    """How a share came from one value to another, step by step; both ends are bars of their own.

    Where the steps are small beside the share the scale does not begin at
    nothing, so that they can be seen; it is then said.
    """
    levels = [start]
    for step in steps:
        levels.append(levels[-1] + step.change)
    low, high = _reach(levels)
    width = _WIDTH / (len(steps) + 2)
    plot = _HEIGHT - _FOOT

    def height(value: float) -> float:
        return (high - value) / (high - low) * plot

    def bar(number: int, values: tuple[float, float], tone: Tone, said: str) -> str:
        top, bottom = height(max(values)), height(min(values))
        return (
            f'<rect class="tone-{tone}" x="{number * width + 4:.1f}" y="{top:.1f}" width="{width - 8:.1f}"'
            f' height="{max(bottom - top, 1.0):.1f}"><title>{_text(said)}</title></rect>'
        )

    shapes = [bar(0, (max(low, 0.0), start), "plain", f"before: {_exact(start)}")]
    for number, step in enumerate(steps, 1):
        tone: Tone = "good" if step.change > 0 else "bad" if step.change < 0 else "plain"
        shape = bar(number, (levels[number - 1], levels[number]), tone, f"{step.label}: {_points(step.change)}")
        shapes.append(f'<a href="{_text(step.link)}">{shape}</a>' if step.link else shape)
    shapes.append(bar(len(steps) + 1, (max(low, 0.0), levels[-1]), "plain", f"after: {_exact(levels[-1])}"))
    labels = ["before", *(step.label for step in steps), "after"]
    shapes += [
        f'<text x="{(number + 0.5) * width:.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{_text(label)}</text>'
        for number, label in enumerate(labels)
    ]
    described = f"from {_exact(start)} to {_exact(levels[-1])}: " + (
        ", ".join(f"{step.label} {_points(step.change)}" for step in steps) or "nothing moved it"
    )
    if low > 0:
        described += f"; the scale begins at {_exact(low)}"
        shapes.append(f'<text x="{_WIDTH}" y="12" text-anchor="end">from {_exact(low)}</text>')
    rows = [("before", _exact(start)), *((step.label, _points(step.change)) for step in steps)]
    rows.append(("after", _exact(levels[-1])))
    return _figure(title, described, (_WIDTH, _HEIGHT), shapes, ("", "share"), rows)


def _reach(levels: Sequence[float]) -> tuple[float, float]:
    """The ends of a scale that shows these levels."""
    low, high = min(0.0, *levels), max(*levels, 0.0) or 1.0
    spread = max(levels) - min(levels)
    if low == 0 and 0 < spread < _SMALL * high:
        low = max(min(levels) - spread, 0.0)
        high = max(levels) + spread / 4
    return low, high


def sparkline(title: str, points: Sequence[Point]) -> str:
    """A small line without a scale, for a row of a table; its title says first and last."""
    known = [point.value for point in points if point.value is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    spread = high - low or 1.0
    step = 96 / max(len(points) - 1, 1)
    lines = [
        " ".join(
            f"{index * step + 2:.1f},{18 - ((points[index].value or 0.0) - low) / spread * 16:.1f}" for index in run
        )
        for run in _runs(points)
    ]
    shapes = "".join(f'<polyline class="line" points="{line}"/>' for line in lines)
    said = _text(f"{title}: {_course(points, _number)}")
    return (
        f'<svg class="spark" viewBox="0 0 100 20" width="100" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>{shapes}</svg>"
    )


def _figure(
    title: str,
    described: str,
    size: tuple[int, int],
    shapes: Iterable[str],
    head: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    legend: str = "",
) -> str:
    width, height = size
    name = _text(f"{title}: {described}")
    heads = "".join(f'<th scope="col">{_text(word)}</th>' for word in head)
    body = "".join(
        f'<tr><th scope="row">{_text(first)}</th>{"".join(f"<td>{_text(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    drawn = "".join(shapes)
    role = "group" if "<a " in drawn else "img"  # an image has no links
    stretches = f' preserveAspectRatio="none" height="{height}"' if legend else ""
    return (
        f'<figure class="chart"><figcaption>{_text(title)}</figcaption>'
        f'<svg viewBox="0 0 {width} {height}"{stretches} role="{role}" aria-label="{name}">'
        f"<title>{name}</title>{drawn}</svg>{legend}"
        f"<details><summary>{_text(title)}, as a table</summary>"
        f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></details></figure>"
    )


def _legend(parts: Iterable[Part]) -> str:
    """Which tone is what, with its number; what there is none of is left out."""
    items = "".join(
        f'<li><span class="swatch tone-{part.tone}"></span>{_text(part.label)} <b>{_number(part.value)}</b></li>'
        for part in parts
        if part.value
    )
    return f'<ul class="legend">{items}</ul>' if items else ""


def _scale(top: float, *, percent: bool) -> Iterator[str]:
    plot = _HEIGHT - _FOOT
    for share in _LINES:
        y = (1 - share) * plot
        said = f"{share:.0%}".replace("%", " %") if percent else _number(share * top)
        yield f'<line class="grid" x1="{_GUTTER}" y1="{y:.1f}" x2="{_WIDTH}" y2="{y:.1f}"/>'
        yield f'<text x="{_GUTTER - 4}" y="{min(max(y + 4, 9.0), plot):.1f}" text-anchor="end">{said}</text>'


def _ends(points: Sequence[Point]) -> list[str]:
    if not points:
        return []
    y = _HEIGHT - 4
    first, last = _text(points[0].at), _text(points[-1].at)
    return [
        f'<text x="{_GUTTER}" y="{y}">{first}</text>',
        f'<text x="{_WIDTH}" y="{y}" text-anchor="end">{last}</text>',
    ]


def _runs(points: Sequence[Point]) -> Iterator[list[int]]:
    """The places of values that stand beside each other."""
    run: list[int] = []
    for index, point in enumerate(points):
        if point.value is not None:
            run.append(index)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _gaps(points: Sequence[Point]) -> Iterator[tuple[int, int]]:
    """First and last place of each stretch of which nothing is known."""
    start: int | None = None
    for index, point in enumerate(points):
        if point.value is None:
            start = index if start is None else start
        elif start is not None:
            yield start, index - 1
            start = None
    if start is not None:
        yield start, len(points) - 1


def _course(points: Sequence[Point], form: Callable[[float], str]) -> str:
    """First and last known value, in words."""
    known = [(point.at, point.value) for point in points if point.value is not None]
    if not known:
        return "nothing is known"
    (began, first), (ended, last) = known[0], known[-1]
    return f"{form(first)} on {began}, {form(last)} on {ended}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _per_cent(value: float) -> str:
    return f"{value * 100:.1f} %"


def _exact(value: float) -> str:
    """With the two decimals that a score is told with, so that steps add up to what they lead to."""
    return f"{value * 100:.2f} %"


def _points(value: float) -> str:
    return f"{value * 100:+.2f} points"


def _share(value: float, whole: float) -> str:
    return _per_cent(value / whole) if whole else "none"


def _text(value: str) -> str:
    return escape(printable(value))
