"""Reports on their way: cuts, kills, restarts and doubles, and in the end the plane knows what there is, once."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from tests.agent.cluster import LEASE_S, Agent, name_of
from tests.agent.serving import Process, until
from tests.stores.fleet import observed, pod, rules
from tests.stores.ledger import assert_counts_hold

from bartizan.agent.spool import SpoolFullError
from bartizan.app.reporting import joining
from bartizan.fleet.state import state
from bartizan.model.fleet import Generation
from bartizan.stores import clusters, generations, waivers
from bartizan.stores.backup import back_up, restore
from bartizan.stores.open import open_store
from bartizan.stores.reports import Batch
from bartizan.stores.schema import cluster, finding, resource, transition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection
    from tests.agent.serving import Clock, Plane

    from bartizan.stores.open import Store

_RULES = rules("roots", "limits:low")


def _names(store: Store) -> set[str]:
    with store.reading() as connection:
        wanted = select(resource.c.name).where(resource.c.gone_at.is_(None))
        return set(connection.execute(wanted).scalars())


def _state(plane: Plane) -> str:
    with plane.store.reading() as connection:
        row = connection.execute(select(cluster)).one()
    return state(row.last_seen, row.lease_s, plane.clock())


def test_what_is_told_arrives_once_and_in_order(plane: Plane, agents: Callable[..., Agent]) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.start()
    agent.check(_RULES, observed(pod("web"), _RULES, "fp"), observed(pod("db"), _RULES, "pp"))
    agent.tell(_RULES, observed(pod("web"), _RULES, "pp"), observed(pod("job"), _RULES, "pf", "data"))
    agent.tell(_RULES, gone=(name_of("db"),))
    until(lambda: agent.is_done)
    assert _names(plane.store) == {"web", "job"}
    assert_counts_hold(plane.store)
    with plane.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM generation WHERE complete")).scalar_one() == 1
        changes = connection.execute(select(transition.c.change).order_by(transition.c.id)).scalars()
        assert sorted(changes) == ["fixed", "opened", "opened"]


def test_a_cut_of_a_day_loses_nothing(plane: Plane, agents: Callable[..., Agent], clock: Clock) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.start()
    agent.check(_RULES, *(observed(pod(f"p{n}"), _RULES, "fp") for n in range(20)))
    until(lambda: agent.is_done)
    agent.sender.beat_once()
    assert _state(plane) == "current"

    plane.cut()
    for hour in range(24):
        clock.now += timedelta(hours=1)
        names = tuple(name_of(f"p{n}") for n in range(20) if n != hour)
        agent.check(_RULES, observed(pod(f"h{hour}"), _RULES, "ff"), seen=names[: 20 - hour])
        agent.tell(_RULES, observed(pod("flips"), _RULES, "pf" if hour % 2 else "fp"))
    assert agent.spool.waiting == 24 * 4
    assert _state(plane) == "unknown"

    plane.start()
    until(lambda: agent.is_done, 30)
    agent.sender.beat_once()
    assert _state(plane) == "current"
    assert_counts_hold(plane.store)
    with plane.store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM generation WHERE complete")).scalar_one() == 25
        wanted = select(transition.c.change).join(finding, finding.c.id == transition.c.finding).join(resource)
        flips = connection.execute(wanted.where(resource.c.name == "flips").order_by(transition.c.id)).scalars().all()
    assert len(flips) == 24 * 2 - 1  # each hour one opens and, after the first, the other is mended
    assert _names(plane.store) >= {"flips", "h23"}


def test_a_silent_agent_is_late_and_then_unknown_and_comes_back(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    seen = []
    agent.sender.beat_once()
    for silent_s in (0, LEASE_S, LEASE_S + 1, 2 * LEASE_S - 1, 2 * LEASE_S):
        clock.now = clock.now.replace(minute=0, second=0) + timedelta(seconds=silent_s)
        seen.append(_state(plane))
    assert seen == ["current", "current", "late", "late", "unknown"]
    agent.sender.beat_once()
    assert _state(plane) == "current"


def test_an_agent_that_has_old_reports_is_not_current_until_they_are_here(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.sender.beat_once()
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    clock.now += timedelta(hours=1)
    agent.sender.beat_once()
    assert _state(plane) == "unknown"
    agent.start()
    until(lambda: agent.is_done)
    agent.sender.beat_once()
    assert _state(plane) == "current"


def test_an_agent_that_restarts_goes_on_where_it_was(
    plane: Plane, agents: Callable[..., Agent], tmp_path: Path, clock: Clock
) -> None:
    first = agents(plane)
    first.join(plane.invite())
    first.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    first.start()
    until(lambda: first.is_done)
    plane.cut()
    first.tell(_RULES, observed(pod("db"), _RULES, "ff"))
    first.stop()
    second = Agent(plane.url, tmp_path / "one", clock)
    assert second.spool.waiting == 2  # the first is sent again, and known
    plane.start()
    second.start()
    until(lambda: second.is_done)
    second.stop()
    assert _names(plane.store) == {"web", "db"}
    assert not second.health.wants_check.is_set()
    assert_counts_hold(plane.store)


def test_a_spool_that_is_lost_begins_another_stream(
    plane: Plane, agents: Callable[..., Agent], tmp_path: Path, clock: Clock
) -> None:
    import shutil

    first = agents(plane)
    first.join(plane.invite())
    first.check(_RULES, observed(pod("web"), _RULES, "fp"), observed(pod("db"), _RULES, "fp"))
    first.start()
    until(lambda: first.is_done)
    first.stop()
    shutil.rmtree(tmp_path / "one" / "spool")
    second = Agent(plane.url, tmp_path / "one", clock)
    clock.now += timedelta(minutes=1)
    second.check(_RULES, observed(pod("web"), _RULES, "fp"))
    second.start()
    until(lambda: second.is_done)
    second.stop()
    assert _names(plane.store) == {"web"}
    assert_counts_hold(plane.store)


def test_a_plane_restored_from_a_back_up_is_told_again_what_it_forgot(
    plane: Plane, agents: Callable[..., Agent], tmp_path: Path, empty_url: str
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    agent.start()
    until(lambda: agent.is_done)
    back_up(plane.store, tmp_path / "saved")
    agent.tell(_RULES, observed(pod("db"), _RULES, "ff"))
    until(lambda: agent.is_done)
    plane.cut()
    older = open_store(empty_url, connections=12)
    restore(older, tmp_path / "saved")
    restored = type(plane)(older, plane.clock)
    restored.port, restored.url = plane.port, plane.url
    restored.start()
    agent.tell(_RULES, observed(pod("job"), _RULES, "ff"))
    until(lambda: agent.is_done and _names(older) == {"web", "db", "job"})
    assert_counts_hold(older)
    restored.cut()
    older.close()


def test_a_plane_that_forgot_more_than_the_spool_has_is_told_everything_anew(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane, bound=1 << 16, segment=1 << 10)
    agent.join(plane.invite())
    agent.start()
    for number in range(5):
        agent.tell(_RULES, observed(pod(f"p{number}"), _RULES, "fp"))
    until(lambda: agent.is_done)
    with plane.store.writing() as connection:
        connection.execute(text("UPDATE stream SET sequence = 1"))
    agent.tell(_RULES, observed(pod("late"), _RULES, "fp"))
    until(agent.health.wants_check.is_set)
    until(lambda: agent.is_done)
    clock.now += timedelta(minutes=1)
    agent.check(_RULES, observed(pod("late"), _RULES, "fp"))
    until(lambda: agent.is_done and _names(plane.store) == {"late"})
    assert_counts_hold(plane.store)


def test_half_of_a_whole_check_closes_nothing(plane: Plane, agents: Callable[..., Agent], clock: Clock) -> None:
    """Of a check whose beginning was dropped with its spool nobody knows what it had seen."""
    agent = agents(plane)
    agent.join(plane.invite())
    agent.check(_RULES, observed(pod("web"), _RULES, "fp"), observed(pod("db"), _RULES, "fp"))
    agent.start()
    until(lambda: agent.is_done)
    clock.now += timedelta(minutes=1)
    number = agent.keeper.begin("one", clock(), "", "test")
    agent.spool.renew()
    agent.keeper.keep(Batch("one", "checks", 2, clock(), _RULES, (), (), (name_of("web"),), number))
    agent.keeper.end(Generation("one", number, clock(), clock(), complete=True, policy_digest="", evaluator=""))
    until(lambda: agent.is_done)
    assert _names(plane.store) == {"web", "db"}
    assert_counts_hold(plane.store)


def test_a_revoked_token_is_refused_and_the_spool_waits(plane: Plane, agents: Callable[..., Agent]) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    plane.store.write(lambda connection: joining.revoke(connection, "tests", "one", plane.clock()))
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    agent.start()
    until(lambda: "not valid, was revoked" in agent.health.sending)
    assert agent.spool.waiting == 1
    agent.join(plane.invite())
    until(lambda: agent.is_done, 30)
    assert _names(plane.store) == {"web"}


def test_a_token_is_renewed_before_it_ends_and_the_old_one_with_its_first_use(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    old = agent.tokens.get()
    clock.now += joining.LASTS - timedelta(days=29)
    agent.sender.beat_once()
    new = agent.tokens.get()
    assert new != old
    agent.start()
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    until(lambda: agent.is_done)
    with plane.store.reading() as connection:
        assert joining.reporter(connection, old, clock()) is None
        assert joining.reporter(connection, new, clock()) is not None


def test_a_full_spool_refuses_and_asks_for_a_whole_check(plane: Plane, agents: Callable[..., Agent]) -> None:
    agent = agents(plane, bound=1 << 15, segment=1 << 12)
    agent.join(plane.invite())
    plane.cut()
    told = 0
    with pytest.raises(SpoolFullError):  # noqa: PT012  it is full after as many as fit
        while True:
            agent.tell(_RULES, observed(pod(f"p{told}"), _RULES, "fp"))
            told += 1
    assert agent.keeper.needs_check
    assert agent.spool.bytes <= 1 << 15
    plane.start()
    agent.start()
    until(lambda: agent.is_done, 30)
    agent.tell(_RULES, observed(pod("after"), _RULES, "fp"))
    until(lambda: agent.is_done)
    assert _names(plane.store) == {*(f"p{n}" for n in range(told)), "after"}


def test_a_member_that_was_forgotten_does_not_come_back_by_itself(plane: Plane, agents: Callable[..., Agent]) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    clusters.forget(plane.store, "one")
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    agent.start()
    until(lambda: "not valid" in agent.health.sending)
    assert not _names(plane.store)


def test_a_plane_that_is_killed_keeps_what_it_acknowledged(url: str, tmp_path: Path) -> None:
    """Killed again and again while reports come in; in the end each is there, once."""
    from datetime import UTC, datetime

    from tests.agent.serving import Clock

    store = open_store(url)
    process = Process(url)
    process.start()
    now = datetime.now(UTC)
    token = store.write(lambda connection: joining.invite(connection, "tests", now)[0])
    agent = Agent(process.url, tmp_path / "one", Clock(now))
    agent.join(token)
    agent.start()
    for number in range(60):
        agent.tell(_RULES, *(observed(pod(f"p{number}-{n}"), _RULES, "fp" if n % 2 else "pf") for n in range(10)))
    for _ in range(2):
        before = agent.spool.waiting
        until(lambda before=before: agent.spool.waiting <= before - 8)  # type: ignore[misc]  # bound at once
        process.kill()
        acknowledged = agent.spool.first - 1
        kept = _kept(store)
        assert acknowledged <= kept <= acknowledged + 1
        assert_counts_hold(store)
        process.start()
    until(lambda: agent.is_done, 60)
    process.kill()
    agent.stop()
    assert _kept(store) == 60
    assert len(_names(store)) == 600
    assert_counts_hold(store)
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM transition")).scalar_one() == 600
    store.close()


def _kept(store: Store) -> int:
    with store.reading() as connection:
        return int(connection.execute(text("SELECT max(sequence) FROM stream")).scalar_one())


def test_pauses_grow_to_a_minute_and_begin_again_after_success() -> None:
    from bartizan.agent.sender import pauses

    pause = pauses()
    waits = [pause(False) for _ in range(40)]
    assert all(0.25 <= wait <= 60 for wait in waits)
    assert waits[-1] >= 30
    assert pause(True) == 0
    assert pause(False) <= 0.5


def test_what_the_plane_accepted_reaches_the_agent_and_ends_with_its_time(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())

    def accept(connection: Connection) -> None:
        end = clock() + timedelta(hours=1)
        asked = waivers.Asked({"policy": "roots", "team": "data"}, None, "known", "a", end)
        number = waivers.ask(connection, asked, clock())
        waivers.decide(connection, number, "approved", "b", clock())

    agent.sender.beat_once()
    assert agent.health.waivers == ()
    plane.store.write(accept)
    agent.sender.beat_once()
    (found,) = agent.health.waivers
    assert (found.policy, found.rule, found.team, found.ends_at) == ("roots", "*", "data", clock() + timedelta(hours=1))
    clock.now += timedelta(hours=2)
    agent.sender.beat_once()
    assert agent.health.waivers == ()


def test_what_turned_stale_while_nobody_was_heard_is_told_again(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.start()
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    until(lambda: agent.is_done)
    agent.sender.beat_once()
    assert not agent.health.differs
    clock.now += timedelta(days=1)
    generations.age(plane.site.ingest, plane.store, "one", clock(), clock() - timedelta(hours=2))
    agent.sender.beat_once()
    assert agent.health.differs
    agent.health.differs = False
    agent.tell(_RULES, observed(pod("web"), _RULES, "fp"))
    until(lambda: agent.is_done)
    agent.sender.beat_once()
    assert not agent.health.differs
    assert_counts_hold(plane.store)


def test_a_plane_that_holds_other_objects_than_were_seen_is_noticed(
    plane: Plane, agents: Callable[..., Agent], clock: Clock
) -> None:
    agent = agents(plane)
    agent.join(plane.invite())
    agent.start()
    agent.check(_RULES, observed(pod("web"), _RULES, "fp"))
    until(lambda: agent.is_done)
    assert not agent.health.differs
    clock.now += timedelta(minutes=1)
    agent.check(_RULES, seen=(name_of("web"), name_of("never-told")))
    until(lambda: agent.health.differs)


def test_two_agents_do_not_share_a_folder(tmp_path: Path) -> None:
    from bartizan.agent.running import _alone
    from bartizan.base.errors import StoreError

    with _alone(tmp_path), pytest.raises(StoreError, match="another agent uses"), _alone(tmp_path):
        pass
    with _alone(tmp_path):
        pass


def test_another_join_token_is_a_wish_to_join_again(plane: Plane, agents: Callable[..., Agent], tmp_path: Path) -> None:
    """The same one is not: it worked once. One that is refused leaves the agent as it was."""
    from bartizan.agent.running import AgentSettings, _joined
    from bartizan.app.options import NO_CLUSTER
    from bartizan.app.watch.rules import RuleSettings

    agent, file, stop = agents(plane), tmp_path / "join", threading.Event()
    folder = tmp_path / "one"
    settings = AgentSettings(plane.url, folder, NO_CLUSTER, RuleSettings(), "one", join_token=file, plain=True)

    def start() -> tuple[str | None, str]:
        return _joined(settings, agent.link, agent.tokens, "cluster:one", stop), agent.tokens.get()

    file.write_text(plane.invite())
    first = start()
    assert start() == first
    file.write_text("wrong-" * 8)
    assert start() == first
    plane.store.write(lambda connection: joining.revoke(connection, "tests", "one", plane.clock()))
    file.write_text(plane.invite())
    again = start()
    assert again[0] == "one"
    assert again[1] != first[1]
    file.unlink()
    assert start() == again
    agent.sender.beat_once()
