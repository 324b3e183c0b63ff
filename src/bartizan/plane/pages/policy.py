"""One rule: what it says and why, its text, what it found and where, and how that moved."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import Response

from bartizan.catalog.loader import export_fix, export_policy, load_catalog
from bartizan.model.ledger import Verdict
from bartizan.outputs.charts import Part, Point, stacked, trend
from bartizan.outputs.yaml import lines
from bartizan.plane import compliance, part
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores import documents
from bartizan.stores.queries import findings, moves, standings
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Connection

    from bartizan.catalog.loader import CheckSpec, Example
    from bartizan.stores.documents import Kept
    from bartizan.stores.queries.moves import DayMoves
    from bartizan.stores.queries.standings import AskedRule

_DAYS: Final = 90
_PLACES: Final = 50
_FAILING: Final = 20
_NOTHING: Final = [0] * len(Verdict)


class ShownExample(NamedTuple):
    """An example of a check, as YAML."""

    name: str
    expect: str
    text: str


def _policy(asked: Asked) -> Response:
    name = asked.path["rule"]
    check = load_catalog().checks.get(name)
    today = asked.site.now().date()
    since = today - timedelta(days=_DAYS)
    with asked.site.store.reading() as connection:
        chosen = part.chosen(asked, connection)
        rule = _rule(connection, asked, name, check)
        here = next(iter(standings.asked(connection, chosen.scope, name)), None) if rule else None
        texts = _texts(connection, name) if rule and check is None else []
        if asked.query.get("as") == "yaml":
            return _download(name, check, texts)
        clusters = standings.where_asked(connection, chosen.scope, rule.number, "cluster", _PLACES) if rule else []
        spaces = standings.where_asked(connection, chosen.scope, rule.number, "namespace", _PLACES) if rule else []
        failing = findings.findings(connection, chosen.scope, findings.Wanted(rule=name), Page(_FAILING))
        moved = moves.by_day(connection, chosen.scope, since, rule.number)[0] if rule else []
    counts = here.counts if here else _NOTHING
    return page(
        asked,
        "policy.html",
        name=name,
        chosen=chosen,
        check=check,
        rule=rule,
        counts=counts,
        frameworks=_frameworks(name, rule, check),
        picture=_picture(counts) if any(counts) else "",
        trend=_trend(counts, moved, since, today),
        clusters=clusters,
        namespaces=spaces,
        failing=failing.rows,
        texts=texts,
        yaml=_yaml(export_policy(check)) if check and (check.policy or check.export) else "",
        mends=_yaml(export_fix(check)) if check else "",
        examples=[_example(one) for one in check.examples] if check else [],
    )


def _rule(connection: Connection, asked: Asked, name: str, check: CheckSpec | None) -> AskedRule | None:
    """The rule as it is asked where the viewer may see; a check of ours may be asked nowhere."""
    found = next(iter(standings.asked(connection, asked.viewer.scope(), name)), None)
    if found is None and check is None:
        raise missing(f"rule `{name[:200]}`")
    return found


def _texts(connection: Connection, name: str) -> list[Kept]:
    """The texts of a rule's policy: the longest beginning of its name that is a policy's."""
    pieces = name.split("/")
    for length in range(len(pieces), 0, -1):
        found = documents.texts(connection, "/".join(pieces[:length]))
        if found:
            return found
    return []


def _download(name: str, check: CheckSpec | None, texts: list[Kept]) -> Response:
    if check is not None and (check.policy or check.export):
        text = _yaml(export_policy(check))
    elif texts:
        text = texts[0].text.content
    else:
        raise missing(f"text of rule `{name[:200]}`")
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name)[:100]
    headers = {"Content-Disposition": f'attachment; filename="{plain}.yaml"', "Cache-Control": "private, no-cache"}
    return Response(text, headers=headers, media_type="application/yaml")


def _frameworks(name: str, rule: AskedRule | None, check: CheckSpec | None) -> list[tuple[str, str]]:
    named = rule.frameworks if rule else tuple(check.frameworks) if check else ()
    places = compliance.controls_of(name, named)
    return [(framework, control) for framework, _, control in (one.partition(":") for one in places)]


def _picture(counts: list[int]) -> str:
    parts = (
        Part("pass", counts[Verdict.PASS], "good"),
        Part("fail", counts[Verdict.FAIL], "bad"),
        Part("warn", counts[Verdict.WARN], "warn"),
        Part("waived", counts[Verdict.WAIVED], "accepted"),
        Part("unknown", counts[Verdict.ERROR] + counts[Verdict.STALE], "unknown"),
    )
    return stacked("What it says of all objects it is asked of", parts)


def _trend(counts: list[int], moves: Iterable[DayMoves], since: date, today: date) -> str:
    """Failing objects at the end of each day, from those of now backwards; a gap before it was asked of any."""
    now = list(counts)
    by_day: dict[date, list[DayMoves]] = {}
    for one in moves:
        by_day.setdefault(one.day, []).append(one)
    points = []
    for day in sorted((day for day in by_day if day > today), reverse=True):
        _take_back(now, by_day[day])
    for passed in range((today - since).days + 1):
        day = today - timedelta(days=passed)
        points.append(Point(day.isoformat(), now[Verdict.FAIL] if any(now[1:]) else None))
        _take_back(now, by_day.get(day, ()))
    return trend(f"Failing, the last {_DAYS} days", points[::-1])


def _take_back(counts: list[int], moves: Iterable[DayMoves]) -> None:
    for one in moves:
        counts[one.before] += one.pairs
        counts[one.after] -= one.pairs


def _example(example: Example) -> ShownExample:
    return ShownExample(example.name, example.expect, "---\n".join(map(_yaml, example.every)))


def _yaml(value: dict[str, Any] | None) -> str:
    return "".join(f"{line}\n" for line in lines(value)) if value else ""


ROUTES = (Route("GET", "/policies/{rule:path}", _policy),)
