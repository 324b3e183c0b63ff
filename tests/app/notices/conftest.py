"""A store on each engine, and services that run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.app.notices import services
from tests.app.notices.plane import Plane
from tests.stores.conftest import server, sqlite_url, store, template, url

from bartizan.app.notices import open_ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.app.notices import Ways
    from bartizan.stores.open import Store

__all__ = ["server", "sqlite_url", "store", "template", "url"]


@pytest.fixture
def web() -> Iterator[services.Web]:
    """Slack, Teams, PagerDuty, xMatters and a webhook, each below its own path."""
    with services.web() as running:
        yield running


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> services.Trust:
    """A certificate of the tests."""
    return services.trust(tmp_path_factory.mktemp("trust"))


@pytest.fixture
def ways(web: services.Web, trust: services.Trust) -> Iterator[Ways]:
    """The ways out, with the secrets of the tests in the environment."""
    environment = {
        "SLACK_URL": f"{web.url}/slack/T0/B0/hush-hush",
        "TEAMS_URL": f"{web.url}/teams/workflows/hush",
        "PAGER_KEY": "0123456789abcdef0123456789abcdef",
        "HOOK_SECRET": "a secret of both",
        "XM_PASSWORD": "of xmatters",
        "MAIL_PASSWORD": "of the mail",
    }
    with open_ways(environment, trust.client) as opened:
        yield opened


@pytest.fixture
def plane(store: Store, ways: Ways) -> Plane:
    """A plane with nothing in it, whose clock the test moves."""
    return Plane(store, ways)
