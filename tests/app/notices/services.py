"""Services that run here: HTTP that takes what the real ones take and refuses the rest, and a mail server with TLS.

Each answers as told, and keeps what it was sent; where nothing is told, it
checks the payload as its service documents it.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.outputs.notices import receivers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Request(NamedTuple):
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Answer(NamedTuple):
    """What to answer instead."""

    status: int
    headers: dict[str, str] = {}  # noqa: RUF012  a record's default, never changed
    body: bytes = b""


class Web:
    """A web server; the first part of a path is the service: `/slack/…`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.hold_s = 0.0
        """How long each answer takes."""
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body)
                web.requests.append(request)
                time.sleep(web.hold_s)
                answer = web.answers.pop(0) if web.answers else _taken(request)
                with suppress(ConnectionError):  # who asked may have been killed
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def of(self, service: str) -> list[Request]:
        """The requests to one service."""
        return [one for one in self.requests if one.path.startswith(f"/{service}")]


def _taken(request: Request) -> Answer:
    service = request.path.split("/")[1]
    wrong = receivers.refusal(service, request.body)
    if wrong or request.headers.get("content-type") != "application/json":
        return Answer(400, {}, wrong.encode() or b"no JSON")
    return Answer(202 if service != "slack" else 200, {}, b"ok")


@contextmanager
def web() -> Iterator[Web]:
    """A running web server."""
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


class Letter(NamedTuple):
    """A mail as it was handed over: over what, by whom, to whom."""

    encrypted: bool
    user: str
    sender: str
    to: tuple[str, ...]
    raw: bytes


class Post:
    """A mail server (RFC 5321) with STARTTLS (RFC 3207) or TLS from the start, and AUTH PLAIN (RFC 4954)."""

    def __init__(self, tls: ssl.SSLContext, *, implicit: bool) -> None:
        self.letters: list[Letter] = []
        self.refuse: dict[str, str] = {}
        """By the first word of a command, or by a recipient's address: what is answered instead."""
        self.passwords = {"plane": "of the mail"}
        post = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                _Talk(post, self, tls, implicit=implicit).run()

        ThreadingTCPServer.allow_reuse_address = True
        self.server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.server_address[1])


class _Talk:
    def __init__(self, post: Post, handler: StreamRequestHandler, tls: ssl.SSLContext, *, implicit: bool) -> None:
        self.post, self.tls, self.socket = post, tls, handler.request
        self.encrypted = False
        self.user, self.sender = "", ""
        self.to: list[str] = []
        self.implicit = implicit
        self.stream = self.socket.makefile("rwb")

    def run(self) -> None:
        try:
            if self.implicit:
                self._encrypt()
            self._say("220 mail.test ESMTP")
            while line := self.stream.readline().decode().strip():
                word, _, rest = line.partition(" ")
                refused = self.post.refuse.get(word.upper())
                if refused:
                    self._say(refused)
                elif getattr(self, f"do_{word.lower()}", self._unknown)(rest):
                    break
        except (ssl.SSLError, ConnectionError):
            pass  # a client that does not trust us goes away
        finally:
            self.stream.close()
            self.socket.close()

    def do_ehlo(self, _: str) -> None:
        self._say("250-mail.test", *([] if self.encrypted else ["250-STARTTLS"]), "250 AUTH PLAIN")

    def do_starttls(self, _: str) -> None:
        self._say("220 go on")
        self._encrypt()

    def do_auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        if self.encrypted and self.post.passwords.get(user) == password:
            self.user = user
            self._say("235 hello")
        else:
            self._say(f"535 the password {password} is not right")

    def do_mail(self, rest: str) -> None:
        self.sender = rest.partition("<")[2].partition(">")[0]
        self._say("250 ok")

    def do_rcpt(self, rest: str) -> None:
        whom = rest.partition("<")[2].partition(">")[0]
        refused = self.post.refuse.get(whom)
        if not refused:
            self.to.append(whom)
        self._say(refused or "250 ok")

    def do_data(self, _: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        raw = b"".join(lines)
        wrong = receivers.mail_refusal(raw)
        if wrong:
            self._say(f"554 {wrong}")
            return
        self.post.letters.append(Letter(self.encrypted, self.user, self.sender, tuple(self.to), raw))
        self._say("250 taken")

    def do_rset(self, _: str) -> None:
        self._say("250 ok")

    def do_quit(self, _: str) -> bool:
        self._say("221 bye")
        return True

    def _unknown(self, _: str) -> None:
        self._say("500 no such command")

    def _encrypt(self) -> None:
        self.stream.close()
        self.socket = self.tls.wrap_socket(self.socket, server_side=True)
        self.stream = self.socket.makefile("rwb")
        self.encrypted = True

    def _say(self, *lines: str) -> None:
        self.stream.write("".join(f"{line}\r\n" for line in lines).encode())
        self.stream.flush()


@contextmanager
def post(tls: ssl.SSLContext, *, implicit: bool = False) -> Iterator[Post]:
    """A running mail server."""
    made = Post(tls, implicit=implicit)
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


class Trust(NamedTuple):
    """Both sides of TLS: a server's own certificate, and a client that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def trust(folder: Path) -> Trust:
    """A certificate for 127.0.0.1, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Trust(server, ssl.create_default_context(cadata=pem.decode()))
