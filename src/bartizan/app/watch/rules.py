"""The rules of a plane, compiled once and asked of every member.

Several compiled rules may be one to a reader: those that autogen makes of a
check have its id. They share a column, a byte in the verdicts of each
object, and the worst of what they say is what it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec
import orjson

import bartizan
from bartizan.app.policies import documents, read_exceptions, read_policies
from bartizan.app.selection import CheckSelection, compile_checks, select
from bartizan.app.values import EMPTY, Values
from bartizan.base.json import to_text
from bartizan.engines.policy.dialects.podsecurity.profile import compile_profile
from bartizan.engines.policy.plan import JUDGING
from bartizan.fleet import Reach, reach_of
from bartizan.model.ledger import RuleFacts, RuleSet
from bartizan.model.report import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bartizan.base.json import JsonObject
    from bartizan.catalog import CheckSpec
    from bartizan.engines.policy.dialects.kyverno.global_context import GlobalEntry
    from bartizan.engines.policy.plan import Rule
    from bartizan.engines.posture import CrossCheck
    from bartizan.model.finding import RuleInfo

OURS: Final = frozenset({"check", "podsecurity"})
"""Origins of rules that we bring: what a copy of an object repeats of them is said once."""
_SAID_ONLY: Final = frozenset({"title", "severity", "category", "frameworks", "why", "fix", "examples", "remediation"})
"""Fields of a check that no verdict rests on. The ledger sees another severity or framework by itself."""


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Which rules a plane asks: checks of the catalogue, levels of pod security, and policies from files.

    Without `checks` none of the catalogue is asked.
    """

    checks: CheckSelection | None = field(default_factory=CheckSelection)
    pod_security: tuple[str, ...] = ()
    policies: tuple[Path, ...] = ()
    exceptions: tuple[Path, ...] = ()
    values: Values = EMPTY


@dataclass(frozen=True)
class RuleBook:
    """Rules ready to run. `columns` are the columns of `rules`, `crossing` those of `checks`.

    `infos` and `ours` are by column: what is known of a rule, and whether it is
    one that we bring. `problems` are what could not be made a rule.
    """

    rules: tuple[Rule, ...]
    columns: tuple[int, ...]
    checks: tuple[CrossCheck, ...]
    crossing: tuple[int, ...]
    infos: tuple[RuleInfo, ...]
    ours: tuple[bool, ...]
    rule_set: RuleSet
    reaches: tuple[Reach, ...]
    problems: tuple[Problem, ...] = ()
    entries: tuple[GlobalEntry, ...] = ()
    values: Values = EMPTY
    wants_namespaces: bool = False

    @cached_property
    def restless(self) -> frozenset[str] | None:
        """Kinds of which a verdict may change though the object does not; `None` is any kind.

        Policies that people bring may ask the world, or the time. What we bring looks at the object alone.
        """
        found: set[str] = set()
        for info, reach in zip(self.infos, self.reaches, strict=True):
            if info.origin not in OURS:
                if reach.kinds is None:
                    return None
                found |= reach.kinds
        return frozenset(found)

    @property
    def digest(self) -> str:
        """Of the whole book; two books of one digest say the same of everything."""
        return self.rule_set.digest


def load_rules(settings: RuleSettings) -> RuleBook:
    """Read and compile the rules that settings name; a policy that is malformed is a problem, and the others run.

    Raises:
        SpecError: a check, framework or level that was named does not exist.
    """
    specs = select(settings.checks) if settings.checks else []
    chosen = compile_checks(specs)
    profiles = [rule for text in settings.pod_security for rule in compile_profile(text)]
    exceptions, problems = read_exceptions(settings.exceptions)
    policies = read_policies(settings.policies, exceptions)
    digests = _Digests(specs, settings, exceptions)
    rules = [rule for rule in (*policies.rules, *profiles, *chosen.rules) if rule.does in JUDGING]
    return _bound(
        rules,
        chosen.checks,
        digests,
        problems=(*problems, *policies.problems),
        entries=policies.entries,
        values=settings.values,
        wants_namespaces=policies.wants_namespaces,
    )


def _bound(rules: Sequence[Rule], checks: Sequence[CrossCheck], digests: _Digests, **more: object) -> RuleBook:
    """Give every id its column, in the order of ids."""
    infos: dict[str, RuleInfo] = {}
    kinds: dict[str, frozenset[str] | None] = {}
    for info, reach in (*((rule.info, rule.kinds) for rule in rules), *((one.info, one.kinds) for one in checks)):
        name = str(info.id)
        infos.setdefault(name, info)
        before = kinds.get(name, frozenset())
        kinds[name] = None if before is None or reach is None else before | reach
    names = sorted(infos)
    columns = {name: number for number, name in enumerate(names)}
    facts = tuple(
        RuleFacts(name, infos[name].severity, infos[name].frameworks, digests.of(infos[name])) for name in names
    )
    digest = blake2b(msgspec.msgpack.encode(facts), digest_size=16).hexdigest()
    return RuleBook(
        tuple(rules),
        tuple(columns[str(rule.info.id)] for rule in rules),
        tuple(checks),
        tuple(columns[str(check.info.id)] for check in checks),
        tuple(infos[name] for name in names),
        tuple(infos[name].origin in OURS for name in names),
        RuleSet(digest, facts),
        tuple(reach_of(one, kinds[one.id]) for one in facts),
        **more,  # type: ignore[arg-type]  # the fields that are only handed on, by name
    )


class _Digests:
    """What the verdict of each rule rests on, as a digest: its text, its parameters, and who evaluates it."""

    def __init__(self, specs: Iterable[CheckSpec], settings: RuleSettings, exceptions: Sequence[JsonObject]) -> None:
        self._specs = {spec.id: _spec_text(spec) for spec in specs}
        self._policies, self._rest = _policy_texts(settings.policies)
        self._exceptions = [to_text(item) for item in exceptions]
        self._values = repr(settings.values) if settings.values != EMPTY else ""

    def of(self, info: RuleInfo) -> str:
        """The digest of one rule."""
        parts = [bartizan.__version__, str(info.id), info.origin, str(info.scored), *self._parts(info)]
        return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def _parts(self, info: RuleInfo) -> Iterator[str]:
        policy = info.id.policy
        if info.origin == "check":
            yield self._specs[policy]
        elif info.origin == "podsecurity":
            yield info.title  # names the level and its version
        else:
            plain = policy.rpartition("/")[2]
            # a policy whose document cannot be told by its name rests on all of them, which is safe
            yield from self._policies.get(policy) or self._policies.get(plain) or self._rest
            yield from (text for text in self._exceptions if plain in text or "*" in text)
            yield from self._rest
            yield self._values


def _spec_text(spec: CheckSpec) -> str:
    fields = {name: getattr(spec, name) for name in spec.__struct_fields__ if name not in _SAID_ONLY}
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()


def _policy_texts(paths: Sequence[Path]) -> tuple[Mapping[str, list[str]], list[str]]:
    """Documents beside policies: those by the name of a policy, and those that any of them may rest on."""
    named: dict[str, list[str]] = {}
    rest: list[str] = []
    for document in documents(paths):
        if isinstance(document, Problem) or not isinstance(document.body, dict):
            continue
        body = document.body
        metadata = body.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
        kind = str(body.get("kind"))
        text = to_text(body)
        if kind.endswith("Policy") and isinstance(name, str):
            named.setdefault(f"{namespace}/{name}" if namespace else name, []).append(text)
        else:
            rest.append(text)
    return named, sorted(rest)
