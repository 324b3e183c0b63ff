"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import fleet, waiver, waivers

ROUTES = (*fleet.ROUTES, *waivers.ROUTES, *waiver.ROUTES)
