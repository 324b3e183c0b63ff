"""A watch read as events: each step of a roll-out says what it says and no more."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.findings.delivery.histories import FOLDER
from tests.laws import examples
from tests.spoil import spoil

from bartizan.findings.delivery.templates import digest, made, read_time
from bartizan.findings.delivery.watching import (
    Memory,
    Observation,
    conclude_listing,
    lose_sight,
    observe,
    regain_sight,
)
from bartizan.model.delivery import (
    Capacity,
    Event,
    RolledBack,
    RolloutBegan,
    RolloutFailed,
    RolloutSucceeded,
    SightLost,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
KEPT = {"replicaset": "ReplicaSet", "controllerrevision": "ControllerRevision"}
CASES = yaml.safe_load((FOLDER / "watching" / "steps.yaml").read_text())


def template(image: str, restarted: str = "") -> dict[str, Any]:
    annotations = {"kubectl.kubernetes.io/restartedAt": restarted} if restarted else {}
    metadata = {"labels": {"app": "web"}, "annotations": annotations}
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image}]}}


IMAGES = {digest(template(image)): image for image in ("a", "b", "c", "a-with-defaults")}


class Stage:
    """The objects of a case, as they stand."""

    def __init__(self) -> None:
        self.memory = Memory("east")
        self.values: dict[str, dict[str, Any]] = {}

    def play(self, step: dict[str, Any], at: datetime) -> list[Event]:
        """What is said of one step."""
        if "lost" in step:
            return lose_sight(self.memory, at)
        if "regained" in step:
            return regain_sight(self.memory, at)
        if "concluded" in step:
            return conclude_listing(self.memory, step["concluded"], at)
        how = next(how for how in ("listed", "changed", "deleted") if how in step)
        what = step[how]
        self.values[what] = {**self.values.get(what, {}), **step}
        return observe(self.memory, Observation(at, how, self.body(what, self.values[what])), {})

    def body(self, what: str, now: dict[str, Any]) -> dict[str, Any]:
        """An object as a server would send it."""
        if what in KEPT:
            return self.kept(what, now)
        if what == "pod":
            return pod(now)
        metadata = {"name": "web", "namespace": "shop", "uid": what, "generation": now["generation"]}
        metadata["creationTimestamp"] = now.get("made", "2026-01-01T00:00:00Z")
        spec = {"replicas": now["wants"], "template": template(now["image"], now.get("restarted", ""))}
        return {"apiVersion": "apps/v1", "kind": KINDS[what], "metadata": metadata, "spec": spec, "status": status(now)}

    @staticmethod
    def kept(what: str, now: dict[str, Any]) -> dict[str, Any]:
        """What keeps an earlier template."""
        owner = {"controller": True, "uid": "deployment" if what == "replicaset" else "statefulset"}
        name = f"web-{now['image']}"
        metadata = {"name": name, "uid": f"kept-{now['image']}", "creationTimestamp": now["made"]}
        metadata |= {"namespace": "shop", "ownerReferences": [owner]}
        held = template(now["image"])
        if what == "replicaset":
            held["metadata"]["labels"]["pod-template-hash"] = now["image"]
            part: dict[str, Any] = {"spec": {"template": held}}
        else:
            part = {"data": {"spec": {"template": {**held, "$patch": "replace"}}}}
        return {"apiVersion": "apps/v1", "kind": KEPT[what], "metadata": metadata, **part}


def status(now: dict[str, Any]) -> dict[str, Any]:
    state, reason = ("False", "ProgressDeadlineExceeded") if now.get("overdue") else ("True", "ReplicaSetUpdated")
    updated, available = now.get("updated", 0), now.get("available", 0)
    return {
        "observedGeneration": now.get("observed", now["generation"]),
        "replicas": now.get("all", 0),
        "updatedReplicas": updated,
        "availableReplicas": available,
        "desiredNumberScheduled": now["wants"],
        "updatedNumberScheduled": updated,
        "numberAvailable": available,
        "conditions": [{"type": "Progressing", "status": state, "reason": reason}],
    }


def pod(now: dict[str, Any]) -> dict[str, Any]:
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}} if now["crashing"] else {"running": {}}
    owner, label = f"kept-{now['image']}", "pod-template-hash"
    if now.get("of") == "statefulset":
        owner, label = "statefulset", "controller-revision-hash"
    metadata = {"name": "p", "uid": "p", "namespace": "shop", "labels": {label: f"web-{now['image']}"}}
    metadata["ownerReferences"] = [{"controller": True, "uid": owner}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "status": {"containerStatuses": [{"state": waiting}]},
    }


def short(event: Event) -> str:
    late = "" if getattr(event, "exact", True) else " late"
    match event:
        case RolloutBegan():
            return f"began {IMAGES[event.revision]}{late}"
        case RolloutSucceeded():
            return f"succeeded {IMAGES[event.revision]}{late}"
        case RolloutFailed():
            return f"failed {IMAGES[event.revision]} by {event.signal}{late}"
        case RolledBack():
            return f"rolled-back {IMAGES[event.revision]} from {IMAGES[event.left]}{late}"
        case Capacity():
            return f"capacity {event.available}/{event.desired}"
        case _:
            return "lost" if isinstance(event, SightLost) else "regained"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("restarted", [False, True], ids=["in one life", "written down between steps"])
def test_steps(case: dict[str, Any], restarted: bool) -> None:
    stage = Stage()
    for number, step in enumerate(case["steps"]):
        if restarted:
            stage.memory = msgspec.json.decode(msgspec.json.encode(stage.memory), type=Memory)
        said = [short(event) for event in stage.play(step, START + timedelta(minutes=number))]
        assert (number, said) == (number, step["says"])


@examples(300)
@given(st.sampled_from(CASES), st.data())
def test_no_object_is_a_bug(case: dict[str, Any], data: st.DataObject) -> None:
    """Whatever a server sends, nothing breaks; and what has no readable status has not succeeded."""
    stage = Stage()
    for step in case["steps"]:
        how = next((how for how in ("listed", "changed", "deleted") if how in step), "")
        if how:
            stage.values[step[how]] = {**stage.values.get(step[how], {}), **step}
            body = deepcopy(stage.body(step[how], stage.values[step[how]]))
            spoil(body, data)
            observe(stage.memory, Observation(START, how, body), {})  # type: ignore[arg-type]  # one of three words
            body.pop("status", None)
            said = observe(stage.memory, Observation(START, "changed", body), {})
            assert not any(isinstance(event, RolloutSucceeded) for event in said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("1772445600", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1772445600, None),
        ("9" * 11, datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("9" * 30, None),
    ],
)
def test_times_of_annotations_and_labels(text: object, expected: datetime | None) -> None:
    assert read_time(text) == expected


def test_the_template_speaks_before_its_workload_and_the_newest_image_counts() -> None:
    at = {"old:1": START, "new:1": START + timedelta(hours=1)}
    part = {"metadata": {"labels": {"bartizan.dev/commit-time": "1772445600"}}}
    part |= {"spec": {"initContainers": [{"image": "new:1"}], "containers": [{"image": "old:1"}, {"image": "none:1"}]}}
    body = {"metadata": {"annotations": {"bartizan.dev/commit-time": "2026-01-01T00:00:00Z"}}}
    assert made(body, part, at) == (datetime(2026, 3, 2, 10, tzinfo=UTC), START + timedelta(hours=1))
    assert made(body, {}, at) == (datetime(2026, 1, 1, tzinfo=UTC), None)
