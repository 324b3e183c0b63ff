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
    Shown("/clusters/production-eu/namespaces/shop", "namespace"),
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
    Shown("/search?q=web", "search"),
    Shown("/search"),
    Shown("/formula"),
    Shown("/frameworks", "frameworks"),
    Shown("/frameworks/kubernetes-checklist", "framework"),
    Shown("/policies", "policies"),
    Shown("/policies/{rule}", "policy"),
    Shown("/trends", "trends"),
    Shown("/trends/why", "why"),
    Shown("/compare?here=staging&there=edge", "compare"),
    Shown("/teams"),
    Shown("/delivery", "delivery"),
    Shown("/waivers", "waivers"),
    Shown("/waivers/new?finding={finding}", "waiver-new"),
)
