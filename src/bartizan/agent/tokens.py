"""The agent's own token: made here, exchanged for a join token, kept in a file that only it reads, and renewed.

Whatever is asked of the plane is written down first, so that a crash or a
lost answer leaves nothing that cannot be asked again.
"""

from __future__ import annotations

import logging
import secrets
import threading
from typing import TYPE_CHECKING, Final

from bartizan.agent.files import read_secret, write_whole
from bartizan.app.reporting.wire import JoinAsk

if TYPE_CHECKING:
    from pathlib import Path

    from bartizan.agent.link import Link
    from bartizan.app.reporting.wire import Joined

_LOG: Final = logging.getLogger("bartizan.agent")
_BYTES: Final = 32


class TokenFile:
    """A token in a file. `is_own` is whether the agent made it: one that a person handed over is only read."""

    def __init__(self, path: Path, *, is_own: bool = True) -> None:
        self._path = path
        self._next = path.with_name(f"{path.name}.next")
        self._is_own = is_own
        self._lock = threading.Lock()
        self._read = ""

    @property
    def exists(self) -> bool:
        """Whether the agent has joined, as far as it knows."""
        return self._path.exists()

    def get(self) -> str:
        """The token. One that was handed over is read each time: another may have been mounted.

        Raises:
            SpecError: the file cannot be read.
        """
        if not self._is_own:
            return read_secret(self._path)
        if not self._read:
            self._read = read_secret(self._path)
        return self._read

    def join(self, link: Link, secret: str, name: str, identity: str) -> Joined:
        """Let this cluster join, with a token that is kept from here on.

        Raises:
            SourceError: the plane is away, or refuses.
            StoreError: the token cannot be kept.
        """
        with self._lock:
            joined = link.join(secret, JoinAsk(name, identity, self._made()))
            self._next.replace(self._path)
            self._read = ""
            _LOG.info("agent.joined", extra={"cluster": joined.name, "rejoined": joined.rejoined})
            return joined

    def renew(self, link: Link) -> None:
        """Change to another token; the plane takes both until it has seen the new one.

        Raises:
            SourceError: the plane is away, or refuses.
            StoreError: the token cannot be kept.
        """
        if not self._is_own:
            return
        with self._lock:
            made = self._made()
            link.renew(made)
            self._next.replace(self._path)
            self._read = made
            _LOG.info("token.renewed")

    def _made(self) -> str:
        """A new token, or the one whose answer was lost."""
        if not self._next.exists():
            write_whole(self._next, secrets.token_urlsafe(_BYTES).encode())
        return read_secret(self._next)
