"""All findings in one table: what chooses stands in the URL, so that a view is a bookmark, a command and an export."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from bartizan.base.errors import SpecError
from bartizan.base.suggest import did_you_mean
from bartizan.model.severity import Severity
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route
from bartizan.stores.bulk import storable
from bartizan.stores.queries import findings
from bartizan.stores.queries.findings import State, Wanted
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.responses import Response

    from bartizan.stores.queries.findings import FindingView

CLUSTER_WIDE: Final = "-"
"""What the query calls the objects of no namespace: no namespace can be called so."""
STATES: Final[Mapping[str, tuple[State, ...]]] = {
    "open": ("open",),
    "waived": ("waived",),
    "fixed": ("fixed",),
    "gone": ("gone",),
    "any": ("open", "waived", "fixed", "gone"),
}
FILTERS: Final = ("cluster", "namespace", "team", "rule", "kind", "severity", "most", "state", "resource")
"""What chooses findings, by the same names in pages, in the API and on the command line."""
FORMATS: Final = (("csv", "CSV"), ("json", "JSON"), ("sarif", "SARIF"))
_ROWS: Final = 50
_CHIPS: Final = 6


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Read a query; what is empty does not choose.

    Raises:
        SpecError: it names a severity or a state that there is not, or a number that is none.
    """
    given = {name: storable(query.get(name, "")) for name in FILTERS}
    number = given["resource"]
    if number and not (number.isascii() and number.isdecimal() and len(number) < 19):
        raise SpecError(f"`{number}` is no number of an object", hint="Follow the link of the object's own page.")
    state = given["state"] or "open"
    if state not in STATES:
        raise SpecError(f"no finding is `{state}`", hint=did_you_mean(state, STATES))
    return Wanted(
        cluster=given["cluster"],
        namespace="" if given["namespace"] == CLUSTER_WIDE else given["namespace"] or None,
        team=given["team"] or None,
        rule=given["rule"],
        kind=given["kind"],
        resource=int(number) if number else None,
        severity=_severity(given["severity"], Severity.INFO),
        states=STATES[state],
        most=_severity(given["most"], Severity.CRITICAL),
    )


def _severity(word: str, default: Severity) -> Severity:
    if word and word.upper() not in Severity.__members__:
        hint = did_you_mean(word, [one.label for one in Severity])
        raise SpecError(f"no severity is called `{word}`", hint=hint)
    return Severity.parse(word, default)


def chosen_of(query: Mapping[str, str]) -> list[tuple[str, str]]:
    """What chooses, in the words of the API and the command line."""
    found: list[tuple[str, str]] = []
    for name in FILTERS:
        value = query.get(name, "")
        if name == "state" and value in STATES:
            found += [(name, state) for state in STATES[value]]
        elif value:
            found.append((name, value))
    return found


def command_of(query: Mapping[str, str]) -> str:
    """The same list on the command line."""
    words = [f"--{name} {shlex.quote(value)}" for name, value in chosen_of(query)]
    return " ".join(["bartizan fleet findings", *words])


def exports_of(query: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where the same list is in each format, row for row."""
    chosen = chosen_of(query)
    return [(name, f"/api/v1/export/findings?{urlencode([('format', key), *chosen])}") for key, name in FORMATS]


def _findings(asked: Asked) -> Response:
    wanted = wanted_of(asked.query)
    with asked.site.store.reading() as connection:
        found = findings.findings(connection, asked.viewer.scope(), wanted, Page(_ROWS, asked.query.get("after", "")))
    chosen = {name: asked.query.get(name, "") for name in FILTERS}
    return page(
        asked,
        "findings.html",
        found=found,
        chosen=chosen,
        wanted=wanted,
        narrower=_narrower(found.rows, chosen),
        severities=sorted(Severity, reverse=True),
        states=list(STATES),
        command=command_of(asked.query),
        exports=exports_of(asked.query),
    )


def _narrower(rows: Iterable[FindingView], chosen: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """What the rows of this page have most of, where it is not chosen yet."""
    rows = list(rows)
    values = {
        "rule": [one.rule for one in rows],
        "kind": [one.resource.kind for one in rows],
        "cluster": [one.cluster for one in rows],
        "namespace": [one.resource.namespace or CLUSTER_WIDE for one in rows],
        "team": [one.team for one in rows if one.team],
    }
    found = []
    for name, each in values.items():
        most = [value for value, _ in Counter(each).most_common(_CHIPS) if value]
        if not chosen[name] and len(most) > 1:
            found.append((name, most))
    return found


ROUTES = (Route("GET", "/findings", _findings),)
