"""A clean-up as text, JSON or YAML."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from bartizan.outputs.terminal_ink import COLOR, PLAIN, Ink
from bartizan.outputs.text import one_line, plural, to_json
from bartizan.outputs.yaml import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from bartizan.model.cleanup import CleanupReport, CleanupRun, Deleted, Deletion, Lifetime


def text(report: CleanupReport, *, color: bool) -> Iterator[str]:
    """For people: each policy with its times and what it would delete, then what has an end of its own."""
    ink = COLOR if color else PLAIN
    for run in report.runs:
        yield from _run(run, report.at, ink)
        yield ""
    if report.lives:
        yield f"{ink.bold}Times to live{ink.off}"
        yield from (line for life in report.lives for line in _life(life, report.at, ink))
        yield ""
    yield f"{plural(len(report.deletions), 'object')} to delete."


def deleted(item: Deleted, *, color: bool) -> str:
    """One line about one deletion."""
    ink = COLOR if color else PLAIN
    tone = ink.error if item.result == "failed" else ink.good
    said = f": {item.message}" if item.message else ""
    hint = f"\n  hint: {item.hint}" if item.hint else ""
    return f"{tone}{item.result}{ink.off} {one_line(str(item.deletion.resource))}{said}{hint}"


def as_json(report: CleanupReport, done: tuple[Deleted, ...]) -> str:
    """For programs, on one line."""
    return to_json(shape(report, done))


def as_yaml(report: CleanupReport, done: tuple[Deleted, ...]) -> str:
    """For programs and people."""
    return "\n".join(lines(shape(report, done)))


def shape(report: CleanupReport, done: tuple[Deleted, ...]) -> dict[str, Any]:
    """The report as plain values. `deleted` is there where deletions were asked for."""
    shaped: dict[str, Any] = {
        "at": _moment(report.at),
        "policies": [
            {
                "policy": run.policy,
                "kind": run.kind,
                "schedule": run.schedule,
                "last": _moment(run.last),
                "due": _moment(run.due),
                "next": _moment(run.then),
                "delete": [_shape(item) for item in run.deletions],
                "problems": list(run.problems),
                "notes": list(run.notes),
            }
            for run in report.runs
        ],
        "ttl": [
            {
                "resource": _name(life.deletion),
                "ttl": life.ttl,
                "ends": _moment(life.ends),
                "over": _is_over(life, report.at),
                "problem": life.problem,
            }
            for life in report.lives
        ],
        "problems": [
            {"kind": item.kind, "message": item.message, "place": str(item.at or ""), "hint": item.hint}
            for item in report.problems
        ],
    }
    if done:
        shaped["deleted"] = [
            {"resource": _name(item.deletion), "result": item.result, "message": item.message} for item in done
        ]
    return shaped


def _shape(item: Deletion) -> dict[str, Any]:
    return {"resource": _name(item), "because": item.because, "propagation": item.propagation}


def _name(item: Deletion) -> dict[str, str]:
    rid = item.resource
    return {"apiVersion": rid.api_version, "kind": rid.kind, "namespace": rid.namespace, "name": rid.name}


def _run(run: CleanupRun, at: datetime, ink: Ink) -> Iterator[str]:
    yield f"{ink.bold}{run.kind} {one_line(run.policy)}{ink.off}  {ink.dim}{one_line(run.schedule)}{ink.off}"
    yield f"  last  {_moment(run.last) or 'not known'}"
    late = run.due is not None and run.due <= at
    if late and run.due is not None:
        yield f"  {ink.error}late{ink.off}  {_moment(run.due)}, {_span(at - run.due)} ago: it runs as soon as it can"
    then = f"{_moment(run.then)}, in {_span(run.then - at)}" if run.then else "never again"
    yield f"  next  {then}"
    for note in run.notes:
        yield f"  note  {note}"
    for item in run.deletions:
        rid = item.resource
        yield f"    {ink.error}-{ink.off} {one_line(str(rid))}  {ink.dim}{one_line(item.because)}{_with(item)}{ink.off}"
    if not run.deletions:
        yield f"    {ink.good}nothing to delete{ink.off}"
    for problem in run.problems:
        yield f"    {ink.error}not judged{ink.off}: {one_line(problem)}"


def _with(item: Deletion) -> str:
    return f" ({item.propagation})" if item.propagation else ""


def _life(life: Lifetime, at: datetime, ink: Ink) -> Iterator[str]:
    name, label = one_line(str(life.deletion.resource)), one_line(life.ttl)
    if life.ends is None:
        yield f"  {ink.error}?{ink.off} {name}  never ends: {one_line(life.problem)}"
    elif _is_over(life, at):
        over = f"{label} was over {_moment(life.ends)}, {_span(at - life.ends)} ago"
        yield f"  {ink.error}-{ink.off} {name}  {ink.dim}{over}{_with(life.deletion)}{ink.off}"
    else:
        yield f"    {name}  {ink.dim}{label} ends {_moment(life.ends)}, in {_span(life.ends - at)}{ink.off}"


def _is_over(life: Lifetime, at: datetime) -> bool:
    return life.ends is not None and life.ends < at


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def _span(span: timedelta) -> str:
    """A length of time, by its two largest units."""
    seconds = int(span.total_seconds())
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number or parts:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"
