"""Which plane the command line talks to, and as whom: from the environment, or as `fleet login` kept it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from bartizan.base.errors import SourceError, SpecError, reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_HINT = "Run `bartizan fleet login https://plane.example`, or set `BARTIZAN_URL` and `BARTIZAN_TOKEN`."


class Login(msgspec.Struct, frozen=True):
    """A plane, and the token that it knows us by."""

    url: str
    token: str


def file_of(environment: Mapping[str, str] = os.environ) -> Path:
    """Where a login is kept."""
    home = environment.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(home).expanduser() / "bartizan" / "fleet.json"


def find_login(environment: Mapping[str, str] = os.environ) -> Login:
    """The login of the environment or, for what it does not say, of the file.

    Raises:
        SpecError: there is none.
        SourceError: the file cannot be read.
    """
    url, token = environment.get("BARTIZAN_URL", ""), environment.get("BARTIZAN_TOKEN", "")
    if url and token:
        return Login(checked_url(url), token)
    file = file_of(environment)
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Login)
    except FileNotFoundError as error:
        raise SpecError("no plane is known here", hint=_HINT) from error
    except OSError as error:
        raise SourceError(f"`{file}` cannot be read: {reason_of(error)}") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SpecError(f"`{file}` is no login", hint=_HINT) from error
    if url and checked_url(url) != kept.url:  # a token is told to the plane it was given for, and to no other
        raise SpecError(f"no token is known for `{url}`", hint="Set `BARTIZAN_TOKEN` too, or log in there.")
    return Login(kept.url, token or kept.token)


def keep_login(login: Login, environment: Mapping[str, str] = os.environ) -> Path:
    """Keep a login in a file that nobody else can read.

    Raises:
        SourceError: it cannot be written.
    """
    file = file_of(environment)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(msgspec.json.encode(login))
        part.replace(file)
    except OSError as error:
        raise SourceError(f"`{file}` cannot be kept: {reason_of(error)}") from error
    return file


def checked_url(url: str) -> str:
    """The base URL of a plane.

    Raises:
        SpecError: it is none, or would carry the token in the clear over a network.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise SpecError(f"`{url}` is no URL of a plane", hint="Write it as https://plane.example.")
    if parts.scheme == "http" and host not in _LOCAL:
        raise SpecError(f"`{url}` would carry the token in the clear", hint="Use https.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
