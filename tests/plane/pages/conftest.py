"""Processes that try policies take a second to start: one pair serves all tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bartizan.app.trial.processes import Trials
from bartizan.plane.pages.playground import TrialRoom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.plane.site import Site


@pytest.fixture(scope="session")
def trials() -> Iterator[Trials]:
    """Processes, of which one is ready."""
    made = Trials()
    made.warm()
    yield made
    made.close()


@pytest.fixture
def room(site: Site, trials: Trials) -> TrialRoom:
    """The room of a site, with processes that are ready."""
    site.rooms["trials"] = made = TrialRoom(trials=trials)
    return made
