"""What-if: a new or changed policy over all that the viewer may see, before anybody enforces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.responses import RedirectResponse

from bartizan.app.trial.jobs import Job
from bartizan.app.trial.wire import POLICY_BYTES
from bartizan.base.errors import BartizanError, SpecError
from bartizan.catalog import load_catalog
from bartizan.outputs.charts import Part, stacked
from bartizan.plane.pages.playground import begun, check_length, owner_of, policy_of, room_of
from bartizan.plane.render import page
from bartizan.plane.site import Asked, Route, missing

if TYPE_CHECKING:
    from starlette.responses import Response

    from bartizan.app.trial.outlook import Place, RuleOutlook

_PLACES: Final = 50


class RuleRow(NamedTuple):
    """A rule with its picture."""

    outlook: RuleOutlook
    picture: str


class PlaceRow(NamedTuple):
    """Where objects would fail, and how many."""

    place: Place
    rule: str
    number: int


def _begin(asked: Asked) -> Response:
    return _form(asked, begun(asked))


def _form(asked: Asked, policy: str, error: BartizanError | None = None) -> Response:
    return page(
        asked,
        "what_if.html",
        400 if error else 200,
        policy=policy,
        error=error,
        checks=sorted(name for name, spec in load_catalog().checks.items() if not spec.template),
        jobs=_mine(asked),
    )


def _start(asked: Asked) -> Response:
    form, site = asked.form(), asked.site
    policy = form.get("policy", "").replace("\r\n", "\n")
    if form.get("do") == "start":
        return _form(asked, policy_of(form.get("check", "")))
    job = Job(owner_of(asked), asked.viewer.scope(), policy, site.now())
    try:
        if not policy.strip():
            raise SpecError("there is no policy in this text", hint="Paste one, or choose a file or a check.")
        check_length("policy", policy, POLICY_BYTES)
        room_of(site).jobs.start(job, site.store)
    except BartizanError as error:
        return _form(asked, policy, error)
    return RedirectResponse(f"/what-if/{job.id}", 303)


def _one(asked: Asked) -> Response:
    job = _job(asked)
    outlook = job.outlook
    names = [one.rule.name for one in outlook.rules]
    return page(
        asked,
        "what_if_job.html",
        job=job,
        rules=[RuleRow(one, _picture(one)) for one in outlook.rules],
        places=[PlaceRow(place, names[place.rule], number) for place, number in outlook.worst_places(_PLACES)],
        more_places=max(0, len(outlook.places) - _PLACES),
        elsewhere=outlook.elsewhere,
    )


def _cancel(asked: Asked) -> Response:
    job = _job(asked)
    job.cancel()
    return RedirectResponse(f"/what-if/{job.id}", 303)


def _picture(one: RuleOutlook) -> str:
    parts = (
        Part("pass", one.counts["pass"], "good"),
        Part("fail", one.counts["fail"], "bad"),
        Part("warn", one.counts["warn"], "warn"),
        Part("change", one.counts["change"], "accepted"),
        Part("unknown", one.counts["error"], "unknown"),
    )
    return stacked(f"What {one.rule.name} would say", parts)


def _job(asked: Asked) -> Job:
    """The viewer's job of that id, while they may still see all that it saw."""
    job = room_of(asked.site).jobs.find(owner_of(asked), asked.path["job"])
    if job is None or job.scope != asked.viewer.scope():
        raise missing("what-if of yours")
    return job


def _mine(asked: Asked) -> list[Job]:
    scope = asked.viewer.scope()
    return [job for job in room_of(asked.site).jobs.of(owner_of(asked)) if job.scope == scope]


ROUTES = (
    Route("GET", "/what-if", _begin),
    Route("POST", "/what-if", _start, body_bytes=4 * POLICY_BYTES),
    Route("GET", "/what-if/{job}", _one),
    Route("POST", "/what-if/{job}/cancel", _cancel),
)
