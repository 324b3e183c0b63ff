"""Sign-in by a real provider: who it names comes in with the roles of their groups, and nobody else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import msgspec
import pytest
from tests.plane.people.conftest import served

from bartizan.plane.people import sealing
from bartizan.plane.people.oidc import claims, doors
from bartizan.plane.people.oidc.provider import Provider as Known
from bartizan.plane.people.oidc.provider import Tokens, provider_of
from bartizan.plane.people.sign_in import read_sign_in
from bartizan.plane.site import ForbiddenError
from bartizan.stores import accounts
from bartizan.stores.queries.acts import Wanted, acts
from bartizan.stores.queries.pages import Page

if TYPE_CHECKING:
    from starlette.testclient import TestClient
    from tests.plane.people.conftest import Plane, Provider


def test_who_the_provider_names_comes_in_and_goes_where_they_wished(plane: Plane) -> None:
    browser = plane.browser()
    assert "The company" in browser.get("/sign-in").text
    answer = plane.sign_in(browser, back="/tokens?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/tokens?x=1")
    page = browser.get("/")
    assert page.status_code == 200
    assert "<summary>ann</summary>" in page.text
    assert "/audit" not in page.text


def test_what_is_asked_of_the_provider_is_bound_to_this_browser(plane: Plane) -> None:
    asked = parse_qs(urlsplit(plane.begin(plane.browser())).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{plane.provider.plane}/sign-in/oidc/callback"]
    again = parse_qs(urlsplit(plane.begin(plane.browser())).query)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[name] != again[name]


def test_an_answer_to_another_browser_is_refused(plane: Plane) -> None:
    mine, theirs = plane.browser(), plane.browser()
    answer = plane.at_provider(plane.begin(theirs))
    assert mine.get(answer).status_code == 403
    plane.begin(mine)
    assert "another sign-in" in mine.get(answer).text


def test_a_wrong_state_is_refused(plane: Plane) -> None:
    browser = plane.browser()
    answer = plane.at_provider(plane.begin(browser))
    refused = browser.get(answer.replace("state=", "state=x"))
    assert refused.status_code == 403
    assert "another sign-in" in refused.text


def _repend(plane: Plane, browser: TestClient, **changed: Any) -> None:
    """Change what the browser's cookie says was asked, as only this plane can."""
    sealed = sealing.from_text(browser.cookies[doors.PENDING])
    plain = sealing.unseal(plane.site.key, "sign-in", sealed)
    assert plain is not None
    pending = msgspec.structs.replace(msgspec.json.decode(plain, type=doors.Pending), **changed)
    made = sealing.to_text(sealing.seal(plane.site.key, "sign-in", msgspec.json.encode(pending)))
    browser.cookies.delete(doors.PENDING)
    browser.cookies.set(doors.PENDING, made)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"nonce": "another"}, "nonce"),
        ({"verifier": "another" * 8}, "took no code"),
        ({"until": 0.0}, "too long ago"),
    ],
)
def test_what_does_not_match_what_was_asked_is_refused(plane: Plane, changed: dict[str, Any], said: str) -> None:
    browser = plane.browser()
    answer = plane.at_provider(plane.begin(browser))
    _repend(plane, browser, **changed)
    refused = browser.get(answer)
    assert refused.status_code == 403
    assert said in refused.text
    assert browser.get("/").headers["location"] == "/sign-in"


def test_a_cookie_that_is_not_ours_is_no_sign_in(plane: Plane) -> None:
    browser = plane.browser()
    answer = plane.at_provider(plane.begin(browser))
    for forged in ("x", "A" * 200, sealing.to_text(sealing.seal(b"another key" * 4, "sign-in", b"{}"))):
        browser.cookies.clear()
        browser.cookies.set(doors.PENDING, forged)
        assert browser.get(answer).status_code == 403


def test_a_code_works_once(plane: Plane) -> None:
    browser = plane.browser()
    place = plane.begin(browser)
    pending = browser.cookies[doors.PENDING]
    answer = plane.at_provider(place)
    assert browser.get(answer).status_code == 303
    thief = plane.browser()
    thief.cookies.set(doors.PENDING, pending)
    refused = thief.get(answer)
    assert refused.status_code == 403
    assert "took no code" in refused.text


def test_a_provider_that_refuses_is_told_of(plane: Plane) -> None:
    browser = plane.browser()
    state = parse_qs(urlsplit(plane.begin(browser)).query)["state"][0]
    refused = browser.get("/sign-in/oidc/callback", params={"state": state, "error": "access_denied<b>"})
    assert refused.status_code == 403
    assert "access_denied&lt;b&gt;" in refused.text


def test_another_provider_s_answer_is_refused(plane: Plane) -> None:
    """RFC 9207: a mixed-up answer names who it is from."""
    browser = plane.browser()
    answer = plane.at_provider(plane.begin(browser))
    ours = quote(plane.provider.issuer, safe="")
    assert f"iss={ours}" in answer
    refused = browser.get(answer.replace(f"iss={ours}", "iss=https://elsewhere.example"))
    assert refused.status_code == 403
    assert "not from the provider" in refused.text


def test_groups_of_the_next_sign_in_are_those_that_count(plane: Plane) -> None:
    first = plane.browser()
    plane.sign_in(first)
    assert first.get("/people").status_code == 403
    plane.provider.admin("groups", name="ann", groups=["security"])
    try:
        second = plane.browser()
        plane.sign_in(second)
        assert second.get("/people").status_code == 200
        assert first.get("/people").status_code == 403
    finally:
        plane.provider.admin("groups", name="ann", groups=["payments"])
    plane.sign_in(second)
    assert second.get("/people").status_code == 403


def test_who_has_no_role_comes_in_and_sees_nothing(plane: Plane) -> None:
    browser = plane.browser()
    assert plane.sign_in(browser, "bob").status_code == 303
    refused = browser.get("/")
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.text


def test_somebody_is_one_account_and_a_taken_name_stays_whose_it_was(plane: Plane) -> None:
    from bartizan.stores import people

    with plane.site.store.writing() as connection:
        local = people.add_account(connection, "ann", datetime.now(UTC))
    for _ in range(2):
        plane.sign_in(plane.browser())
    with plane.site.store.reading() as connection:
        rows = accounts.accounts(connection, Page()).rows
    mine = [row for row in rows if row.issuer]
    assert [row.number for row in rows if not row.issuer] == [local]
    assert [row.name for row in mine] == [f"ann at {plane.provider.issuer.removeprefix('http://')}"]
    assert mine[0].groups == ("*", "payments")
    assert mine[0].email == "ann@example.com"


def test_a_disabled_account_stays_out(plane: Plane) -> None:
    browser = plane.browser()
    plane.sign_in(browser)
    with plane.site.store.writing() as connection:
        accounts.disable(connection, 1, disabled=True)
    assert browser.get("/").headers["location"] == "/sign-in"
    refused = plane.sign_in(browser)
    assert refused.status_code == 403
    assert "disabled" in refused.text
    with plane.site.store.reading() as connection:
        assert len(accounts.accounts(connection, Page()).rows) == 1


def test_a_provider_may_change_its_keys(plane: Plane) -> None:
    assert plane.sign_in(plane.browser()).status_code == 303
    before = provider_of(plane.site).keys()
    plane.provider.admin("rotate")
    assert plane.sign_in(plane.browser()).status_code == 303
    after = provider_of(plane.site).keys()
    assert before is not None
    assert after is not None
    assert not {key.kid for key in before.keys} & {key.kid for key in after.keys}


def test_a_provider_that_is_away_is_told_of_and_the_rest_works(plane: Plane) -> None:
    away = plane.site.settings.sign_in | {"issuer": "http://127.0.0.1:1"}
    plane.site.rooms["provider"] = Known(read_sign_in(away), "")
    browser = plane.browser()
    refused = browser.get("/sign-in/oidc")
    assert refused.status_code == 502
    assert "does not answer" in refused.text
    assert browser.get("/sign-in").status_code == 200


def test_a_provider_that_calls_itself_otherwise_is_not_trusted(plane: Plane) -> None:
    other = plane.site.settings.sign_in | {"issuer": f"{plane.provider.issuer}/"}
    plane.site.rooms["provider"] = Known(read_sign_in(other), "")
    refused = plane.browser().get("/sign-in/oidc")
    assert refused.status_code == 502
    assert "calls itself" in refused.text


# ---- tokens, as the provider made them


def _tokens(plane: Plane, client: str = "plane", secret: str = "the plane's secret") -> tuple[Tokens, str]:  # noqa: S107  of a provider that lives as long as the tests
    """Tokens that the provider made for a client, and the nonce they were asked with."""
    told = plane.site.settings.sign_in | {"client_id": client}
    known = Known(read_sign_in(told), secret)
    place = plane.begin(plane.browser())
    place = place.replace("client_id=plane", f"client_id={client}")
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    asked = parse_qs(urlsplit(place).query)
    place = place.replace(asked["code_challenge"][0], create_s256_code_challenge("v" * 43))
    code = parse_qs(urlsplit(plane.at_provider(place)).query)["code"][0]
    return known.exchange(code, "v" * 43, asked["redirect_uri"][0]), asked["nonce"][0]


def _parts(token: str) -> list[dict[str, Any]]:
    return [json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def _packed(*parts: Any) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in parts)


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_a_token_holds_for_who_it_was_made_for_until_it_ends(plane: Plane) -> None:
    known = provider_of(plane.site)
    tokens, nonce = _tokens(plane)
    now = datetime.now(UTC)
    assert claims.identity(known, tokens, nonce, now)["sub"]
    with pytest.raises(ForbiddenError, match="expired"):
        claims.identity(known, tokens, nonce, now + timedelta(hours=2))
    late = _parts(tokens.id_token)[1]["exp"] + 30
    assert claims.identity(known, tokens, nonce, datetime.fromtimestamp(late, UTC))["sub"]
    with pytest.raises(ForbiddenError, match="does not hold"):
        claims.identity(known, tokens, nonce, now - timedelta(hours=2))


def test_a_token_of_another_client_is_refused(plane: Plane) -> None:
    tokens, nonce = _tokens(plane, "other", "another secret")
    with pytest.raises(ForbiddenError, match="aud"):
        claims.identity(provider_of(plane.site), tokens, nonce, datetime.now(UTC))


def test_a_token_of_another_provider_is_refused(plane: Plane) -> None:
    tokens, nonce = _tokens(plane)
    known = provider_of(plane.site)
    known.told = msgspec.structs.replace(known.told, issuer="https://elsewhere.example")
    with pytest.raises(ForbiddenError, match="iss"):
        claims.identity(known, tokens, nonce, datetime.now(UTC))


def _forged(plane: Plane, token: str) -> dict[str, str]:
    """What somebody without the provider's key could make of a token."""
    from joserfc import jwt
    from joserfc.jwk import KeySet, RSAKey

    head, told = _parts(token)
    header, payload, signature = token.split(".")
    raised = told | {"groups": ["security"]}
    keys = provider_of(plane.site).keys()
    assert keys is not None
    public = next(key for key in keys.keys if key.kid == head["kid"])
    pem, secret = public.as_pem(private=False), _packed(head | {"alg": "HS256"}, raised)
    own = RSAKey.generate_key(2048, {"kid": head["kid"]})
    return {
        "another payload": f"{header}.{_packed(raised)}.{signature}",
        "another signature": f"{header}.{payload}.{signature[:-8]}AAAAAAAA",
        "no signature": f"{_packed(head | {'alg': 'none'}, raised)}.",
        "no algorithm": f"{_packed({'alg': 'none'}, raised)}.",
        "the public key as a secret": f"{secret}.{_base64(hmac.digest(pem, secret.encode(), 'sha256'))}",
        "a key of one's own": jwt.encode(head, raised, KeySet([own]), ["RS256"]),
        "a key in the header": jwt.encode({"alg": "RS256", "jwk": own.as_dict(private=False)}, raised, own, ["RS256"]),
        "half of it": token[: len(token) // 2],
        "nothing": "",
        "noise": "a.b.c",
        "too much": "a" * 200_000,
    }


def test_no_token_that_was_made_or_changed_by_another_holds(plane: Plane) -> None:
    tokens, nonce = _tokens(plane)
    known = provider_of(plane.site)
    known._clock = iter(range(0, 10**6, 60)).__next__  # type: ignore[assignment]  # noqa: SLF001  so that each may ask for keys anew
    for what, forged in _forged(plane, tokens.id_token).items():
        with pytest.raises(ForbiddenError):
            print(what, claims.identity(known, Tokens(forged, tokens.access_token), nonce, datetime.now(UTC)))  # noqa: T201  names the forgery that held


def _signed(plane: Plane, told: dict[str, Any]) -> str:
    """A token that the provider's own key signed; claims that are `None` are left out."""
    answer = httpx.post(f"{plane.provider.issuer}/admin/sign", json=told)
    return str(answer.raise_for_status().json()["token"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"at_hash": "another"}, "at_hash"),
        ({"aud": ["plane", "other"]}, "azp"),
        ({"aud": ["plane", "other"], "azp": "other"}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"sub": None}, "sub"),
        ({"sub": "a" * 256}, "sub"),
        ({"sub": 7}, "sub"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"iat": None}, "iat"),
        ({"nonce": None}, "nonce"),
        ({"nbf": 2**33}, "not yet valid"),
        ({"iss": None}, "iss"),
    ],
    ids=str,
)
def test_a_token_that_does_not_say_what_it_must_is_refused(plane: Plane, changed: dict[str, Any], said: str) -> None:
    tokens, nonce = _tokens(plane)
    told = _parts(tokens.id_token)[1]
    whole = Tokens(_signed(plane, told | {"aud": "plane"}), tokens.access_token)
    assert claims.identity(provider_of(plane.site), whole, nonce, datetime.now(UTC))["sub"] == told["sub"]
    broken = Tokens(_signed(plane, told | changed), tokens.access_token)
    with pytest.raises(ForbiddenError, match=said):
        claims.identity(provider_of(plane.site), broken, nonce, datetime.now(UTC))


def test_a_token_is_bound_to_its_access_token(plane: Plane) -> None:
    tokens, nonce = _tokens(plane)
    half = hashlib.sha256(tokens.access_token.encode()).digest()[:16]
    bound = _signed(plane, _parts(tokens.id_token)[1] | {"at_hash": _base64(half)})
    known, now = provider_of(plane.site), datetime.now(UTC)
    assert claims.identity(known, Tokens(bound, tokens.access_token), nonce, now)["sub"]
    with pytest.raises(ForbiddenError, match="at_hash"):
        claims.identity(known, Tokens(bound, "another"), nonce, now)


def test_unknown_keys_are_not_asked_for_again_and_again(plane: Plane) -> None:
    known = provider_of(plane.site)
    tokens, nonce = _tokens(plane)
    forged = _forged(plane, tokens.id_token)["another signature"]
    fetched = []
    call = known._call  # noqa: SLF001  counts what goes out, and lets it

    def counting(method: str, url: str, **more: Any) -> bytes:
        fetched.append(url)
        return call(method, url, **more)

    known._call = counting  # type: ignore[method-assign]  # noqa: SLF001  as above
    for _ in range(5):
        with pytest.raises(ForbiddenError):
            claims.identity(known, Tokens(forged), nonce, datetime.now(UTC))
    assert len(fetched) == 1


# ---- signing out


def test_sign_out_leads_on_to_the_provider(plane: Plane) -> None:
    browser = plane.browser()
    plane.sign_in(browser)
    token = browser.get("/tokens").text.partition('name="form_token" value="')[2].partition('"')[0]
    answer = browser.post("/sign-out", data={"form_token": token})
    assert answer.status_code == 200
    onward = answer.headers["refresh"].removeprefix("0; url=")
    asked = parse_qs(urlsplit(onward).query)
    assert onward.startswith(f"{plane.provider.issuer}/session?")
    assert asked["post_logout_redirect_uri"] == [f"{plane.provider.plane}/sign-in"]
    assert _parts(asked["id_token_hint"][0])[1]["aud"] == ["plane"]
    assert browser.get("/").headers["location"] == "/sign-in"


def _logout_token(plane: Plane, **changed: Any) -> str:
    """A logout token of the provider, with claims changed or left out."""
    now = int(datetime.now(UTC).timestamp())
    events = {"http://schemas.openid.net/event/backchannel-logout": {}}
    told = {"iss": plane.provider.issuer, "aud": "plane", "iat": now, "exp": now + 120, "jti": "1", "events": events}
    return _signed(plane, told | changed)


def _sid(plane: Plane) -> str:
    from sqlalchemy import select

    from bartizan.stores.schema import session

    with plane.site.store.reading() as connection:
        return str(connection.execute(select(session.c.sid).order_by(session.c.created_at.desc())).scalars().first())


def test_the_provider_ends_a_session_behind_the_browser(plane: Plane) -> None:
    first, second = plane.browser(), plane.browser()
    plane.sign_in(first)
    sid = _sid(plane)
    plane.sign_in(second)
    assert sid
    told = plane.browser().post("/sign-in/oidc/logout", data={"logout_token": _logout_token(plane, sid=sid)})
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
    assert first.get("/").headers["location"] == "/sign-in"
    assert second.get("/").status_code == 200
    with plane.site.store.reading() as connection:
        assert acts(connection, Wanted(action="session.ended"), Page()).rows[0].actor == plane.provider.issuer


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"iss": "https://elsewhere.example"},
        {"events": None},
        {"events": {}},
        {"nonce": "n"},
        {"sid": None},
        {"exp": 1},
        {"iat": None},
    ],
    ids=str,
)
def test_a_logout_token_that_is_none_ends_nothing(plane: Plane, changed: dict[str, Any]) -> None:
    browser = plane.browser()
    plane.sign_in(browser)
    token = _logout_token(plane, **({"sid": _sid(plane)} | changed))
    assert plane.browser().post("/sign-in/oidc/logout", data={"logout_token": token}).status_code == 400
    assert browser.get("/").status_code == 200


def test_an_id_token_is_no_logout_token(plane: Plane) -> None:
    tokens, _ = _tokens(plane)
    refused = plane.browser().post("/sign-in/oidc/logout", data={"logout_token": tokens.id_token})
    assert refused.status_code == 400


def test_a_sign_out_at_the_provider_ends_it_here_too(plane: Plane) -> None:
    """Both ways together: our page leads to the provider, which tells every plane of its clients by itself."""
    with served(plane), httpx.Client() as there:
        mine = httpx.Client(base_url=plane.provider.plane)
        begun = mine.get("/sign-in/oidc").headers["location"]
        assert mine.get(plane.at_provider(begun, client=there)).status_code == 303
        token = mine.get("/tokens").text.partition('name="form_token" value="')[2].partition('"')[0]
        onward = mine.post("/sign-out", data={"form_token": token}).headers["refresh"].removeprefix("0; url=")
        other = httpx.Client(base_url=plane.provider.plane)
        begun = other.get("/sign-in/oidc").headers["location"]
        assert other.get(plane.at_provider(begun, client=there)).status_code == 303
        assert other.get("/").status_code == 200
        confirmed = there.get(there.get(onward).headers["location"])
        assert confirmed.headers["location"] == f"{plane.provider.plane}/sign-in"
        assert other.get("/").headers["location"] == "/sign-in"
        mine.close()
        other.close()


def test_no_secret_of_a_sign_in_is_kept(plane: Plane, provider: Provider) -> None:
    """The provider's token for the sign-out opens with the browser's cookie alone."""
    del provider
    browser = plane.browser()
    plane.sign_in(browser)
    kept = b"".join(path.read_bytes() for path in plane.site.store.engine.url and _files(plane))
    for secret in browser.cookies.values():
        assert secret.encode() not in kept
    assert b"eyJ" not in kept


def _files(plane: Plane) -> list[Any]:
    from pathlib import Path

    database = Path(str(plane.site.store.engine.url.database))
    return sorted(database.parent.glob(f"{database.name}*"))
