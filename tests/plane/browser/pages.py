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
    Shown("/frameworks", "frameworks"),
    Shown("/frameworks/kubernetes-checklist", "framework"),
    Shown("/frameworks/pod-security?cluster=production-eu"),
    Shown("/policies", "policies"),
    Shown("/policies?q=no-such-rule"),
    Shown("/policies/{rule}", "policy"),
    Shown("/policies/privileged-container?cluster=odd"),
    Shown("/trends?days=90", "trends"),
    Shown("/trends?framework=nsa-cisa&cluster=production-eu"),
    Shown("/trends/why?from=2026-03-08", "why"),
    Shown("/trends/why?framework=nsa-cisa&cause=findings"),
    Shown("/compare"),
    Shown("/compare?here=production-eu&there=production-us", "compare"),
    Shown("/compare?here=odd&then=2026-03-20"),
    Shown("/delivery", "delivery"),
    Shown("/teams", "teams"),
    Shown("/teams/{odd_team}"),
    Shown("/waivers", "waivers"),
    Shown("/waivers?show=ended&cluster=nowhere"),
    Shown("/waivers/new?finding={finding}&breadth=namespace", "waiver-new"),
    Shown("/waivers/new"),
    Shown("/waivers/{waiver_asked}"),
    Shown("/waivers/{waiver_held}", "waiver"),
    Shown("/playground?resource={resource}&check=privileged-container"),
    Shown("/playground?q=web"),
    Shown("/what-if?check=privileged-container"),
    Shown("/clusters", "clusters"),
    Shown("/clusters/edge/going"),
    Shown("/messages", "messages"),
    Shown("/messages?state=sent"),
)
