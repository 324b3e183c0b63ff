"""Every page that people look at: whoever adds a page adds a line, and all checks hold for it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Shown(NamedTuple):
    """A page. In `path`, `{finding}` and the like are numbers of the seeded world; see `seed.World.places`.

    `picture` names the screenshot of it in the docs, where it has one.
    """

    path: str
    picture: str = ""


PAGES: Final = (
    Shown("/", "fleet"),
    Shown("/?state=unknown&sort=seen"),
    Shown("/?q=nothing-is-called-so"),
    Shown("/clusters/production-eu", "cluster"),
    Shown("/clusters/edge"),
    Shown("/clusters/odd"),
    Shown("/clusters/production-eu/namespaces/shop"),
    Shown("/clusters/production-eu/namespaces/"),
    Shown("/clusters/odd/namespaces/{odd_namespace}?kind=Deployment"),
    Shown("/findings", "findings"),
    Shown("/findings?cluster=odd&state=any"),
    Shown("/findings?rule=no-such-rule"),
    Shown("/findings/{finding}", "finding"),
    Shown("/findings/{odd_finding}"),
    Shown("/resources/{resource}", "resource"),
    Shown("/resources/{resource}?risky=1"),
    Shown("/resources/{odd}"),
    Shown("/search?q=web"),
    Shown("/search"),
    Shown("/formula"),
    Shown("/frameworks"),
    Shown("/frameworks/kubernetes-checklist"),
    Shown("/policies"),
    Shown("/policies/{rule}"),
    Shown("/trends"),
    Shown("/trends/why"),
    Shown("/compare?here=staging&there=edge"),
    Shown("/teams"),
    Shown("/delivery"),
    Shown("/waivers"),
    Shown("/waivers/new?finding={finding}"),
)
