"""Requests, tokens and policies that are made to break: an error in bounded time, and never a pass."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engines.policy.kyverno.authorization import token_of
from tests.engines.policy.kyverno.test_authorization import said

from bartizan.base.errors import SpecError
from bartizan.engines.policy.dialects.kyverno.cel.authorization import read_payload
from bartizan.engines.policy.dialects.kyverno.library.authorization import mode_of
from bartizan.engines.policy.dialects.kyverno.library.authorization.reference import entries
from bartizan.engines.policy.dialects.kyverno.library.authorization.tokens import (
    MAX_CHARS,
    read_key_set,
    secret_key,
    verified_claims,
)
from bartizan.engines.policy.signatures.refusal import RefusedError

_DEEP = 100_000
TOKENS = {
    "huge": "a" * (MAX_CHARS + 1),
    "dots": "." * MAX_CHARS,
    "many parts": "e30." * 1000,
    "deep header": f"{b64encode(b'[' * _DEEP).decode().rstrip('=')}.e30.e30",
    "deep claims": token_of({"alg": "HS256"}, json.loads("[" * 500 + "]" * 500), "'secret'"),
    "null bytes": "\0.\0.\0",
    "surrogates": "\ud800.e30.e30",
    "other digits": "\u0661.e30.e30",
    "number for a header": f"{b64encode(b'1').decode().rstrip('=')}.e30.e30",
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_hostile_token_is_refused_soon(name: str) -> None:
    start = perf_counter()
    with pytest.raises(RefusedError):
        verified_claims(TOKENS[name], secret_key("secret"))
    assert perf_counter() - start < 1, "a hundred times what it takes"


@given(st.text(max_size=200))
def test_no_text_is_a_token(text: str) -> None:
    """Nobody guesses a signature, whatever the text, and nothing else comes out."""
    with pytest.raises(RefusedError):
        verified_claims(text, secret_key("secret"))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
_HEADS = st.fixed_dictionaries({}, optional={"alg": _JSON | st.sampled_from(["none", "RS256", "HS256"]), "kid": _JSON})
_KEYS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "kty": st.sampled_from(["RSA", "EC", "OKP", "oct"]) | _JSON,
            "crv": st.sampled_from(["P-256", "Ed25519"]) | _JSON,
            **{name: st.sampled_from(["AQAB", "AA", ""]) | _JSON for name in ("n", "e", "x", "y", "k", "kid", "alg")},
        },
    ),
    max_size=3,
)


@given(_HEADS, _KEYS)
def test_any_header_and_any_keys_refuse(head: dict[str, Any], keys: list[dict[str, Any]]) -> None:
    """No header talks a key set into taking a signature that is none."""
    with pytest.raises(RefusedError):
        verified_claims(token_of(head, {"sub": "root"}, ""), read_key_set({"keys": keys}))


@given(_JSON)
def test_any_key_set_is_read_or_refused(body: Any) -> None:
    with suppress(RefusedError):
        assert read_key_set(body).keys is not None


@given(st.sampled_from(["http", "envoy"]), st.dictionaries(st.sampled_from(["attributes", "mcp", "x"]), _JSON))
def test_any_json_is_a_request_or_refused(payload: Any, body: dict[str, Any]) -> None:
    with suppress(SpecError):
        read_payload(payload, body)


@given(st.binary(max_size=200) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_message_or_none(body: bytes) -> None:
    """A proxy passes whatever comes, so that no body may break a policy which does not look at it."""
    payload = {"attributes": {"method": "POST", "body": b64encode(body).decode()}}
    word, _ = said({"mode": "HTTP", "payload": payload, "if": 'object.mcp.request.Method != "tools/call"'})
    assert word == "pass"


def test_a_deep_body_is_no_message() -> None:
    body = b64encode(b'{"method": "tools/call", "params": ' + b"[" * _DEEP).decode()
    word, text = said(
        {"mode": "HTTP", "payload": {"attributes": {"body": body}}, "if": 'object.mcp.request.Method == ""'}
    )
    assert (word, text) == ("pass", "request allowed")


def test_a_deep_body_that_the_policy_reads_is_an_error() -> None:
    for nested in ("[" * _DEEP, "[" * _DEEP + "]" * _DEEP):
        payload = {"attributes": {"request": {"http": {"body": nested}}}}
        for function in ("json.Unmarshal({0}) == 1", '{0}.size() > 1 && mcp.Parse({0}).Method == ""'):
            text = function.format("object.attributes.request.http.body")
            assert said({"mode": "Envoy", "payload": payload, "if": text})[0] == "error"


def test_deep_metadata_is_refused() -> None:
    nested: Any = "x"
    for _ in range(50_000):
        nested = [nested]
    with pytest.raises(SpecError, match="nests too deep"):
        read_payload("envoy", {"attributes": {"metadataContext": {"filterMetadata": {"a": {"b": nested}}}}})


def test_a_response_that_grows_runs_out() -> None:
    """Steps that copy are bounded by the expression's own length, and loops by its budget."""
    loop = (
        "object.attributes.request.http.headers.map(a, object.attributes.request.http.headers.map(b, a + b)).size() > 0"
    )
    headers = {f"h{number}": "v" for number in range(3000)}
    start = perf_counter()
    case = {"mode": "Envoy", "payload": {"attributes": {"request": {"http": {"headers": headers}}}}, "if": loop}
    assert said(case)[0] == "error"
    assert perf_counter() - start < 10


def test_text_of_a_policy_stays_text() -> None:
    """What a policy writes never becomes Python."""
    case = {
        "mode": "Envoy",
        "payload": {},
        "if": "'\"]; import os; os.abort()  #' == object.attributes.request.http.path",
    }
    assert said(case)[0] == "fail"


@pytest.mark.parametrize("mode", ["Envoy", "HTTP"])
def test_every_function_is_told_of(mode: str) -> None:
    """The reference has every function that comes with requests, and no other."""
    told = {name for entry in entries(mode) for name in entry.names}
    if mode == "HTTP":
        told |= {name for entry in entries("Envoy") for name in entry.names} & set(mode_of(mode).functions)
    from bartizan.engines.policy.dialects.kyverno.library import for_kind
    from bartizan.lang.cel.library import KUBERNETES, mathematics

    usual = {*KUBERNETES, *mathematics.FUNCTIONS, *for_kind(mode).functions}
    assert set(mode_of(mode).functions) - usual == told
    assert all(entry.text and entry.calls for entry in entries(mode))
