"""How fast pages are with a large fleet in the store: 1,000 clusters under 60 rules, a month of days, many findings.

    python bench/pages.py sqlite:////tmp/pages.db
    python bench/pages.py sqlite:////tmp/pages.db --path / --path /findings

Counts are put in directly, as they would stand after the fleet has reported.
Pages are asked for in process, by somebody who sees everything and by
somebody who sees one team.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, insert, select
from starlette.testclient import TestClient

from bartizan.app.settings import Settings
from bartizan.catalog import load_catalog
from bartizan.model.severity import Severity
from bartizan.plane.application import THREADS, application
from bartizan.plane.people.identity import COOKIE
from bartizan.plane.serving import site_on
from bartizan.stores import people
from bartizan.stores.open import open_store
from bartizan.stores.schema import (
    COUNTS,
    body,
    cluster,
    edition,
    finding,
    generation,
    place,
    resource,
    rollup,
    rule,
    rule_set,
    tally,
    total,
    transition,
)  # fmt: skip  # the tables, in one look
from bartizan.stores.scope import Grant

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.stores.open import Store

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
_RULES = 60
_NAMESPACES = 5
_OBJECTS = 50
_DAYS = 30
_ROUNDS = 40
_PATHS = (
    "/",
    "/?sort=failing&page=3",
    "/?label=env%3Dproduction",
    "/clusters/cluster-0007",
    "/clusters/cluster-0007/namespaces/team-2",
    "/findings",
    "/findings?severity=high&cluster=cluster-0007",
    "/findings?kind=Deployment&namespace=team-3",
    "/findings/7777",
    "/resources/7777",
    "/search?q=app-7",
    "/formula",
)


def _seed(connection: Connection, clusters: int) -> None:
    """Everything by its number, so that what refers needs no look-up."""
    chance = random.Random(7)  # noqa: S311  figures, no secrets
    checks = list(load_catalog().checks.values())[:_RULES]
    severities = [Severity[check.severity.upper()] for check in checks]
    numbers = range(1, _RULES + 1)
    rules = [
        {"id": n, "name": check.id, "digest": "1", "severity": severity, "frameworks": check.frameworks}
        for n, check, severity in zip(numbers, checks, severities, strict=True)
    ]
    connection.execute(insert(rule), rules)
    editions = [
        {**{key: row[key] for key in ("id", "digest", "severity", "frameworks")}, "rule": row["id"]} for row in rules
    ]
    connection.execute(insert(edition), [{**row, "first_seen": NOW} for row in editions])
    connection.execute(insert(rule_set).values(id=1, digest="1", editions=list(numbers), first_seen=NOW))
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (cluster, place, tally, total, rollup, generation, resource, body, finding, transition)
    }
    for number in range(1, clusters + 1):
        _cluster(rows, number, severities, chance)
    for table, values in rows.items():
        for start in range(0, len(values), 20_000):
            connection.execute(insert(table), values[start : start + 20_000])


def _cluster(
    rows: dict[Any, list[dict[str, Any]]], number: int, severities: list[Severity], chance: random.Random
) -> None:
    env = chance.choice(["production", "staging", "test"])
    seen = NOW - timedelta(seconds=chance.choice([30, 60, 400, 90_000]))
    rows[cluster].append(
        {
            "id": number, "name": f"cluster-{number:04}", "kind": "agent",
            "labels": {"env": env, "cell": str(number % 50)}, "version": "v1.35.1",
            "joined_at": NOW - timedelta(days=90), "last_seen": seen, "interval_s": 300,
            "generation": 3, "objects": 1000, "rule_set": 1, "problems": [],
        }
    )  # fmt: skip  # a row is a row
    sums: dict[int, list[int]] = {}
    for space in range(1, _NAMESPACES + 1):
        where = (number - 1) * _NAMESPACES + space
        rows[place].append({"id": where, "cluster": number, "namespace": f"team-{space}", "team": f"t{space}"})
        for at, severity in enumerate(severities, 1):
            counts = [150, chance.randrange(40), 0, chance.randrange(2), 10, chance.randrange(2), 0]
            kept = dict(zip(COUNTS, counts, strict=True))
            rows[tally].append({"place": where, "rule": at, "cluster": number, "severity": severity, **kept})
            sums[severity] = [a + b for a, b in zip(sums.get(severity, [0] * len(COUNTS)), counts, strict=True)]
        _objects(rows, number, where, chance, severities)
    for severity, counts in sums.items():
        rows[total].append({"cluster": number, "severity": severity, **dict(zip(COUNTS, counts, strict=True))})
        for day in range(_DAYS):
            moved = dict.fromkeys(COUNTS, 0) | {"passed": 3, "failed": -3}
            rows[rollup].append(
                {"cluster": number, "day": (NOW - timedelta(days=day)).date(), "severity": severity, **moved}
            )
    for check in (1, 2, 3):
        rows[generation].append(
            {"cluster": number, "number": check, "started_at": NOW, "ended_at": NOW, "complete": True, "objects": 1000}
        )


def _objects(
    rows: dict[Any, list[dict[str, Any]]], number: int, where: int, chance: random.Random, severities: list[Severity]
) -> None:
    space = (where - 1) % _NAMESPACES + 1
    for _ in range(_OBJECTS // _NAMESPACES):
        one = len(rows[resource]) + 1
        name, kind = f"app-{one % 997}", ("Deployment", "Service", "ConfigMap")[one % 3]
        verdicts = bytes(chance.choice([1, 1, 1, 2]) for _ in severities)
        rows[resource].append(
            {
                "id": one, "cluster": number, "place": where, "key": one.to_bytes(16, "big"), "group": "apps",
                "version": "v1", "kind": kind, "name": name, "labels": {"app": name}, "body_digest": b"",
                "rule_set": 1, "verdicts": verdicts, "findings_digest": b"", "first_seen": NOW - timedelta(days=40),
                "last_seen": NOW, "judged_at": NOW,
            }
        )  # fmt: skip  # a row is a row
        container = {"name": "app", "image": "app:1", "env": [{"name": str(n)} for n in range(20)]}
        content = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": f"team-{space}"},
            "spec": {"template": {"spec": {"containers": [container]}}},
        }
        rows[body].append({"resource": one, "content": zlib.compress(orjson.dumps(content), 1)})
        for at in [at for at, verdict in enumerate(verdicts) if verdict == 2][:4]:
            known = len(rows[finding]) + 1
            rows[finding].append(
                {
                    "id": known, "cluster": number, "place": where, "resource": one, "rule": at + 1,
                    "fingerprint": f"{known:016x}", "state": "open", "verdict": 2, "severity": severities[at],
                    "message": f"The container app of {name} does what it should not.",
                    "pointer": "/spec/template/spec/containers/0/image", "evidence": '"app:1"', "others": [],
                    "first_seen": NOW - timedelta(days=40), "opened_at": NOW - timedelta(days=40), "changed_at": NOW,
                }
            )  # fmt: skip  # a row is a row
            rows[transition].append(
                {
                    "cluster": number,
                    "finding": known,
                    "at": NOW - timedelta(days=40),
                    "change": "opened",
                    "cause": "scope",
                }
            )


def _viewer(store: Store, name: str, grant: Grant) -> str:
    def work(connection: Connection) -> None:
        number = people.add_account(connection, name, NOW)
        people.give_role(connection, "viewer", grant, number)
        people.begin_session(connection, name, number, (NOW, NOW + timedelta(hours=1)))

    store.write(work)
    return name


def main() -> None:
    """Seed where it is not done yet, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database")
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--path", action="append", help="only this page")
    given = parser.parse_args()
    store = open_store(given.database, connections=THREADS)
    with store.reading() as connection:
        there = connection.execute(select(func.count()).select_from(cluster)).scalar_one()
    if not there:
        began = time.perf_counter()
        store.write(lambda connection: _seed(connection, given.clusters))
        _viewer(store, "everything", Grant())
        _viewer(store, "one team", Grant(teams=("t3",)))
        print(f"seeded in {time.perf_counter() - began:.0f} s")
    site = site_on(store, b"k" * 32, Settings(), lambda: NOW)
    for session in ("everything", "one team"):
        client = TestClient(application(site))
        client.cookies.set(COOKIE, session)
        for path in given.path or _PATHS:
            _measure(client, session, path)


def _measure(client: TestClient, session: str, path: str) -> None:
    answer = client.get(path)
    if answer.status_code != 200:
        print(f"{session:12} {path:48} is not theirs to see")
        return
    walls, works = [], []
    for _ in range(_ROUNDS):
        wall, work = time.perf_counter(), time.process_time()
        client.get(path)
        walls.append((time.perf_counter() - wall) * 1000)
        works.append((time.process_time() - work) * 1000)
    packed = len(zlib.compress(answer.content, 5))
    print(
        f"{session:12} {path:48} median {statistics.median(walls):6.1f} ms"
        f"  p95 {statistics.quantiles(walls, n=20)[-1]:6.1f} ms, of the processor {statistics.median(works):6.1f} ms"
        f"  {packed / 1000:5.1f} kB",
        flush=True,
    )


if __name__ == "__main__":
    main()
