"""What the options of several commands name, read once: values, users, waivers, clusters and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.app.files import read_document
from bartizan.app.user_info import read_user_info
from bartizan.app.values import EMPTY, Values, read_values

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.app.images.registry import RegistryLookup
    from bartizan.app.supply import Live
    from bartizan.model.request import UserInfo
    from bartizan.model.waiver import Waiver


class ClusterChoice(NamedTuple):
    """Which cluster, if any, and what of it. `current` is the one that kubectl talks to."""

    current: bool = False
    context: str | None = None
    kubeconfig: Path | None = None
    in_cluster: bool = False
    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    selector: str = ""

    @property
    def is_made(self) -> bool:
        """Whether a cluster is named at all."""
        return bool(self.current or self.context or self.kubeconfig or self.in_cluster)


NO_CLUSTER: Final = ClusterChoice()


def values_in(path: Path | None) -> Values:
    """The answers of a Values file; none without one.

    Raises:
        SpecError: it is not what it must be.
    """
    return read_document(path, read_values) if path else EMPTY


def user_in(path: Path | None) -> UserInfo | None:
    """Who asks, by a UserInfo file; nobody without one.

    Raises:
        SpecError: it is not what it must be.
    """
    return read_document(path, read_user_info) if path else None


def waivers_in(path: Path | None) -> tuple[Waiver, ...]:
    """The findings that a waiver file accepts; none without one.

    Raises:
        SpecError: it is not what it must be.
    """
    if path is None:
        return ()
    from bartizan.findings import read_waivers

    return read_document(path, read_waivers)


def live_of(choice: ClusterChoice) -> Live | None:
    """The cluster that was chosen, connected.

    Raises:
        SpecError: the kubeconfig or the context is not what it must be.
        SourceError: the server does not answer.
    """
    if not choice.is_made:
        return None
    from bartizan.app.live import connect_live  # brings the client, which most runs do without

    return connect_live(choice)


def registries(choice: ClusterChoice, *, asked: bool) -> RegistryLookup | None:
    """Registries for a run without a cluster, whose own lookup asks them already."""
    if not asked or choice.is_made:
        return None
    from bartizan.app.images.registry import registries_only  # brings the client, which most runs do without

    return registries_only()
