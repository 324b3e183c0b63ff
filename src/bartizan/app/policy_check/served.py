"""A cluster asked about its kinds: the OpenAPI document of a group version, and which kinds have a name."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from bartizan.app.live import connect_to
from bartizan.engines.policy.cel.exact import Kind
from bartizan.model.report import Problem
from bartizan.sources.cluster import RefusedError
from bartizan.sources.cluster.discovery import discover

if TYPE_CHECKING:
    from bartizan.app.options import ClusterChoice
    from bartizan.base.json import Json
    from bartizan.sources.cluster import Cluster


class ServedKinds:
    """The kinds of a cluster. It is connected to when the first is asked for, and discovered only for bare names."""

    def __init__(self, choice: ClusterChoice) -> None:
        self._choice = choice

    @cached_property
    def _cluster(self) -> Cluster:
        return connect_to(self._choice)

    @cached_property
    def _kinds(self) -> tuple[Kind, ...]:
        found = discover(self._cluster)
        return tuple(Kind(item.group, item.version, item.kind) for item in found if not isinstance(item, Problem))

    def openapi(self, group: str, version: str) -> Json:
        """The OpenAPI v3 document of a group version; `None` where it is not served.

        Raises:
            SpecError: the kubeconfig or the context is not what it must be.
            SourceError: the server does not answer, or refuses to.
        """
        path = f"apis/{quote(group, safe='')}/{quote(version, safe='')}" if group else f"api/{quote(version, safe='')}"
        try:
            return self._cluster.get(f"/openapi/v3/{path}")
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def kinds(self, kind: str) -> list[Kind]:
        """The kinds of that name, each in the version that the server prefers."""
        return [item for item in self._kinds if item.kind == kind]

    def close(self) -> None:
        """End the connection, if there is one."""
        if "_cluster" in self.__dict__:
            self._cluster.close()
