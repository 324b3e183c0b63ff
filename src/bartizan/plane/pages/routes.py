"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import (
    cluster,
    compare,
    delivery,
    finding,
    findings,
    fleet,
    formula,
    framework,
    frameworks,
    policies,
    policy,
    resource,
    search,
    teams,
    trends,
    waiver,
    waivers,
    why,
)

ROUTES = (
    *fleet.ROUTES,
    *cluster.ROUTES,
    *findings.ROUTES,
    *finding.ROUTES,
    *resource.ROUTES,
    *search.ROUTES,
    *formula.ROUTES,
    *frameworks.ROUTES,
    *framework.ROUTES,
    *policies.ROUTES,
    *policy.ROUTES,
    *trends.ROUTES,
    *why.ROUTES,
    *compare.ROUTES,
    *teams.ROUTES,
    *delivery.ROUTES,
    *waivers.ROUTES,
    *waiver.ROUTES,
)
