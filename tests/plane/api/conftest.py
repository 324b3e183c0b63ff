"""Programs that talk to a plane by token, each of somebody with a role."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient
from tests.plane.conftest import NOW

from bartizan.plane.application import application
from bartizan.stores import people
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx import Response
    from sqlalchemy import Connection

    from bartizan.plane.site import Site
    from bartizan.plane.viewer import Role

ALL_SCOPES = ("read", "ask", "operate", "approve", "administer")


class Program:
    """A program with a token."""

    def __init__(self, site: Site, token: str) -> None:
        self.client = TestClient(application(site), base_url="http://plane.test", follow_redirects=False)
        self.token = token
        if token:
            self.client.headers["authorization"] = f"Bearer {token}"

    def send(self, method: str, path: str, **more: Any) -> Response:
        """Send a request."""
        return self.client.request(method, f"/api/v1{path}", **more)

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """What is answered to a question."""
        answer = self.send("GET", path, params=query)
        assert answer.status_code == status, answer.text[:2000]
        return answer.json()

    def post(self, path: str, body: Any, status: int = 201, **headers: str) -> Any:
        """What is answered to a change."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.send("POST", path, json=body, headers=named)
        assert answer.status_code == status, answer.text[:2000]
        return answer.json()


@pytest.fixture
def program(site: Site) -> Callable[..., Program]:
    """Make a program of somebody with a role, everywhere or within a grant; its token may have fewer scopes."""
    accounts: dict[str, int] = {}

    def make(
        role: Role = "admin", grant: Grant | None = None, name: str = "", scopes: tuple[str, ...] = ALL_SCOPES
    ) -> Program:
        secret, person = secrets.token_urlsafe(16), name or f"{role}-{secrets.token_hex(4)}"

        def work(connection: Connection) -> None:
            if person not in accounts:
                accounts[person] = people.add_account(connection, person, NOW)
                people.give_role(connection, role, grant or Grant(), accounts[person])
            people.add_token(connection, secret, NOW, name="t", account=accounts[person], scopes=list(scopes))

        site.store.write(work)
        return Program(site, secret)

    return make
