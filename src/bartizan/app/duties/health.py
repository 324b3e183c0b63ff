"""Whether a worker is well, for who starts and stops it: it lives, and its database answers."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from bartizan.base.errors import SourceError, StoreError, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bartizan.stores.open import Store


@contextmanager
def answering(host: str, port: int, store: Store) -> Iterator[int]:
    """Answer `/healthz` and `/readyz` while the block runs. Yields the port.

    Raises:
        SourceError: the address cannot be served.
    """

    class Health(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """Say 200 or 503, in a word."""
            if self.path not in ("/healthz", "/readyz"):
                return self._say(404, "there is nothing here")
            if self.path == "/readyz" and not _answers(store):
                return self._say(503, "the database is away")
            return self._say(200, "well")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's word
            """Nothing: a probe every few seconds is no news."""

        def _say(self, status: int, words: str) -> None:
            body = f"{words}\n".encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    try:
        server = ThreadingHTTPServer((host, port), Health)
    except OSError as error:
        raise SourceError(f"`{host}:{port}` cannot be served: {reason_of(error)}") from error
    Thread(target=server.serve_forever, name="health", daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def _answers(store: Store) -> bool:
    try:
        store.ask()
    except StoreError:
        return False
    return True
