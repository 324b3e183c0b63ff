"""A change that was sent twice under one `Idempotency-Key` is done once, and answered alike for a day."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from bartizan.base.errors import SpecError
from bartizan.plane.problem import RefusedError
from bartizan.stores import answers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bartizan.plane.site import Asked

HEADER: Final = "idempotency-key"
LONGEST: Final = 200
_KEPT: Final = ("etag", "location", "content-type")


class Replay:
    """One key of one viewer."""

    def __init__(self, asked: Asked, key: str) -> None:
        viewer, request = asked.viewer, asked.request
        who = f"account {viewer.account}" if viewer.account is not None else viewer.name
        self._key = answers.digest_of(who, key)
        self._request = answers.digest_of(request.method, request.url.path, str(request.query_params), asked.body)
        self._site = asked.site

    def before(self, connection: Connection) -> Response | None:
        """What was answered before; nothing where this is the first time.

        Raises:
            RefusedError: the key was given with something else.
        """
        kept = answers.take(connection, self._key, self._request, self._site.now())
        if kept is None:
            return None
        if kept.request != self._request:
            hint = "Make a new key for each change."
            raise RefusedError(422, "this key was given with another change", hint=hint)
        body = self._seal().decrypt(kept.body)
        return Response(body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})

    def keep(self, connection: Connection, answer: Response) -> None:
        """Keep what is answered now."""
        headers = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        sealed = self._seal().encrypt(bytes(answer.body))
        answers.keep(connection, self._key, answer.status_code, headers, sealed)

    def _seal(self) -> Any:
        from cryptography.fernet import Fernet

        key = blake2b(self._site.key, digest_size=32, person=b"answers").digest()
        return Fernet(urlsafe_b64encode(key))


def key_of(asked: Asked, method: str) -> Replay | None:
    """The key of a request; only what is posted needs one, for the rest is the same done twice.

    Raises:
        SpecError: it is no key.
    """
    key = asked.request.headers.get(HEADER, "")
    if method != "POST" or not key:
        return None
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise SpecError("the `Idempotency-Key` is no key", hint=f"Send up to {LONGEST} plain characters, as a UUID.")
    return Replay(asked, key)
