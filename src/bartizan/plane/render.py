"""Pages out of templates: everything that is put in is escaped, and a name that is missing is an error."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from bartizan.findings.score import percent, points
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.plane.people.identity import form_token

if TYPE_CHECKING:
    from fractions import Fraction

    from bartizan.plane.assets import Assets
    from bartizan.plane.site import Asked

_SPANS: Final = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
THEME: Final = "bartizan_theme"


def templates(assets: Assets) -> Environment:
    """The templates with all that they may call."""
    made = Environment(
        loader=PackageLoader("bartizan.plane"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = assets.url
    made.filters |= {
        "per_cent": _per_cent,
        "moment": _moment,
        "day": lambda at: at.date().isoformat() if at else "",
        "count": lambda number: f"{number:,}",
        "severity": lambda number: Severity(number).label,
        "verdict": lambda number: Verdict(number).name.lower(),
        "since": _since,
        "span": span,
        "points": points,
        "last_day": lambda at: (at - timedelta(microseconds=1)).date().isoformat(),
        "picture": Markup,  # only for charts, which escape what they are given
    }
    return made


def page(asked: Asked, template: str, status: int = 200, **given: Any) -> HTMLResponse:
    """Render a page for who asks."""
    return HTMLResponse(text(asked, template, **given), status, headers={"Cache-Control": "private, no-cache"})


def text(asked: Asked, template: str, **given: Any) -> str:
    """The text of a page, or of the part of one that a script puts in."""
    site, viewer = asked.site, asked.viewer
    theme = asked.request.cookies.get(THEME, "")
    common = {
        "viewer": viewer,
        "now": site.now(),
        "here": asked.request.url.path,
        "query": dict(asked.query),
        "theme": theme if theme in ("light", "dark") else "",
        "form_token": form_token(site, viewer.session) if viewer.session else "",
    }
    return site.templates.get_template(template).render(common | given)


def _per_cent(value: Fraction | None) -> str:
    """A share for people; a dash where there was nothing to count."""
    return f"{percent(value)} %" if value is not None else "\N{EN DASH}"


def _moment(at: datetime | None) -> Markup:
    """A time with its zone, for machines and for people."""
    if at is None:
        return Markup("never")
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime("%Y-%m-%d %H:%M:%S UTC"))


def span(time: timedelta | None) -> str:
    """A stretch of time in its two largest units; a dash where it is not known."""
    if time is None:
        return "\N{EN DASH}"
    minutes = round(time / timedelta(minutes=1))
    if minutes < 1:
        return f"{time.total_seconds():.0f} s"
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _since(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    if at is None:
        return "never"
    passed = now - at
    for word, span in _SPANS:
        if passed >= span:
            number = passed // span
            return f"{number} {word}{'s' if number > 1 else ''} ago"
    return "just now"
