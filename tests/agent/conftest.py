"""A plane that is served over HTTP, on each engine, and agents whose clock stands where a test puts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.agent.cluster import Agent
from tests.agent.serving import Clock, Plane
from tests.stores.conftest import empty_url, server, sqlite_url, store, template, url
from tests.stores.fleet import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bartizan.stores.open import Store

__all__ = ["empty_url", "server", "sqlite_url", "store", "template", "url"]


@pytest.fixture
def clock() -> Clock:
    """The clock of everybody."""
    return Clock(START)


@pytest.fixture
def plane(store: Store, clock: Clock) -> Iterator[Plane]:
    """A plane with nobody in it."""
    served = Plane(store, clock)
    served.start()
    try:
        yield served
    finally:
        served.cut()


@pytest.fixture
def agents(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Agent]]:
    """Make agents, each in a folder by its name."""
    made: list[Agent] = []

    def make(plane: Any, name: str = "one", **more: Any) -> Agent:
        agent = Agent(plane.url, tmp_path / name, clock, name, **more)
        made.append(agent)
        return agent

    yield make
    for agent in made:
        agent.stop()
