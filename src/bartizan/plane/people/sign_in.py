"""What the settings say of sign-in: the provider of OpenID Connect, and what its groups may.

    sign_in:
      issuer: https://login.example.com
      client_id: bartizan
      client_secret_env: BARTIZAN_CLIENT_SECRET
      roles:
        - {group: security, role: approver}
        - {group: payments, role: operator, teams: [payments]}

Secrets are named and never written here. Local accounts stay beside the
provider, for the day it is away, unless `local` is false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

import msgspec

from bartizan.base.errors import SpecError
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from bartizan.plane.site import Site

EVERYBODY: Final = "*"
"""The group of all who sign in by the provider."""
_ROOM: Final = "sign_in"
_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class GroupRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role for a group, within clusters, namespaces and teams; everywhere where none is named."""

    group: str
    role: Literal["viewer", "operator", "approver", "admin"]
    clusters: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None

    @property
    def grant(self) -> Grant:
        """What the role is for."""
        return Grant(self.clusters, self.namespaces, self.teams)


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people sign in. A claim may be a path, as in `realm_access.roles`."""

    issuer: str = ""
    client_id: str = ""
    client_secret_env: str = ""
    client_secret_file: str = ""
    name: str = "Single sign-on"
    """What the button says."""
    scopes: tuple[str, ...] = ("openid", "profile", "email", "groups")
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    roles: tuple[GroupRole, ...] = ()
    local: bool = True
    clock_skew_s: int = 60
    timeout_s: int = 10

    def __post_init__(self) -> None:
        """Refuse what the fields alone cannot.

        Raises:
            ValueError: a provider is half named, not asked for in a way that can be trusted, or nobody could come in.
        """
        if bool(self.issuer) != bool(self.client_id):
            raise ValueError("`issuer` and `client_id` need each other")
        if self.issuer and not _is_safe(self.issuer):
            raise ValueError("`issuer` is an https URL, or http on this machine")
        if self.issuer and "openid" not in self.scopes:
            raise ValueError("`scopes` need `openid`")
        if self.client_secret_env and self.client_secret_file:
            raise ValueError("a client secret is in one of `client_secret_env` and `client_secret_file`")
        if not self.local and not self.issuer:
            raise ValueError("`local` is false and there is no `issuer`: nobody could sign in")
        if not 0 <= self.clock_skew_s <= 600 or not 1 <= self.timeout_s <= 60:
            raise ValueError("`clock_skew_s` is up to 600, and `timeout_s` from 1 to 60")


def read_sign_in(told: Mapping[str, Any]) -> SignIn:
    """Read the part of the settings about sign-in; local accounts alone where it says nothing.

    Raises:
        SpecError: it says what cannot be meant.
    """
    try:
        return msgspec.convert(dict(told), SignIn)
    except msgspec.ValidationError as error:
        hint = "See `docs/how-to/sign-in.md` for what may be said."
        raise SpecError(f"`sign_in` in the settings cannot be used: {error}", hint=hint) from error


def sign_in_of(site: Site) -> SignIn:
    """How people sign in to this plane; read once.

    Raises:
        SpecError: as `read_sign_in`.
    """
    known: SignIn | None = site.rooms.get(_ROOM)
    if known is None:
        known = site.rooms[_ROOM] = read_sign_in(site.settings.sign_in)
    return known


def roles_of_groups(site: Site, groups: Sequence[str]) -> Iterator[tuple[str, Grant]]:
    """The roles that the settings give to groups. They are not kept: what is taken out of a file is gone."""
    if groups:
        mine = set(groups)
        yield from ((one.role, one.grant) for one in sign_in_of(site).roles if one.group in mine)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
    return bool(parts.netloc) and not parts.query and not parts.fragment and (parts.scheme == "https" or local)
