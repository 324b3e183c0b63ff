"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import cluster, finding, findings, fleet, formula, resource, search

ROUTES = (
    *fleet.ROUTES,
    *cluster.ROUTES,
    *findings.ROUTES,
    *finding.ROUTES,
    *resource.ROUTES,
    *search.ROUTES,
    *formula.ROUTES,
)
