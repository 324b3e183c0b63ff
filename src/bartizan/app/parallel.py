"""Work shared among forked processes, which inherit everything and give back bytes.

The process that asks does its own share too, so that two cores need one
fork. Results of the others come through files without a name: a pipe would
hold a worker back until somebody reads.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result", bound=msgspec.Struct)
_TICKET_BYTES: Final = 4
_SIZE_BYTES: Final = 8
_MOST_TICKETS: Final = 4096
"""Numbers that fit into the smallest pipe there is, of 16 KiB, without anybody reading."""


class WorkerError(RuntimeError):
    """A worker process ended without its results; what it said is on standard error."""


def share(work: Callable[[int], Result], number: int, workers: int, kind: type[Result]) -> Iterator[Result]:
    """Do `work(0)` to `work(number - 1)` in as many processes, and give the results, of one `kind`, in order.

    Each process takes the next number when it is done with its last, so
    that all end together.

    Raises:
        WorkerError: a worker did not finish.
    """
    import tempfile

    tickets = _tickets(number)
    files = [tempfile.TemporaryFile() for _ in range(min(workers, number) - 1)]  # noqa: SIM115 (closed below, once read)
    children = [_fork(work, tickets, file) for file in files]
    try:
        results = {index: work(index) for index in _take(tickets)}
        for child, file in zip(list(children), files, strict=True):
            _, status = os.waitpid(child, 0)
            children.remove(child)
            if status != 0:
                raise WorkerError("a worker process did not finish")
            results.update(_read(file, kind))
    finally:
        for _ in _take(tickets):
            pass  # what is left after a failure is nobody's
        os.close(tickets)
        for child in children:
            os.waitpid(child, 0)
        for file in files:
            file.close()
    for index in range(number):
        yield results.pop(index)


def _tickets(number: int) -> int:
    """A pipe that holds the numbers of all pieces, to be taken by whoever is free."""
    if number > _MOST_TICKETS:
        raise ValueError(f"{number} pieces are too many to share: make larger ones")
    reading, writing = os.pipe()
    os.write(writing, b"".join(index.to_bytes(_TICKET_BYTES) for index in range(number)))
    os.close(writing)
    return reading


def _take(tickets: int) -> Iterator[int]:
    while ticket := os.read(tickets, _TICKET_BYTES):
        yield int.from_bytes(ticket)


def _fork(work: Callable[[int], Result], tickets: int, file: IO[bytes]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        encoder = msgspec.msgpack.Encoder()
        for index in _take(tickets):
            data = encoder.encode(work(index))
            file.write(index.to_bytes(_TICKET_BYTES))
            file.write(len(data).to_bytes(_SIZE_BYTES))
            file.write(data)
        file.flush()
        code = 0
    except BaseException:  # noqa: BLE001 (the outermost frame of a process)
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _read(file: IO[bytes], kind: type[Result]) -> Iterator[tuple[int, Result]]:
    decoder = msgspec.msgpack.Decoder(kind)
    file.seek(0)
    while ticket := file.read(_TICKET_BYTES):
        size = int.from_bytes(file.read(_SIZE_BYTES))
        yield int.from_bytes(ticket), decoder.decode(file.read(size))
