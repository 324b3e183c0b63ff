"""The doors of all pages, in the order of the navigation."""

from __future__ import annotations

from bartizan.plane.pages import fleet, framework, frameworks

ROUTES = (*fleet.ROUTES, *frameworks.ROUTES, *framework.ROUTES)
