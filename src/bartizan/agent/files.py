"""Small files of the agent: there as a whole or not at all, and nobody else's to read."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Final

from bartizan.base.errors import SpecError, StoreError, reason_of

if TYPE_CHECKING:
    from pathlib import Path

_KEY_BYTES: Final = 32
_LONGEST: Final = 1 << 16


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is on the disk when this returns.

    Raises:
        StoreError: the disk refuses it.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        hint = "Give the agent a folder of its own with --data."
        raise StoreError(f"`{path}` cannot be written: {reason_of(error)}", hint=hint) from error


def read_secret(path: Path) -> str:
    """The one word of a file.

    Raises:
        SpecError: it cannot be read, or is no word.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        said = reason_of(error) if isinstance(error, OSError) else "it is no text"
        raise SpecError(f"`{path}` cannot be read: {said}", hint="Name the file that the token is in.") from error
    if not content or any(letter.isspace() for letter in content):
        raise SpecError(f"`{path}` holds no token", hint="Write the token into it, and nothing else.")
    return content


def own_key(path: Path) -> bytes:
    """The key that digests secrets, made at the first start: digests can be compared for as long as it is kept.

    Raises:
        StoreError: the folder cannot be written to.
    """
    if not path.exists():
        write_whole(path, secrets.token_bytes(_KEY_BYTES))
    try:
        found = path.read_bytes()
    except OSError as error:
        raise StoreError(f"`{path}` cannot be read: {reason_of(error)}") from error
    if len(found) != _KEY_BYTES:
        raise StoreError(f"`{path}` is no key", hint="Delete it: another is made, and secrets look changed once.")
    return found
