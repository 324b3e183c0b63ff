"""Laws of the metrics, over histories made by chance: small ones, so that instants and names meet often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.laws import examples

from bartizan.findings.delivery import joined, metrics, read_history, sum_up
from bartizan.model.delivery import (
    Capacity,
    Coverage,
    Event,
    FindingCaught,
    FindingDropped,
    FindingMended,
    FindingOpened,
    IncidentClosed,
    IncidentOpened,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    SightLost,
    SightRegained,
    WaiverGranted,
    WaiverWithdrawn,
    Window,
    Workload,
)
from bartizan.model.severity import Severity

if TYPE_CHECKING:
    from bartizan.findings.delivery import Sums

START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 24 * 12
NOW = START + timedelta(hours=HOURS)

AT = st.integers(0, HOURS // 6).map(lambda number: START + timedelta(hours=6 * number))
WORKLOADS = st.sampled_from(
    [Workload("east", "shop", "Deployment", "web"), Workload("west", "shop", "DaemonSet", "log")]
)
REVISIONS = st.sampled_from("abc")
IDS = st.sampled_from(["1", "2"])
SEVERITIES = st.sampled_from(Severity)
EXACT = st.booleans()
COUNTS = st.integers(0, 3)

EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(RolloutBegan, AT, WORKLOADS, REVISIONS, st.none() | AT, st.none() | AT, EXACT),
    st.builds(RolloutSucceeded, AT, WORKLOADS, REVISIONS, EXACT),
    st.builds(RolloutFailed, AT, WORKLOADS, REVISIONS, st.sampled_from(["deadline", "crash-loop"]), EXACT),
    st.builds(RolledBack, AT, WORKLOADS, REVISIONS, REVISIONS, EXACT),
    st.builds(Capacity, AT, WORKLOADS, COUNTS, COUNTS),
    st.builds(SightLost, AT, st.sampled_from(["east", "west"])),
    st.builds(SightRegained, AT, st.sampled_from(["east", "west"])),
    st.builds(IncidentOpened, AT, IDS, st.none() | WORKLOADS),
    st.builds(IncidentClosed, AT, IDS),
    st.builds(FindingOpened, AT, IDS, SEVERITIES, st.sampled_from(["passed", "absent", "unknown"]), EXACT),
    st.builds(FindingMended, AT, IDS, EXACT),
    st.builds(FindingDropped, AT, IDS),
    st.builds(FindingCaught, AT, IDS, SEVERITIES),
    st.builds(WaiverGranted, AT, IDS, st.dates(date(2026, 3, 1), date(2026, 3, 20))),
    st.builds(WaiverWithdrawn, AT, IDS),
    st.builds(Coverage, AT, st.sampled_from(["east", "west"]), st.just("signed-images"), COUNTS, COUNTS, COUNTS),
)
HISTORIES = st.lists(EVENTS, max_size=40)
WHOLE = Window(START, NOW)


def sums_of(events: list[Event], window: Window = WHOLE, now: datetime = NOW) -> Sums:
    return sum_up(read_history(events, now), window)


@examples(200)
@given(HISTORIES, AT, AT)
def test_a_window_is_the_sum_of_its_parts(events: list[Event], cut: datetime, now: datetime) -> None:
    """Wherever a window is cut, and whenever it is now, its parts add up to it."""
    history = read_history(events, now)
    parts = joined(sum_up(history, Window(START, cut)), sum_up(history, Window(cut, NOW)))
    whole = sum_up(history, WHOLE)
    assert (parts.counts, parts.times, parts.days) == (whole.counts, whole.times, whole.days)
    assert metrics(parts) == metrics(whole)


@examples(200)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_order_never_matters(events: list[Event], chance: object) -> None:
    """Not within an instant, and not over all, for an agent may send what it kept later than what is new."""
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random without saying so
    assert sums_of(shuffled) == sums_of(events)


@examples(200)
@given(HISTORIES, st.data())
def test_telling_again_changes_nothing(events: list[Event], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(events))) if events else []
    assert sums_of([*events, *again]) == sums_of(events)


@examples(200)
@given(HISTORIES)
def test_silence_is_never_success(events: list[Event]) -> None:
    """Without a word that anything is well, nothing is deployed, sound or recovered but by an incident's end."""
    silent = [event for event in events if not isinstance(event, RolloutSucceeded)]
    sums = sums_of(silent)
    assert not sums.days
    assert not sums.counts["changes.sound"]
    assert "lead" not in sums.times
    assert "artifact" not in sums.times


@examples(200)
@given(HISTORIES, AT, st.sampled_from(["east", "west"]))
def test_losing_sight_never_makes_anything_better(events: list[Event], at: datetime, cluster: str) -> None:
    """With one more gap no more time is up, no more changes are sound, and no more is covered."""
    seen = sums_of(events)
    lost = sums_of([*events, SightLost(at, cluster)])
    if seen.counts["sight.all"] != lost.counts["sight.all"]:
        return  # the gap is the first that is heard of the cluster
    for name in ("sight.seen", "replicas.up", "replicas.wanted", "replicas.served", "changes.sound"):
        assert lost.counts[name] <= seen.counts[name]
    assert lost.counts["replicas.wanted"] + lost.counts["replicas.unknown"] == (
        seen.counts["replicas.wanted"] + seen.counts["replicas.unknown"]
    )
    for subject, known in lost.standing.coverage.items():
        before = seen.standing.coverage[subject]
        assert known.covered <= before.covered
        assert sum(known) == sum(before)


@examples(150)
@given(HISTORIES)
def test_every_change_has_one_verdict_and_shares_are_shares(events: list[Event]) -> None:
    sums = sums_of(events)
    began = {(event.at, event.workload, event.revision) for event in events if isinstance(event, RolloutBegan)}
    verdicts = sum(sums.counts[f"changes.{verdict}"] for verdict in ("failed", "sound", "undecided"))
    assert verdicts <= len(began)
    for metric in metrics(sums).values():
        assert 0 <= metric.confidence.part <= metric.confidence.whole
        assert not any(isinstance(figure, timedelta) and figure < timedelta() for figure in metric.figures.values())


@examples(50)
@given(HISTORIES)
def test_events_survive_the_wire(events: list[Event]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(events), type=list[Event]) == events


def test_a_window_needs_a_zone_and_an_order() -> None:
    naive = datetime(2026, 3, 2)  # noqa: DTZ001  # the very thing that is refused
    for begin, end in ((naive, naive), (NOW, START)):
        with pytest.raises(ValueError, match="window"):
            Window(begin, end)
    with pytest.raises(ValueError, match="follow"):
        joined(sums_of([]), sums_of([], Window(START, START)))
