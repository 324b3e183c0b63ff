"""Files replaced whole: at every moment there is the old one or the new one, and never half of either."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from bartizan.base.errors import SourceError


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put `after` where `before` was; a link is followed to its target, and the mode is kept.

    Raises:
        SourceError: it cannot be written, or is no longer what was read.
    """
    try:
        target = path.resolve(strict=True)
        if not os.access(target, os.W_OK):
            raise SourceError(f"cannot write `{path}`: it is read-only", hint="Give yourself the right to write it.")
        if target.read_bytes() != before:
            hint = "Run the command again."
            raise SourceError(f"`{path}` has changed since it was read, and is left as it is", hint=hint)
        _replace(target, after)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SourceError(f"cannot write `{path}`: {reason}", hint="Check the folder and its permissions.") from error


def _replace(target: Path, data: bytes) -> None:
    known = target.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, stat.S_IMODE(known.st_mode))
            with suppress(PermissionError):  # only root may give a file away; then it is ours, as after any save
                os.fchown(descriptor, known.st_uid, known.st_gid)
            os.fsync(descriptor)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
