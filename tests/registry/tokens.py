"""A token server of a registry, in the test's own process: real tokens, signed, for who knows the password."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tests.controlplane import pki

if TYPE_CHECKING:
    from pathlib import Path

SERVICE: Final = "registry.test"
ISSUER: Final = "tokens.test"
REFRESH_TOKEN: Final = "a token that buys others"  # noqa: S105 (of a server that lives as long as a test)


class TokenServer:
    """Gives anyone tokens to pull from `public/…`, and those who log in from everywhere.

    `expires_in` is what it says of its tokens; `asked` are the questions so far.
    """

    def __init__(self, folder: Path, users: dict[str, str]) -> None:
        self.users = users
        self.expires_in = 300
        self.asked: list[str] = []
        self._authority = pki.make_authority(folder)
        der = self._authority.certificate.public_bytes(serialization.Encoding.DER)
        self._chain = base64.b64encode(der).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()

    def config(self, folder: Path) -> dict[str, Any]:
        """What the registry must know to trust it."""
        bundle = folder / "tokens.crt"
        bundle.write_bytes(self._authority.certificate.public_bytes(serialization.Encoding.PEM))
        return {"realm": self.url, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(bundle)}

    def mint(self, access: list[dict[str, Any]], user: str = "") -> str:
        """A signed token. Source: the distribution project's "Token Authentication Implementation"."""
        now = int(time.time())
        header = {"typ": "JWT", "alg": "ES256", "x5c": [self._chain]}
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": now + 3600,
            "nbf": now - 60,
            "iat": now,
            "jti": uuid.uuid4().hex,
            "access": access,
        }
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(claims).encode())}"
        r, s = decode_dss_signature(self._authority.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def mint_all(self) -> str:
        """A token of one who may put images anywhere the tests need."""
        names = ("public/hello", "private/hello")
        return self.mint([{"type": "repository", "name": name, "actions": ["pull", "push"]} for name in names], "root")

    def _grant(self, scopes: list[str], user: str) -> str:
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if user or name.startswith("public/"):
                access.append({"type": kind, "name": name, "actions": [a for a in actions.split(",") if a == "pull"]})
        return self.mint(access, user)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        tokens = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                query = parse_qs(urlsplit(self.path).query)
                tokens.asked.append(f"GET {' '.join(query.get('scope', []))}")
                user, _, password = _basic(self.headers.get("Authorization", ""))
                if user and tokens.users.get(user) != password:
                    self._answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong password"}]})
                else:
                    said = {"token": tokens._grant(query.get("scope", []), user), "expires_in": tokens.expires_in}
                    self._answer(200, said)

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                tokens.asked.append(f"POST {' '.join(form.get('scope', []))}")
                if form.get("grant_type") == ["refresh_token"] and form.get("refresh_token") == [REFRESH_TOKEN]:
                    self._answer(200, {"access_token": tokens._grant(form.get("scope", []), "refreshed")})
                else:
                    self._answer(401, {"error": "invalid_grant"})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler


def _basic(header: str) -> tuple[str, str, str]:
    return base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
