"""The doors of the rooms about people."""

from __future__ import annotations

from bartizan.plane.people import accounts, entering, local, log, sessions, tokens
from bartizan.plane.people.oidc import doors as oidc

ROUTES = (
    *entering.ROUTES,
    *local.ROUTES,
    *oidc.ROUTES,
    *sessions.ROUTES,
    *accounts.ROUTES,
    *tokens.ROUTES,
    *log.ROUTES,
)
