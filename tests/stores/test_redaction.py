"""No secret reaches a store: not as a value, not in what is said of it, not in a copy of the object."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from tests.laws import examples
from tests.stores.fleet import World, observed, pod, rules

from bartizan.stores.redaction import MARK, redact, redact_text

if TYPE_CHECKING:
    from bartizan.stores.open import Store

_KEY = b"k"
_PLAIN = "hunter2-and-more"
_JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


def _container(**more: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "app", **more}]}}


HOLDING = {
    "data of a Secret": {"kind": "Secret", "data": {"p": b64encode(_PLAIN.encode()).decode(), "q": _PLAIN}},
    "text of a Secret": {"kind": "Secret", "stringData": {"p": _PLAIN}},
    "a Secret in a List": {"kind": "List", "items": [{"kind": "Secret", "stringData": {"note": _PLAIN}}]},
    "a malformed Secret": {"kind": "Secret", "data": [{"p": _PLAIN}]},
    "what was applied last": {
        "kind": "ConfigMap",
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"x": _PLAIN})}},
    },
    "a variable by its name": _container(env=[{"name": "DB_PASSWORD", "value": _PLAIN}]),
    "a variable whose value is written first": _container(env=[{"value": _PLAIN, "name": "API_TOKEN"}]),
    "a flag": _container(args=["--client-secret=" + _PLAIN]),
    "a URL": _container(env=[{"name": "DATABASE_URL", "value": f"postgres://app:{_PLAIN}@db/app"}]),
    "a setting": {"kind": "ConfigMap", "data": {"app.properties": f"port=1\npassword = {_PLAIN}\n"}},
    "a setting by its key": {"kind": "ConfigMap", "data": {"SIGNING_KEY": _PLAIN}},
    "JSON in a setting": {"kind": "ConfigMap", "data": {"x.json": json.dumps({"apiKey": _PLAIN})}},
    "a field of a custom resource": {"kind": "Bucket", "spec": {"auth": {"accessKey": _PLAIN}}},
}
SHAPES = (
    _JWT,
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-123456789012-abcdefghijkl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAK\n-----END RSA PRIVATE KEY-----",
)


@pytest.mark.parametrize("body", HOLDING.values(), ids=HOLDING.keys())
def test_a_secret_is_not_kept(body: dict[str, Any]) -> None:
    before = json.dumps(body)
    told = redact(body, _KEY)
    assert _PLAIN.encode() not in told.text
    assert b64encode(_PLAIN.encode()) not in told.text
    assert json.dumps(body) == before


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("where", ["annotation", "value", "argument"])
def test_a_token_is_known_by_its_shape(shape: str, where: str) -> None:
    bodies = {
        "annotation": {"metadata": {"annotations": {"note": f"see {shape} here"}}},
        "value": _container(env=[{"name": "X", "value": shape}]),
        "argument": _container(args=["run", shape]),
    }
    assert json.dumps(shape)[1:-1].encode() not in redact(bodies[where], _KEY).text


def test_what_is_no_secret_stays_as_it_is() -> None:
    body = _container(
        env=[{"name": "PORT", "value": "80"}, {"name": "TOKEN_FILE", "value": "/run/token"}],
        args=["--token=$(TOKEN)", "--password-file=/x", "--secret-name=shop"],
        envFrom=[{"secretRef": {"name": "shop"}}],
    )
    body["spec"]["volumes"] = [{"name": "x", "secret": {"secretName": "shop"}}]
    body["spec"]["automountServiceAccountToken"] = False
    assert json.loads(redact(body, _KEY).text) == body


def test_a_digest_tells_the_same_from_another_and_needs_the_key() -> None:
    def told(value: str, key: bytes) -> str:
        return str(json.loads(redact({"kind": "Secret", "stringData": {"p": value}}, key).text)["stringData"]["p"])

    assert told("a", b"1") == told("a", b"1")
    assert len({told("a", b"1"), told("b", b"1"), told("a", b"2")}) == 3
    assert told("a", b"1").startswith(MARK)


def test_what_was_said_of_a_secret_does_not_tell_it() -> None:
    body = {"kind": "Secret", "data": {"p": b64encode(_PLAIN.encode()).decode()}}
    hidden = redact(body, _KEY).hidden
    for words in (f"`{_PLAIN}` is weak", f"found {b64encode(_PLAIN.encode()).decode()}", f"token {_JWT}"):
        told = redact_text(words, _KEY, hidden)
        assert MARK in told
        assert _PLAIN not in told
        assert _JWT not in told


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@examples(200)
@given(st.dictionaries(st.text(), _JSON), st.text(min_size=4), st.sampled_from(["data", "stringData"]))
def test_no_value_of_any_secret_is_kept(body: dict[str, Any], value: str, field: str) -> None:
    """Whatever else is in a Secret, its values are nowhere in what is kept."""
    marked = f"<{value}>"
    told = redact({**body, "kind": "Secret", field: {"x": marked, "y": {"z": [marked]}}}, _KEY)
    assert json.dumps(marked)[1:-1].encode() not in told.text
    assert redact(json.loads(told.text), _KEY).text == told.text


def test_nothing_of_a_secret_is_in_any_table(store: Store) -> None:
    """The end of the way: an object, its labels and the findings on it, and every text the database has."""
    asked = rules("weak")
    world = World(store).join("one")
    secret = {**pod("s"), "kind": "Secret", "stringData": {"p": _PLAIN}, "spec": None}
    labelled = pod("l", metadata={"labels": {"password": _PLAIN}})
    said = [observed(body, asked, "f", message=f"`password={_PLAIN}` is weak") for body in (secret, labelled)]
    world.keep(asked, *said)
    with store.reading() as connection:
        for told in ("message FROM finding", "others FROM finding", "labels FROM resource"):
            for value in connection.execute(text("SELECT " + told)).scalars():
                assert _PLAIN not in value
