"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import fleet, playground, waiver, waivers, what_if

ROUTES = (*fleet.ROUTES, *waivers.ROUTES, *waiver.ROUTES, *playground.ROUTES, *what_if.ROUTES)
