"""M6: thousands of viewers with questions and pages, and not a word of what is not theirs.

Every name in the fleet is a word that tells what it is of. Whatever a query or
a page answers is searched for such words, and each must be of a place that the
viewer may see, as is worked out here from the data alone. Queries and pages
are found by themselves: a new one is held to the law without a new test.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
import random
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse
from tests.plane.conftest import NOW
from tests.stores.fleet import World, at, observed, pod, rules

from bartizan.base.errors import BartizanError
from bartizan.plane.application import DOORS
from bartizan.plane.site import Asked, Route
from bartizan.plane.viewer import Role, Viewer
from bartizan.stores import queries, waivers
from bartizan.stores.queries import findings, inventory
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.waivers import Selected
from bartizan.stores.scope import EVERYTHING, Grant, admits

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from sqlalchemy import Connection, Row
    from starlette.responses import Response

    from bartizan.plane.site import Site
    from bartizan.stores.scope import Scope

ASKED = {"sqlite": (3_000, 500), "postgresql": (300, 50)}
"""Questions and pages on each engine, beside the ten thousand of `tests/stores/test_scope.py`."""
CLUSTERS = tuple(f"qc{number:02}" for number in range(8))
NAMESPACES = (*(f"qn{number:02}" for number in range(7)), "")
TEAMS = (*(f"qt{number:02}" for number in range(4)), "")
ROLES: tuple[Role, ...] = ("viewer", "operator", "approver", "admin")
WORD = re.compile(r"q[cntow]\d\d+")
RULES = rules("roots:critical", "limits:low", "latest:medium")
PARAMETERS = (
    "cluster",
    "namespace",
    "team",
    "rule",
    "kind",
    "q",
    "name",
    "other",
    "severity",
    "state",
    "days",
    "number",
)


class Fleet(NamedTuple):
    """A site with a random fleet, and where each object of it is."""

    site: Site
    places: tuple[tuple[str, str, str], ...]
    waivers: tuple[tuple[str, str, str], ...]
    asked: tuple[Any, ...]
    """The rows of the waivers, as an administrator sees them."""


@pytest.fixture
def fleet(site: Site) -> Fleet:
    """Objects in random places, some mended a day later, and a waiver for some of the places."""
    chance = random.Random(6)
    every = list(itertools.product(CLUSTERS, NAMESPACES, TEAMS))
    places = tuple(chance.sample(every, 40))
    world = World(site.store).join(*CLUSTERS)
    for hours, said in ((1, "fff"), (30, "pff")):
        for cluster in CLUSTERS:
            here = [
                (number, where)
                for number, where in enumerate(places)
                if where[0] == cluster and (hours == 1 or number % 3 == 0)
            ]
            objects = [
                observed(pod(f"qo{number:03}", where[1]), RULES, said, where[2], f"qo{number:03}")
                for number, where in here
            ]
            if objects:
                world.keep(RULES, *objects, cluster=cluster, hours=hours)
    asked = tuple(places[::5])
    with site.store.writing() as connection:
        numbers = {cluster: number + 1 for number, cluster in enumerate(CLUSTERS)}
        for number, where in enumerate(asked):
            selectors = {"namespace": where[1], "team": where[2], "rule": "roots"}
            wanted = waivers.Asked(selectors, numbers[where[0]], f"qw{number:03}", "somebody", NOW + timedelta(days=9))
            waivers.ask(connection, wanted, NOW)
        rows = waivers.waivers(connection, EVERYTHING)
    return Fleet(site, places, asked, tuple(rows))


def _scope(chance: random.Random) -> Scope:
    def some(names: tuple[str, ...]) -> tuple[str, ...] | None:
        return chance.choice([None, tuple(chance.sample(names, chance.randrange(4))), tuple(chance.sample(names, 1))])

    return tuple(Grant(some(CLUSTERS), some(NAMESPACES), some(TEAMS)) for _ in range(chance.randrange(1, 4)))


def _allowed(fleet: Fleet, scope: Scope) -> set[str]:
    """The words that a viewer may read."""
    mine = [(number, where) for number, where in enumerate(fleet.places) if admits(scope, where)]
    words = {f"qo{number:03}" for number, _ in mine} | {word for _, where in mine for word in where}
    whole = {
        name
        for grant in scope
        if grant.is_whole
        for name in CLUSTERS
        if grant.clusters is None or name in grant.clusters
    }
    for number, where in enumerate(fleet.waivers):
        if any(_covers(grant, where) for grant in scope):
            words |= {f"qw{number:03}", *where}
    return words | whole


def _covers(grant: Grant, where: tuple[str, str, str]) -> bool:
    """Whether a waiver for a place shows: one for all namespaces or teams shows to who sees all of them."""
    names = (grant.clusters, grant.namespaces, grant.teams)
    return all(one is None or (bool(name) and name in one) for one, name in zip(names, where, strict=True))


def _demand(fleet: Fleet, scope: Scope, said: str, given: str, what: str) -> None:
    """Each word of an answer was the viewer's to see, or was in the question."""
    leaked = set(WORD.findall(said)) - _allowed(fleet, scope) - set(WORD.findall(given))
    assert not leaked, f"{what} with {scope} told {sorted(leaked)}"


# ---- queries


def _functions() -> list[tuple[str, Callable[..., Any]]]:
    """All that ask the store with a viewer's scope."""
    found: list[ModuleType] = [waivers]
    found += [
        importlib.import_module(one.name) for one in pkgutil.iter_modules(queries.__path__, f"{queries.__name__}.")
    ]
    return [
        (f"{module.__name__.rpartition('.')[2]}.{name}", function)
        for module in found
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and "scope" in inspect.signature(function).parameters
    ]


class _Named(dict[Any, str]):
    """A name for whatever is asked."""

    def __missing__(self, key: Any) -> str:
        return "roots"


def _argument(name: str, function: Callable[..., Any], fleet: Fleet, chance: random.Random) -> Any:
    """A random argument by the name of its parameter: real names and numbers, of anybody's."""
    where, number = chance.choice(fleet.places), chance.randrange(1, 2 * len(fleet.places))
    since, until = date(2026, 2, 27), date(2026, 3, 4)
    numbers = {cluster: number + 1 for number, cluster in enumerate(CLUSTERS)}
    made: dict[str, Callable[[], Any]] = {
        "name": lambda: where[0],
        "namespace": lambda: where[1],
        "team": lambda: where[2],
        "number": lambda: number,
        "numbers": lambda: [number, number + 1, number + 2],
        "names": lambda: _Named() if "Mapping" in str(function.__annotations__["names"]) else list(where),
        "page": lambda: Page(chance.choice([1, 20, 500])),
        "limit": lambda: 100,
        "most": lambda: chance.choice([3, 500]),
        "kinds": lambda: chance.choice([None, ["Pod"], ["Deployment"]]),
        "after": lambda: chance.choice([0, number]),
        "since": lambda: since,
        "until": lambda: until,
        "days": lambda: (since, until),
        "day": lambda: chance.choice([date(2026, 3, 1), date(2026, 3, 2), until]),
        "begin": lambda: at(-24),
        "end": lambda: NOW,
        "at": lambda: NOW,
        "now": lambda: NOW,
        "question": lambda: chance.choice([*where, f"qo{number:03}"[:4], "roots", "q"]),
        "fingerprint": lambda: f"{number:016x}",
        "rule": lambda: "roots",
        "cause": lambda: chance.choice(["findings", "rules", "scope", "exceptions", "freshness"]),
        "group": lambda: chance.choice(["cluster", "namespace", "team"]),
        "selected": lambda: Selected(chance.choice([None, numbers[where[0]]]), where[1], where[2]),
        "row": lambda: fleet.asked[number % len(fleet.asked)],
        "wanted": lambda: _wanted(function),
    }
    if name not in made:
        raise AssertionError(f"teach `_argument` what `{name}` of {function.__qualname__} may be")
    return made[name]()


def _wanted(function: Callable[..., Any]) -> Any:
    """All that may be wanted, as the function's own module says it."""
    return getattr(inspect.getmodule(function), function.__annotations__["wanted"])()


def _ask(connection: Connection, fleet: Fleet, chance: random.Random, name: str, function: Callable[..., Any]) -> None:
    scope = _scope(chance)
    given: dict[str, Any] = {}
    for one in list(inspect.signature(function).parameters.values())[2:]:
        if one.default is inspect.Parameter.empty or (one.name in ("name", "team") and chance.random() < 0.5):
            given[one.name] = _argument(one.name, function, fleet, chance)
    answer = function(connection, scope, **given)
    if inspect.isgenerator(answer):
        answer = list(answer)
    _demand(fleet, scope, repr(answer), repr(given), name)


def test_no_question_of_thousands_tells_what_is_another_s(fleet: Fleet) -> None:
    chance, functions = random.Random(60), _functions()
    assert len(functions) > 15
    with fleet.site.store.reading() as connection:
        for name, function in itertools.islice(itertools.cycle(functions), ASKED[fleet.site.store.dialect][0]):
            _ask(connection, fleet, chance, name, function)


def test_what_is_only_counted_is_counted_within_the_scope(fleet: Fleet) -> None:
    """A number has no words in it: here it is what the data says."""
    chance = random.Random(62)
    with fleet.site.store.reading() as connection:
        for _ in range(200):
            scope = _scope(chance)
            mine = sum(admits(scope, where) for where in fleet.places)
            assert inventory.count(connection, scope, None) == mine
            assert len(inventory.sizes(connection, scope, None, 0, 1000)) == mine


# ---- pages


PAGES = [route for route in DOORS if route.method == "GET" and route.needs is not None]
_PART = re.compile(r"\{(\w+)(?::(\w+))?\}")


def _looked_at(fleet: Fleet, chance: random.Random, route: Route) -> tuple[dict[str, Any], str]:
    """Random parts of a URL, and a random question behind it."""
    where, most = chance.choice(fleet.places), 3 * len(fleet.places)
    words = {
        "name": where[0],
        "number": str(chance.randrange(1, 30)),
        "cluster": where[0],
        "namespace": where[1],
        "team": where[2],
        "rule": "roots",
    }
    path = {
        name: chance.randrange(1, most) if kind == "int" else words.get(name, where[0])
        for name, kind in _PART.findall(route.path)
    }
    asked = {
        name: words.get(name, chance.choice([*where, "1", "roots"]))
        for name in chance.sample(PARAMETERS, chance.randrange(4))
    }
    return path, "&".join(f"{name}={value}" for name, value in asked.items())


def _text(answer: Response) -> str:
    if not isinstance(answer, StreamingResponse):
        return bytes(answer.body).decode("utf-8", "replace")

    async def parts() -> bytes:
        return b"".join(
            [part if isinstance(part, bytes) else bytes(str(part), "utf-8") async for part in answer.body_iterator]
        )

    return anyio.run(parts).decode("utf-8", "replace")


def _look(fleet: Fleet, chance: random.Random, route: Route) -> int:
    scope = _scope(chance)
    viewer = Viewer("somebody else", tuple((chance.choice(ROLES), grant) for grant in scope), 1, session="s")
    assert route.needs is not None
    if not viewer.may(route.needs):
        return 0
    path, query = _looked_at(fleet, chance, route)
    headers = [(b"host", b"plane.test")] + ([(b"hx-request", b"true")] if chance.random() < 0.2 else [])
    request = Request(
        {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "server": ("plane.test", 80),
            "path": route.path,
            "query_string": query.encode(),
            "headers": headers,
            "path_params": path,
        }
    )
    try:
        said = _text(route.handler(Asked(fleet.site, viewer, request)))
    except BartizanError as error:
        said = str(error)
    _demand(fleet, scope, said, f"{path} {query}", f"{route.path} {path} {query}")
    return 1


def test_no_page_of_hundreds_tells_what_is_another_s(fleet: Fleet) -> None:
    chance, looked = random.Random(61), 0
    for route in itertools.cycle(PAGES):
        looked += _look(fleet, chance, route)
        if looked >= ASKED[fleet.site.store.dialect][1]:
            return


# ---- the test itself


def test_a_leak_would_be_seen(fleet: Fleet) -> None:
    """A page and a query that forget the viewer are caught by the same looking."""

    def forgetful(connection: Connection, scope: Scope) -> Any:
        del scope
        return findings.findings(connection, EVERYTHING, findings.Wanted(), Page(500)).rows

    chance = random.Random(1)

    def ask_often(connection: Connection) -> None:
        for _ in range(20):
            _ask(connection, fleet, chance, "forgetful", forgetful)

    with fleet.site.store.reading() as connection, pytest.raises(AssertionError, match="told"):
        ask_often(connection)


def test_who_sees_all_is_told_all(fleet: Fleet) -> None:
    """The words are really there: an administrator's pages have every one of them."""
    seen: set[str] = set()
    with fleet.site.store.reading() as connection:
        seen |= set(WORD.findall(repr(findings.findings(connection, EVERYTHING, findings.Wanted(), Page(500)))))
        rows: list[Row[Any]] = waivers.waivers(connection, EVERYTHING)
        seen |= set(WORD.findall(repr(rows)))
    assert seen == _allowed(fleet, EVERYTHING) - {""}
