"""Histories as the cases write them: short times, short workloads."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bartizan.base.duration import parse_duration
from bartizan.findings.delivery import Metric, Share
from bartizan.model.delivery import Event, Window, Workload

FOLDER = Path(__file__).parents[2] / "cases" / "delivery"
_DAYS = re.compile(r"(\d+)d(.*)")


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """A history and what must come out of it."""

    name: str
    window: tuple[str, str]
    events: list[dict[str, Any]]
    expect: dict[str, dict[str, Any]]
    now: str = "06-01"

    def read(self) -> tuple[list[Event], Window, datetime]:
        """Its events, window and present."""
        events = [event_from(event) for event in self.events]
        return events, Window(instant(self.window[0]), instant(self.window[1])), instant(self.now)


def cases() -> list[Case]:
    return [
        case
        for file in sorted(FOLDER.glob("*.yaml"))
        for case in msgspec.convert(yaml.safe_load(file.read_text()), list[Case])
    ]


def instant(text: str) -> datetime:
    """`02 10:00` is of March 2026; `04-02 10:00` names its month."""
    day, _, clock = text.partition(" ")
    month, _, number = day.rpartition("-")
    return datetime.strptime(f"2026-{month or '03'}-{number} {clock or '00:00'}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def workload(text: str) -> Workload:
    cluster, _, name = text.rpartition(":")
    return Workload(cluster or "east", "shop", "Deployment", name)


def event_from(written: dict[str, Any]) -> Event:
    """Read an event, by its own form on the wire."""
    event = dict(written)
    for key in ("at", "commit_at", "image_at"):
        if key in event:
            event[key] = instant(event[key]).isoformat()
    if "workload" in event:
        event["workload"] = msgspec.to_builtins(workload(event["workload"]))
    return msgspec.json.decode(msgspec.json.encode(event), type=Event)


def expected(value: Any) -> Any:
    """A figure as a case writes it: durations as text, shares as pairs."""
    if isinstance(value, list):
        part, whole = (_micros(one) for one in value)
        return Share(part, whole)
    return _time(value) if isinstance(value, str) else value


def figure(metric: Metric, name: str) -> Any:
    if name == "bucket":
        return metric.bucket
    return metric.confidence if name == "confidence" else metric.figures[name]


def _micros(value: Any) -> int:
    return _time(value) // timedelta(microseconds=1) if isinstance(value, str) else value


def _time(text: str) -> timedelta:
    days = _DAYS.fullmatch(text)
    rest = days[2] if days else text
    nanoseconds = parse_duration(rest) if rest else 0
    assert nanoseconds is not None, text
    return timedelta(days=int(days[1]) if days else 0, microseconds=nanoseconds // 1000)
