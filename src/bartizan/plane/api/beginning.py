"""Where a program begins: which plane this is, who it is here, and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

import bartizan
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.viewer import MAY

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PERMISSIONS: Final = ("see", "ask", "operate", "approve", "administer")


class Granted(msgspec.Struct, frozen=True):
    """A role, and where: null stands for all clusters, namespaces or teams."""

    role: Literal["viewer", "operator", "approver", "admin"]
    clusters: tuple[str, ...] | None
    namespaces: tuple[str, ...] | None
    teams: tuple[str, ...] | None


class Beginning(msgspec.Struct, frozen=True):
    """This plane, and you in it. `permissions` are what you may do somewhere."""

    version: str
    name: str
    permissions: tuple[Literal["see", "ask", "operate", "approve", "administer"], ...]
    roles: list[Granted]
    document: str = "/api/v1/openapi.json"


def _begin(call: Call[Nothing, Nothing], _connection: Connection) -> Told:
    viewer = call.asked.viewer
    roles = [Granted(role, one.clusters, one.namespaces, one.teams) for role, one in viewer.roles if role in MAY]
    may = tuple(one for one in _PERMISSIONS if viewer.may(one))
    return Told(Beginning(bartizan.__version__, viewer.name, may, roles))  # type: ignore[arg-type]  # as above


OPERATIONS: Final = (
    Operation(
        name="begin", method="GET", path="", tag="Beginning", answer=Beginning,
        summary="Which plane this is, and what you may do in it", handle=_begin,
    ),
)  # fmt: skip  # a line says what, another does how
