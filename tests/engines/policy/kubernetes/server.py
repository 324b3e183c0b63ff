"""The API server, asked over one connection, with all that admission says beside its answers."""

from __future__ import annotations

import json
import re
import ssl
import time
from http.client import HTTPSConnection
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.controlplane.start import AUDIT_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.controlplane.start import ControlPlane

_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')
_PATIENCE_S = 60
_POLL_S = 0.05
_NOT_YET = ("not yet synced", "There can be a delay between when CustomResourceDefinitions", "serviceaccount ")


class Answer(NamedTuple):
    """What the server said."""

    status: int
    body: dict[str, Any]
    warnings: tuple[str, ...]
    audit_id: str

    @property
    def message(self) -> str:
        """Why not, where it was not done."""
        return str(self.body.get("message", "")) if self.status >= 300 else ""


class Server:
    """The API server of a control plane. `user` and `groups` of a request stand for another than the administrator."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        context = ssl.create_default_context(cafile=str(plane.authority.file))
        context.load_cert_chain(plane.folder / "admin.crt", plane.folder / "admin.key")
        self._connection = HTTPSConnection(urlsplit(plane.url).netloc, context=context, timeout=60)

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        user: str = "",
        groups: Sequence[str] = (),
        **query: Any,
    ) -> Answer:
        """The answer, once the server has heard of everything that was made before."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            answer = self._ask(method, path, body, (user, groups), query)
            said = answer.message
            if not any(text in said for text in _NOT_YET) or time.monotonic() > deadline:
                return answer
            time.sleep(_POLL_S)

    def make(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an object, or take the one that is there."""
        answer = self.ask("POST", path, body)
        if answer.status == 409:
            answer = self.ask("GET", f"{path}/{body['metadata']['name']}")
        assert answer.status in (200, 201), answer.message
        return answer.body

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        who: tuple[str, Sequence[str]],
        query: Mapping[str, Any],
    ) -> Answer:
        self._connection.putrequest(method, f"{path}?{urlencode(query, doseq=True)}" if query else path)
        data = b"" if body is None else json.dumps(body).encode()
        self._connection.putheader("Content-Type", "application/json")
        self._connection.putheader("Content-Length", str(len(data)))
        user, groups = who
        if user:
            self._connection.putheader("Impersonate-User", user)
            for group in groups:
                self._connection.putheader("Impersonate-Group", group)
        self._connection.endheaders(data)
        answer = self._connection.getresponse()
        text = answer.read()
        warnings = [
            re.sub(r"\\(.)", r"\1", found)
            for header in answer.headers.get_all("Warning") or ()
            for found in _WARNING.findall(header)
        ]
        try:
            decoded = json.loads(text)
        except ValueError:
            decoded = {"message": text.decode("utf-8", "replace")}
        return Answer(answer.status, decoded, tuple(warnings), answer.headers.get("Audit-Id", ""))

    def noted(self) -> dict[str, dict[str, str]]:
        """What the audit log says of each request, by its id."""
        found: dict[str, dict[str, str]] = {}
        for line in (self._plane.folder / AUDIT_LOG).read_text().splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # it is still being written
            if event.get("annotations"):
                found[event["auditID"]] = event["annotations"]
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
