"""A provider of OpenID Connect as a process: idpyoidc, a certified implementation that shares no code with ours.

`python provider_process.py PORT PLANE` serves on a port of this machine for
the plane at that URL. Two people sign in there with a password. What a
provider's own administrator does stands under `/admin`.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import requests
import uvicorn
from cryptojwt.jws.jws import JWS
from cryptojwt.key_jar import build_keyjar
from idpyoidc.message.oidc import AuthorizationRequest
from idpyoidc.message.oidc.session import EndSessionRequest
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.exception import FailedAuthentication
from jinja2 import DictLoader, Environment
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"sub": "ann", "preferred_username": "ann", "email": "ann@example.com", "groups": ["payments"]},
    "bob": {"sub": "bob", "preferred_username": "bob", "email": "bob@example.com", "groups": ["nobody-knows"]},
}
PASSWORDS = {"ann": "ann's own words", "bob": "bob's own words"}
KEYS = [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}]
FORM = """<form action="{{ action }}" method="post"><input type="hidden" name="token" value="{{ token }}">
<input name="username"><input name="password" type="password"><button>Log in</button></form>"""
_CODE = {"supports_minting": ["access_token", "refresh_token", "id_token"], "max_usage": 1}


def configuration(issuer: str) -> dict[str, Any]:
    """What the provider is told: code flow, claims in the ID token, PKCE demanded."""
    oidc = "idpyoidc.server.oidc"
    return {
        "issuer": issuer,
        "key_conf": {"key_defs": KEYS, "uri_path": "jwks.json"},
        "httpc_params": {"timeout": 5},
        "scopes_to_claims": {
            "openid": ["sub"],
            "profile": ["preferred_username"],
            "email": ["email"],
            "groups": ["groups"],
        },
        "cookie_handler": {
            "class": "idpyoidc.server.cookie_handler.CookieHandler",
            "kwargs": {
                "keys": {
                    "key_defs": [{"type": "oct", "bytes": 32, "use": [use], "kid": use} for use in ("enc", "sig")]
                },
                "name": {"session": "provider", "register": "provider_client", "session_management": "provider_sman"},
            },
        },
        "endpoint": {
            "provider_config": {
                "path": ".well-known/openid-configuration",
                "class": f"{oidc}.provider_config.ProviderConfiguration",
                "kwargs": {},
            },
            "authorization": {"path": "authorization", "class": f"{oidc}.authorization.Authorization", "kwargs": {}},
            "token": {
                "path": "token",
                "class": f"{oidc}.token.Token",
                "kwargs": {"client_authn_method": ["client_secret_basic", "client_secret_post"]},
            },
            "userinfo": {"path": "userinfo", "class": f"{oidc}.userinfo.UserInfo", "kwargs": {}},
            "session": {
                "path": "session",
                "class": f"{oidc}.session.Session",
                "kwargs": {
                    "logout_verify_url": f"{issuer}/verify_logout",
                    "post_logout_uri_path": "post_logout",
                    "signing_alg": "RS256",
                    "backchannel_logout_supported": True,
                    "backchannel_logout_session_supported": True,
                },
            },
        },
        "add_on": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True, "code_challenge_method": "S256"},
            }
        },
        "authentication": {
            "user": {
                "acr": "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword",
                "class": "idpyoidc.server.user_authn.user.UserPassJinja2",
                "kwargs": {
                    "verify_endpoint": "verify/user",
                    "template": "user_pass.jinja2",
                    "db": {"class": "idpyoidc.server.util.JSONDictDB", "kwargs": {"filename": sys.argv[3]}},
                },
            }
        },
        "authz": {
            "class": "idpyoidc.server.authz.AuthzHandling",
            "kwargs": {
                "grant_config": {"usage_rules": {"authorization_code": _CODE, "access_token": {}}, "expires_in": 43200}
            },
        },
        "token_handler_args": {
            "key_conf": {"key_defs": [{"type": "oct", "bytes": 32, "use": ["enc"], "kid": "code"}]},
            "code": {"lifetime": 600, "kwargs": {}},
            "token": {"class": "idpyoidc.server.token.jwt_token.JWTToken", "kwargs": {"lifetime": 600}},
            "id_token": {
                "class": "idpyoidc.server.token.id_token.IDToken",
                "kwargs": {"lifetime": 600, "add_claims_by_scope": True},
            },
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": PEOPLE}},
    }


def client(plane: str, secret: str) -> dict[str, Any]:
    """A client that is registered."""
    return {
        "client_id": "",
        "client_secret": secret,
        "redirect_uris": [(f"{plane}/sign-in/oidc/callback", None)],
        "post_logout_redirect_uri": (f"{plane}/sign-in", None),
        "backchannel_logout_uri": f"{plane}/sign-in/oidc/logout",
        "response_types_supported": ["code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "allowed_scopes": ["openid", "profile", "email", "groups"],
        "id_token_signed_response_alg": "RS256",
    }


class Provider:
    """The doors of the provider, around idpyoidc's own endpoints."""

    def __init__(self, issuer: str, plane: str) -> None:
        configured = OPConfiguration(configuration(issuer))
        self.server = Server(configured, httpc=requests.request)
        self.context = self.server.context
        manager, kept = self.context.session_manager, {}
        encrypted = manager.encrypted_branch_id
        # a session must have one `sid` for good; idpyoidc writes the same one differently each time
        manager.encrypted_branch_id = lambda *path: kept.setdefault(path, encrypted(*path))
        templates = Environment(loader=DictLoader({"user_pass.jinja2": FORM}), autoescape=True)
        for one in self.context.authn_broker.db.values():
            one["method"].template_handler = _Templates(templates)
        for name, secret in (("plane", "the plane's secret"), ("other", "another secret")):
            self.context.cdb[name] = client(plane, secret) | {"client_id": name}

    async def ask(self, request: Request) -> Response:
        """Pass a request to the endpoint of its path."""
        name = {
            "authorization": "authorization",
            "token": "token",
            "userinfo": "userinfo",
            "session": "session",
            "openid-configuration": "provider_config",
        }[request.url.path.rpartition("/")[2]]
        endpoint = self.server.get_endpoint(name)
        body = (await request.body()).decode()
        told: Any = {key: values[0] for key, values in parse_qs(body or request.url.query).items()}
        cookies = request.cookies if name == "session" else {}  # everybody logs in each time
        http_info = {
            "headers": dict(request.headers),
            "method": request.method,
            "url": str(request.url),
            "cookie": [{"name": key, "value": value} for key, value in cookies.items()],
        }
        if name == "session":  # idpyoidc would take its client's name for a login that lacks a token
            parsed = EndSessionRequest(**told)
            parsed.verify(keyjar=self.context.keyjar, sigalg="")
        else:
            parsed = endpoint.parse_request(told, http_info=http_info)
        if "error" in parsed:
            return JSONResponse(parsed.to_dict(), 400)
        result = endpoint.process_request(parsed, http_info=http_info)
        if "http_response" in result:
            return HTMLResponse(result["http_response"])
        return self.answer(endpoint, parsed, result)

    async def verify(self, request: Request) -> Response:
        """Somebody gave name and password."""
        fields = {key: values[0] for key, values in parse_qs((await request.body()).decode()).items()}
        method = next(iter(self.context.authn_broker.db.values()))["method"]
        try:
            name = method.verify(username=fields["username"], password=fields["password"])
        except FailedAuthentication:
            return HTMLResponse("no", 403)
        told = method.unpack_token(fields["token"])
        asked = AuthorizationRequest().from_urlencoded(told["query"])
        endpoint = self.server.get_endpoint("authorization")
        session = endpoint.create_session(asked, name, told["authn_class_ref"], told["iat"], method)
        return self.answer(endpoint, asked, endpoint.authz_part2(request=asked, session_id=session))

    def answer(self, endpoint: Any, asked: Any, result: Any) -> Response:
        """Make what an endpoint says an answer, with the cookies of the provider's own session."""
        if "redirect_location" in result:
            return RedirectResponse(result["redirect_location"], 303)
        said = endpoint.do_response(request=asked, **result)
        answer: Response
        if said["response"].startswith("http"):
            answer = RedirectResponse(said["response"], 303)
        else:
            status = 400 if '"error"' in said["response"] else 200
            answer = Response(said["response"], status, media_type="application/json")
        for cookie in result.get("cookie", []):
            answer.set_cookie(cookie["name"], cookie["value"])
        return answer

    def leave(self, request: Request) -> Response:
        """Somebody said that they do want to sign out: their client is told, behind the browser."""
        endpoint = self.server.get_endpoint("session")
        told = endpoint.unpack_signed_jwt(request.query_params["sjwt"])
        endpoint.do_verified_logout(sid=told["sid"])
        return RedirectResponse(told["redirect_uri"], 303)

    def signed(self, claims: dict[str, Any]) -> str:
        """A token with these claims, by the provider's own key; those that are null are left out."""
        told = {name: value for name, value in claims.items() if value is not None}
        key = self.context.keyjar.get_signing_key("RSA", "")[0]
        return str(JWS(told, "RS256", kid=key.kid).sign_compact([key]))

    async def keys(self, _request: Request) -> Response:
        """The public keys."""
        return Response(self.context.keyjar.export_jwks_as_json(), media_type="application/json")

    async def admin(self, request: Request) -> Response:
        """What the provider's administrator does: change groups, sign what no client asked for, change all keys."""
        told = json.loads(await request.body())
        if request.path_params["act"] == "groups":
            self.context.userinfo.db[told["name"]]["groups"] = told["groups"]
        elif request.path_params["act"] == "sign":
            return JSONResponse({"token": self.signed(told)})
        else:
            made, jar = build_keyjar(KEYS), self.context.keyjar
            for issuer in ("", self.context.issuer):
                jar.load_keys(issuer, jwks=made.export_jwks(private=True), replace=True)
        return JSONResponse({})


class _Templates:
    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def render(self, template: str, **given: Any) -> str:
        return self._environment.get_template(template).render(**given | {"action": f"/{given['action']}"})


def main() -> None:
    """Serve until killed."""
    port, plane = int(sys.argv[1]), sys.argv[2]
    provider = Provider(f"http://127.0.0.1:{port}", plane)
    routes = [
        Route("/.well-known/openid-configuration", provider.ask),
        Route("/authorization", provider.ask),
        Route("/token", provider.ask, methods=["POST"]),
        Route("/userinfo", provider.ask),
        Route("/session", provider.ask),
        Route("/verify/user", provider.verify, methods=["POST"]),
        Route("/verify_logout", provider.leave),
        Route("/jwks.json", provider.keys),
        Route("/admin/{act}", provider.admin, methods=["POST"]),
    ]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main()
