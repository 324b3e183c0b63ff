"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import compare, delivery, fleet, framework, frameworks, policies, policy, teams, trends, why

ROUTES = (
    *fleet.ROUTES,
    *frameworks.ROUTES,
    *framework.ROUTES,
    *policies.ROUTES,
    *policy.ROUTES,
    *trends.ROUTES,
    *why.ROUTES,
    *compare.ROUTES,
    *teams.ROUTES,
    *delivery.ROUTES,
)
