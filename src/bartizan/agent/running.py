"""An agent, from its settings to its end: joins once, and then judges, keeps and sends until it is stopped.

It needs the plane to join, and never again to go on: everything else waits
in the spool.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from bartizan.agent.files import own_key, read_secret, write_whole
from bartizan.agent.keeper import SpoolKeeper
from bartizan.agent.link import AwayError, Link, RefusedError
from bartizan.agent.sender import Health, Line, Sender, pauses
from bartizan.agent.spool import BOUND, Spool
from bartizan.agent.tokens import TokenFile
from bartizan.app.watch.garrison import Garrison, Plane, utc_now
from bartizan.app.watch.member import Timing
from bartizan.app.watch.sentry import TEAM_LABEL
from bartizan.app.watch.sources import ContextSource
from bartizan.app.watch.verdicts import TeamWaiver
from bartizan.base.errors import SourceError, SpecError, StoreError, reason_of
from bartizan.fleet.enrolment import name_problem
from bartizan.model.report import Problem
from bartizan.model.waiver import Waiver
from bartizan.sources.cluster import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from bartizan.app.options import ClusterChoice
    from bartizan.app.watch.rules import RuleSettings
    from bartizan.app.watch.sources import Source

T = TypeVar("T")

ALIVE: Final = "alive"
"""The file that a running agent touches, in its folder."""
_LOG: Final = logging.getLogger("bartizan.agent")
_TICK_S: Final = 1.0
_NEVER_S: Final = 30 * 86400.0
"""The agent says itself when the whole cluster is checked."""
_GOODBYE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What an agent is told. `interval_s` is between whole checks at most; the plane may want them more often.

    It joins with a join token, or reports with a token that was handed over.
    `plain` allows HTTP, where something else encrypts it.
    """

    plane: str
    data: Path
    cluster: ClusterChoice
    rules: RuleSettings
    name: str = ""
    join_token: Path | None = None
    token: Path | None = None
    ca_file: Path | None = None
    plain: bool = False
    interval_s: int = 3600
    lease_s: int = 60
    team_label: str = TEAM_LABEL
    bound: int = BOUND


def run(settings: AgentSettings, stop: threading.Event, clock: Callable[[], datetime] = utc_now) -> None:
    """Run until stopped.

    Raises:
        SpecError: what it was told cannot be.
        SourceError: the plane refuses it.
        StoreError: its folder cannot be used, or another agent uses it.
    """
    with _alone(settings.data):
        source = _source(settings)
        tokens = TokenFile(settings.token, is_own=False) if settings.token else TokenFile(settings.data / "token")
        link = Link(settings.plane, tokens.get, settings.ca_file, plain=settings.plain)
        try:
            identity = _patiently(stop, lambda: source.identity, "cluster.waits")
            if identity is not None:
                name = _joined(settings, link, tokens, identity, stop)
                if name is not None:
                    _Agent(settings, source, Line(link, tokens, name, identity, settings.lease_s, clock)).run(stop)
        finally:
            link.close()
            source.close()


class _Agent:
    """The parts, and what goes between them once a second."""

    def __init__(self, settings: AgentSettings, source: ContextSource, line: Line) -> None:
        data = settings.data
        self._settings = settings
        self._source = source
        self._line = line
        self._spool = Spool(data / "spool", bound=settings.bound)
        self._keeper = SpoolKeeper(self._spool, data / "rules", own_key(data / "key"))
        self._health = Health(interval_s=settings.interval_s)
        self._sender = Sender(line, self._spool, self._keeper, self._health)
        self._garrison = Garrison(
            Plane(self._keeper, lambda _name: self._waivers(), self._note),
            settings.rules,
            timing=Timing(interval_s=_NEVER_S),
            team_label=settings.team_label,
            clock=line.clock,
        )
        self._problems: tuple[Problem, ...] = ()
        self._begun = -1
        self._begun_at = time.monotonic()
        self._retold_at = time.monotonic()
        self._wanted: int | None = None
        """How many whole checks had begun when everything was to be told again."""

    def run(self, stop: threading.Event) -> None:
        """Judge, keep and send until stopped."""
        threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("sender", self._sender.run), ("heartbeat", self._sender.beat))
        ]
        if self._spool.damaged:
            _LOG.warning("spool.damaged", extra={"reason": self._spool.damaged})
        self._garrison.add(cast("Source", self._source))  # its identity is asked for when it is wanted, and only read
        self._garrison.start()
        for thread in threads:
            thread.start()
        _LOG.info("agent.runs", extra={"cluster": self._line.cluster, "waiting": self._spool.waiting})
        try:
            while not stop.wait(_TICK_S):
                self._tick(time.monotonic())
        finally:
            self._garrison.stop()
            self._sender.stop()
            for thread in threads:
                thread.join(_GOODBYE_S)
            self._spool.close()
            _LOG.info("agent.stopped", extra={"waiting": self._spool.waiting})

    def _tick(self, now: float) -> None:
        """See what is due: a whole check, or all of it told again."""
        health, keeper = self._health, self._keeper
        health.policy_digest = self._garrison.book.digest
        health.watching = (*self._garrison.problems, *self._problems)
        if keeper.begun != self._begun:
            self._begun, self._begun_at = keeper.begun, now
        interval_s = min(health.interval_s, self._settings.interval_s)
        is_other = health.differs and now - self._retold_at >= interval_s
        if (health.wants_check.is_set() or keeper.needs_check or is_other) and not self._spool.is_full:
            health.wants_check.clear()
            health.differs = keeper.needs_check = False
            self._retold_at = now
            self._garrison.tell_again()
            self._wanted = keeper.begun
        if self._wanted is not None and keeper.begun > self._wanted:
            self._wanted = None
        if (self._wanted is not None or now - self._begun_at >= interval_s) and not self._spool.is_full:
            self._garrison.check_soon()  # again until one has begun: the one that runs may be about to end
        _touch(self._settings.data / ALIVE)

    def _note(self, _name: str, values: Mapping[str, Any]) -> None:
        """What the watch says of its source, for the next heartbeat."""
        self._health.kubernetes = str(values.get("version") or self._health.kubernetes)
        self._problems = tuple(Problem("world", one["message"], hint=one["hint"]) for one in values.get("problems", ()))

    def _waivers(self) -> tuple[TeamWaiver, ...]:
        """What the plane accepted, and has not ended: also while the plane is away."""
        now = self._line.clock()
        return tuple(
            TeamWaiver(
                Waiver(
                    one.id, one.reason, one.owner, date.max, one.policy, one.rule, one.kind, one.namespace, one.name,
                    one.path, one.fingerprint,
                ),
                one.team,
            )
            for one in self._health.waivers
            if one.ends_at > now
        )  # fmt: skip  # as the fields stand


def _source(settings: AgentSettings) -> ContextSource:
    choice = settings.cluster
    cluster = connect(context=choice.context, kubeconfig=choice.kubeconfig, in_cluster=choice.in_cluster)
    return ContextSource(settings.name or "cluster", cluster)


def _joined(settings: AgentSettings, link: Link, tokens: TokenFile, identity: str, stop: threading.Event) -> str | None:
    """The name under which this cluster is a member; it joins first where it is none. Nothing where it was stopped.

    A join token that is not the one it joined with is a wish to join again, as
    after its own was revoked; where it is refused, the agent goes on as it was.
    """
    named, used = settings.data / "name", settings.data / "joined-with"
    if settings.token:
        return settings.name
    known = read_secret(named) if tokens.exists and named.exists() else ""
    if settings.join_token is None or (known and not settings.join_token.exists()):
        if not known:
            raise SpecError("this cluster has not joined", hint="Give a join token with --join-token-file.")
        return known
    secret = read_secret(settings.join_token)
    mark = sha256(secret.encode()).hexdigest()
    if known and used.exists() and read_secret(used) == mark:
        return known
    name = known or settings.name
    problem = name_problem(name)
    if problem:
        raise SpecError(problem, hint="Name the cluster with --name.")
    try:
        joined = _patiently(stop, lambda: tokens.join(link, secret, name, identity), "plane.waits")
    except RefusedError as error:
        if not known:
            raise
        _LOG.warning("join.refused", extra={"reason": error.message, "hint": error.hint})
        return known
    if joined is None:
        return None
    write_whole(named, joined.name.encode())
    write_whole(used, mark.encode())
    return joined.name


def _patiently(stop: threading.Event, work: Callable[[], T], event: str) -> T | None:
    """Do what the network may keep from being done, until it is done or the agent is stopped."""
    pause = pauses()
    while not stop.is_set():
        try:
            return work()
        except SourceError as error:
            if not isinstance(error, AwayError) and event == "plane.waits":
                raise
            _LOG.warning(event, extra={"reason": error.message, "hint": error.hint})
            stop.wait(pause(False))
    return None


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """Keep a folder to one agent: two would send one spool twice, and number it twice."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "Give the agent a folder of its own with --data."
        raise StoreError(f"`{data}` cannot be used: {reason_of(error)}", hint=hint) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(f"another agent uses `{data}`", hint="Give each a folder of its own.") from error
        yield
    finally:
        os.close(descriptor)


def _touch(path: Path) -> None:
    try:
        path.touch(mode=0o600)
    except OSError as error:  # a probe notices; the spool says what is wrong
        _LOG.warning("alive.failed", extra={"reason": reason_of(error)})
