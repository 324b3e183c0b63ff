"""What is to be sent, on disk: records appended to segment files, each synced before it counts as kept.

A record has a number, and numbers have no gaps for as long as the spool is
one: its name says so, and a spool that cannot go on begins another, under
another name. A record that was half-written when the power went is none. One
that was damaged later ends the spool: what comes after it would be a gap.

The spool has a bound. When it is reached nothing more is taken until a
quarter of it is free: whoever tells is refused and keeps it, and checks the
whole cluster then. So what is in the spool stays whole and in order, and
nothing is dropped in silence.
"""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import threading
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from bartizan.base.errors import StoreError, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedReader
    from pathlib import Path

BOUND: Final = 512 << 20
"""Bytes: a cluster of 10,000 objects, checked hourly, of which one changes each second, fills it in two weeks."""
SEGMENT: Final = 8 << 20
_HEADER: Final = struct.Struct(">4sIQqI")  # mark, length, number, microseconds, checksum of all of it
_MARK: Final = b"brt1"
_LONGEST: Final = 64 << 20
_NAME: Final = "current"
_SUFFIX: Final = ".records"


class Record(NamedTuple):
    """A message as it is sent. `at` is when it was kept, in microseconds since 1970."""

    number: int
    at: int
    payload: bytes


class SpoolFullError(StoreError):
    """There is no more room: nothing was kept."""


class _Segment(NamedTuple):
    """A file of records from `first` on."""

    first: int
    path: Path


class Spool:
    """One folder's records. One process may have it open; its threads may share it."""

    def __init__(self, folder: Path, *, bound: int = BOUND, segment: int = SEGMENT) -> None:
        self.bound = bound
        self._folder = folder
        self._segment_bytes = min(segment, bound // 8)
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self.is_full = False
        self.damaged = ""
        """Why the spool before this one ended, where it was damaged."""
        self.name = ""
        self.bytes = 0
        self._first = self._next = 1
        self._segments: list[_Segment] = []
        self._size = 0
        self._file = -1
        self._reading: _Reading | None = None
        self._is_torn = False
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open()
        except OSError as error:
            raise _unkept(folder, error) from error

    @property
    def first(self) -> int:
        """The oldest record that is not sent, or the next where all are."""
        return self._first

    @property
    def next(self) -> int:
        """The number of the next record."""
        return self._next

    @property
    def waiting(self) -> int:
        """How many records are not sent."""
        return self._next - self._first

    def append(self, payload: bytes, at: int, of: str = "") -> int:
        """Keep a record. Returns its number; it is on the disk then. `of` is the spool it belongs to, if to one only.

        Raises:
            SpoolFullError: there is no room.
            StoreError: the disk refuses it, or the spool it belongs to is no more.
        """
        with self._lock:
            if of not in ("", self.name):
                raise StoreError("another spool was begun meanwhile", hint="Check the whole cluster again.")
            self._make_room(len(payload))
            head = _HEADER.pack(_MARK, len(payload), self._next, at, 0)
            head = _HEADER.pack(_MARK, len(payload), self._next, at, zlib.crc32(payload, zlib.crc32(head)))
            try:
                if self._is_torn or (self._size and self._size + len(head) + len(payload) > self._segment_bytes):
                    self._begin_segment()
                _write(self._file, head + payload)
                os.fsync(self._file)
            except OSError as error:
                self._take_back()
                raise _unkept(self._folder, error) from error
            self._size += len(head) + len(payload)
            self.bytes += len(head) + len(payload)
            self._next += 1
            self._arrived.notify_all()
            return self._next - 1

    def get(self, number: int) -> Record | None:
        """A record; nothing where it is sent and gone, or not there yet."""
        with self._lock:
            if not self._first <= number < self._next:
                return None
            segment = next(one for one in reversed(self._segments) if one.first <= number)
            try:
                return self._at(segment, number).find(number)
            except OSError as error:
                raise _unkept(self._folder, error) from error

    def _at(self, segment: _Segment, number: int) -> _Reading:
        """A segment, read up to a record at most; records are mostly asked for one after the other."""
        if self._reading is not None:
            if self._reading.segment == segment and self._reading.next <= number:
                return self._reading
            self._reading.close()
        self._reading = _Reading(segment)
        return self._reading

    def oldest_at(self) -> int | None:
        """When the oldest record that is not sent was kept; nothing where all are sent."""
        record = self.get(self._first)
        return None if record is None else record.at

    def wait(self, number: int, timeout_s: float) -> bool:
        """Wait until a record is there. Returns whether it is."""
        with self._lock:
            return self._arrived.wait_for(lambda: self._next > number or self._closed, timeout_s) and not self._closed

    def go_on_from(self, last: int) -> bool:
        """Everything up to a record is kept elsewhere, and what comes after it is to be sent: files before it go.

        Returns whether it can be: not where records after it are gone, or it was never here.
        """
        with self._lock:
            if not self._segments[0].first <= last + 1 <= self._next:
                return False
            self._first = last + 1
            if self._first == self._next and self._size > self._segment_bytes // 2:
                with suppress(OSError):  # the next append says what is wrong
                    self._begin_segment()
            while len(self._segments) > 1 and self._segments[1].first <= self._first:
                self._drop(self._segments.pop(0))
            if self.is_full and self.bytes <= self.bound * 3 // 4:
                self.is_full = False
            return True

    def renew(self) -> None:
        """Begin another spool, under another name and numbered from 1; what this one held is dropped."""
        with self._lock:
            self._shut()
            try:
                self._begin_spool()
            except OSError as error:
                raise _unkept(self._folder, error) from error
            self.is_full = False
            self._arrived.notify_all()

    def close(self) -> None:
        """Give the files back."""
        with self._lock:
            self._closed = True
            self._shut()
            self._arrived.notify_all()

    def _open(self) -> None:
        named = self._folder / _NAME
        name = named.read_text().strip() if named.exists() else ""
        if len(name) != 32 or not (self._folder / name).is_dir():
            self._begin_spool()
            return
        self.name = name
        self._segments = sorted(
            _Segment(int(path.name.removesuffix(_SUFFIX)), path) for path in (self._folder / name).glob(f"*{_SUFFIX}")
        )
        if not self._segments:
            self.damaged = "its files are gone"
            self._begin_spool()
            return
        self._first = self._next = self._segments[0].first
        for segment in self._segments:
            if not self._take(segment):
                self.damaged = f"`{segment.path.name}` was damaged"
                self._begin_spool()
                return
        self._file = os.open(self._segments[-1].path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)

    def _take(self, segment: _Segment) -> bool:
        """Count the records of a file; the end of the last file may be torn, and is cut off."""
        if segment.first != self._next:
            return False
        size = 0
        with segment.path.open("rb") as file:
            for record in _records(file):
                if record.number != self._next:
                    return False
                size = file.tell()
                self._next += 1
            whole = file.seek(0, os.SEEK_END) == size
        if not whole:
            if _has_record_after(segment.path, size):
                return False
            os.truncate(segment.path, size)  # where it was more than an end, the next file's number tells
        self._size = size
        self.bytes += size
        return True

    def _begin_spool(self) -> None:
        """The new folder is whole before it is named, and the old ones go after."""
        self.name = secrets.token_hex(16)
        self._first = self._next = 1
        self._segments = []
        self._size = self.bytes = 0
        (self._folder / self.name).mkdir(mode=0o700)
        self._begin_segment()
        part = self._folder / f"{_NAME}.part"
        part.write_text(self.name)
        _sync(part)
        part.replace(self._folder / _NAME)
        _sync(self._folder)
        for old in self._folder.iterdir():
            if old.is_dir() and old.name != self.name:
                shutil.rmtree(old, ignore_errors=True)

    def _begin_segment(self) -> None:
        path = self._folder / self.name / f"{self._next:020}{_SUFFIX}"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        _sync(path.parent)
        if self._file >= 0:
            os.close(self._file)
        self._file = file
        self._size = 0
        self._is_torn = False
        self._segments.append(_Segment(self._next, path))

    def _drop(self, gone: _Segment) -> None:
        if self._reading is not None and self._reading.segment == gone:
            self._reading.close()
            self._reading = None
        with suppress(OSError):  # what cannot be deleted is found again at the next start, and sent twice
            size = gone.path.stat().st_size
            gone.path.unlink()
            self.bytes -= size

    def _make_room(self, size: int) -> None:
        if size > _LONGEST:
            raise StoreError(f"a report of {size:,} bytes is too long to be kept", hint="Send less at a time.")
        if self._closed:
            raise StoreError("the spool is closed", hint="Start the agent again.")
        if self.is_full or self.bytes + _HEADER.size + size > self.bound:
            self.is_full = True
            raise SpoolFullError(
                f"the spool is full: {self.bytes:,} bytes wait to be sent",
                hint="See why the plane does not take them; the whole cluster is checked again when there is room.",
            )

    def _take_back(self) -> None:
        """Cut off what was written of a record that could not be."""
        self._is_torn = True
        with suppress(OSError):  # then the next record begins a file
            os.ftruncate(self._file, self._size)
            self._is_torn = False

    def _shut(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


class _Reading:
    """A segment that is read from its beginning on."""

    def __init__(self, segment: _Segment) -> None:
        self.segment = segment
        self.next = segment.first
        self._file = segment.path.open("rb")
        self._records = _records(self._file)

    def find(self, number: int) -> Record | None:
        """A record at or after the one that was read last."""
        for record in self._records:
            self.next = record.number + 1
            if record.number == number:
                return record
        self.next = self.segment.first + (1 << 62)  # read to its end; more may be written: begin again
        return None

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _records(file: BufferedReader) -> Iterator[Record]:
    """The whole records at the beginning of a file."""
    while len(head := file.read(_HEADER.size)) == _HEADER.size:
        mark, length, number, at, checksum = _HEADER.unpack(head)
        if mark != _MARK or length > _LONGEST:
            return
        payload = file.read(length)
        blank = _HEADER.pack(mark, length, number, at, 0)
        if len(payload) != length or zlib.crc32(payload, zlib.crc32(blank)) != checksum:
            return
        yield Record(number, at, payload)


def _has_record_after(path: Path, place: int) -> bool:
    """Whether a whole record stands behind a broken one: then the end is not torn, but the middle is damaged."""
    content = path.read_bytes()[place + 1 :]
    while (found := content.find(_MARK)) >= 0:
        content = content[found:]
        head = content[: _HEADER.size]
        if len(head) == _HEADER.size:
            mark, length, number, at, checksum = _HEADER.unpack(head)
            payload = content[_HEADER.size : _HEADER.size + length]
            blank = _HEADER.pack(mark, length, number, at, 0)
            if len(payload) == length and zlib.crc32(payload, zlib.crc32(blank)) == checksum:
                return True
        content = content[1:]
    return False


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _sync(path: Path) -> None:
    """Make the disk hold a file, or a folder's list of names."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _unkept(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"`{folder}` cannot keep reports: {reason_of(error)}", hint="Give the agent a disk with room.")
