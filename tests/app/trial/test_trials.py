"""Policies tried in confined processes: answers of every dialect, and an end to whatever would have none."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.app.trial.policies import ALIASES, CALLING, HOSTILE, POD, classic, in_cel

import bartizan
from bartizan.app.trial.pace import Pace
from bartizan.app.trial.processes import Process, Trials
from bartizan.app.trial.wire import Begin, Begun, Bug, Piece, Tried, Try, packed, unpacked
from bartizan.base.errors import BartizanError, SourceError, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_S = 12.0
"""For one trial, on a machine that does much else: the bound is 6 seconds, and 8 where the process does not tell."""


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    made = Trials()
    made.ask(Try("", POD))
    yield made
    made.close()


def tried(trials: Trials, policy: str, resource: str = POD) -> Tried:
    answer = trials.ask(Try(policy, resource))
    assert isinstance(answer, Tried)
    return answer


def words(trials: Trials, policy: str, resource: str = POD) -> str:
    """All that is said of a trial."""
    try:
        answer = tried(trials, policy, resource)
    except SpecError as error:
        return error.message
    return "\n".join(
        [*(one.message for one in answer.problems), *(one.message for one in answer.rules)]
        + [line for one in answer.rules for line in one.reasons]
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_policy_ends_with_a_clear_error(trials: Trials, name: str) -> None:
    policy, said = HOSTILE[name]
    began = time.monotonic()
    assert said in words(trials, policy)
    assert time.monotonic() - began < _LONGEST_S
    assert [one.result for one in tried(trials, in_cel("true")).rules] == ["pass"]


@pytest.mark.parametrize("name", CALLING)
def test_nothing_outside_is_called(trials: Trials, name: str) -> None:
    policy, asked = CALLING[name]
    answer = tried(trials, policy)
    assert [one.result for one in answer.rules] == ["error"]
    assert "not called here: " in answer.rules[0].message
    assert asked in answer.rules[0].message


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        pytest.param(ALIASES, "nodes, aliases written out", id="aliases of aliases"),
        pytest.param("[" * 100_000, "nests deeper", id="brackets without end"),
        pytest.param("kind: [", "", id="broken"),
        pytest.param("kind: 1", "no object of Kubernetes", id="a number as its kind"),
        pytest.param("", "no object in this text", id="nothing"),
    ],
)
def test_a_hostile_object_ends_with_a_clear_error(trials: Trials, resource: str, said: str) -> None:
    answer = tried(trials, in_cel("true"), resource)
    assert said in answer.problems[0].message
    assert answer.problems[0].of == "object"


BOUND = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: b}
spec: {policyName: p, validationActions: [Deny]}
"""
EXCEPTION = """
apiVersion: kyverno.io/v2
kind: PolicyException
metadata: {name: e, namespace: default}
spec:
  exceptions: [{policyName: p, ruleNames: [r]}]
  match: {any: [{resources: {kinds: [Pod]}}]}
"""
NAMED = classic(validate={"message": "no", "pattern": {"metadata": {"name": "api"}}})
LABELS = {"metadata": {"labels": {"team": "web"}}}
MADE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "c", "namespace": "d", "data": {"data": {"a": "b"}}}
IS_API = "object.metadata.name == 'api'"
DIALECTS = {
    "classic": (NAMED, [("p/r", "fail")]),
    "classic, excepted": (f"{NAMED}\n---\n{EXCEPTION}", [("p/r", "skip")]),
    "classic, mutating": (classic(mutate={"patchStrategicMerge": LABELS}), [("p/r", "change")]),
    "classic, generating": (classic(generate=MADE), [("p/r", "change")]),
    "classic, in CEL": (classic(validate={"cel": {"expressions": [{"expression": IS_API}]}}), [("p/r", "fail")]),
    "classic, pod security": (classic(validate={"podSecurity": {"level": "restricted"}}), [("p/r", "fail")]),
    "ValidatingPolicy": (in_cel(IS_API, kind="ValidatingPolicy"), [("p", "fail")]),
    "ValidatingAdmissionPolicy": (in_cel(IS_API), [("p", "fail")]),
    "ValidatingAdmissionPolicy, bound": (f"{in_cel(IS_API)}\n---\n{BOUND}", [("p/b", "fail")]),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_is_tried_and_explained(trials: Trials, name: str) -> None:
    policy, expected = DIALECTS[name]
    answer = tried(trials, policy)
    assert answer.problems == []
    assert [(one.rule, one.result) for one in answer.rules] == expected
    assert all(one.tree for one in answer.rules)


def test_a_later_rule_sees_what_an_earlier_one_changed(trials: Trials) -> None:
    changes = classic(mutate={"patchStrategicMerge": LABELS}).replace('"name": "p"', '"name": "q"')
    asks = classic(validate={"message": "m", "pattern": LABELS})
    answer = tried(trials, f"{changes}\n---\n{asks}")
    assert [(one.rule, one.result) for one in answer.rules] == [("q/r", "change"), ("p/r", "pass")]
    assert "+    team: web" in answer.rules[0].changes[0].lines


def test_labels_of_the_namespace_are_given(trials: Trials) -> None:
    chosen = '"kinds": ["Pod"], "namespaceSelector": {"matchLabels": {"tier": "prod"}}'
    selecting = NAMED.replace('"kinds": ["Pod"]', chosen)
    with_labels = trials.ask(Try(selecting, POD, {"tier": "prod"}))
    assert isinstance(with_labels, Tried)
    assert [one.result for one in with_labels.rules] == ["fail"]
    assert [one.result for one in tried(trials, selecting).rules] == ["silent"]


def test_an_answer_is_cut_before_it_is_too_long(trials: Trials) -> None:
    labels = {"metadata": {"labels": {f"l{number}": "x" * 2000 for number in range(60)}}}
    changes = classic(mutate={"patchStrategicMerge": labels})
    many = [
        classic(validate={"message": "m" * 3000, "pattern": {"a": "b"}}).replace('"p"', f'"q{n}"') for n in range(30)
    ]
    answer = tried(trials, "\n---\n".join([changes, *many]))
    assert len(answer.rules) == 31
    size = sum(len(line) for one in answer.rules for line in [*one.tree, *(x for c in one.changes for x in c.lines)])
    assert 60_000 < size <= (1 << 20) + 1000
    assert max(len(one.message) for one in answer.rules) <= 2001


CONFINED = """
import sys
from bartizan.app.trial.confined import bound, confine
bound(2, 64 << 20)
confine()
try:
    exec(sys.argv[1])
except BaseException as error:
    print(type(error).__name__)
else:
    print("done")
"""


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("open('/etc/passwd')", "PermissionError"),
        ("open('/proc/self/environ')", "PermissionError"),
        ("open(sys.prefix + '/../../../etc/passwd')", "PermissionError"),
        ("import os; os.listdir('/root')", "PermissionError"),
        ("import os; os.open('/var/run/secrets/kubernetes.io/serviceaccount/token', os.O_RDONLY)", "PermissionError"),
        ("import os; open(os.__file__, 'a')", "PermissionError"),
        ("open('/tmp/made-by-a-trial', 'w')", "PermissionError"),
        ("import socket; socket.socket()", "PermissionError"),
        ("import socket; socket.getaddrinfo('localhost', 80)", "PermissionError"),
        ("import subprocess; subprocess.run(['true'])", "PermissionError"),
        ("import os; os.fork()", "PermissionError"),
        ("import os; os.system('true')", "PermissionError"),
        ("import os; os.kill(os.getppid(), 0)", "PermissionError"),
        ("import ctypes; ctypes.CDLL(None)", "PermissionError"),
        ("'x' * (1 << 30)", "MemoryError"),
        ("while True: pass", ""),
        ("import wave", "done"),
        ("import zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin')", "done"),
        ("import os; open(os.__file__).read()", "done"),
    ],
)
def test_a_confined_process_can_do_nothing_but_think(code: str, ends: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", CONFINED, code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(bartizan.__file__).parent.parent)},
    )
    assert ran.stdout.strip() == ends, ran.stderr


def test_a_process_has_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARTIZAN_SECRET_KEY", "s" * 40)
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    process = Process("try")
    try:
        process.ask(Try("", POD), 60)
        with open(f"/proc/{process._process.pid}/environ") as file:  # noqa: PTH123, SLF001  the kernel's word for it
            names = {pair.partition("=")[0] for pair in file.read().split("\0") if pair}
    finally:
        process.kill()
    assert names <= {"PYTHONPATH", "LC_ALL", "PATH"}


def test_a_process_that_is_killed_is_told_and_replaced() -> None:
    trials = Trials(most=1)
    trials.ask(Try("", POD))
    (process,) = trials._idle  # noqa: SLF001  to pull the plug
    process._process.kill()  # noqa: SLF001
    process._process.wait()  # noqa: SLF001
    assert isinstance(trials.ask(Try("", POD)), Tried)
    trials.close()


def test_who_comes_when_too_many_ask_is_told_at_once() -> None:
    trials = Trials(most=1)
    trials.ask(Try("", POD))
    slow = Try(HOSTILE["loops in loops"][0], POD)
    ended: list[str] = []

    def ask() -> None:
        try:
            trials.ask(slow)
        except BartizanError as error:
            ended.append(error.message)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    with pytest.raises(SourceError, match="too many policies"):
        trials.ask(slow)
    assert time.monotonic() - began < 1
    for thread in threads:
        thread.join()
    assert sorted(ended) == [
        "it takes more time than a trial has",
        "too many policies are being tried",
        "too many policies are being tried",
    ]
    trials.close()


def test_the_judge_of_an_inventory_is_bounded_too() -> None:
    process = Process("judge")
    try:
        answer = process.ask(Begin("[" * 100_000), 60)
        assert isinstance(answer, Begun)
        assert answer.rules == []
        assert "nests deeper" in answer.problems[0].message
    finally:
        process.kill()
    process = Process("judge")
    process.ask(Begin(in_cel("true")), 60)
    with pytest.raises(SpecError, match="more time than a trial has"):
        process.ask(Piece([]), 0)
    assert process.is_over


def test_messages_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="where `Try` is wanted"):
        unpacked(packed(Bug("x"))[4:], Try)


def test_a_pace_admits_a_burst_and_then_so_many_a_second() -> None:
    pace = Pace(3, 2.0)
    assert [pace.admits("ada", 0.0) for _ in range(4)] == [True, True, True, False]
    assert pace.admits("bob", 0.0)
    assert [pace.admits("ada", 0.5), pace.admits("ada", 0.5), pace.admits("ada", 1.0)] == [True, False, True]
    assert [pace.admits("ada", 100.0) for _ in range(4)] == [True, True, True, False]
    assert not pace.admits("ada", 50.0)
