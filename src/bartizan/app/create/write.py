"""A new file, whole or not at all, that takes nobody's place unless that is said."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bartizan.base.errors import SourceError, SpecError
from bartizan.base.location import Location

if TYPE_CHECKING:
    from collections.abc import Mapping


def write_all(files: Mapping[Path, str], *, force: bool) -> None:
    """Write several files that belong together; where one is there already, none is written.

    Raises:
        SpecError: there is a file of one of the names.
        SourceError: one cannot be written.
    """
    for path in files:
        if path.exists() and not force:
            raise SpecError("there is a file of that name", at=Location(str(path)), hint="Write over it with --force.")
    for path, text in files.items():
        write_new(path, text, force=force)


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that is not there yet, or over one that is where `force` says so.

    Raises:
        SpecError: there is a file of that name.
        SourceError: it cannot be written.
    """
    if path.exists() and not force:
        raise SpecError("there is a file of that name", at=Location(str(path)), hint="Write over it with --force.")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            part.chmod(0o666 & ~_umask())
            if force:
                part.replace(path)
            else:
                os.link(part, path)  # fails where somebody was faster, and never takes a place
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError as error:
        raise SpecError("there is a file of that name", at=Location(str(path)), hint="Use --force.") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        hint = "Check the folder and its permissions."
        raise SourceError(f"cannot be written: {reason}", at=Location(str(path)), hint=hint) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
