"""Tokens of agents: invited by a person, exchanged for one of the agent's own, renewed by it, revoked by a person.

A join token works once. The agent makes the token it will report with and
keeps it before it asks, so that an answer that was lost can be asked for
again. Here there are only hashes of either.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import and_, insert, select, text, update

from bartizan.app.reporting.wire import Joined
from bartizan.base.errors import SpecError
from bartizan.fleet import enrolment
from bartizan.stores import people
from bartizan.stores.audit import Act, record
from bartizan.stores.bulk import storable
from bartizan.stores.schema import cluster, token

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from bartizan.app.reporting.wire import JoinAsk

JOIN: Final = "join"
"""The scope of a token that lets a cluster join."""
REPORT: Final = "report"
"""The scope of a token that an agent reports with."""
INVITED_FOR: Final = timedelta(days=1)
LONGEST_INVITATION: Final = timedelta(days=90)
LASTS: Final = timedelta(days=90)
"""Of an agent's token: it renews it a month before."""
_LEASE_S: Final = 60
_BYTES: Final = 32
_LOCK: Final = 0x6A6F696E  # "join": one at a time, for each is decided on by all members


class Invitation(NamedTuple):
    """A join token, as it is known here. `name` is the only name it is for; empty where any is."""

    number: int
    name: str
    created_at: datetime
    ends_at: datetime
    used: bool


class Reporter(NamedTuple):
    """The agent that a token stands for."""

    cluster: str
    identity: str
    number: int
    ends_at: datetime | None


class RefusedError(SpecError):
    """A cluster may not join; `reason` is for machines, as `fleet.enrolment` has it."""

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


def invite(
    connection: Connection, actor: str, now: datetime, name: str = "", lasts: timedelta = INVITED_FOR
) -> tuple[str, Invitation]:
    """Make a join token, for one name or for any. It is told once, here.

    Raises:
        SpecError: the name is none, or the time is too long or none.
    """
    problem = enrolment.name_problem(name) if name else ""
    if problem:
        raise SpecError(problem, hint="Give the cluster another name.")
    if not timedelta() < lasts <= LONGEST_INVITATION:
        raise SpecError("a join token lasts at most 90 days", hint="Make one when it is needed.")
    secret = secrets.token_urlsafe(_BYTES)
    ends_at = now + lasts
    number = people.add_token(connection, secret, now, name=name, scopes=[JOIN], ends_at=ends_at)
    record(connection, Act(now, actor, "join-token.make", name or "*", {"token": number, "ends_at": ends_at}))
    return secret, Invitation(number, name, now, ends_at, used=False)


def invitations(connection: Connection, now: datetime) -> list[Invitation]:
    """Join tokens that can be used, or were lately; the newest first."""
    wanted = select(token).where(
        token.c.cluster.is_(None),
        token.c.account.is_(None),
        token.c.revoked_at.is_(None),
        token.c.ends_at > now,
        token.c.scopes == [JOIN],
    )
    rows = connection.execute(wanted.order_by(token.c.id.desc()))
    return [Invitation(row.id, row.name, row.created_at, row.ends_at, row.used_at is not None) for row in rows]


def withdraw(connection: Connection, actor: str, number: int, now: datetime) -> bool:
    """End a join token; returns whether there was one."""
    mine = and_(token.c.id == number, token.c.scopes == [JOIN], token.c.revoked_at.is_(None))
    found = connection.execute(update(token).where(mine).values(revoked_at=now)).rowcount
    if found:
        record(connection, Act(now, actor, "join-token.withdraw", str(number), {}))
    return bool(found)


def join(connection: Connection, secret: str, ask: JoinAsk, now: datetime) -> Joined:
    """Let a cluster join that brings a join token.

    Raises:
        RefusedError: it may not, and why.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    asks = enrolment.JoinRequest(ask.name, "agent", ask.identity, _hex(secret), _hex(ask.token))
    decision = enrolment.join(_members(connection), _invitations(connection, secret), asks, now)
    if isinstance(decision, enrolment.Refused):
        raise RefusedError(decision.message, reason=decision.reason, hint=decision.hint)
    ends_at = now + LASTS
    number = _member(connection, ask, now)
    if not _has_token(connection, ask.token):
        people.add_token(connection, ask.token, now, name="agent", cluster=number, scopes=[REPORT], ends_at=ends_at)
        used = token.c.digest == people.digest_of(secret)
        connection.execute(update(token).where(used, token.c.used_at.is_(None)).values(used_at=now))
        action = "cluster.rejoin" if decision.rejoined else "cluster.join"
        record(connection, Act(now, f"agent of {ask.name}", action, ask.name, {"identity": ask.identity}))
    return Joined(ask.name, decision.rejoined, ends_at)


def issue(connection: Connection, actor: str, name: str, now: datetime, lasts: timedelta = LASTS) -> str:
    """Make a token for the agent of a member, for who wants to hand it over himself. It is told once, here.

    Raises:
        SpecError: there is no such member.
    """
    secret = secrets.token_urlsafe(_BYTES)
    number = _number_of(connection, name)
    people.add_token(connection, secret, now, name="agent", cluster=number, scopes=[REPORT], ends_at=now + lasts)
    record(connection, Act(now, actor, "agent-token.make", name, {"ends_at": now + lasts}))
    return secret


def revoke(connection: Connection, actor: str, name: str, now: datetime) -> int:
    """End all tokens of a member's agents; returns how many. To report again it joins again, with its history.

    Raises:
        SpecError: there is no such member.
    """
    mine = and_(token.c.cluster == _number_of(connection, name), token.c.revoked_at.is_(None))
    found = connection.execute(update(token).where(mine).values(revoked_at=now)).rowcount
    record(connection, Act(now, actor, "agent-token.revoke", name, {"tokens": found}))
    return int(found)


def reporter(connection: Connection, secret: str, now: datetime) -> Reporter | None:
    """Whose reports a token is for; nobody's where it is unknown, revoked or has ended, or its cluster has left."""
    if not secret:
        return None
    wanted = (
        select(cluster.c.name, cluster.c.identity, token.c.id, token.c.ends_at, token.c.scopes)
        .join(cluster, cluster.c.id == token.c.cluster)
        .where(
            token.c.digest == people.digest_of(secret),
            token.c.revoked_at.is_(None),
            token.c.ends_at.is_(None) | (token.c.ends_at > now),
            cluster.c.left_at.is_(None),
        )
    )
    row = connection.execute(wanted).one_or_none()
    return Reporter(row[0], row[1], row[2], row[3]) if row is not None and REPORT in row[4] else None


def greet(connection: Connection, who: Reporter, identity: str, now: datetime) -> bool:
    """Note that a token is used; those it replaces end. Returns whether the cluster is the one it is for.

    A member that was let in without an identity takes that of its first agent.
    """
    number = _number_of(connection, who.cluster)
    if who.identity != identity:
        if who.identity:
            return False
        connection.execute(update(cluster).where(cluster.c.id == number).values(identity=storable(identity)))
    connection.execute(update(token).where(token.c.id == who.number).values(used_at=now))
    older = and_(token.c.cluster == number, token.c.id < who.number, token.c.revoked_at.is_(None))
    connection.execute(update(token).where(older).values(revoked_at=now))
    return True


def renew(connection: Connection, who: Reporter, secret: str, now: datetime) -> datetime:
    """Take the token that an agent will use from now on; the one it has ends when the new one is used first.

    Raises:
        RefusedError: the token is another's, or was one before.
    """
    number = _number_of(connection, who.cluster)
    wanted = select(token.c.cluster, token.c.ends_at, token.c.revoked_at).where(
        token.c.digest == people.digest_of(secret)
    )
    row = connection.execute(wanted).one_or_none()
    if row is not None:
        if row.cluster != number or row.revoked_at is not None or row.ends_at is None:
            raise RefusedError("the token is in use or was revoked", reason="token", hint="Make a new token.")
        ends: datetime = row.ends_at
        return ends
    ends_at = now + LASTS
    people.add_token(connection, secret, now, name="agent", cluster=number, scopes=[REPORT], ends_at=ends_at)
    record(connection, Act(now, f"agent of {who.cluster}", "agent-token.renew", who.cluster, {"ends_at": ends_at}))
    return ends_at


def _hex(secret: str) -> str:
    return people.digest_of(secret).hex() if secret else ""


def _members(connection: Connection) -> list[enrolment.Member]:
    """Members as enrolment knows them, once for each of their tokens."""
    wanted = select(cluster.c.name, cluster.c.kind, cluster.c.identity, token.c.digest, token.c.revoked_at).outerjoin(
        token, token.c.cluster == cluster.c.id
    )
    return [
        enrolment.Member(
            row.name, row.kind, row.identity, bytes(row.digest).hex() if row.digest else "", row.revoked_at is not None
        )
        for row in connection.execute(wanted)
    ]


def _invitations(connection: Connection, secret: str) -> list[enrolment.Invitation]:
    wanted = select(token).where(
        token.c.digest == people.digest_of(secret), token.c.revoked_at.is_(None), token.c.cluster.is_(None)
    )
    return [
        enrolment.Invitation(bytes(row.digest).hex(), row.ends_at, row.name, row.used_at is not None)
        for row in connection.execute(wanted)
        if row.scopes == [JOIN]
    ]


def _member(connection: Connection, ask: JoinAsk, now: datetime) -> int:
    name = storable(ask.name)
    found = connection.execute(select(cluster.c.id).where(cluster.c.name == name)).scalar()
    values = {"kind": "agent", "identity": storable(ask.identity), "left_at": None}
    if found is not None:
        connection.execute(update(cluster).where(cluster.c.id == found).values(**values))
        return int(found)
    made = insert(cluster).values(name=name, joined_at=now, lease_s=_LEASE_S, **values).returning(cluster.c.id)
    return int(connection.execute(made).scalar_one())


def _has_token(connection: Connection, secret: str) -> bool:
    return connection.execute(select(token.c.id).where(token.c.digest == people.digest_of(secret))).scalar() is not None


def _number_of(connection: Connection, name: str) -> int:
    found = connection.execute(select(cluster.c.id).where(cluster.c.name == storable(name))).scalar()
    if found is None:
        raise SpecError(f"no cluster `{name}` is in the fleet", hint="Let it join first.")
    return int(found)
