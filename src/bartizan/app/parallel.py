"""Work shared among forked processes, which inherit everything and give back bytes.

The process that asks does its own share too, so that two cores need one
fork. Results of the others come through files without a name: a pipe would
hold a worker back until somebody reads.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Result = TypeVar("Result", bound=msgspec.Struct)


class WorkerError(RuntimeError):
    """A worker process ended without its results; what it said is on standard error."""


def share(work: Callable[[int], Result], number: int, workers: int, kind: type[Result]) -> Iterator[Result]:
    """Do `work(0)` to `work(number - 1)` in as many processes, and give the results, of one `kind`, in order.

    Raises:
        WorkerError: a worker did not finish.
    """
    count = min(workers, number)
    shares = [range(start, number, count) for start in range(count)]
    import tempfile

    files = [tempfile.TemporaryFile() for _ in shares[1:]]  # noqa: SIM115 (closed below, when they have been read)
    children = [_fork(work, part, file) for part, file in zip(shares[1:], files, strict=True)]
    try:
        results = {index: work(index) for index in shares[0]}
        for child, part, file in zip(list(children), shares[1:], files, strict=True):
            _, status = os.waitpid(child, 0)
            children.remove(child)
            if status != 0:
                raise WorkerError("a worker process did not finish")
            results.update(zip(part, _read(file, kind), strict=True))
    finally:
        for child in children:
            os.waitpid(child, 0)
        for file in files:
            file.close()
    for index in range(number):
        yield results.pop(index)


def _fork(work: Callable[[int], Result], part: Sequence[int], file: IO[bytes]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        encoder = msgspec.msgpack.Encoder()
        for index in part:
            data = encoder.encode(work(index))
            file.write(len(data).to_bytes(8))
            file.write(data)
        file.flush()
        code = 0
    except BaseException:  # noqa: BLE001 (the outermost frame of a process)
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _read(file: IO[bytes], kind: type[Result]) -> Iterator[Result]:
    decoder = msgspec.msgpack.Decoder(kind)
    file.seek(0)
    while size := file.read(8):
        yield decoder.decode(file.read(int.from_bytes(size)))
