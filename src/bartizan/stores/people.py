"""Accounts, roles, tokens and sessions. What opens a door is known here by its hash alone."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import and_, delete, insert, or_, select, update

from bartizan.stores.bulk import storable, unless_there
from bartizan.stores.schema import account, cluster, role, session, token
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from sqlalchemy import Connection, Row


class Bearer(NamedTuple):
    """Who a token stands for: a person by account, or the agent of a cluster.

    `groups` are those of the person when they last signed in, at `signed_in_at`.
    """

    number: int
    account: int | None
    cluster: str
    scopes: tuple[str, ...]
    name: str = ""
    groups: tuple[str, ...] = ()
    signed_in_at: datetime | None = None
    used_at: datetime | None = None


def digest_of(secret: str) -> bytes:
    """What is kept of a token or a session: they are long and random, so that a quick hash is enough."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def add_account(connection: Connection, name: str, at: datetime, **more: str) -> int:
    """Add an account; `more` is `email`, `issuer` and `subject`, or `password_hash` of a slow kind."""
    words = {key: storable(value) for key, value in more.items()}
    made = insert(account).values(name=storable(name), created_at=at, **words).returning(account.c.id)
    return int(connection.execute(made).scalar_one())


def name_of(connection: Connection, number: int) -> str:
    """The name of an account; empty where there is none."""
    return str(connection.execute(select(account.c.name).where(account.c.id == number)).scalar() or "")


def account_of(connection: Connection, name: str) -> Row[*tuple[Any, ...]] | None:
    """An account by its name, unless it is disabled."""
    wanted = select(account).where(account.c.name == storable(name), account.c.disabled.is_(False))
    return connection.execute(wanted).one_or_none()


def account_of_subject(connection: Connection, issuer: str, subject: str) -> Row[*tuple[Any, ...]] | None:
    """An account by what a sign-in provider calls it, unless it is disabled."""
    mine = and_(account.c.issuer == storable(issuer), account.c.subject == storable(subject))
    return connection.execute(select(account).where(mine, account.c.disabled.is_(False))).one_or_none()


def give_role(connection: Connection, name: str, grant: Grant, number: int | None = None, group: str = "") -> None:
    """Give a role within a grant to an account, or to a group of the sign-in provider."""
    values = {"account": number, "group": storable(group), "role": name, "grant": msgspec.to_builtins(grant)}
    connection.execute(unless_there(connection, role), values)


def roles(connection: Connection, number: int, groups: Iterable[str] = ()) -> list[tuple[str, Grant]]:
    """The roles of an account, its own and those of its groups, each with what it is for."""
    named = [storable(group) for group in groups if group]
    wanted = select(role.c.role, role.c.grant).where(or_(role.c.account == number, role.c.group.in_(named)))
    return [(name, msgspec.convert(grant, Grant)) for name, grant in connection.execute(wanted.order_by(role.c.id))]


def add_token(connection: Connection, secret: str, at: datetime, **more: Any) -> int:
    """Keep a token; `more` is `name`, `account` or `cluster` (ids), `scopes` and `ends_at`."""
    made = insert(token).values(digest=digest_of(secret), created_at=at, **more).returning(token.c.id)
    return int(connection.execute(made).scalar_one())


def bearer(connection: Connection, secret: str, at: datetime) -> Bearer | None:
    """Who a token stands for; nothing where it is unknown, revoked or has ended, or its account is disabled."""
    holds = and_(
        token.c.digest == digest_of(secret),
        token.c.revoked_at.is_(None),
        or_(token.c.ends_at.is_(None), token.c.ends_at > at),
        or_(token.c.account.is_(None), account.c.disabled.is_(False)),
    )
    person = (account.c.name, account.c.groups, account.c.signed_in_at)
    wanted = (
        select(token.c.id, token.c.account, cluster.c.name, token.c.scopes, *person, token.c.used_at)
        .outerjoin(account, account.c.id == token.c.account)
        .outerjoin(cluster, cluster.c.id == token.c.cluster)
        .where(holds)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    return Bearer(row[0], row[1], row[2] or "", tuple(row[3]), row[4] or "", tuple(row[5] or ()), *row[6:])


def revoke(connection: Connection, number: int, at: datetime) -> None:
    """End a token now."""
    connection.execute(update(token).where(token.c.id == number, token.c.revoked_at.is_(None)).values(revoked_at=at))


def used(connection: Connection, number: int, at: datetime) -> None:
    """Say that a token was used."""
    connection.execute(update(token).where(token.c.id == number).values(used_at=at))


def begin_session(
    connection: Connection, secret: str, number: int, span: tuple[datetime, datetime], **more: Any
) -> None:
    """Begin a session of an account, from one time to another; `more` is `groups`, `sid` and `hint` of a provider."""
    times = {"created_at": span[0], "seen_at": span[0], "ends_at": span[1]}
    values = {"digest": digest_of(secret), "account": number, "groups": [], **times, **more}
    connection.execute(insert(session).values(values))


def session_of(
    connection: Connection, secret: str, at: datetime, idle: timedelta | None = None
) -> Row[*tuple[Any, ...]] | None:
    """The account of a session that has not ended, nor been idle for too long, with its groups and last sight."""
    mine = and_(session.c.digest == digest_of(secret), session.c.ends_at > at, account.c.disabled.is_(False))
    if idle is not None:
        mine = and_(mine, or_(session.c.seen_at.is_(None), session.c.seen_at > at - idle))
    named = (account.c.id, account.c.name, account.c.issuer, session.c.groups, session.c.seen_at, session.c.hint)
    wanted = select(*named).join(session, session.c.account == account.c.id)
    return connection.execute(wanted.where(mine)).one_or_none()


def seen(connection: Connection, secret: str, at: datetime) -> None:
    """Say that a session is in use."""
    connection.execute(update(session).where(session.c.digest == digest_of(secret)).values(seen_at=at))


def keep_hint(connection: Connection, secret: str, hint: bytes) -> None:
    """Keep with a session what its sign-out at the provider will need, sealed by who calls."""
    connection.execute(update(session).where(session.c.digest == digest_of(secret)).values(hint=hint))


def end_session(connection: Connection, secret: str) -> None:
    """End one session."""
    connection.execute(delete(session).where(session.c.digest == digest_of(secret)))


def end_sessions(connection: Connection, number: int) -> None:
    """End all sessions of an account: it was disabled, or its password changed."""
    connection.execute(delete(session).where(session.c.account == number))


def end_sessions_of(connection: Connection, issuer: str, subject: str, sid: str) -> int:
    """End the sessions that a provider says are over: one by `sid`, or all of a person. Returns how many."""
    whose = select(account.c.id).where(account.c.issuer == storable(issuer))
    if subject:
        whose = whose.where(account.c.subject == storable(subject))
    over = delete(session).where(session.c.account.in_(whose))
    if sid:
        over = over.where(session.c.sid == storable(sid))
    return connection.execute(over).rowcount
