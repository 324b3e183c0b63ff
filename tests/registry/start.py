"""Starting and stopping a registry on a free loopback port."""

from __future__ import annotations

import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.controlplane.start import free_ports
from tests.registry.images import Pusher
from tools import gobuild

if TYPE_CHECKING:
    from pathlib import Path

    from tests.controlplane import pki
    from tests.registry.tokens import TokenServer

USER: Final = "warden"
PASSWORD: Final = "open sesame"  # noqa: S105 (of a server that lives as long as a test)
_HTPASSWD: Final = "$2a$04$7ML7hFseaLAvwljbkQyHt.rSJsqeVqXnRhJ1rPTR/KhrMaIcI/R4W"
"""The password as bcrypt has it, at its lowest cost; Python has no bcrypt of its own."""
_READY_WITHIN_S: Final = 30
_POLL_S: Final = 0.05


@dataclass
class RegistryServer:
    """A running registry. `host` is how images name it; `pusher` may put images there."""

    host: str
    folder: Path
    pusher: Pusher
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What it wrote: every request, with its status."""
        return (self.folder / "registry.log").read_text()

    def stop(self) -> None:
        """Stop it."""
        self.process.kill()
        self.process.wait()


def basic(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    """The header of one who knows a password."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def start(
    folder: Path,
    *,
    users: bool = False,
    tls: pki.Credentials | None = None,
    authority: Path | None = None,
    tokens: TokenServer | None = None,
) -> RegistryServer:
    """Start a registry and wait until it answers.

    `users` lets in only `USER`; `tokens` only those who bring a token of that
    server; `tls` is its certificate, which `authority` has signed.
    """
    program = gobuild.ensure("registry")["registry"]
    (port,) = free_ports(1)
    host = f"127.0.0.1:{port}"
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "info", "formatter": "json"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "storage")}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "only for tests"},
    }
    headers: dict[str, str] = {}
    if users:
        (folder / "htpasswd").write_text(f"{USER}:{_HTPASSWD}\n")
        config["auth"] = {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}
        headers = basic()
    if tokens is not None:
        config["auth"] = {"token": tokens.config(folder)}
        headers = {"Authorization": f"Bearer {tokens.mint_all()}"}
    if tls is not None:
        config["http"]["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
    (folder / "config.yaml").write_text(json.dumps(config))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([str(program), "serve", str(folder / "config.yaml")], stdout=log, stderr=log)
    context = ssl.create_default_context(cafile=str(authority)) if authority else None
    url = f"{'https' if tls else 'http'}://{host}"
    server = RegistryServer(host, folder, Pusher(url, headers, context), process)
    _wait(server, url, context)
    return server


def _wait(server: RegistryServer, url: str, context: ssl.SSLContext | None) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/v2/", context=context, timeout=5):  # noqa: S310 (ours)
                return
        except urllib.error.HTTPError:
            return  # it wants to know who asks, and so is there
        except OSError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                server.stop()
                raise TimeoutError(f"the registry is not ready\n{server.log[-2000:]}") from None
        time.sleep(_POLL_S)
