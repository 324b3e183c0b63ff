"""A fleet to look at: real checks judged over the examples, a month of history, and names that nobody should choose."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec
from tests.conformance import ROOT
from tests.plane.browser.decisions import decide

from bartizan.app.scan import ScanRequest, scan
from bartizan.app.selection import CheckSelection
from bartizan.model.fleet import Cluster, Generation
from bartizan.model.ledger import RuleFacts, RuleSet, Verdict
from bartizan.model.report import Problem
from bartizan.model.resource import labels_of, resource_from
from bartizan.model.scoping import in_default_namespace
from bartizan.plane.people.identity import COOKIE
from bartizan.sources.manifests import cut, find, read_piece
from bartizan.stores import clusters, generations, people
from bartizan.stores.queries import findings
from bartizan.stores.queries.pages import Page
from bartizan.stores.reports import Batch, Observed
from bartizan.stores.scope import EVERYTHING, Grant

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.model.finding import Finding
    from bartizan.plane.site import Site

NOW: Final = datetime(2026, 3, 31, 9, tzinfo=UTC)
"""The clock of the pages; it stands, so that pictures of them stay."""
MONTH: Final = timedelta(days=28)
_WORDS: Final = {"fail": Verdict.FAIL, "warn": Verdict.WARN, "error": Verdict.ERROR, "skip": Verdict.SKIP}
ODD: Final = (
    "<script>alert(1)</script>",
    "'; DROP TABLE finding; --",
    "\u202egnp.exe",
    "a" * 253,
    "{{ 7 * 7 }}",
    "../../etc/passwd?x=1#y",
)


@dataclass(slots=True)
class World:
    """What was seeded. `places` are the numbers that paths of pages name; `session` is an administrator's."""

    site: Site
    session: str = ""
    places: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    @property
    def cookie(self) -> tuple[str, str]:
        """What a browser that is signed in sends."""
        return COOKIE, self.session

    def keep(self, cluster: str, rules: RuleSet, seen: list[Observed], at: datetime, generation: int = 0) -> None:
        """Let a cluster report."""
        self.sequences[cluster] = number = self.sequences.get(cluster, 0) + 1
        batch = Batch(cluster, "watch", number, at, rules, tuple(seen), generation=generation)
        assert self.site.ingest.keep(batch).status == "kept"

    def check(self, cluster: str, rules: RuleSet, seen: list[Observed], at: datetime, *problems: Problem) -> None:
        """Let a cluster be checked as a whole."""
        number = generations.begin(self.site.store, cluster, at, rules.digest, "0.6.0")
        self.keep(cluster, rules, seen, at, number)
        ended = at + timedelta(seconds=9)
        done = Generation(
            cluster, number, at, ended, not problems, rules.digest, "0.6.0", len(seen), problems, unlisted=()
        )
        generations.end(self.site.ingest, self.site.store, done)


def judged(cluster: str) -> tuple[RuleSet, list[Observed]]:
    """The examples, as the checks of the catalogue judge them. A team is what the label `owner` says."""
    report = scan(ScanRequest(NOW, (ROOT / "examples",), checks=CheckSelection(), keeps_all=True))
    facts = tuple(RuleFacts(str(info.id), info.severity, info.frameworks, "1") for info in report.rules)
    by_resource: dict[Any, list[Finding]] = {}
    for one in report.findings:
        by_resource.setdefault(one.resource, []).append(one)
    seen = []
    for piece in cut(find((ROOT / "examples",), render_kustomizations=False).files):
        assert not isinstance(piece, Problem)
        for item in read_piece(piece):
            assert not isinstance(item, Problem)
            said = by_resource.get(item.id, [])
            words = {str(one.rule.id): _WORDS.get(one.result, Verdict.PASS) for one in said}
            verdicts = bytes(words.get(one.id, Verdict.NONE) for one in facts)
            team = str(labels_of(item.body).get("owner", ""))
            seen.append(Observed(in_default_namespace(item), verdicts, tuple(said), team))
    return RuleSet(f"examples of {cluster}", facts), seen


def mended(one: Observed, rules: RuleSet, every: int) -> Observed:
    """The object with each `every`th of its failing pairs passing."""
    failing = [n for n, verdict in enumerate(one.verdicts) if verdict == Verdict.FAIL]
    passing = set(failing[::every])
    names = {rules.rules[n].id for n in passing}
    verdicts = bytes(Verdict.PASS if n in passing else verdict for n, verdict in enumerate(one.verdicts))
    return Observed(one.resource, verdicts, tuple(f for f in one.findings if str(f.rule.id) not in names), one.team)


def turned(one: Observed, rules: RuleSet, verdict: Verdict) -> Observed:
    """The object with the last of its failing pairs waived, or with a rule that could not run."""
    failing = [n for n, was in enumerate(one.verdicts) if was == Verdict.FAIL]
    if not failing:
        return one
    verdicts = bytearray(one.verdicts)
    verdicts[failing[-1]] = verdict
    rule = rules.rules[failing[-1]].id
    change = (
        {"waived_by": "7"} if verdict == Verdict.WAIVED else {"result": "error", "message": "the rule could not run"}
    )
    said = tuple(msgspec.structs.replace(f, **change) if str(f.rule.id) == rule else f for f in one.findings)
    return Observed(one.resource, bytes(verdicts), said, one.team)


def seed(site: Site) -> World:
    """Put the fleet into a store that is empty."""
    world = World(site)
    members = (
        ("production-eu", "agent", {"env": "production", "region": "eu"}, timedelta(minutes=1)),
        ("production-us", "agent", {"env": "production", "region": "us"}, timedelta(minutes=8)),
        ("staging", "context", {"env": "staging"}, timedelta(minutes=2)),
        ("shop-manifests", "folder", {"env": "build"}, timedelta(minutes=1)),
        ("edge", "agent", {"env": "production", "region": "edge"}, timedelta(days=2)),
    )
    for number, (name, kind, labels, silent) in enumerate(members, 1):
        clusters.join(site.store, Cluster(name, kind, labels, NOW - MONTH), 300)  # type: ignore[arg-type]  # words of the table above
        rules, seen = judged(name)
        for week in (4, 3, 2, 1):
            at = NOW - timedelta(days=7 * week - 1, hours=number)
            world.check(name, rules, [mended(one, rules, week + number % 3) for one in seen], at)
        problem = Problem("cluster", "`secrets` cannot be listed: forbidden")
        now = [mended(one, rules, 2 + number) for one in seen]
        for place, verdict in ((number, Verdict.WAIVED), (-number, Verdict.ERROR), (2 * number, Verdict.WAIVED)):
            now[place] = turned(now[place], rules, verdict)
        world.check(name, rules, now, NOW - silent, *([problem] * (name == "edge")))
        problems = [{"message": problem.message}] if name == "edge" else []
        clusters.note(site.store, name, {"version": f"v1.3{number}.2", "problems": problems})
    _odd(world)
    _people(world)
    _places(world)
    world.places |= decide(site.store, NOW, ODD)
    return world


def _odd(world: World) -> None:
    """A cluster whose objects have names that nobody should choose."""
    rules, seen = judged("odd")
    clusters.join(world.site.store, Cluster("odd", "agent", {"note": ODD[0]}, NOW - MONTH), 300)
    model = max((one for one in seen if one.resource.id.namespace), key=lambda one: len(one.findings))
    made = []
    for number, name in enumerate(ODD):
        body = {**model.resource.body, "metadata": {**model.resource.body["metadata"], "name": name}}
        body["metadata"]["namespace"] = ODD[-number - 1]
        body["metadata"]["annotations"] = {name: "a\nb\n" + name, "empty": "", "on": "on"}
        resource = resource_from(body)
        said = tuple(
            msgspec.structs.replace(one, resource=resource.id, message=f"{name} {one.message}")
            for one in model.findings
        )
        made.append(Observed(resource, model.verdicts, said, name))
    world.check("odd", rules, made, NOW - timedelta(minutes=1))


def _people(world: World) -> None:
    world.session = secrets.token_urlsafe(16)

    def work(connection: Connection) -> None:
        number = people.add_account(connection, "ada", NOW)
        people.give_role(connection, "admin", Grant(), number)
        people.begin_session(connection, world.session, number, (NOW, NOW + timedelta(hours=12)))

    world.site.store.write(work)


def _places(world: World) -> None:
    """The numbers that paths name: of a finding that has a remedy, of its object, and of what is oddly called."""
    with world.site.store.reading() as connection:
        wanted = findings.Wanted(rule="privilege-escalation")
        rows = findings.findings(connection, EVERYTHING, wanted, Page(100)).rows
        mendable = next(one for one in rows if one.cluster != "odd")
        odd = findings.findings(connection, EVERYTHING, findings.Wanted(cluster="odd"), Page(1)).rows[0]
    world.places |= {
        "finding": str(mendable.number),
        "resource": str(mendable.resource_number),
        "rule": mendable.rule,
        "odd": str(odd.resource_number),
        "odd_finding": str(odd.number),
        "odd_team": quote(odd.team, safe=""),
        "odd_namespace": quote(odd.resource.namespace, safe=""),
    }
