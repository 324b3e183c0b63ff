"""What policies in the modes HTTP and Envoy give for one request, from cases kept as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.policy.kyverno.authorization import (
    cases,
    exceptions_of,
    key_sets,
    message_of,
    payload_of,
    policy_of,
)

from bartizan.app.ambient import ambient
from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel.authorization import read_payload
from bartizan.engines.policy.dialects.kyverno.cel.policy import compile_cel_policy
from bartizan.engines.policy.lookup import HttpQuestion, LookupFailedError, Offline, describe
from bartizan.model.outcome import Broken, Failed, Passed, Skipped
from bartizan.model.request import Request
from bartizan.model.resource import payload_from, resource_from

if TYPE_CHECKING:
    from bartizan.base.json import Json
    from bartizan.engines.policy.lookup import Question

CASES = [case for name in ("envoy", "http", "mcp", "tokens") for case in cases(name)]
_WORDS = {Passed: "pass", Failed: "fail", Skipped: "skip", Broken: "error"}
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Keys:
    """The services that publish key sets."""

    def answer(self, question: Question) -> Json:
        """What is published under the last part of the address."""
        assert isinstance(question, HttpQuestion)
        found = key_sets().get(question.url.rpartition("/")[2])
        if found is None:
            raise LookupFailedError(f"nobody answers {describe(question)}")
        return found


def said(case: dict[str, Any]) -> tuple[str, str]:
    """What the policy of a case says, and how."""
    clock = ambient()._replace(now=lambda: _NOW)
    (rule,) = compile_cel_policy(policy_of(case), clock, exceptions=exceptions_of(case)).rules
    payload = payload_from(payload_of(case), "request.json")
    outcome = rule.run(Request(payload, payload="http" if case["mode"] == "HTTP" else "envoy"), Keys())
    assert outcome is not None
    text = outcome.because if isinstance(outcome, Skipped) else outcome.error if isinstance(outcome, Broken) else ""
    return _WORDS[type(outcome)], text or getattr(outcome, "message", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(SpecError) as refused:
            said(case)
        assert case["refused"] in str(refused.value)
        assert refused.value.pointer.startswith("/spec/")
        return
    word, text = said(case)
    assert (word, text) == (case["gives"], text)
    assert message_of(case) in text


def test_every_response_is_seen() -> None:
    """The cases show each outcome in each mode, so that none can pass for another."""
    for mode in ("HTTP", "Envoy"):
        assert {case["gives"] for case in CASES if case["mode"] == mode} == {"pass", "fail", "skip", "error"}


def test_nothing_is_said_of_other_things() -> None:
    (rule,) = compile_cel_policy(policy_of({"mode": "Envoy", "validations": ["null"]}), ambient()).rules
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
    assert rule.run(Request(resource_from(body)), Offline()) is None
    for other in ("json", "http"):
        assert rule.run(Request(payload_from({}, "a"), payload=other), Offline()) is None  # type: ignore[arg-type]  # of both


MALFORMED: list[tuple[str, Any, str, str]] = [
    ("envoy", {"attribute": {}}, "/attribute", "unknown field `attribute`"),
    ("envoy", {"attributes": []}, "/attributes", "must be an object, not a list"),
    (
        "envoy",
        {"attributes": {"request": {"http": {"method": 5}}}},
        "/attributes/request/http/method",
        "must be a text",
    ),
    ("envoy", {"attributes": {"request": {"http": {"headers": {"a/b": ["x"]}}}}}, "a~1b", "must be a text, not a list"),
    ("envoy", {"attributes": {"request": {"http": {"size": "9223372036854775808"}}}}, "size", "out of range"),
    ("envoy", {"attributes": {"request": {"http": {"size": "1.5"}}}}, "size", "must be a whole number"),
    ("envoy", {"attributes": {"request": {"http": {"rawBody": "!"}}}}, "rawBody", "no base64"),
    ("envoy", {"attributes": {"request": {"time": "yesterday"}}}, "time", "`yesterday` is no moment"),
    ("envoy", {"attributes": {"tlsSession": {}, "tls_session": {}}}, "tls_session", "twice"),
    ("envoy", {"attributes": {"source": {"address": {"pipe": {}, "socketAddress": {}}}}}, "address", "takes one of"),
    ("envoy", {"attributes": {"source": {"address": {"pipe": {"mode": -1}}}}}, "mode", "out of range"),
    (
        "envoy",
        {"attributes": {"source": {"address": {"socketAddress": {"protocol": "UPD"}}}}},
        "protocol",
        "unknown value `UPD`",
    ),
    ("http", {"attributes": {"header": {"a": "x"}}}, "/attributes/header/a", "must be a list, not a text"),
    ("http", {"attributes": {"header": {"a": ["x", 1]}}}, "/attributes/header/a/1", "must be a text, not a number"),
    ("http", {"attributes": {"contentLength": 1.5}}, "contentLength", "must be a whole number"),
    ("http", {"attributes": {"contentLength": "1"}}, "contentLength", "must be a whole number, not a text"),
    ("http", {"attributes": {"body": 7}}, "body", "must be a text in base64"),
    ("http", {"mcp": {"request": {"method": 7}}}, "/mcp/request/method", "must be a text"),
]


@pytest.mark.parametrize(("payload", "body", "pointer", "text"), MALFORMED)
def test_a_malformed_request_is_refused_with_its_place(payload: Any, body: Any, pointer: str, text: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_payload(payload, body)
    assert pointer in refused.value.pointer
    assert text in refused.value.message
    mode = "HTTP" if payload == "http" else "Envoy"
    allowed = "http.Allowed()" if payload == "http" else "envoy.Allowed()"
    (rule,) = compile_cel_policy(policy_of({"mode": mode, "validations": [f"{allowed}.Response()"]}), ambient()).rules
    outcome = rule.run(Request(payload_from(body, "a"), payload=payload), Offline())
    assert isinstance(outcome, Broken), "a request that cannot be read never passes"
    assert text in outcome.error
