"""Members kept up to date by themselves: files, rules and waivers that change, a database that is away."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select
from tests.app.watch.fleet import FAST, Shelf, checks, enlist, findings, pod, until, verdicts, write
from tests.app.watch.recount import assert_counts

from bartizan.app.watch.ageing import age_members
from bartizan.app.watch.member import Listeners, Timing
from bartizan.app.watch.rules import RuleSettings
from bartizan.app.watch.sources import FolderSource, GitAddress, GitSource
from bartizan.base.errors import SpecError
from bartizan.model.ledger import Verdict
from bartizan.stores import waivers as decisions
from bartizan.stores.ingest import Ingest
from bartizan.stores.open import open_store
from bartizan.stores.schema import cluster, generation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stores.postgresql import Server

    from bartizan.app.watch.garrison import Garrison
    from bartizan.stores.open import Store
    from bartizan.stores.reports import Moves

_RULE = "privileged-container"


def _checked(garrison: Garrison, generation: int = 1) -> None:
    until(lambda: all(one.generation >= generation for one in garrison.status()))


def test_a_folder_is_followed(store: Store, tmp_path: Path, garrison: Callable[..., Garrison]) -> None:
    folder = tmp_path / "k8s"
    write(folder, "web.yaml", pod("a"))
    enlist(store, "one")
    told: list[tuple[str, Moves]] = []
    made = garrison(store, checks(_RULE), listeners=Listeners(lambda name, moves: told.append((name, moves))))
    made.add(FolderSource("one", folder))
    made.start()
    _checked(made)
    assert findings(store) == {(_RULE, "a")}
    write(folder, "more.yaml", pod("b"), pod("c"))
    until(lambda: findings(store) == {(_RULE, "a"), (_RULE, "b"), (_RULE, "c")})
    (folder / "web.yaml").unlink()
    until(lambda: findings(store) == {(_RULE, "b"), (_RULE, "c")})
    status = made.status()[0]
    assert (status.name, status.state, status.objects, status.generation) == ("one", "watching", 2, 1)
    assert status.lag_s is not None
    assert status.lag_s < 10
    assert sum(moves.opened for _, moves in told) == 3
    assert_counts(store)


def test_rules_that_change_on_disk_are_asked(lite: Store, tmp_path: Path, garrison: Callable[..., Garrison]) -> None:
    rule = {
        "name": "labelled",
        "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
        "validate": {"message": "name an owner", "pattern": {"metadata": {"labels": {"owner": "?*"}}}},
    }
    policy = {
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "own"},
        "spec": {"rules": [rule]},
    }
    folder, policies = tmp_path / "k8s", tmp_path / "policies"
    policies.mkdir()
    write(folder, "web.yaml", pod("a"))
    enlist(lite, "one")
    made = garrison(lite, RuleSettings(checks=checks(_RULE).checks, policies=(policies,)))
    made.add(FolderSource("one", folder))
    made.start()
    _checked(made)
    assert findings(lite) == {(_RULE, "a")}
    file = write(policies, "own.yaml", policy)
    until(lambda: findings(lite) == {(_RULE, "a"), ("own/labelled", "a")})
    file.write_text("kind: [")
    until(lambda: findings(lite) == {(_RULE, "a")})
    assert made.problems
    file.unlink()
    until(lambda: [one.message for one in made.problems] == ["no policy found"])
    assert_counts(lite)


def test_a_waiver_in_the_store_is_in_force_until_its_time(
    store: Store, tmp_path: Path, garrison: Callable[..., Garrison]
) -> None:
    """Measure M4 of the plane, by the clock."""
    write(tmp_path / "k8s", "web.yaml", pod("a"))
    enlist(store, "one")
    made = garrison(store, checks(_RULE))
    made.add(FolderSource("one", tmp_path / "k8s"))
    made.start()
    _checked(made)
    now = datetime.now(UTC)
    ends_at = now + timedelta(seconds=6)
    with store.writing() as connection:
        asked = decisions.Asked({"policy": _RULE, "kind": "Po*"}, None, "being replaced", "ann", ends_at)
        decisions.decide(connection, decisions.ask(connection, asked, now), "approved", "bob", now)
    until(lambda: verdicts(store, "Pod", "a") == {_RULE: Verdict.WAIVED})
    assert datetime.now(UTC) < ends_at
    until(lambda: verdicts(store, "Pod", "a") == {_RULE: Verdict.FAIL})
    assert ends_at <= datetime.now(UTC) < ends_at + timedelta(seconds=5)
    assert_counts(store)


def test_a_database_that_is_away_loses_nothing(
    server: Server, template: str, tmp_path: Path, garrison: Callable[..., Garrison]
) -> None:
    server.sql(f"CREATE DATABASE away TEMPLATE {template}")
    store = open_store(server.url("away"))
    folder = tmp_path / "k8s"
    write(folder, "web.yaml", pod("a"))
    enlist(store, "one")
    made = garrison(store, checks(_RULE))
    made.add(FolderSource("one", folder))
    made.start()
    _checked(made)
    server.sql("ALTER DATABASE away ALLOW_CONNECTIONS false")
    server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'away'")
    write(folder, "web.yaml", pod("a", privileged=False), pod("b"))
    until(lambda: made.status()[0].state == "away")
    write(folder, "more.yaml", pod("c"))
    time.sleep(1)
    server.sql("ALTER DATABASE away ALLOW_CONNECTIONS true")
    until(lambda: _quietly(store) == {(_RULE, "b"), (_RULE, "c")}, 60)
    until(lambda: made.status()[0].state == "watching" and not made.problems)
    assert_counts(store)
    made.stop()
    store.close()


def _quietly(store: Store) -> set[tuple[str, str]]:
    from bartizan.base.errors import StoreError

    try:
        return findings(store)
    except StoreError:
        return set()


def test_whole_checks_come_by_the_schedule_and_confirm(
    lite: Store, tmp_path: Path, garrison: Callable[..., Garrison]
) -> None:
    write(tmp_path, "web.yaml", pod("a"))
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE), timing=Timing(interval_s=0.5, coalesce_s=0.1, poll_s=0.2))
    made.add(FolderSource("one", tmp_path))
    made.start()
    _checked(made, 3)
    with lite.reading() as connection:
        rows = list(connection.execute(select(generation).order_by(generation.c.number)))
        member = connection.execute(select(cluster)).one()
    assert all(row.complete for row in rows[:3])
    assert len({row.policy_digest for row in rows}) == 1
    assert member.last_seen > rows[0].started_at


def test_what_nobody_judged_for_two_intervals_is_stale_and_fresh_again(
    store: Store, tmp_path: Path, garrison: Callable[..., Garrison]
) -> None:
    write(tmp_path, "web.yaml", pod("a"))
    enlist(store, "one", interval_s=60)
    made = garrison(store, checks(_RULE))
    made.add(FolderSource("one", tmp_path))
    made.start()
    _checked(made)
    ingest = Ingest(store, b"k")
    now = datetime.now(UTC)
    assert age_members(ingest, store, now + timedelta(seconds=119)) == {}
    aged = age_members(ingest, store, now + timedelta(seconds=121))
    assert [(name, moves.pairs) for name, moves in aged.items()] == [("one", len(verdicts(store, "Pod", "a")))]
    assert set(verdicts(store, "Pod", "a").values()) == {Verdict.STALE}
    assert findings(store) == {(_RULE, "a")}
    made._members["one"].tell_again()  # noqa: SLF001  (what the garrison does when it has aged)
    made.check_soon()
    _checked(made, 2)
    assert verdicts(store, "Pod", "a") == {_RULE: Verdict.FAIL}
    assert_counts(store)


def test_a_kind_that_was_stale_is_fresh_when_it_can_be_listed_again(
    lite: Store, garrison: Callable[..., Garrison]
) -> None:
    """Whoever made it stale, another process perhaps, the member that missed it tells it anew."""
    shelf = Shelf(pod("a"))
    enlist(lite, "one", interval_s=60)
    made = garrison(lite, checks(_RULE))
    made.add(shelf)
    made.start()
    _checked(made)
    shelf.unlisted = {"Pod"}
    made.check_soon()
    _checked(made, 2)
    age_members(Ingest(lite, b"k"), lite, datetime.now(UTC) + timedelta(minutes=3))
    assert verdicts(lite, "Pod", "a") == {_RULE: Verdict.STALE}
    shelf.unlisted = set()
    made.check_soon()
    _checked(made, 3)
    assert verdicts(lite, "Pod", "a") == {_RULE: Verdict.FAIL}
    assert_counts(lite)


def test_a_source_that_is_away_keeps_its_last_sight(lite: Store, garrison: Callable[..., Garrison]) -> None:
    shelf = Shelf(pod("a"))
    shelf.away = True
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE), timing=Timing(interval_s=0.3, poll_s=0.2))
    made.add(shelf)
    made.start()
    _checked(made, 2)
    assert made.status()[0].lag_s is None
    assert [one.message for one in made.status()[0].problems] == ["the shelf is away"]
    shelf.away = False
    until(lambda: made.status()[0].lag_s is not None)
    until(lambda: not made.status()[0].problems)


def test_members_come_and_go(lite: Store, garrison: Callable[..., Garrison]) -> None:
    for name in ("one", "two"):
        enlist(lite, name)
    made = garrison(lite, checks(_RULE))
    made.start()
    made.add(Shelf(pod("a"), name="one"))
    made.add(Shelf(pod("b"), name="two"))
    with pytest.raises(SpecError, match="watched already"):
        made.add(Shelf(name="two"))
    _checked(made)
    made.remove("one")
    assert [one.name for one in made.status()] == ["two"]
    assert findings(lite, name="one") == {(_RULE, "a")}
    began = time.monotonic()
    made.stop()
    assert time.monotonic() - began < 5


def test_a_member_that_has_not_joined_says_so_and_begins_once_it_has(
    lite: Store, garrison: Callable[..., Garrison]
) -> None:
    made = garrison(lite, checks(_RULE))
    made.add(Shelf(pod("a")))
    made.start()
    until(lambda: made.status()[0].problems)
    assert made.status()[0].problems[0].message == "no cluster `one` is in the fleet"
    enlist(lite, "one")
    _checked(made)


def test_a_repository_is_followed(lite: Store, tmp_path: Path, garrison: Callable[..., Garrison]) -> None:
    work = tmp_path / "work"
    write(work / "deploy", "web.yaml", pod("a"))
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        _git(work, *words)
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE), timing=Timing(interval_s=3600, coalesce_s=0.1, poll_s=0.02))
    made.add(GitSource("one", GitAddress(str(work), "main", "deploy"), tmp_path / "cache"))
    made.start()
    _checked(made)
    assert findings(lite) == {(_RULE, "a")}
    assert made.status()[0].version == _git(work, "rev-parse", "HEAD")[:12]
    write(work / "deploy", "web.yaml", pod("b"))
    _git(work, "commit", "-qam", "second")
    until(lambda: findings(lite) == {(_RULE, "b")})


def _git(folder: Path, *words: str) -> str:
    person = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    command: list[Any] = ["git", "-C", folder, *person, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_garrison_that_does_nothing_is_quiet(lite: Store, garrison: Callable[..., Garrison]) -> None:
    enlist(lite, "one")
    made = garrison(lite, checks(_RULE), timing=FAST)
    made.add(Shelf(*(pod(f"p{number}") for number in range(50))))
    made.start()
    _checked(made)
    time.sleep(1)
    began, used = time.monotonic(), time.process_time()
    time.sleep(3)
    assert (time.process_time() - used) / (time.monotonic() - began) < 0.25
