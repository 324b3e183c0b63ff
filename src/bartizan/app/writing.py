"""Files written whole: at every moment there is the old one or the new one, and never half of either.

Everything is written to a new file beside the one it is for, which then takes
its name. The new file is made with a random name and never opened through a
link, so nobody who can write to the folder can lead the writing elsewhere.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bartizan.base.errors import SourceError, SpecError, reason_of
from bartizan.base.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import TextIOWrapper
    from pathlib import Path
    from typing import TextIO


def replace_file(path: Path, before: bytes, after: bytes) -> None:
    """Put `after` where `before` was; a link is followed to its target, and owner and mode are kept.

    Raises:
        SourceError: it cannot be written, or is no longer what was read.
    """
    with _refusals(path):
        target = path.resolve(strict=True)
        if not os.access(target, os.W_OK):
            raise SourceError(f"cannot write `{path}`: it is read-only", hint="Give yourself the right to write it.")
        if target.read_bytes() != before:
            hint = "Run the command again."
            raise SourceError(f"`{path}` has changed since it was read, and is left as it is", hint=hint)
        known = target.stat()
        with _part_of(target) as (part, file):
            file.buffer.write(after)
            os.fchmod(file.fileno(), stat.S_IMODE(known.st_mode))
            with suppress(PermissionError):  # only root may give a file away; then it is ours, as after any save
                os.fchown(file.fileno(), known.st_uid, known.st_gid)
            file.flush()
            os.fsync(file.fileno())
            part.replace(target)
        _sync_folder(target.parent)


def write_report(path: Path, render: Callable[[TextIO], None]) -> None:
    """Write what `render` writes, whatever stood there; a link is followed, and a device or pipe is written to.

    Raises:
        SourceError: it cannot be written.
    """
    with _refusals(path):
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", errors="backslashreplace") as out:
                render(out)
            return
        with _part_of(target) as (part, file):
            render(file)
            file.flush()
            part.replace(target)


def write_all(files: Mapping[Path, str], *, force: bool) -> None:
    """Write several files that belong together; where one is there already, none is written.

    Raises:
        SpecError: there is a file of one of the names.
        SourceError: one cannot be written.
    """
    for path in files:
        if path.exists() and not force:
            raise _taken(path)
    for path, text in files.items():
        write_new(path, text, force=force)


def write_new(path: Path, text: str, *, force: bool) -> None:
    """Write a file that is not there yet, or over one that is where `force` says so.

    Raises:
        SpecError: there is a file of that name.
        SourceError: it cannot be written.
    """
    with _refusals(path), _part_of(path) as (part, file):
        file.write(text)
        file.flush()
        if force:
            part.replace(path)
            return
        try:
            os.link(part, path)  # fails where somebody was faster, and never takes a place
        except FileExistsError as error:
            raise _taken(path) from error


class Folder:
    """A folder for objects, each in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._texts: dict[str, str] = {}

    def write(self, name: str, text: str) -> None:
        """Write one object; another of the same name gets a number behind it, unless it is the same.

        Raises:
            SourceError: it cannot be written.
        """
        number, stem = 1, name
        while self._texts.get(name, text) != text:
            number += 1
            name = f"{stem}-{number}"
        if name in self._texts:
            return
        self._texts[name] = text
        with _refusals(self._path):
            self._path.mkdir(parents=True, exist_ok=True)
        write_new(self._path / f"{name}.yaml", text, force=True)


def _taken(path: Path) -> SpecError:
    return SpecError("there is a file of that name", at=Location(str(path)), hint="Write over it with --force.")


@contextmanager
def _refusals(path: Path) -> Iterator[None]:
    """What the system refuses, as an error that names the file."""
    try:
        yield
    except OSError as error:
        hint = "Check the folder and its permissions."
        raise SourceError(f"cannot write `{path}`: {reason_of(error)}", hint=hint) from error


@contextmanager
def _part_of(target: Path) -> Iterator[tuple[Path, TextIOWrapper]]:
    """A new file beside `target`, which is gone in the end unless it was given another name."""
    part = target.with_name(f".{target.name[:100]}.{os.urandom(6).hex()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            yield part, file
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
