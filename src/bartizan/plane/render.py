"""Pages out of templates: everything that is put in is escaped, and a name that is missing is an error."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from bartizan.findings.score import percent, points
from bartizan.model.ledger import Verdict
from bartizan.model.severity import Severity
from bartizan.outputs.text import printable
from bartizan.plane.people.identity import form_token

if TYPE_CHECKING:
    from fractions import Fraction

    from bartizan.plane.assets import Assets
    from bartizan.plane.site import Asked

_SPANS: Final = (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1)))
_NAME: Final = 40
"""Characters of a name in a row of a table; the longest has 253."""
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
        "minute": partial(_moment, form="%Y-%m-%d %H:%M UTC"),
        "segment": _segment,
        "clipped": _clipped,
        "worded": _worded,
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


def page(asked: Asked, template: str, status: int = 200, **given: Any) -> Response:
    """Render a page for who asks; one that they have already is not sent again."""
    return answered(asked, text(asked, template, **given), status)


def answered(asked: Asked, content: str, status: int = 200) -> Response:
    """A page as an answer. What differs only within the minute is the same page: its foot tells the minute."""
    tag = f'W/"{blake2b(content.encode(), digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "HX-Request, Cookie"}
    if status == 200 and asked.request.method == "GET":
        headers["ETag"] = tag
        if tag in asked.request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    return HTMLResponse(content, status, headers)


def text(asked: Asked, template: str, **given: Any) -> str:
    """The text of a page, or of the part of one that a script puts in."""
    site, viewer = asked.site, asked.viewer
    theme = asked.request.cookies.get(THEME, "")
    common = {
        "viewer": viewer,
        "now": site.now(),
        "here": asked.request.url.path,
        "query": defaultdict(str, asked.query),  # what was not said is empty
        "address": linked(asked),
        "linked": partial(linked, asked),
        "theme": theme if theme in ("light", "dark") else "",
        "form_token": form_token(site, viewer.session) if viewer.session else "",
    }
    return site.templates.get_template(template).render(common | given)


def linked(asked: Asked, **changes: Any) -> str:
    """This page's own address with some of its query changed; what is made empty is left out."""
    query = {**dict(asked.query), **changes}
    kept = urlencode({key: value for key, value in query.items() if value not in ("", None)})
    raw = asked.request.scope.get("raw_path") or asked.request.url.path.encode()
    path = "/" + quote(raw.partition(b"?")[0], safe="/%").lstrip("/")
    return f"{path}?{kept}" if kept else path


def _segment(name: str) -> str:
    """A name as one part of a path, whatever is in it."""
    return quote(name, safe="")


def _clipped(name: str) -> str:
    """A name that fits in a row, harmless: of a long one both ends, for ends tell names apart."""
    shown = printable(name)
    return shown if len(shown) <= _NAME else f"{shown[: _NAME * 2 // 3]}…{shown[-_NAME // 4 :]}"


def _worded(words: str) -> Markup:
    """Words of ours or of a policy, with what stands in backticks as code."""
    parts = printable(" ".join(words.split())).split("`")
    if len(parts) % 2 == 0:  # one backtick is alone
        parts[-2:] = ["`".join(parts[-2:])]
    marked = (Markup("<code>{}</code>").format(part) if n % 2 else escape(part) for n, part in enumerate(parts))
    return Markup("").join(marked)


def _per_cent(value: Fraction | None) -> str:
    """A share for people; a dash where there was nothing to count."""
    return f"{percent(value)} %" if value is not None else "\N{EN DASH}"


def _moment(at: datetime | None, form: str = "%Y-%m-%d %H:%M:%S UTC") -> Markup:
    """A time with its zone, for machines and for people."""
    if at is None:
        return Markup("never")
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime(form))


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
