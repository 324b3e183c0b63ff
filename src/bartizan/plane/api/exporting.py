"""Exports: what a list shows, row for row, in the formats that others read; and scores that can be worked out again.

An export is of one moment, and is there as a whole or not at all: it is
written to a file that has no name, in one transaction, and sent from there.
So a slow reader holds no connection to the database, and none gets half a
file that looks like a whole one.
"""

from __future__ import annotations

from dataclasses import replace
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta
from starlette.responses import Response, StreamingResponse

from bartizan.base.errors import SpecError, StoreError
from bartizan.outputs.fleet.formats import FORMATS
from bartizan.plane.api import records
from bartizan.plane.api.filters import FindingFilter
from bartizan.plane.api.operation import Call, Nothing, Operation, Told
from bartizan.plane.api.parts import known
from bartizan.plane.api.rows import context_of, row_of
from bartizan.plane.api.standing import MovementFilter, score_export
from bartizan.stores.queries import findings, overview
from bartizan.stores.queries.pages import LARGEST, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from sqlalchemy import Connection

    from bartizan.stores.queries.findings import FindingView, Wanted

_MEMORY: Final = 1 << 20
"""Bytes of an export that are kept in memory; the rest is on disk."""
_CHUNK: Final = 1 << 16
_AT_ONCE: Final = BoundedSemaphore(2)
"""Exports that are written at a time in one process, so that pages are still answered."""
FormatName: TypeAlias = Literal[
    "csv", "json", "ndjson", "sarif", "ocsf", "oscal", "oscal-poam", "policyreport", "openreports", "junit", "html"
]
_OURS: Final = {"json": ("application/json", ".json"), "ndjson": ("application/x-ndjson", ".ndjson")}


class FindingExport(FindingFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which findings, in which format. `policyreport`, `openreports` and `junit` are of one `cluster`."""

    format: Annotated[FormatName, Meta(description="How it is written.")] = "csv"


def _findings(call: Call[FindingExport, Nothing], connection: Connection) -> Told:
    given = call.given
    known(call, connection, given.cluster)
    if given.format in _OURS:
        media, extension = _OURS[given.format]
        return _told(call, media, extension, lambda out: _write_ours(call, connection, out))
    chosen = FORMATS[given.format]
    if chosen.one_cluster and not given.cluster:
        raise SpecError(f"`{given.format}` is of one cluster", hint="Name the `cluster`.")

    def write(out: TextIO) -> None:
        context = context_of(call, connection, given, numbers=chosen.needs_numbers)
        views = _views(call, connection, by_cluster=chosen.by_cluster)
        chosen.write(_bounded(map(row_of, views), chosen.most), context, out)

    return _told(call, chosen.media, chosen.extension, write)


def _write_ours(call: Call[FindingExport, Nothing], connection: Connection, out: TextIO) -> None:
    """The records of the interface itself, as a list or a line each."""
    told = (msgspec.json.encode(records.finding(view)).decode() for view in _views(call, connection))
    if call.given.format == "ndjson":
        out.writelines(f"{line}\n" for line in told)
        return
    out.write('{"items": [')
    separator = "\n"
    for line in told:
        out.write(f"{separator}{line}")
        separator = ",\n"
    out.write("\n]}\n")


def _views(
    call: Call[FindingExport, Nothing], connection: Connection, *, by_cluster: bool = False
) -> Iterator[FindingView]:
    """The findings of the list, in its order, or cluster by cluster."""
    wanted = call.given.wanted()
    if by_cluster and not wanted.cluster:
        for member in overview.fleet(connection, call.scope):
            yield from _paged(call, connection, replace(wanted, cluster=member.name))
        return
    yield from _paged(call, connection, wanted)


def _paged(call: Call[FindingExport, Nothing], connection: Connection, wanted: Wanted) -> Iterator[FindingView]:
    after = ""
    while True:
        found = findings.findings(connection, call.scope, wanted, Page(LARGEST, after))
        yield from found.rows
        after = found.next
        if not after:
            return


def _bounded(rows: Iterator[Any], most: int) -> Iterator[Any]:
    for number, row in enumerate(rows):
        if number == most:
            hint = "Choose fewer by parameters, or `format=ndjson`, which has no bound."
            raise SpecError(f"there are more than {most:,} findings, which this format cannot hold", hint=hint)
        yield row


def _scores(call: Call[MovementFilter, Nothing], connection: Connection) -> Told:
    def write(out: TextIO) -> None:
        out.write(score_export(call, connection).decode())

    return _told(call, "application/json", ".json", write, "scores")


def _told(
    call: Call[Any, Any], media: str, extension: str, write: Callable[[TextIO], None], name: str = "findings"
) -> Told:
    """Write an export, and send it."""
    if not _AT_ONCE.acquire(blocking=False):
        raise StoreError("this process writes as many exports as it can", hint="Try again in a few seconds.")
    file = SpooledTemporaryFile(_MEMORY)  # noqa: SIM115  (it is closed when it was sent)
    try:
        text = TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        write(text)
        text.flush()
        text.detach()
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    finally:
        _AT_ONCE.release()
    stamp = call.now.strftime("%Y-%m-%dT%H%MZ")
    headers = {
        "Content-Disposition": f'attachment; filename="bartizan-{name}-{stamp}{extension}"',
        "Content-Length": str(size),
        "Cache-Control": "private, no-store",
    }
    kind = f"{media}; charset=utf-8; header=present" if media == "text/csv" else media
    if call.asked.request.method == "HEAD":
        file.close()
        return Told(Response(b"", media_type=kind, headers=headers))
    return Told(StreamingResponse(_chunks(file), media_type=kind, headers=headers))


def _chunks(file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _media() -> tuple[str, ...]:
    found = [media for media, _ in _OURS.values()] + [one.media for one in FORMATS.values()]
    return tuple(dict.fromkeys(found))


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Operation(
        name="export_findings", method="GET", path="/export/findings", tag="Exports", given=FindingExport,
        media=_media(), summary="The findings of a list, all of them, in a format of your choice", handle=_findings,
        refusals=(404,),
        description="Takes the parameters of the list and gives its rows, all and no others.\n\n"
        "CycloneDX VEX will come with images: nothing here judges them yet.",
    ),
    Operation(
        name="export_scores", method="GET", path="/export/scores", tag="Exports", given=MovementFilter,
        media=("application/json",), summary="Scores with all they are made from", handle=_scores, refusals=(404,),
        description="`bartizan fleet score --recompute FILE` works it out again, byte for byte. With `since` it tells"
        " why the numbers moved, too.",
    ),
)  # fmt: skip  # a line says what, another does how
