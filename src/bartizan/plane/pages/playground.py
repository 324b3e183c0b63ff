"""The playground: a policy that is being written, tried on an object of the fleet or a pasted one, as it is typed.

One form does it all: without scripts its buttons send it, with them it sends
itself, and the same page answers. What was typed is never kept.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bartizan.app.trial.jobs import Jobs
from bartizan.app.trial.pace import Pace
from bartizan.app.trial.processes import Trials
from bartizan.app.trial.wire import POLICY_BYTES, RESOURCE_BYTES, Told, Tried, Try
from bartizan.base.errors import BartizanError, SourceError, SpecError
from bartizan.catalog import export_policy, load_catalog
from bartizan.outputs.objects import as_yaml
from bartizan.plane import part
from bartizan.plane.pages.waivers import number_of
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing
from bartizan.stores import documents
from bartizan.stores.queries import findings, inventory, resources, standings
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.search import LONGEST, Hit, search

if TYPE_CHECKING:
    from starlette.responses import Response

    from bartizan.app.trial.wire import Said
    from bartizan.plane.site import Site

_ROOM: Final = "trials"
_HITS: Final = 20
_LINES: Final = 3000
"""Lines of an object that are shown with marks."""
_FORM_BYTES: Final = 4 * (POLICY_BYTES + RESOURCE_BYTES)
"""What a form takes that writes every character as three, and some for all else."""
_OPENING: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class TrialRoom:
    """What the pages of a process share to try policies."""

    trials: Trials = field(default_factory=Trials)
    jobs: Jobs = field(default_factory=Jobs)
    pace: Pace = field(default_factory=lambda: Pace(20, 2.0))


class Line(NamedTuple):
    """A line of an object, and what rules say of it."""

    text: str
    said: list[Said]


@dataclass(frozen=True, slots=True)
class Bench:
    """The form: a policy, an object, and what is looked for. `number` is of the object of the fleet it was."""

    policy: str = ""
    resource: str = ""
    number: str = ""
    q: str = ""
    check: str = ""


def room_of(site: Site) -> TrialRoom:
    """The room of a site, opened when it is first asked for."""
    with _OPENING:
        found = site.rooms.get(_ROOM)
        if found is None:
            found = site.rooms[_ROOM] = TrialRoom()
    assert isinstance(found, TrialRoom)  # noqa: S101  nobody else has a room of this name
    return found


def owner_of(asked: Asked) -> str:
    """Whose turn it is, and whose jobs: an account's."""
    viewer = asked.viewer
    return f"{viewer.account}" if viewer.account is not None else f"name {viewer.name}"


def _begin(asked: Asked) -> Response:
    room_of(asked.site).trials.warm()
    query = asked.query
    bench = Bench(q=query.get("q", "")[:LONGEST], policy=begun(asked))
    if query.get("resource"):
        bench = _picked(asked, bench, query["resource"])
    elif query.get("rule"):
        bench = _with_failing(asked, bench, query["rule"])
    return _page(asked, bench)


def begun(asked: Asked) -> str:
    """The policy that a URL begins with: that of a rule that is asked now, or a check; empty where it names none.

    Raises:
        NotThereError: there is none that is a policy, or none that the viewer may see.
    """
    rule = asked.query.get("rule", "")
    if not rule:
        return policy_of(asked.query.get("check", ""))
    if rule in load_catalog().checks:
        return policy_of(rule)
    with asked.site.store.reading() as connection:
        if standings.asked(connection, asked.viewer.scope(), rule):
            pieces = rule.split("/")
            for length in range(len(pieces), 0, -1):
                found = documents.texts(connection, "/".join(pieces[:length]), 1)
                if found:
                    return found[0].text.content
    raise missing(f"text of rule `{rule[:LONGEST]}`")


def _with_failing(asked: Asked, bench: Bench, rule: str) -> Bench:
    """The bench with the worst object that fails a rule now, in the part of the fleet that the URL names."""
    with asked.site.store.reading() as connection:
        scope = part.chosen(asked, connection).scope
        found = findings.findings(connection, scope, findings.Wanted(rule=rule), Page(1)).rows
    return _picked(asked, bench, str(found[0].resource_number)) if found else bench


def policy_of(check: str) -> str:
    """A built-in check as a policy's text; empty where none is named.

    Raises:
        NotThereError: there is no such check, or it compares objects and so is no policy.
    """
    if not check:
        return ""
    spec = load_catalog().checks.get(check)
    if spec is None or spec.template:
        raise missing(f"check `{check}` that is a policy")
    return as_yaml(export_policy(spec))


def _picked(asked: Asked, bench: Bench, text: str) -> Bench:
    """The bench with an object of the fleet on it, as it is kept: without its secrets."""
    number, scope = number_of(text), asked.viewer.scope()
    with asked.site.store.reading() as connection:
        body = resources.body_of(connection, scope, number)
    if body is None:
        raise missing("object")
    return replace(bench, resource=as_yaml(body), number=str(number))


def _try(asked: Asked) -> Response:
    form = asked.form()
    bench = Bench(**{name: form.get(name, "").replace("\r\n", "\n") for name in Bench.__dataclass_fields__})
    if form.get("pick"):
        bench = _picked(asked, bench, form["pick"])
    if form.get("do") == "start" and bench.check:
        bench = replace(bench, policy=policy_of(bench.check))
    return _page(asked, bench)


def _page(asked: Asked, bench: Bench) -> Response:
    tried, error = Tried(), None
    status = 200
    if bench.policy.strip() and bench.resource.strip():
        try:
            tried = _tried(asked, bench)
        except BartizanError as told:
            error = told
            by_script = asked.request.headers.get("hx-request") == "true"  # which shows nothing of a refusal
            status = 429 if isinstance(told, SourceError) and not by_script else 200
    return page(
        asked,
        "playground.html",
        status,
        bench=bench,
        checks=sorted(name for name, spec in load_catalog().checks.items() if not spec.template),
        hits=_hits(asked, bench.q),
        tried=tried,
        error=error,
        lines=_marked(bench.resource, tried),
    )


def _tried(asked: Asked, bench: Bench) -> Tried:
    """Try what is on the bench.

    Raises:
        SpecError: it is too long, or takes too much.
        SourceError: somebody asks too often, or too many ask.
    """
    check_length("policy", bench.policy, POLICY_BYTES)
    check_length("object", bench.resource, RESOURCE_BYTES)
    room = room_of(asked.site)
    if not room.pace.admits(owner_of(asked), time.monotonic()):
        raise SourceError("you try policies too often", hint="Wait a moment, and try again.")
    answer = room.trials.ask(Try(bench.policy, bench.resource, _namespace_labels(asked, bench.number)))
    return answer if isinstance(answer, Tried) else Tried(problems=[Told("the trial answered something else")])


def check_length(what: str, text: str, most: int) -> None:
    """Refuse a text that is too long.

    Raises:
        SpecError: it is.
    """
    if len(text.encode("utf-8", "replace")) > most:
        raise SpecError(f"the {what} has more than {most >> 10:,} KiB", hint="Try a part of it.")


def _namespace_labels(asked: Asked, number: str) -> dict[str, str]:
    """The labels of the namespace that an object of the fleet is in; a pasted one is in none that we know."""
    if not number:
        return {}
    with asked.site.store.reading() as connection:
        found = inventory.objects(connection, asked.viewer.scope(), [number_of(number)])
        where = {(one.cluster, one.namespace) for one in found if one.namespace}
        return next(iter(inventory.labels_of_namespaces(connection, where).values()), {})


def _hits(asked: Asked, question: str) -> list[Hit]:
    if not question.strip():
        return []
    with asked.site.store.reading() as connection:
        found = search(connection, asked.viewer.scope(), question, _HITS)
    return [hit for hit in found if hit.kind == "resource"]


def _marked(text: str, tried: Tried) -> list[Line]:
    """The lines of an object with what is wrong at each; none where nothing was tried."""
    if not tried.resource:
        return []
    by_line: dict[int, list[Said]] = {}
    for said in tried.rules:
        if said.line and said.result in ("fail", "warn"):
            by_line.setdefault(said.line, []).append(said)
    lines: list[Any] = text.split("\n")[:_LINES]
    return [Line(line, by_line.get(number, [])) for number, line in enumerate(lines, 1)]


ROUTES = (
    Route("GET", "/playground", _begin),
    Route("POST", "/playground", _try, body_bytes=_FORM_BYTES),
)
