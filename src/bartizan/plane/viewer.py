"""Who looks, and what they may: roles, each within a grant of clusters, namespaces and teams."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bartizan.stores.scope import Grant, Scope, admits

if TYPE_CHECKING:
    from collections.abc import Mapping

Role: TypeAlias = Literal["viewer", "operator", "approver", "admin"]
Permission: TypeAlias = Literal["see", "ask", "operate", "approve", "administer"]
"""See what is there and why; ask for waivers; let clusters join and have them checked; decide on waivers and attest;
accounts, roles, tokens of others and the audit log."""

MAY: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        "viewer": frozenset({"see", "ask"}),
        "operator": frozenset({"see", "ask", "operate"}),
        "approver": frozenset({"see", "ask", "approve"}),
        "admin": frozenset({"see", "ask", "operate", "approve", "administer"}),
    }
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person or a program, signed in.

    `permissions` bounds what the roles give: a token may be for reading only.
    `session` says that a browser sends the credential by itself, so that a
    change needs the form's own token too. `token` is the number of the token
    that a program sent in a person's name: the name stays the person's, so
    that who asks for a waiver cannot approve it through a token.
    """

    name: str
    roles: tuple[tuple[Role, Grant], ...]
    account: int | None = None
    permissions: frozenset[Permission] = MAY["admin"]
    session: str = ""
    token: int | None = None

    def scope(self, permission: Permission = "see") -> Scope:
        """Where they have a permission."""
        if permission not in self.permissions:
            return ()
        return tuple(dict.fromkeys(grant for role, grant in self.roles if permission in MAY[role]))

    def may(self, permission: Permission, where: tuple[str, str, str] | None = None) -> bool:
        """Whether they have a permission anywhere or, where a cluster, namespace and team are given, there."""
        scope = self.scope(permission)
        return bool(scope) if where is None else admits(scope, where)

    def may_everywhere(self, permission: Permission) -> bool:
        """Whether they have a permission over the whole fleet."""
        return Grant() in self.scope(permission)
