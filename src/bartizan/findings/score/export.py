"""A score with all it is made from, as one document, and the score worked out again from it.

Who has the document needs neither the plane nor its store to check a number:
`recompute` reads what the score is made from, leaves aside what the document
says the score is, and writes the document again. The same input gives the
same bytes, whatever the order in which it was given.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bartizan.base.errors import SpecError
from bartizan.findings.score.movement import Standing, movements, score_of
from bartizan.findings.score.numbers import (
    FORMULA,
    Attestation,
    Framework,
    Score,
    attested_on,
    by_rule,
    control_scores,
    percent,
    scores_by,
)
from bartizan.model.ledger import Entry, RuleFacts, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from fractions import Fraction

    from bartizan.findings.score.movement import Movement, Movements

FORMAT: Final = "bartizan/score/v1"
_HINT: Final = "Write one with an export of scores."
_MOST: Final = 2**63 - 1
"""The most that is counted, as stores count. Unit: pairs."""
_CONTROLS: Final = 1_000
"""Controls of one framework; the largest there are have some hundreds. A mean over more takes fractions too long."""


class Team(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """Whose a namespace of a cluster is, where it is one team's and its tallies do not say."""

    cluster: str
    namespace: str
    team: str


class Day(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the scores of one day are made from."""

    day: date
    rules: tuple[RuleFacts, ...]
    tallies: tuple[Tally, ...]
    frameworks: tuple[Framework, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    teams: tuple[Team, ...] = ()


class _Document(msgspec.Struct, frozen=True):
    """What is read of an export: its input. What it says of scores is worked out again."""

    format: str
    today: Day
    before: Day | None = None
    entries: tuple[Entry, ...] = ()


def export(today: Day, before: Day | None = None, entries: Iterable[Entry] = ()) -> bytes:
    """Write the scores of a day with all they are made from, and with `before` why they moved since.

    Raises:
        SpecError: nothing is known of a rule that has verdicts, or the entries do not lead from one day to the other.
    """
    given = tuple(sorted(entries))
    body: dict[str, Any] = {
        "format": FORMAT,
        "formula": dict(FORMULA),
        "today": _sorted(today),
        "scores": _scores(today),
    }
    if before is not None:
        body |= {"before": _sorted(before), "entries": given, "movements": list(_movements(before, today, given))}
    return msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n"


def recompute(document: bytes) -> bytes:
    """Work an export out again; the same bytes where what it says is so.

    Raises:
        SpecError: it is no export, or cannot be one.
    """
    try:
        read = msgspec.json.decode(document, type=_Document)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SpecError(f"the export cannot be read: {error}", hint=_HINT) from error
    except RecursionError as error:
        raise SpecError("the export is nested too deeply", hint=_HINT) from error
    if read.format != FORMAT:
        raise SpecError(f"the export is of format `{read.format}`", hint=f"This version reads `{FORMAT}`.")
    for place, day in (("today", read.today), ("before", read.before)):
        if day is not None:
            _check(day, f"/{place}")
    for index, entry in enumerate(read.entries):
        if not 1 <= entry.count <= _MOST:
            clause = "an entry counts nothing" if entry.count < 1 else "an entry counts too many"
            raise SpecError(clause, pointer=f"/entries/{index}/count")
    return export(read.today, read.before, read.entries)


def _check(day: Day, pointer: str) -> None:
    """Refuse what no plane exports and would make a number of nothing."""
    for index, tally in enumerate(day.tallies):
        if min(tally.counts) < 0:
            raise SpecError("a tally counts less than nothing", pointer=f"{pointer}/tallies/{index}")
        if max(tally.counts) > _MOST:
            raise SpecError("a tally counts too many", pointer=f"{pointer}/tallies/{index}")
    for index, framework in enumerate(day.frameworks):
        if len(framework.controls) > _CONTROLS:
            clause = f"a framework has {len(framework.controls)} controls, and may have {_CONTROLS}"
            raise SpecError(clause, pointer=f"{pointer}/frameworks/{index}/controls")
    for index, one in enumerate(day.attestations):
        if not 0 <= one.percent <= 100:
            raise SpecError(
                "an attestation is not from 0 to 100 percent", pointer=f"{pointer}/attestations/{index}/percent"
            )
    for name, clause, keys in (
        ("rules", "a rule is there twice", [rule.id for rule in day.rules]),
        ("frameworks", "a framework is there twice", [framework.id for framework in day.frameworks]),
        ("teams", "a namespace is two teams'", [(one.cluster, one.namespace) for one in day.teams]),
    ):
        if len(set(keys)) < len(keys):  # which of the two holds would hang on their order
            raise SpecError(clause, pointer=f"{pointer}/{name}")


def _sorted(day: Day) -> Day:
    return Day(
        day.day,
        tuple(sorted(day.rules, key=lambda rule: rule.id)),
        tuple(sorted(day.tallies)),
        tuple(sorted(day.frameworks)),
        tuple(sorted(day.attestations)),
        tuple(sorted(day.teams)),
    )


def _groups(day: Day) -> Iterator[tuple[str, Callable[[Tally], str | None]]]:
    """Whatever has scores, with what it puts a tally under."""
    teams = {(one.cluster, one.namespace): one.team for one in day.teams}
    yield "fleet", lambda _tally: "fleet"
    yield "cluster", lambda tally: tally.cluster
    yield "namespace", lambda tally: f"{tally.cluster}/{tally.namespace}" if tally.namespace else None
    yield "team", lambda tally: tally.team or teams.get((tally.cluster, tally.namespace))


def _scores(day: Day) -> list[dict[str, Any]]:
    facts = {rule.id: rule for rule in day.rules}
    found = [
        {"of": kind, "name": name, **_shown(score)}
        for kind, group in _groups(day)
        for name, score in scores_by(day.tallies, facts, group).items()
    ]
    counts, holding = by_rule(day.tallies), attested_on(day.day, day.attestations)
    for framework in sorted(day.frameworks):
        found.append({"of": "framework", "name": framework.id, **_shown(score_of(_standing(day, framework)))})
        for control, score in control_scores(counts, facts, framework, holding).items():
            found.append({"of": "control", "name": f"{framework.id}:{control}", **_shown(score)})
    return found


def _movements(before: Day, today: Day, entries: tuple[Entry, ...]) -> Iterator[dict[str, Any]]:
    """Why the fleet's numbers moved, and each framework's."""
    was = {framework.id: framework for framework in before.frameworks}
    now = {framework.id: framework for framework in today.frameworks}
    pairs: list[tuple[str, str, Framework | None, Framework | None]] = [("fleet", "fleet", None, None)]
    pairs += [("framework", name, was[name], now[name]) for name in sorted(was.keys() & now.keys())]
    for kind, name, old, new in pairs:
        try:
            moved = movements(_standing(before, old), _standing(today, new), entries)
        except ValueError as error:
            raise SpecError(str(error), hint="Give all entries after the one day, through the other.") from error
        yield {"of": kind, "name": name, **_parts(moved)}


def _standing(day: Day, framework: Framework | None) -> Standing:
    return Standing(day.day, day.tallies, {rule.id: rule for rule in day.rules}, framework, day.attestations)


def _shown(score: Score) -> Mapping[str, Any]:
    return {name: _number(value) for name, value in score._asdict().items()}


def _parts(moved: Movements) -> Mapping[str, Any]:
    return {name: _moved(one) for name, one in moved._asdict().items()}


def _moved(one: Movement) -> Mapping[str, Any]:
    return {
        "before": _number(one.before),
        "after": _number(one.after),
        "parts": {cause: _exact(part) for cause, part in one.parts.items()},
    }


def _number(value: Fraction | None) -> Mapping[str, str] | None:
    """Exact, for who checks, and in percent, for who reads."""
    return None if value is None else {"exact": _exact(value), "percent": percent(value)}


def _exact(value: Fraction) -> str:
    """A fraction in full. Python writes no number of more than 4,300 digits, which would take it too long."""
    try:
        return str(value)
    except ValueError as error:
        raise SpecError("a number has too many digits to be written", hint="Export fewer controls.") from error
