"""Accounts as administrators see and change them, and as a sign-in provider names them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from sqlalchemy import and_, delete, select, update

from bartizan.stores.bulk import storable, unless_there
from bartizan.stores.people import add_account
from bartizan.stores.queries.pages import Page, Part, paged
from bartizan.stores.schema import account, role, token
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

LINKS: Final = ("enter", "password")
"""Scopes of tokens that are links: they open a door once, and are no token of the interface."""


class Given(NamedTuple):
    """A role that was given, by number; `group` is empty where it is an account's own."""

    number: int
    role: str
    grant: Grant
    group: str


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account. A local one has no `issuer`; it has a password once its person has chosen one."""

    number: int
    name: str
    email: str
    issuer: str
    has_password: bool
    disabled: bool
    created_at: datetime
    signed_in_at: datetime | None
    groups: tuple[str, ...]
    roles: tuple[Given, ...]


class Person(NamedTuple):
    """Who signs in, as a provider says."""

    issuer: str
    subject: str
    name: str
    email: str
    groups: tuple[str, ...]


def accounts(connection: Connection, page: Page) -> Part[AccountView]:
    """Accounts with their roles, the newest first."""
    part = paged(connection, select(account), [account.c.id], page, lambda row: row)
    given = _given(connection, [row.id for row in part.rows])
    return Part([_read(row, given) for row in part.rows], part.next)


def one(connection: Connection, number: int) -> AccountView | None:
    """An account by its number, disabled or not."""
    row = connection.execute(select(account).where(account.c.id == number)).one_or_none()
    return None if row is None else _read(row, _given(connection, [number]))


def named(connection: Connection, name: str) -> Row[*tuple[Any, ...]] | None:
    """An account by its name, disabled or not."""
    return connection.execute(select(account).where(account.c.name == storable(name))).one_or_none()


def group_roles(connection: Connection) -> list[Given]:
    """The roles that groups of the sign-in provider have."""
    wanted = select(role).where(role.c.account.is_(None)).order_by(role.c.group, role.c.id)
    return [_role(row) for row in connection.execute(wanted)]


def take_role(connection: Connection, number: int, account_number: int | None) -> Given | None:
    """Take a role from an account or, where none is named, from a group. Returns what was taken."""
    whose = role.c.account.is_(None) if account_number is None else role.c.account == account_number
    gone = delete(role).where(role.c.id == number, whose).returning(role.c.id, role.c.role, role.c.grant, role.c.group)
    row = connection.execute(gone).one_or_none()
    return None if row is None else _role(row)


def disable(connection: Connection, number: int, disabled: bool) -> None:
    """Shut an account, or open it again."""
    connection.execute(update(account).where(account.c.id == number).values(disabled=disabled))


def kept_password(connection: Connection, number: int) -> Row[*tuple[Any, ...]] | None:
    """The hash of an account's password, unless it is disabled."""
    mine = and_(account.c.id == number, account.c.disabled.is_(False), account.c.password_hash != "")
    return connection.execute(select(account.c.password_hash).where(mine)).one_or_none()


def set_password(connection: Connection, number: int, hashed: str) -> None:
    """Keep the hash of a new password."""
    connection.execute(update(account).where(account.c.id == number).values(password_hash=hashed))


def signed_in(connection: Connection, number: int, at: datetime) -> None:
    """Say that somebody signed in."""
    connection.execute(update(account).where(account.c.id == number).values(signed_in_at=at))


def meet(connection: Connection, person: Person, at: datetime) -> tuple[int, bool] | None:
    """The account of somebody whom a provider sends, made where it is their first time; nothing if it is disabled.

    Returns its number, and whether it is new. A name that is taken stays
    whose it was: the newcomer's is told apart by what the provider knows.
    """
    mine = and_(account.c.issuer == storable(person.issuer), account.c.subject == storable(person.subject))
    row = connection.execute(select(account).where(mine).with_for_update()).one_or_none()
    if row is not None and row.disabled:
        return None
    if row is None:
        name = _free_name(connection, person)
        number = add_account(connection, name, at, email=person.email, issuer=person.issuer, subject=person.subject)
    else:
        number = int(row.id)
    values = {"email": storable(person.email), "groups": list(map(storable, person.groups)), "signed_in_at": at}
    connection.execute(update(account).where(account.c.id == number).values(values))
    return number, row is None


def tokens_of(connection: Connection, number: int) -> list[Row[*tuple[Any, ...]]]:
    """The tokens of an account, the newest first; links are left out."""
    columns = (token.c.id, token.c.name, token.c.scopes, token.c.created_at, token.c.ends_at, token.c.revoked_at)
    wanted = select(*columns, token.c.used_at).where(token.c.account == number).order_by(token.c.id.desc())
    return [row for row in connection.execute(wanted) if not set(row.scopes) & set(LINKS)]


def token_of(connection: Connection, number: int) -> Row[*tuple[Any, ...]] | None:
    """A token of an account by its number, and the name of whose it is."""
    wanted = select(token.c.id, token.c.name, token.c.account, account.c.name.label("owner"))
    found = wanted.join(account, account.c.id == token.c.account).where(token.c.id == number)
    return connection.execute(found).one_or_none()


def end_links(connection: Connection, number: int, scope: str, at: datetime) -> None:
    """Shut the links of one kind, of an account, that were not used: a newer one takes their place."""
    unused = and_(token.c.account == number, token.c.revoked_at.is_(None), token.c.ends_at > at)
    connection.execute(update(token).where(unused, token.c.scopes == [scope]).values(revoked_at=at))


def give(connection: Connection, name: str, grant: Grant, group: str) -> bool:
    """Give a role to a group; says whether the group did not have it yet."""
    mine = and_(role.c.account.is_(None), role.c.group == storable(group), role.c.role == name)
    for row in connection.execute(select(role.c.grant).where(mine)):
        if msgspec.convert(row.grant, Grant) == grant:  # no index sees it: NULL is never twice the same
            return False
    values = {"account": None, "group": storable(group), "role": name, "grant": msgspec.to_builtins(grant)}
    connection.execute(unless_there(connection, role), values)
    return True


def _free_name(connection: Connection, person: Person) -> str:
    host = person.issuer.partition("://")[2].partition("/")[0]
    mark = sha256(f"{person.issuer}\0{person.subject}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    wished = (person.name, f"{person.name} at {host}", f"{person.name} at {host} ({mark})")
    return next((name for name in wished if named(connection, name) is None), f"{host}:{person.subject}")


def _given(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Given]]:
    found: dict[int, list[Given]] = {}
    wanted = select(role).where(role.c.account.in_(numbers)).order_by(role.c.id)
    for row in connection.execute(wanted):
        found.setdefault(row.account, []).append(_role(row))
    return found


def _role(row: Any) -> Given:
    return Given(row.id, row.role, msgspec.convert(row.grant, Grant), row.group)


def _read(row: Any, given: dict[int, list[Given]]) -> AccountView:
    words = (row.name, row.email, row.issuer, bool(row.password_hash), row.disabled, row.created_at, row.signed_in_at)
    return AccountView(row.id, *words, tuple(row.groups), tuple(given.get(row.id, ())))
