"""The doors of the rooms about people."""

from __future__ import annotations

from bartizan.plane.people import entering

ROUTES = (*entering.ROUTES,)
