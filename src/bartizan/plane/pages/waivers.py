"""Waivers: what was asked for, what holds and until when; and the form that asks, which shows first what it covers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.responses import RedirectResponse

from bartizan.base.errors import BartizanError, SpecError
from bartizan.plane.recording import recorded
from bartizan.plane.render import page
from bartizan.plane.site import Asked, ForbiddenError, Route, missing
from bartizan.stores import people, waivers
from bartizan.stores.queries import findings, overview
from bartizan.stores.queries.pages import Page
from bartizan.stores.queries.waivers import SHOWN, Coverage, Filter, Selected, coverage, listed, numbers, selected_by
from bartizan.stores.scope import admits_all

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.responses import Response

    from bartizan.stores.queries.findings import FindingView

_ROWS: Final = 25
_LOOKED: Final = 250
"""Findings that are looked at to count what one row of the list covers."""
_USUAL_DAYS: Final = 90
_LONGEST: Final = 2000
"""Characters of a field: a reason is a paragraph."""
SELECTORS: Final = ("namespace", "team", "policy", "rule", "kind", "name", "path", "fingerprint")
_CHOOSING: Final = ("policy", "rule", "kind", "namespace", "name", "path", "fingerprint")
_DIGITS: Final = 18
"""A number of 64 bits has as many at least."""
_LAST_SECOND: Final = time(23, 59, 59, tzinfo=UTC)
"""A waiver holds through its last day, as in files."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A waiver that is being written: the form's fields. `cluster` is a name, empty for the whole fleet."""

    cluster: str = ""
    namespace: str = ""
    team: str = ""
    policy: str = ""
    rule: str = ""
    kind: str = ""
    name: str = ""
    path: str = ""
    fingerprint: str = ""
    reason: str = ""
    ends: str = ""
    renews: str = ""

    @property
    def selectors(self) -> dict[str, str]:
        """What it chooses by."""
        return {field: getattr(self, field) for field in SELECTORS}


class Row(NamedTuple):
    """A waiver in the list, with how many findings it covers."""

    waiver: Any
    covered: Coverage


def who(connection: Connection, asked: Asked) -> str:
    """The person behind a request: the same one whether their browser or their token asks."""
    account = asked.viewer.account
    return (people.name_of(connection, account) if account is not None else "") or asked.viewer.name


def _list(asked: Asked) -> Response:
    query, scope, now = asked.query, asked.viewer.scope(), asked.site.now()
    shown = next((one for one in SHOWN if one == query.get("show")), None)
    words = {name: query.get(name, "")[:_LONGEST] for name in ("cluster", "namespace", "person")}
    with asked.site.store.reading() as connection:
        counts = numbers(connection, scope, now)
        shown = shown or ("asked" if counts["asked"] else "in-force")
        part = listed(connection, scope, Filter(shown, **words), now, Page(_ROWS, query.get("after", "")))
        rows = [Row(row, _covered(connection, asked, row)) for row in part.rows]
    return page(asked, "waivers.html", rows=rows, shown=shown, counts=counts, words=words, next=part.next)


def _covered(connection: Connection, asked: Asked, row: Any) -> Coverage:
    return coverage(connection, asked.viewer.scope(), selected_by(row), most=_LOOKED, sample=0)


def _new(asked: Asked) -> Response:
    with asked.site.store.reading() as connection:
        draft = _begun(connection, asked)
    return _form(asked, draft)


def _begun(connection: Connection, asked: Asked) -> Draft:
    """The form as it opens: for a finding, as another waiver was, or with what the URL chooses."""
    query, scope = asked.query, asked.viewer.scope()
    longest = timedelta(days=min(_USUAL_DAYS, asked.site.settings.waivers.longest_days))
    ends = (asked.site.now() + longest).date().isoformat()
    if query.get("finding"):
        found = findings.one(connection, scope, number_of(query["finding"]))
        if found is None:
            raise missing("finding")
        return _narrowed(asked, replace(_of_finding(found, query.get("breadth", "finding")), ends=ends), found.team)
    if query.get("renew"):
        row = waivers.one(connection, scope, number_of(query["renew"]))
        if row is None:
            raise missing("waiver")
        words = {field: getattr(row, field) for field in (*SELECTORS, "reason")}
        return Draft(cluster=row.cluster_name or "", ends=ends, renews=str(row.id), **words)
    words = {field: query.get(field, "")[:_LONGEST] for field in ("cluster", *SELECTORS)}
    return Draft(ends=ends, **words)


def _of_finding(found: FindingView, breadth: str) -> Draft:
    policy, _, rule = found.rule.rpartition("/")
    where = Draft(cluster=found.cluster, namespace=found.resource.namespace)
    named = replace(where, policy=policy or rule, rule=rule if policy else "")
    match breadth:
        case "object":
            return replace(named, kind=found.resource.kind, name=found.resource.name)
        case "namespace":
            return named
        case _:
            return replace(where, fingerprint=found.fingerprint)


def _narrowed(asked: Asked, draft: Draft, team: str) -> Draft:
    """The draft for the team alone, where its writer may ask for no more."""
    mine = admits_all(asked.viewer.scope("ask"), draft.cluster, draft.namespace, "")
    return draft if mine else replace(draft, team=team)


def _preview(asked: Asked) -> Response:
    return _form(asked, _sent(asked))


def _sent(asked: Asked) -> Draft:
    """The form as it was sent."""
    form = asked.form()
    words = {field: form.get(field, "").strip() for field in Draft.__dataclass_fields__}
    for field, value in words.items():
        if len(value) > _LONGEST:
            raise SpecError(f"`{field}` has more than {_LONGEST} characters", hint="Say it in fewer words.")
    return Draft(**words)


def _form(asked: Asked, draft: Draft, error: BartizanError | None = None, status: int = 200) -> Response:
    """The form with what it would cover; an `error` is told above what was written."""
    site, scope = asked.site, asked.viewer.scope()
    covered: Coverage | None = None
    with site.store.reading() as connection:
        names = [view.name for view in overview.fleet(connection, scope) if view.left_at is None]
        if any(draft.selectors.values()):
            number = _cluster(connection, asked, draft.cluster) if draft.cluster in ("", *names) else None
            if number is not None or not draft.cluster:
                covered = coverage(connection, scope, Selected(number, **draft.selectors))
    settings = site.settings.waivers
    today = site.now().date()
    return page(
        asked,
        "waiver_new.html",
        status,
        draft=draft,
        names=names,
        covered=covered,
        error=error,
        many=settings.many,
        first=today.isoformat(),
        last=(today + timedelta(days=settings.longest_days)).isoformat(),
        everywhere=asked.viewer.may("ask") and any(one.clusters is None for one in asked.viewer.scope("ask")),
    )


def _ask(asked: Asked) -> Response:
    draft = _sent(asked)
    site, now = asked.site, asked.site.now()

    def work(connection: Connection) -> int:
        return _asked_for(connection, asked, draft, now)

    try:
        number = site.store.write(work)
    except (SpecError, ForbiddenError) as error:
        return _form(asked, draft, error, 403 if isinstance(error, ForbiddenError) else 400)
    return RedirectResponse(f"/waivers/{number}", 303)


def _asked_for(connection: Connection, asked: Asked, draft: Draft, now: datetime) -> int:
    """Put a waiver in. Returns its number.

    Raises:
        SpecError: it cannot be asked for as it is written.
        ForbiddenError: its writer does not see all of what it is for.
    """
    cluster = _cluster(connection, asked, draft.cluster)
    if all(getattr(draft, field).strip("*") == "" for field in _CHOOSING):
        raise SpecError("this waiver would accept everything", hint="Choose findings by one field at least.")
    if not admits_all(asked.viewer.scope("ask"), draft.cluster, draft.namespace, draft.team):
        hint = "Name the cluster, namespace and team that are yours."
        raise ForbiddenError("this waiver is for more than you may ask for", hint=hint)
    ends_at = _end(draft.ends, now, asked.site.settings.waivers.longest_days)
    covered = coverage(connection, asked.viewer.scope(), Selected(cluster, **draft.selectors), sample=0)
    if (covered.more or covered.total > asked.site.settings.waivers.many) and asked.form().get("sure") != "yes":
        covers = f"{'more than ' if covered.more else ''}{covered.total:,}"
        hint = "Choose fewer, or say below that all of them are meant."
        raise SpecError(f"this waiver would cover {covers} findings", hint=hint)
    person = who(connection, asked)
    wanted = waivers.Asked(draft.selectors, cluster, draft.reason, person, ends_at)
    number = waivers.ask(connection, wanted, now)
    details = {key: value for key, value in draft.selectors.items() if value}
    details |= {"cluster": draft.cluster, "reason": draft.reason, "ends_at": ends_at.isoformat()}
    details |= {"renews": draft.renews} if draft.renews else {}
    recorded(asked, connection, "waiver.asked", f"waiver {number}", details)
    return number


def _end(text: str, now: datetime, longest_days: int) -> datetime:
    """The last moment of the day that a form names.

    Raises:
        SpecError: it is no day, over, or too far away.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise SpecError(f"`{text}` is no day", hint="Name the last day on which it holds, as 2026-12-31.") from error
    if day < now.date():
        raise SpecError(f"{day} is over", hint="Name a day to come.")
    if day > now.date() + timedelta(days=longest_days):
        raise SpecError(f"a waiver may hold for {longest_days} days at most", hint="Ask again when it ends.")
    return datetime.combine(day, _LAST_SECOND)


def _cluster(connection: Connection, asked: Asked, name: str) -> int | None:
    """The number of a cluster, and nothing for the whole fleet."""
    if not name:
        return None
    found = overview.fleet(connection, asked.viewer.scope(), name)
    if not found:
        raise missing(f"cluster `{name}`")
    return found[0].id


def number_of(text: str) -> int:
    """A number of a URL.

    Raises:
        NotThereError: nothing can have it.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS:
        raise missing("such number")
    return int(text)


ROUTES = (
    Route("GET", "/waivers", _list),
    Route("GET", "/waivers/new", _new, "ask"),
    Route("POST", "/waivers/preview", _preview, "ask"),
    Route("POST", "/waivers", _ask, "ask"),
)
