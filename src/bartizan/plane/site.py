"""What every handler is given: the site, who asks, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from bartizan.base.errors import BartizanError, SpecError
from bartizan.plane.recent import Recent

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Environment
    from starlette.datastructures import QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    from bartizan.app.settings import Settings
    from bartizan.plane.assets import Assets
    from bartizan.plane.limits import Limit
    from bartizan.plane.measures import Measures
    from bartizan.plane.viewer import Permission, Viewer
    from bartizan.stores.ingest import Ingest
    from bartizan.stores.open import Store

_FIELDS: int = 200
"""Fields of a form; the longest here has twenty."""
_LAST: int = 2**63 - 1


def _measures() -> Measures:
    from bartizan.plane.measures import Measures  # late: it asks of sites itself

    return Measures()


@dataclass(frozen=True, slots=True)
class Site:
    """One process of the plane. `key` digests secrets and signs; `now` is the clock, in UTC."""

    store: Store
    ingest: Ingest
    key: bytes
    settings: Settings
    now: Callable[[], datetime]
    templates: Environment
    assets: Assets
    measures: Measures = field(default_factory=_measures)
    recent: Recent = field(default_factory=Recent)
    rooms: dict[str, Any] = field(default_factory=dict)
    """What runs beside the pages in this process, by name: `watch` where clusters are watched from here."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` are the parts of the URL that a route names."""

    site: Site
    viewer: Viewer
    request: Request
    body: bytes = b""

    @property
    def path(self) -> dict[str, Any]:
        """The named parts of the URL."""
        return self.request.path_params

    @property
    def query(self) -> QueryParams:
        """What stands behind the question mark."""
        return self.request.query_params

    def form(self) -> dict[str, str]:
        """The fields of a form that was sent; of several of one name the last.

        Raises:
            SpecError: it is no form.
        """
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
        except (UnicodeDecodeError, ValueError) as error:
            raise SpecError("the form cannot be read", hint="Send it as a browser does.") from error
        return dict(pairs)


Handler: TypeAlias = Callable[[Asked], "Response"]


class Route(NamedTuple):
    """A door. `needs` is what a viewer must be allowed somewhere; `None` opens to everybody.

    `surface` says in which words a refusal is told: as a page, or as JSON.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    needs: Permission | None = "see"
    surface: Literal["page", "api"] = "page"
    body_bytes: int = 1 << 20
    """What a body may be at most."""
    limit: Limit | None = None
    """How often it opens; see `limits`."""


class NotThereError(BartizanError):
    """There is nothing of that name, or nothing that this viewer may see: the two are told in the same words."""


class ForbiddenError(BartizanError):
    """The viewer may see it, and may not do it."""


def numbered(asked: Asked, what: str) -> int:
    """The number that a path names.

    Raises:
        NotThereError: no store counts that far.
    """
    number: int = asked.path["number"]
    if number > _LAST:
        raise missing(what)
    return number


def missing(what: str) -> NotThereError:
    """Say that something is not there."""
    return NotThereError(f"there is no {what} here", hint="It may have gone, or not be yours to see.")
